// The certificate of one solved equation: whether every Jacobian that the tie weights allow at the
// solution is invertible, which is the hypothesis of the nonsmooth implicit function theorem.
// docs/nonsmooth.md states the theory, the ladder of tests and what each answer claims.
#pragma once

#include <string>
#include <vector>

#include "certify/graph.h"
#include "certify/p_matrix.h"
#include "certify/solution.h"

namespace dini::certify {

// Global: for all values of the parameters that the rule leaves free (global.h).
enum class Scope { Point, Box, Global };
enum class Witness { SignChange, ExactZero, NumericallySingular };

struct CertifyOptions {
  Unification unification = Unification::On;
  double radius = 0;  // of the parameters' box; 0: the largest that a search finds
  double tie_tolerance = -1;  // switches of at most this size are tied; negative: by rounding (nonsmooth.md)
  uint64_t node_limit = 1u << 24;
};

struct Certificate {
  Verdict verdict = Verdict::Unknown;
  Span span;  // of the solve
  size_t unknowns = 0, kinks = 0;
  std::vector<double> solution;
  std::vector<TiedSwitch> tied;  // taken as tied at the solution
  std::string how;               // the test that decided; for Unknown the reason
  Span reason_span;              // of the construct that stands in the way
  std::vector<std::string> tried;
  // Proved
  Scope scope = Scope::Point;
  double enclosure = -1;      // a root is within this distance, the only one there; -1: not known
  double radius = 0;          // of the box of all parameters, infinite where a global rule holds them all
  double lipschitz = -1;      // over that box; -1: no bound
  double free_lipschitz = -1; // Global: over all values of the free parameters
  size_t free = 0, held = 0;  // Global: parameters that are free, and that stay as they are
  // Refuted
  Witness witness = Witness::SignChange;
  std::vector<double> kernel;  // of the Jacobian at the witness, in the unknowns
  double singularity = 1;      // bound on sigma_min / sigma_max there, not below rounding
  bool reachable = false;      // the sign patterns of the ties that the witness lies between, or is, are met
};

Certificate certify(System system, const CertifyOptions& options);

}  // namespace dini::certify
