// The probe of policy `locked`, internal to this folder: a tangent sweep beside the value, along one
// fixed direction, which gives each kink the weight that its switch's tangent points to. Two stages,
// each a copy of the function by Forward:
//   First   choose -> choose_t, `if` gets a weight operand; NaN where the direction leaves it open;
//   Second  along another direction with the first one's bits held fixed; what stays open takes its
//           default; ties are reported.
// Only is both in one, for a direction that the caller gives. Mathematics: docs/maths.md, "Ties".
// Rules: probe_rules.cpp (kinks), probe_comparison.cpp (`if`); all others are those of Forward.
#pragma once

#include <memory>
#include <string>

#include "ad/ad.h"
#include "ir/builder.h"

namespace dini::ad {

enum class ProbeStage { First, Second, Only };
// Where the sweep starts: from the request's direction (the results are those of f), or from tangents
// of the active parameters, which are further parameters (the tangents of all real results are further
// results).
enum class ProbeSeeds { Direction, Parameters };

// Sum of the magnitudes of the terms that a tangent sums, as far as its region shows them.
ir::Value* termMagnitude(ir::Builder& b, ir::Value* tangent);
ir::Value* absolute(ir::Builder& b, ir::Value* v);
// |p - q| <= tolerance ? q : p.
ir::Value* snapped(ir::Builder& b, ir::Value* p, ir::Value* q, double tolerance);
// Whether p and q are tied.
ir::Value* tied(ir::Builder& b, ir::Value* p, ir::Value* q, double tolerance);

// ir::TieKind of a switch s = p - q, as an i64: `at_tie` (null: Decided), Near, or None.
ir::Value* tieKind(ir::Builder& b, ir::Value* s, ir::Value* p, ir::Value* q,
                   ir::Value* at_tie = nullptr);

// Kinks that are no single switch (ops/irreducible.h); probe_irreducible.cpp.
bool isIrreducible(const ir::Op& op);

// Entry k of the probe's direction.
double directionEntry(const TieOptions& ties, ProbeStage stage, int64_t k);

}  // namespace dini::ad
