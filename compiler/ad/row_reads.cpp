// Reads of a captured linear array at a loop's own index, X[i + c, j, ...], in nested regions: the
// row X[i + c] is read once per iteration at the top of the body, and the nested code reads the row.
// Transposed, the row's cotangent is stacked instead of being scattered into X's one element at a
// time, and the loop stays a map. Only where every iteration's row exists, whether read or not.
#include "ad/row_reads.h"

#include <algorithm>
#include <map>

#include "ir/builder.h"
#include "ir/clone.h"
#include "ir/walk.h"

namespace dini::ad {

using ir::OpCode;
using ir::Value;

IndexOffset offsetOf(const ir::Region& body, const Value* index) {
  const Value* i = body.args[0];
  if (index == i) return {true};
  if (index->def == nullptr || !ir::isInside(index->region, &body)) return {};
  OpCode code = index->def->code;
  if (code != OpCode::IAdd && code != OpCode::ISub) return {};
  Value *a = index->def->operand(0), *c = index->def->operand(1);
  if (code == OpCode::IAdd && c == i) std::swap(a, c);
  if (a != i) return {};
  if (auto constant = ir::constantInt(c))
    return {true, code == OpCode::IAdd ? *constant : -*constant, nullptr};
  if (code == OpCode::ISub || ir::isInside(c->region, &body)) return {};
  return {true, 0, c};
}

namespace {

struct Read {
  ir::Op* op;
  int64_t offset;
};

// All uses of `array` in the body, if each is a read at i + c with every row in range; else none.
std::vector<Read> nestedReads(const ir::Op& loop, const Value* array) {
  const ir::Region& body = *loop.regions[0];
  auto trip = ir::constantInt(loop.operand(0));
  if (!trip || array->type.rank() == 0 || !array->type.isStatic()) return {};
  std::vector<Read> reads;
  bool all = true;
  ir::walk(body, [&](const ir::Op& op) {
    auto uses = std::count(op.operands.begin(), op.operands.end(), array);
    if (uses == 0) return;
    bool read = op.code == OpCode::Index && op.operands.size() >= 2 && uses == 1;
    IndexOffset offset = read ? offsetOf(body, op.operand(1)) : IndexOffset{};
    all = all && offset.affine && offset.outside == nullptr && offset.constant >= 0 &&
          *trip + offset.constant <= array->type.dims[0];
    reads.push_back({const_cast<ir::Op*>(&op), offset.constant});
  });
  if (!all) reads.clear();
  return reads;
}

void hoistOne(ir::Function& function, ir::Op& loop, Value* array) {
  ir::Region& body = *loop.regions[0];
  std::vector<Read> reads = nestedReads(loop, array);
  bool worth = std::any_of(reads.begin(), reads.end(), [&](const Read& read) {
    return read.op->parent != &body || read.op->operands.size() > 2;
  });
  if (!worth) return;
  ir::Builder b(function, body);
  b.insertAt(0);
  std::map<int64_t, Value*> rows;
  for (const Read& read : reads) {
    Value*& row = rows[read.offset];
    if (row == nullptr) {
      b.setSpan(read.op->span);
      Value* index = body.args[0];
      if (read.offset != 0) index = b.op(OpCode::IAdd, {index, b.integer(read.offset)});
      row = b.index(array, {index});
    }
    auto& operands = read.op->operands;
    operands[0] = row;
    operands.erase(operands.begin() + 1);
    if (operands.size() == 1) ir::replaceUses(function, read.op->result(), row);
  }
}

void hoistIn(ir::Function& function, ir::Region& region) {
  for (size_t k = 0; k < region.ops.size(); ++k) {
    ir::Op& op = *region.ops[k];
    if (op.code == OpCode::Loop)
      for (Value* value : ir::captures(*op.regions[0]))
        if (value->linear) hoistOne(function, op, value);
    for (auto& nested : op.regions) hoistIn(function, *nested);
  }
}

}  // namespace

void hoistRowReads(ir::Function& function) {
  hoistIn(function, function.body);
  ir::eraseDead(function);
}

}  // namespace dini::ad
