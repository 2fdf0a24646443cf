// Comprehensions as loops without carries, one per iterator, and reductions as such a map followed
// by a `reduce`, so that the order of a sum is the one that the IR defines.
#include <algorithm>

#include "base/check.h"
#include "lower/scopes.h"
#include "syntax/ast_visit.h"

namespace dini::lower {

using ir::OpCode;
using sema::Builtin;

// The first iterator outermost.
Val Emitter::mapOver(std::span<const ast::Iterator> iterators, const Side& body) {
  if (iterators.empty()) return body();
  const ast::Iterator& iterator = iterators[0];
  ir::Value* lo = eval(*iterator.lo).value;
  ir::Value* hi = eval(*iterator.hi).value;
  ir::Value* trip = tripCount(lo, hi, nullptr);
  Val skeleton;
  auto iteration = [&](ir::Builder& inner, std::span<ir::Value* const> args) {
    BuilderScope scope(*this, inner);
    ir::Value* k = args[0];
    ranges_[k] = {0, std::max<int64_t>(rangeOf(trip).hi, 1) - 1};
    ir::Value* i = iadd(lo, k);
    ranges_[i] = {rangeOf(lo).lo, std::max(rangeOf(hi).hi, INT64_MIN + 1) - 1};
    frame_->env[iterator.binding.get()] = Val::leaf(i);
    skeleton = mapOver(iterators.subspan(1), body);
    check(!skeleton.isFunction(), "a comprehension of functions");
    return leavesOf(skeleton);
  };
  return withLeaves(skeleton, b().loop(trip, {}, iteration));
}

Val Emitter::evalComprehension(const ast::ComprehensionExpr& e) {
  auto body = [&] {
    Val value = eval(*e.body);
    return e.type != nullptr && e.type->isReal() ? coerce(std::move(value), e.type.get()) : value;
  };
  return mapOver(e.iterators, body);
}

namespace {

bool reads(const ast::Expr& e, const ast::Binding* binding) {
  if (e.kind == ast::ExprKind::Name) return ast::as<ast::NameExpr>(e).binding.get() == binding;
  bool found = false;
  ast::forEachChild(e, [&](const ast::Expr& child) { found = found || reads(child, binding); });
  return found;
}

// How many iterators have bounds that read none of the others.
size_t independentPrefix(std::span<const ast::Iterator> iterators) {
  for (size_t k = 1; k < iterators.size(); ++k)
    for (size_t j = 0; j < k; ++j)
      if (reads(*iterators[k].lo, iterators[j].binding.get()) ||
          reads(*iterators[k].hi, iterators[j].binding.get()))
        return k;
  return iterators.size();
}

std::vector<int64_t> firstAxes(size_t count) {
  std::vector<int64_t> axes;
  for (size_t k = 0; k < count; ++k) axes.push_back(static_cast<int64_t>(k));
  return axes;
}

Builtin reductionNamed(const std::string& name) {
  for (Builtin how : {Builtin::Sum, Builtin::Prod, Builtin::Max, Builtin::Min, Builtin::Mean,
                      Builtin::Any, Builtin::All})
    if (name == sema::spelling(how)) return how;
  failCheck("unknown reduction " + name);
}

}  // namespace

Val Emitter::evalReduction(const ast::ReductionExpr& e) {
  Builtin how = reductionNamed(e.op.text);
  auto body = [&] { return eval(*e.body); };
  size_t count = independentPrefix(e.iterators);
  if (count == e.iterators.size()) {
    Val members = mapOver(e.iterators, body);
    if (isExtremeOfInts(how, members)) requireSome(countOf(members.value, firstAxes(count)));
    return reduced(how, members, firstAxes(count));
  }
  Val value = reduceOver(e.iterators, how, body);
  if (isExtremeOfInts(how, value)) {
    Val one = Val::leaf(integer(1));
    requireSome(reduceOver(e.iterators, Builtin::Sum, [&] { return one; }).value);
  }
  return value;
}

// The extreme of no reals is infinite; there is no such int.
bool Emitter::isExtremeOfInts(Builtin how, const Val& value) const {
  return (how == Builtin::Max || how == Builtin::Min) && value.isLeaf() && !value.type().isReal();
}

void Emitter::requireSome(ir::Value* count) {
  if (rangeOf(count).lo <= 0)
    require(intOp(OpCode::ILt, integer(0), count), ir::Status::Domain, "the array is empty");
}

// Where inner bounds depend on outer indices, the inner reduction comes first.
Val Emitter::reduceOver(std::span<const ast::Iterator> iterators, Builtin how, const Side& body) {
  size_t count = independentPrefix(iterators);
  if (count == iterators.size()) return reduced(how, mapOver(iterators, body), firstAxes(count));
  if (how == Builtin::Mean) {
    Val total = reduceOver(iterators, Builtin::Sum, body);
    Val terms = reduceOver(iterators, Builtin::Sum, [&] { return Val::leaf(integer(1)); });
    return mapLeaves(total, [&](ir::Value* leaf) {
      return b().div(toReal(leaf), toReal(terms.value));
    });
  }
  auto inner = [&] { return reduceOver(iterators.subspan(count), how, body); };
  return reduced(how, mapOver(iterators.first(count), inner), firstAxes(count));
}

Val Emitter::reduced(Builtin how, const Val& value, const std::vector<int64_t>& axes) {
  return mapLeaves(value, [&](ir::Value* leaf) { return reduced(how, leaf, axes); });
}

ir::Value* Emitter::reduced(Builtin how, ir::Value* x, const std::vector<int64_t>& axes) {
  bool logical = how == Builtin::Any || how == Builtin::All;
  if (!logical && x->type.elem == ir::Elem::I1) x = b().op(OpCode::BoolToInt, {x});
  switch (how) {
    case Builtin::Sum:
      return b().reduce("sum", x, axes);
    case Builtin::Max:
    case Builtin::Min: {
      ir::Value* extreme = b().reduce(how == Builtin::Max ? "max" : "min", x, axes);
      extreme->def->attrs.i = frame_->tie_mark;
      return extreme;
    }
    case Builtin::Any:
      return b().reduce("any", x, axes);
    case Builtin::All:
      return b().reduce("all", x, axes);
    case Builtin::Prod:
      return product(x, axes);
    case Builtin::Mean:
      x = toReal(x);
      return b().div(b().reduce("sum", x, axes), toReal(countOf(x, axes)));
    default:
      failCheck("not a reduction");
  }
}

ir::Value* Emitter::countOf(ir::Value* x, const std::vector<int64_t>& axes) {
  ir::Value* count = integer(1);
  for (int64_t axis : axes) count = imul(count, sizeOf(x, static_cast<size_t>(axis)));
  return count;
}

// One factor after the other, in row-major order of the reduced axes.
ir::Value* Emitter::product(ir::Value* x, const std::vector<int64_t>& axes) {
  std::vector<int64_t> order = axes;
  std::vector<ir::Value*> sizes{countOf(x, axes)};
  for (size_t k = 0; k < x->type.rank(); ++k) {
    if (std::find(axes.begin(), axes.end(), static_cast<int64_t>(k)) != axes.end()) continue;
    order.push_back(static_cast<int64_t>(k));
    sizes.push_back(sizeOf(x, k));
  }
  if (!std::is_sorted(order.begin(), order.end())) x = b().transpose(x, order);
  if (axes.size() != 1) x = b().reshape(x, sizes);
  bool real = x->type.isReal();
  ir::Value* one = real ? b().real(1.0) : b().integer(1);
  std::vector<ir::Value*> rest(sizes.begin() + 1, sizes.end());
  if (!rest.empty()) one = b().fill(one, rest);
  auto step = [&](ir::Builder& inner, std::span<ir::Value* const> args) {
    ir::Value* factor = inner.index(x, {args[0]});
    return std::vector<ir::Value*>{inner.op(real ? OpCode::Mul : OpCode::IMul, {args[1], factor})};
  };
  return b().loop(sizes[0], {one}, step)[0];
}

}  // namespace dini::lower
