// Visiting the operations of a region, those of nested regions included.
#pragma once

#include "ir/ir.h"

namespace dini::ir {

// In program order, an operation before the operations of its regions.
template <class Visit>
void walk(const Region& region, const Visit& visit) {
  for (const auto& op : region.ops) {
    visit(*op);
    for (const auto& nested : op->regions) walk(*nested, visit);
  }
}

// Whether `inner` is `outer` or nested in it.
inline bool isInside(const Region* inner, const Region* outer) {
  for (; inner != nullptr; inner = inner->parent ? inner->parent->parent : nullptr)
    if (inner == outer) return true;
  return false;
}

// Operations that may not be dropped when their results are unused: those with an effect of their
// own, and control whose regions hold one.
inline bool hasEffect(const Op& op) {
  if (op.code != OpCode::Yield && mayHaveEffect(op.code)) return true;
  for (const auto& region : op.regions)
    for (const auto& nested : region->ops)
      if (hasEffect(*nested)) return true;
  return false;
}

// Operations that run though nothing reads what they yield: effects, and the notes of conditions. (That
// a jump was differentiated is told where both sides have the same derivative too.)
inline bool runsUnread(const Op& op) {
  if (op.code == OpCode::NoteTie) return op.result()->type.elem == Elem::I1;
  return op.code != OpCode::Yield && mayHaveEffect(op.code);
}

}  // namespace dini::ir
