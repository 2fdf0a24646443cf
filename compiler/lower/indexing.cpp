// Indexing: subscripts to index, slice and gather operations with the checks that are not provably
// unnecessary, and the same for assignment to elements.
#include <fmt/format.h>

#include "base/check.h"
#include "lower/scopes.h"

namespace dini::lower {

using ir::OpCode;

void Emitter::checkIndex(ir::Value* i, ir::Value* size) {
  std::string text = "the index is outside the array";
  if (auto known = ir::constantInt(size)) text = fmt::format("the index is outside 0..{}", *known);
  if (rangeOf(i).lo < 0) require(intOp(OpCode::ILe, integer(0), i), ir::Status::Bounds, text);
  if (!provablyLess(i, size)) require(intOp(OpCode::ILt, i, size), ir::Status::Bounds, text);
}

void Emitter::checkIndices(ir::Value* indices, ir::Value* size) {
  if (indices->def != nullptr && indices->def->code == OpCode::ArgSort &&
      knownDifference(sizeOf(indices, 0), size) == 0)
    return;
  ir::Value* low = b().op(OpCode::ILe, {integer(0), indices});
  ir::Value* high = b().op(OpCode::ILt, {indices, size});
  ir::Value* all = b().reduce("all", b().op(OpCode::And, {low, high}), {0});
  require(all, ir::Status::Bounds, "an index is outside the array");
}

// lo..hi of an axis, either side open.
Emitter::Selection Emitter::rangeSelection(const ast::Subscript& subscript, ir::Value* size) {
  Selection selection;
  selection.kind = Selection::Kind::Range;
  selection.start = subscript.lo != nullptr ? eval(*subscript.lo).value : integer(0);
  ir::Value* end = subscript.hi != nullptr ? eval(*subscript.hi).value : size;
  auto known = knownDifference(end, selection.start);
  selection.size = known ? integer(std::max<int64_t>(*known, 0)) : isub(end, selection.start);
  std::string text = "the slice is outside the array";
  if (rangeOf(selection.start).lo < 0)
    require(intOp(OpCode::ILe, integer(0), selection.start), ir::Status::Bounds, text);
  if (!provablyAtMost(selection.start, end))
    require(intOp(OpCode::ILe, selection.start, end), ir::Status::Bounds,
            "the slice ends before it begins");
  if (!provablyAtMost(end, size)) require(intOp(OpCode::ILe, end, size), ir::Status::Bounds, text);
  return selection;
}

std::vector<Emitter::Selection> Emitter::selections(const ast::IndexExpr& e, ir::Value* base) {
  std::vector<Selection> result;
  for (size_t axis = 0; axis < base->type.rank(); ++axis) {
    ir::Value* size = sizeOf(base, axis);
    if (axis >= e.subscripts.size() || e.subscripts[axis].kind == ast::Subscript::Kind::All) {
      result.push_back({Selection::Kind::All, integer(0), size, nullptr});
      continue;
    }
    const ast::Subscript& subscript = e.subscripts[axis];
    SpanScope span(*this, subscript.span);
    if (subscript.kind == ast::Subscript::Kind::Range) {
      result.push_back(rangeSelection(subscript, size));
      continue;
    }
    ir::Value* at = eval(*subscript.at).value;
    if (at->type.isScalar()) {
      checkIndex(at, size);
      result.push_back({Selection::Kind::At, at, integer(1), nullptr});
    } else {
      checkIndices(at, size);
      result.push_back({Selection::Kind::Gather, integer(0), size, at});
    }
  }
  return result;
}

namespace {

// How many leading subscripts are plain indices if all others take everything; nullopt otherwise.
template <class Selections>
std::optional<size_t> leadingIndices(const Selections& at) {
  using Kind = typename Selections::value_type::Kind;
  size_t leading = 0;
  while (leading < at.size() && at[leading].kind == Kind::At) ++leading;
  for (size_t k = leading; k < at.size(); ++k)
    if (at[k].kind != Kind::All) return std::nullopt;
  return leading;
}

}  // namespace

ir::Value* Emitter::gatherAxis(ir::Value* base, size_t axis, ir::Value* indices) {
  if (axis == 0) return b().gather(base, indices);
  std::vector<int64_t> to_front{static_cast<int64_t>(axis)}, back;
  for (size_t k = 0; k < base->type.rank(); ++k)
    if (k != axis) to_front.push_back(static_cast<int64_t>(k));
  back.resize(to_front.size());
  for (size_t k = 0; k < to_front.size(); ++k)
    back[static_cast<size_t>(to_front[k])] = static_cast<int64_t>(k);
  return b().transpose(b().gather(b().transpose(base, to_front), indices), back);
}

ir::Value* Emitter::select(ir::Value* base, const std::vector<Selection>& at) {
  using Kind = Selection::Kind;
  if (auto leading = leadingIndices(at)) {
    if (*leading == 0) return base;
    std::vector<ir::Value*> indices;
    for (size_t k = 0; k < *leading; ++k) indices.push_back(at[k].start);
    return b().index(base, std::move(indices));
  }
  bool sliced = false;
  std::vector<ir::Value*> starts, sizes, kept;
  for (const Selection& selection : at) {
    sliced = sliced || selection.kind == Kind::At || selection.kind == Kind::Range;
    starts.push_back(selection.start);
    sizes.push_back(selection.size);
    if (selection.kind != Kind::At) kept.push_back(selection.size);
  }
  ir::Value* result = sliced ? b().slice(base, std::move(starts), sizes) : base;
  if (kept.size() != at.size()) result = b().reshape(result, std::move(kept));
  size_t axis = 0;
  for (const Selection& selection : at) {
    if (selection.kind == Kind::Gather) result = gatherAxis(result, axis, selection.indices);
    if (selection.kind != Kind::At) ++axis;
  }
  return result;
}

Val Emitter::evalIndex(const ast::IndexExpr& e) {
  Val base = eval(*e.base);
  if (isSparse(base)) return sparseIndex(base, e);
  if (base.isLeaf()) return Val::leaf(select(base.value, selections(e, base.value)));
  auto at = e.subscripts.size() == 1 && e.subscripts[0].kind == ast::Subscript::Kind::At
                ? ir::constantInt(eval(*e.subscripts[0].at).value)
                : std::nullopt;
  if (!at || *at < 0 || static_cast<size_t>(*at) >= base.elements.size())
    fail(DiagCode::NotIndexable, e.span,
         fmt::format("a tuple of {} takes a known index below {}", base.elements.size(),
                     base.elements.size()));
  return base.elements[static_cast<size_t>(*at)];
}

// x[idx] = v: the elements one after the other, so that of a place named twice the last counts.
ir::Value* Emitter::scattered(ir::Value* base, const std::vector<Selection>& at, ir::Value* v) {
  size_t axis = 0, kept = 0;  // of the first index array, in `base` and in v
  for (; at[axis].kind != Selection::Kind::Gather; ++axis)
    if (at[axis].kind != Selection::Kind::At) ++kept;
  ir::Value* indices = at[axis].indices;
  ir::Value* count = sizeOf(indices, 0);
  if (!v->type.isScalar() && knownDifference(sizeOf(v, kept), count) != 0)
    require(intOp(OpCode::IEq, sizeOf(v, kept), count), ir::Status::Shape, "sizes differ");
  auto step = [&](ir::Builder& inner, std::span<ir::Value* const> args) {
    BuilderScope scope(*this, inner);
    std::vector<Selection> one = at;
    one[axis] = {Selection::Kind::At, b().index(indices, {args[0]}), integer(1), nullptr};
    ir::Value* part = v;
    if (!v->type.isScalar()) {
      std::vector<Selection> row;
      for (size_t k = 0; k < v->type.rank(); ++k)
        row.push_back({Selection::Kind::All, integer(0), sizeOf(v, k), nullptr});
      row[kept] = {Selection::Kind::At, args[0], integer(1), nullptr};
      part = select(v, row);
    }
    return std::vector<ir::Value*>{assigned(args[1], one, part, ast::AssignOp::Set)};
  };
  return b().loop(count, {base}, step)[0];
}

// `base` with the selected part replaced, or changed by v.
ir::Value* Emitter::assigned(ir::Value* base, const std::vector<Selection>& at, ir::Value* v,
                             ast::AssignOp op) {
  if (base->type.isReal()) v = toReal(v);
  auto leading = leadingIndices(at);
  bool gathers = false;
  std::vector<ir::Value*> kept, starts, sizes;
  for (const Selection& selection : at) {
    gathers = gathers || selection.kind == Selection::Kind::Gather;
    starts.push_back(selection.start);
    sizes.push_back(selection.size);
    if (selection.kind != Selection::Kind::At) kept.push_back(selection.size);
  }
  if (op == ast::AssignOp::Add && base->type.isReal() && v->type.isScalar() && leading == at.size())
    return b().addAt(base, v, std::move(starts));
  if (op != ast::AssignOp::Set) {
    Val current = Val::leaf(select(base, at)), change = Val::leaf(v);
    v = (op == ast::AssignOp::Mul ? arithmetic(OpCode::Mul, OpCode::IMul, current, change)
                                  : addOrSub(op == ast::AssignOp::Sub, current, change))
            .value;
  }
  if (gathers) return scattered(base, at, v);
  if (v->type.isScalar() && !kept.empty()) v = b().fill(v, kept);
  for (size_t k = 0; k < kept.size(); ++k)
    if (knownDifference(sizeOf(v, k), kept[k]) != 0)
      require(intOp(OpCode::IEq, sizeOf(v, k), kept[k]), ir::Status::Shape, "sizes differ");
  if (leading) {
    if (*leading == 0) return v;
    starts.resize(*leading);
    return b().update(base, v, std::move(starts));
  }
  if (kept.size() != at.size()) v = b().reshape(v, std::move(sizes));
  return b().updateSlice(base, v, std::move(starts));
}

}  // namespace dini::lower
