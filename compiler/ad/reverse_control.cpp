// Transposition of control. Loops with carries run backwards; maps keep their order.
#include <algorithm>

#include "ad/calls.h"
#include "ad/inverses.h"
#include "ad/linear.h"
#include "ad/reverse.h"
#include "ad/row_reads.h"
#include "base/check.h"
#include "ir/walk.h"

namespace dini::ad {

using ir::OpCode;
using ir::Value;
using Values = std::vector<Value*>;

Values Reverse::linearCaptures(const ir::Op& op) const {
  Values found;
  for (const auto& region : op.regions)
    for (Value* value : ir::captures(*region))
      if (value->linear && !isZero(value) &&
          std::find(found.begin(), found.end(), value) == found.end())
        found.push_back(value);
  return found;
}

// --- loops

// How each captured linear value of a loop gets its cotangent.
struct Reverse::LoopPlan {
  bool is_map = false;
  Values threaded;  // carried sums
  Values stacked;   // scalars of a map: one contribution per iteration, summed afterwards
  std::vector<std::unique_ptr<RowSum>> rows;
};

namespace {

// The reads of `array` in the loop, if they all are array[i + c] at the body's top level.
std::vector<std::pair<const ir::Op*, IndexOffset>> rowReads(const ir::Region& body, const Value* array) {
  std::vector<std::pair<const ir::Op*, IndexOffset>> reads;
  bool all = array->type.rank() > 0;
  ir::walk(body, [&](const ir::Op& op) {
    if (std::find(op.operands.begin(), op.operands.end(), array) == op.operands.end()) return;
    bool row = op.code == OpCode::Index && op.operands.size() == 2 && op.parent == &body;
    IndexOffset offset = row ? offsetOf(body, op.operand(1)) : IndexOffset{};
    all = all && offset.affine;
    reads.emplace_back(&op, offset);
  });
  if (!all) reads.clear();
  return reads;
}

}  // namespace

Reverse::LoopPlan Reverse::planLoop(ir::Builder& b, const ir::Op& op) {
  LoopPlan plan;
  plan.is_map = op.operands.size() == 1;
  const ir::Region& body = *op.regions[0];
  for (Value* value : linearCaptures(op)) {
    auto reads = rowReads(body, value);
    if (reads.empty()) {
      bool stacks = plan.is_map && value->type.isScalar();
      (stacks ? plan.stacked : plan.threaded).push_back(value);
      continue;
    }
    std::vector<std::pair<IndexOffset, RowSum*>> groups;
    for (auto& [read, offset] : reads) {
      auto group = std::find_if(groups.begin(), groups.end(),
                                [&](auto& g) { return g.first == offset; });
      if (group == groups.end()) {
        plan.rows.push_back(std::make_unique<RowSum>());
        RowSum& row = *plan.rows.back();
        row.array = value;
        if (offset.outside != nullptr) row.offset = x(offset.outside);
        else if (offset.constant != 0) row.offset = b.integer(offset.constant);
        groups.emplace_back(offset, &row);
        group = groups.end() - 1;
      }
      row_reads_[read] = group->second;
    }
  }
  return plan;
}

// One iteration. args: index, cotangents of the carries, threaded sums; outs_bar is read at the
// iteration's own index.
Values Reverse::loopBody(ir::Builder& b, const ir::Op& op, LoopPlan& plan,
                         std::span<Value* const> args) {
  const ir::Region& body = *op.regions[0];
  size_t carries = op.operands.size() - 1;
  Value* index = args[0];
  if (!plan.is_map) {
    Value* last = b.op(OpCode::ISub, {x(op.operand(0)), b.integer(1)});
    index = b.op(OpCode::ISub, {last, index});
  }
  primal_[body.args[0]] = index;
  for (size_t k = 0; k < plan.threaded.size(); ++k)
    setCotangent(plan.threaded[k], args[1 + carries + k]);
  for (Value* value : plan.stacked) bars_.erase(value);
  copyPrimal(b, body);
  for (size_t k = 0; k < body.yields().size(); ++k) {
    Value* bar = k < carries ? args[1 + k] : cotangent(op.results[k]);
    if (k >= carries && bar != nullptr) bar = b.index(bar, {index});
    accumulate(b, body.yields()[k], bar);
  }
  transposeOps(b, body);
  Values yielded;
  for (size_t k = 0; k < carries; ++k) yielded.push_back(cotangentOrZero(b, body.args[1 + k]));
  for (Value* value : plan.threaded) yielded.push_back(cotangent(value));
  for (Value* value : plan.stacked) yielded.push_back(cotangentOrZero(b, value));
  for (auto& row : plan.rows) {
    if (row->bar == nullptr) {
      Value* zero = b.real(0.0);
      zero->linear = true;
      Values sizes = sizesOf(b, row->array);
      sizes.erase(sizes.begin());
      row->bar = sizes.empty() ? zero : b.fill(zero, sizes);
    }
    yielded.push_back(row->bar);
  }
  return yielded;
}

void Reverse::loopRule(ir::Builder& b, const ir::Op& op) {
  size_t carries = op.operands.size() - 1;
  LoopPlan plan = planLoop(b, op);
  Values inits;
  for (size_t k = 0; k < carries; ++k) {
    Value* bar = cotangent(op.results[k]);
    inits.push_back(bar != nullptr ? bar : zerosFor(b, op.operands[k + 1]));
  }
  for (Value* value : plan.threaded) inits.push_back(accumulator(b, value));
  Values before;
  for (Value* value : plan.stacked) before.push_back(cotangent(value));
  Values made = b.loop(x(op.operand(0)), inits, [&](ir::Builder& in, std::span<Value* const> args) {
    return loopBody(in, op, plan, args);
  });
  size_t at = carries;
  for (Value* value : plan.threaded) setCotangent(value, made[at++]);
  for (size_t k = 0; k < plan.stacked.size(); ++k) {
    setCotangent(plan.stacked[k], before[k]);
    accumulate(b, plan.stacked[k], b.sumAll(made[at++]));
  }
  for (auto& row : plan.rows) {
    Value* stack = made[at++];
    if (!plan.is_map) stack = b.flip(stack, 0);
    const ir::Type& type = row->array->type;
    if (row->offset == nullptr && stack->type == type && type.dims[0] != ir::kDynamic) {
      accumulate(b, row->array, stack);
      continue;
    }
    Values starts;
    for (size_t k = 0; k < type.rank(); ++k)
      starts.push_back(k == 0 && row->offset ? row->offset : b.integer(0));
    Value* sum = accumulator(b, row->array);
    setCotangent(row->array, b.addSlice(sum, stack, std::move(starts)));
  }
  for (size_t k = 0; k < carries; ++k) accumulate(b, op.operands[k + 1], made[k]);
}

// --- if and call

void Reverse::ifRule(ir::Builder& b, const ir::Op& op) {
  Values captured = linearCaptures(op);
  Values before;
  for (Value* value : captured) before.push_back(cotangent(value));
  auto side = [&](size_t k) {
    return [&, k](ir::Builder& in, std::span<Value* const>) {
      for (size_t c = 0; c < captured.size(); ++c) {
        if (before[c] != nullptr) setCotangent(captured[c], before[c]);
        else bars_.erase(captured[c]);
      }
      copyPrimal(in, *op.regions[k]);
      for (size_t r = 0; r < op.results.size(); ++r)
        accumulate(in, op.regions[k]->yields()[r], cotangent(op.results[r]));
      transposeOps(in, *op.regions[k]);
      Values yielded;
      for (Value* value : captured) yielded.push_back(cotangentOrZero(in, value));
      return yielded;
    };
  };
  Values made = b.ifElse(x(op.operand(0)), side(0), side(1));
  for (size_t c = 0; c < captured.size(); ++c) setCotangent(captured[c], made[c]);
}

// call @f.tan(args; tangents) transposed: call @f.pull(args; cotangents).
void Reverse::callRule(ir::Builder& b, const ir::Op& op) {
  const bool inverse = inverses::isInverse(op.attrs.str);
  Values operands, tangents;
  std::vector<ir::Type> types;
  for (Value* operand : op.operands) {
    if (!operand->linear) {
      operands.push_back(x(operand));
      continue;
    }
    tangents.push_back(operand);
    types.push_back(operand->type);
  }
  for (Value* result : op.results) operands.push_back(cotangentOrZero(b, result));
  std::string name = inverse ? inverses::transposedName(op.attrs.str) : calls::pullName(op.attrs.str);
  Values made = calls::emitCall(b, name, std::move(operands), std::move(types));
  for (size_t k = 0; k < made.size(); ++k) {
    made[k]->linear = true;
    accumulate(b, tangents[k], made[k]);
  }
}

}  // namespace dini::ad
