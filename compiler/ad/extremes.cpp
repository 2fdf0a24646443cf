#include "ad/extremes.h"

#include <algorithm>

#include "ad/ties.h"
#include "ir/builder.h"
#include "ir/clone.h"
#include "ir/walk.h"

namespace dini::ad {

using ir::OpCode;
using ir::Value;
using Values = std::vector<Value*>;

namespace {

constexpr int64_t kLargest = 256;  // entries: the lifted equations are dense in them

bool isReplaced(const ir::Op& op, const TieOptions& ties) {
  return op.code == OpCode::Reduce && (op.attrs.str == "max" || op.attrs.str == "min") &&
         op.result()->type.isReal() && op.operand(0)->type.isStatic() &&
         op.operand(0)->type.elementCount() > 0 &&
         op.operand(0)->type.elementCount() <= kLargest && isLocked(ties, op);
}

class Tree {
 public:
  Tree(ir::Builder& builder, const ir::Op& extreme) : b_(builder), extreme_(extreme) {}

  Value* value() {
    Value* v = extreme_.operand(0);
    std::vector<int64_t> axes = extreme_.attrs.ints;
    std::sort(axes.rbegin(), axes.rend());
    for (int64_t axis : axes) v = without(v, static_cast<size_t>(axis));
    return v;
  }

 private:
  // Halves the axis until one entry is left; the odd one out waits for the next turn.
  Value* without(Value* v, size_t axis) {
    for (int64_t n = v->type.dims[axis]; n > 1; n = v->type.dims[axis]) {
      int64_t half = n / 2;
      Value* chosen = choice(part(v, axis, 0, half), part(v, axis, half, half));
      v = n % 2 == 0 ? chosen
                     : b_.concat({chosen, part(v, axis, n - 1, 1)}, static_cast<int64_t>(axis));
    }
    std::vector<int64_t> dims = v->type.dims;
    dims.erase(dims.begin() + static_cast<ptrdiff_t>(axis));
    if (dims.empty()) return b_.index(v, {b_.integer(0)});
    return b_.reshape(v, sizes(dims));
  }

  Value* part(Value* v, size_t axis, int64_t start, int64_t count) {
    Values starts(v->type.rank(), b_.integer(0));
    std::vector<int64_t> dims = v->type.dims;
    starts[axis] = b_.integer(start);
    dims[axis] = count;
    return b_.slice(v, starts, sizes(dims));
  }

  Value* choice(Value* first, Value* second) {
    ir::Attrs attrs;
    attrs.str = extreme_.attrs.str;
    attrs.f = attrs.str == "max" ? 1 : -1;
    attrs.i = extreme_.attrs.i;
    if (attrs.str == "max") return b_.op(OpCode::Choose, {first, second, first, second}, attrs);
    return b_.op(OpCode::Choose, {first, second, second, first}, attrs);
  }

  Values sizes(const std::vector<int64_t>& dims) {
    Values values;
    for (int64_t dim : dims) values.push_back(b_.integer(dim));
    return values;
  }

  ir::Builder& b_;
  const ir::Op& extreme_;
};

void replaceIn(ir::Function& function, ir::Region& region, const TieOptions& ties) {
  for (size_t at = 0; at < region.ops.size(); ++at) {
    ir::Op& op = *region.ops[at];
    for (const auto& nested : op.regions) replaceIn(function, *nested, ties);
    if (!isReplaced(op, ties)) continue;
    size_t before = region.ops.size();
    ir::Builder b(function, region);
    b.setSpan(op.span);
    b.insertAt(at + 1);
    ir::replaceUses(function, op.result(), Tree(b, op).value());
    at += region.ops.size() - before;
  }
}

bool replaceInEquations(ir::Function& function, ir::Region& region, const TieOptions& ties) {
  bool found = false;
  for (const auto& op : region.ops) {
    if (op->code == OpCode::Root) {
      replaceIn(function, *op->regions[1], ties);
      found = true;
      continue;
    }
    for (const auto& nested : op->regions) found |= replaceInEquations(function, *nested, ties);
  }
  return found;
}

}  // namespace

void extremesAsChoices(ir::Function& function, const TieOptions& ties) {
  if (replaceInEquations(function, function.body, ties)) ir::eraseDead(function);
}

}  // namespace dini::ad
