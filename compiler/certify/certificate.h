// The certificate of one solved equation: whether every Jacobian that the tie weights allow at the
// solution is invertible, which is the hypothesis of the nonsmooth implicit function theorem.
// docs/nonsmooth.md states the theory, the ladder of tests and what each answer claims.
#pragma once

#include <string>
#include <vector>

#include "certify/graph.h"
#include "certify/p_matrix.h"
#include "certify/switches.h"

namespace dini::certify {

enum class Scope { Point, Box };
enum class Witness { SignChange, ExactZero, NumericallySingular };

struct CertifyOptions {
  Unification unification = Unification::On;
  double radius = 0;  // of the parameters' box; 0: the largest that a search finds
  uint64_t node_limit = 1u << 24;
};

struct TiedSwitch {
  Span span;
  double value = 0;
  double weight = 0;  // of the witness: slope of relu(switch)
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
  double enclosure = 0;  // a root is within this distance, the only one there
  double radius = 0;     // of the parameters' box
  double lipschitz = -1; // -1: no bound
  // Refuted
  Witness witness = Witness::SignChange;
  std::vector<double> kernel;  // of the Jacobian at the witness, in the unknowns
  double singularity = 1;      // sigma_min / sigma_max there
};

Certificate certify(System system, const CertifyOptions& options);

}  // namespace dini::certify
