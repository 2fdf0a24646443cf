// Splitting: every control operation with both primal and linear results becomes a primal one, which
// also yields residuals, followed by a linear one, which reads them. Inner operations first, so that
// the residuals of an inner loop are values of the outer body like any other.
//   loop:  residuals are stacked outs; the linear loop reads row i.
//   while: the same; the linear part is a loop of as many iterations as the while made.
//   if:    residuals are results (dummies from the other side); the linear part is an if.
//   try:   as if; the side taken is a result, and the linear part stands outside the protection.
//   call:  call @f, then call @f.tan, which recomputes f.
// Afterwards all primal operations of the function's body stand before the linear ones.
#include "ad/split.h"

#include <algorithm>

#include "ad/ad.h"
#include "ad/calls.h"
#include "ad/linear.h"
#include "ad/residuals.h"
#include "base/check.h"
#include "ir/walk.h"

namespace dini::ad {

using ir::OpCode;
using ir::Value;
using Values = std::vector<Value*>;

namespace {

Values chosen(std::span<Value* const> values, std::span<Value* const> flags, bool linear) {
  Values found;
  for (size_t k = 0; k < values.size(); ++k)
    if (flags[k]->linear == linear) found.push_back(values[k]);
  return found;
}

Values mappedAll(const ir::ValueMap& map, std::span<Value* const> values) {
  Values found;
  for (Value* value : values) found.push_back(ir::mapped(map, value));
  return found;
}

void append(Values& to, const Values& more) { to.insert(to.end(), more.begin(), more.end()); }

size_t indexIn(std::span<Value* const> values, const Value* value) {
  return static_cast<size_t>(std::find(values.begin(), values.end(), value) - values.begin());
}

// Which of the outs is this value; SIZE_MAX: none.
size_t outOf(const Value* value, std::span<Value* const> outs) {
  size_t at = indexIn(outs, value);
  return at < outs.size() ? at : SIZE_MAX;
}

Values unyielded(std::span<Value* const> values, std::span<Value* const> outs) {
  Values found;
  for (Value* value : values)
    if (outOf(value, outs) == SIZE_MAX) found.push_back(value);
  return found;
}

class Splitter {
 public:
  explicit Splitter(ir::Function& function) : function_(function) {}
  void splitAll() { splitRegion(function_.body); }
  void splitTriesIn(ir::Region& region);

 private:
  void splitRegion(ir::Region& region);
  // Replaces the operation at `at`; gives how many stand there now.
  size_t splitOp(ir::Region& region, size_t at);
  void splitIteration(ir::Builder& b, ir::Op& op, const ir::Region& body, size_t first_operand);
  Values primalIteration(ir::Builder& b, ir::Op& op, const ir::Region& body,
                         const Residuals& residuals);
  void splitBranches(ir::Builder& b, ir::Op& op);
  void splitCall(ir::Builder& b, ir::Op& op);
  void replace(std::span<Value* const> olds, std::span<Value* const> news);

  ir::Function& function_;
};

void Splitter::replace(std::span<Value* const> olds, std::span<Value* const> news) {
  check(olds.size() == news.size(), "split changes the number of results");
  for (size_t k = 0; k < olds.size(); ++k) {
    if (news[k]->name.empty()) news[k]->name = olds[k]->name;
    ir::replaceUses(function_, olds[k], news[k]);
  }
}

void Splitter::splitRegion(ir::Region& region) {
  for (size_t at = 0; at < region.ops.size();) {
    for (auto& nested : region.ops[at]->regions) splitRegion(*nested);
    at += splitOp(region, at);
  }
}

void Splitter::splitTriesIn(ir::Region& region) {
  for (size_t at = 0; at < region.ops.size();) {
    bool is_try = region.ops[at]->code == OpCode::Try;
    for (auto& nested : region.ops[at]->regions)
      if (is_try) splitRegion(*nested);
      else splitTriesIn(*nested);
    at += is_try ? splitOp(region, at) : 1;
  }
}

size_t Splitter::splitOp(ir::Region& region, size_t at) {
  ir::Op& op = *region.ops[at];
  if (!isMixed(op) && !(op.code == OpCode::Try && hasLinearResult(op))) return 1;
  size_t before = region.ops.size();
  ir::Builder b(function_, region);
  b.insertAt(at);
  b.setSpan(op.span);
  switch (op.code) {
    case OpCode::Loop: splitIteration(b, op, *op.regions[0], 1); break;
    case OpCode::While: splitIteration(b, op, *op.regions[1], 0); break;
    case OpCode::If:
    case OpCode::Try: splitBranches(b, op); break;
    case OpCode::Call: splitCall(b, op); break;
    default: check(false, "an operation with primal and linear results");
  }
  size_t made = region.ops.size() - before;
  region.ops.erase(region.ops.begin() + static_cast<ptrdiff_t>(at + made));
  return made;
}

// The primal loop or while. Results: primal carries, [trips,] primal outs, residuals.
Values Splitter::primalIteration(ir::Builder& b, ir::Op& op, const ir::Region& body,
                                 const Residuals& residuals) {
  bool is_loop = op.code == OpCode::Loop;
  size_t first = is_loop ? 1 : 0;  // carries among operands and region arguments
  size_t count = op.operands.size() - first;
  std::span<Value* const> flags = std::span<Value* const>(body.args).subspan(first);
  Values inits = chosen(std::span(op.operands).subspan(first), flags, false);
  auto bind = [&](const ir::Region& region, std::span<Value* const> args, ir::ValueMap& map) {
    size_t at = 0;
    if (is_loop) map[region.args[0]] = args[at++];
    for (size_t k = 0; k < count; ++k)
      if (!flags[k]->linear) map[region.args[first + k]] = args[at++];
  };
  auto step = [&](ir::Builder& in, std::span<Value* const> args) {
    ir::ValueMap map;
    bind(body, args, map);
    residuals.copyPrimal(in, map);
    std::span<Value* const> yields(body.yields());
    Values yielded = mappedAll(map, chosen(yields.first(count), flags, false));
    append(yielded, mappedAll(map, chosen(yields.subspan(count), yields.subspan(count), false)));
    append(yielded, mappedAll(map, unyielded(residuals.saved(), yields.subspan(count))));
    return yielded;
  };
  if (is_loop) return b.loop(op.operand(0), inits, step);
  auto condition = [&](ir::Builder& in, std::span<Value* const> args) {
    ir::ValueMap map;
    bind(*op.regions[0], args, map);
    return ir::inlineRegion(in, *op.regions[0], map);
  };
  Values made = b.whileLoop(inits, condition, step);
  made[0]->def->attrs = op.attrs;
  return made;
}

void Splitter::splitIteration(ir::Builder& b, ir::Op& op, const ir::Region& body, size_t first) {
  bool is_loop = op.code == OpCode::Loop;
  size_t count = op.operands.size() - first;
  std::span<Value* const> args = std::span<Value* const>(body.args).subspan(first);
  std::span<Value* const> yields(body.yields());
  std::unordered_set<const Value*> free;
  if (is_loop) free.insert(body.args[0]);
  ir::ValueMap invariant;
  for (size_t k = 0; k < count; ++k)
    if (!args[k]->linear && yields[k] == args[k]) {
      free.insert(args[k]);
      invariant[args[k]] = op.operands[first + k];
    }
  Residuals residuals(body, Residuals::Keep::Stacked, free);
  Values primal = primalIteration(b, op, body, residuals);
  const Values& saved = residuals.saved();
  size_t extra = unyielded(saved, yields.subspan(count)).size();
  std::span<Value* const> kept = std::span<Value* const>(primal).first(primal.size() - extra);
  Values old_kept = chosen(op.results, op.results, false);
  Values stacks;
  for (size_t k = 0, appended = kept.size(); k < saved.size(); ++k) {
    // A residual that the loop yields anyway is read from there.
    size_t out = outOf(saved[k], yields.subspan(count));
    if (out == SIZE_MAX) {
      stacks.push_back(primal[appended++]);
      continue;
    }
    Value* result = op.results[op.results.size() - (yields.size() - count) + out];
    stacks.push_back(kept[indexIn(old_kept, result)]);
  }
  size_t primal_carries = chosen(args, args, false).size();
  Value* trip = is_loop ? op.operand(0) : primal[primal_carries];
  Values linear = b.loop(
      trip, chosen(std::span(op.operands).subspan(first), args, true),
      [&](ir::Builder& in, std::span<Value* const> inner) {
        ir::ValueMap map = invariant;
        if (is_loop) map[body.args[0]] = inner[0];
        size_t at = 1;
        for (size_t k = 0; k < count; ++k)
          if (args[k]->linear) map[args[k]] = inner[at++];
        for (size_t k = 0; k < saved.size(); ++k)
          map[saved[k]] = in.index(stacks[k], {inner[0]});
        residuals.copyLinear(in, map);
        Values yielded = mappedAll(map, chosen(yields.first(count), args, true));
        append(yielded,
               mappedAll(map, chosen(yields.subspan(count), yields.subspan(count), true)));
        return yielded;
      });
  // A result is linear where its yield or carry is.
  replace(old_kept, kept);
  replace(chosen(op.results, op.results, true), linear);
}

// Residuals of the two sides share results of one type.
struct Slots {
  std::vector<ir::Type> types;
  std::vector<std::vector<Value*>> values;  // per slot and side; null: a dummy

  Slots(const Residuals& first, const Residuals& second) {
    for (size_t side = 0; side < 2; ++side) {
      const Residuals& residuals = side == 0 ? first : second;
      for (Value* value : residuals.saved()) {
        size_t k = 0;
        while (k < types.size() && !(types[k] == value->type && values[k][side] == nullptr)) ++k;
        if (k == types.size()) {
          types.push_back(value->type);
          values.push_back({nullptr, nullptr});
        }
        values[k][side] = value;
      }
    }
  }
};

void Splitter::splitBranches(ir::Builder& b, ir::Op& op) {
  bool is_try = op.code == OpCode::Try;
  constexpr auto kOnce = Residuals::Keep::Once;
  Residuals residuals[2] = {{*op.regions[0], kOnce, {}}, {*op.regions[1], kOnce, {}}};
  Slots slots(residuals[0], residuals[1]);
  auto primalSide = [&](size_t side) {
    return [&, side](ir::Builder& in, std::span<Value* const>) {
      ir::ValueMap map;
      residuals[side].copyPrimal(in, map);
      Values yielded = mappedAll(map, chosen(op.regions[side]->yields(), op.results, false));
      for (size_t k = 0; k < slots.types.size(); ++k) {
        Value* value = slots.values[k][side];
        yielded.push_back(value ? ir::mapped(map, value) : dummy(in, slots.types[k], false));
      }
      if (is_try) yielded.push_back(in.boolean(side == 0));
      return yielded;
    };
  };
  Values primal = is_try ? b.tryElse(primalSide(0), primalSide(1))
                         : b.ifElse(op.operand(0), primalSide(0), primalSide(1), op.attrs,
                                    Values(op.operands.begin() + 1, op.operands.end()));
  size_t kept = chosen(op.results, op.results, false).size();
  auto linearSide = [&](size_t side) {
    return [&, side](ir::Builder& in, std::span<Value* const>) {
      ir::ValueMap map;
      for (size_t k = 0; k < slots.types.size(); ++k)
        if (Value* value = slots.values[k][side]) map[value] = primal[kept + k];
      residuals[side].copyLinear(in, map);
      return mappedAll(map, chosen(op.regions[side]->yields(), op.results, true));
    };
  };
  Value* first_taken = is_try ? primal.back() : op.operand(0);
  Values linear = b.ifElse(first_taken, linearSide(0), linearSide(1));
  replace(chosen(op.results, op.results, false), std::span(primal).first(kept));
  replace(chosen(op.results, op.results, true), linear);
}

void Splitter::splitCall(ir::Builder& b, ir::Op& op) {
  Values arguments = chosen(op.operands, op.operands, false);
  auto types = [&](bool linear) {
    std::vector<ir::Type> found;
    for (const Value* result : op.results)
      if (result->linear == linear) found.push_back(result->type);
    return found;
  };
  Values primal = calls::emitCall(b, calls::primalName(op.attrs.str), arguments, types(false));
  Values linear = calls::emitCall(b, calls::linearName(op.attrs.str), op.operands, types(true));
  for (Value* result : linear) result->linear = true;
  replace(chosen(op.results, op.results, false), primal);
  replace(chosen(op.results, op.results, true), linear);
}

}  // namespace

void split(ir::Module&, ir::Function& function) {
  Splitter(function).splitAll();
  std::vector<std::unique_ptr<ir::Op>> primal, linear;
  for (auto& op : function.body.ops)
    (hasLinearResult(*op) || op->code == OpCode::Yield ? linear : primal).push_back(std::move(op));
  for (auto& op : linear) primal.push_back(std::move(op));
  function.body.ops = std::move(primal);
  ir::eraseDead(function);
}

void splitTries(ir::Module&, ir::Function& function) {
  Splitter(function).splitTriesIn(function.body);
}

}  // namespace dini::ad
