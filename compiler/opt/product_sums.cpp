// A mean's cotangent is the sum over all points of Q' v(point): the sum taken before the product
// leaves one product of a matrix and a vector.
//   reduce(sum over B, neg(einsum("Aij,BAi->BAj", Q, v)))
//     =>  neg(einsum("Aij,Ai->Aj", Q, reduce(sum over B, v)))
// The terms are added in another order, which docs/ir.md leaves open for large products.
#include <algorithm>
#include <optional>
#include <string>

#include "ir/builder.h"
#include "ir/clone.h"
#include "ir/type_rules.h"
#include "ir/uses.h"
#include "opt/passes.h"

namespace dini::opt {
namespace {

using ir::Builder;
using ir::Op;
using ir::OpCode;
using ir::Region;
using ir::UseCounts;
using ir::Value;

struct ProductSum {
  const Op* product = nullptr;
  bool negated = false;
  size_t summed = 0;    // the operand that holds all the letters of the sum
  std::string letters;  // of the sum
};

std::string without(std::string letters, const std::string& removed) {
  std::erase_if(letters, [&](char letter) { return removed.find(letter) != std::string::npos; });
  return letters;
}

std::optional<ProductSum> productSumOf(const Op& op, const UseCounts& uses) {
  if (op.code != OpCode::Reduce || op.attrs.str != "sum" || op.result()->linear)
    return std::nullopt;
  ProductSum found;
  // The operation that makes an array for this sum alone.
  const auto makerOf = [&](const Value* array) {
    const bool only_here = array->def != nullptr && array->def->parent == op.parent;
    return only_here && uses.at(array) == 1 ? array->def : nullptr;
  };
  const Op* inner = makerOf(op.operand(0));
  if (inner != nullptr && inner->code == OpCode::Neg) {
    found.negated = true;
    inner = makerOf(inner->operand(0));
  }
  if (inner == nullptr || !ir::isLargeProduct(*inner)) return std::nullopt;
  found.product = inner;
  const ir::EinsumSpec spec = ir::parseEinsum(inner->attrs.str);
  if (spec.contracted.empty()) return std::nullopt;
  for (int64_t axis : op.attrs.ints) found.letters += spec.result[static_cast<size_t>(axis)];
  const auto holds = [&](const std::string& letters, bool all) {
    const auto has = [&](char letter) { return letters.find(letter) != std::string::npos; };
    return all ? std::ranges::all_of(found.letters, has) : std::ranges::any_of(found.letters, has);
  };
  if (holds(spec.a, true) && !holds(spec.b, false))
    found.summed = 0;
  else if (holds(spec.b, true) && !holds(spec.a, false))
    found.summed = 1;
  else
    return std::nullopt;
  return found;
}

Value* sumFirst(Builder& b, const ProductSum& sum) {
  const ir::EinsumSpec spec = ir::parseEinsum(sum.product->attrs.str);
  std::string letters[] = {spec.a, spec.b};
  Value* operands[] = {sum.product->operand(0), sum.product->operand(1)};
  std::vector<int64_t> axes;
  for (size_t k = 0; k < letters[sum.summed].size(); ++k)
    if (sum.letters.find(letters[sum.summed][k]) != std::string::npos)
      axes.push_back(static_cast<int64_t>(k));
  operands[sum.summed] = b.reduce("sum", operands[sum.summed], axes);
  letters[sum.summed] = without(letters[sum.summed], sum.letters);
  Value* product =
      b.einsum(letters[0] + "," + letters[1] + "->" + without(spec.result, sum.letters),
               operands[0], operands[1]);
  return sum.negated ? b.neg(product) : product;
}

bool visit(ir::Function& function, Region& region, const UseCounts& uses) {
  bool changed = false;
  for (size_t at = 0; at < region.ops.size(); ++at) {
    Op& op = *region.ops[at];
    for (auto& nested : op.regions) changed |= visit(function, *nested, uses);
    const auto sum = productSumOf(op, uses);
    if (!sum) continue;
    const size_t before = region.ops.size();
    Builder b(function, region);
    b.setSpan(op.span);
    b.insertAt(at);
    ir::replaceUses(function, op.result(), sumFirst(b, *sum));
    at += region.ops.size() - before;
    changed = true;
  }
  return changed;
}

}  // namespace

bool sumBeforeProducts(ir::Function& function) {
  return visit(function, function.body, ir::countUses(function));
}

}  // namespace dini::opt
