// `for` and `while` as loops over the variables that their bodies assign. A `for` without early
// exits is a counted loop; one with `break` or `return` is a `while` over a counter and flags.
#include "base/check.h"
#include "lower/assignments.h"
#include "lower/scopes.h"

namespace dini::lower {

using ir::OpCode;

std::vector<ir::Value*> Emitter::carriesOf(const std::vector<const ast::Binding*>& variables) {
  std::vector<ir::Value*> carries;
  for (const ast::Binding* binding : variables)
    for (ir::Value* leaf : leavesOf(variable(*binding))) {
      if (leaf->name.empty()) leaf->name = binding->name;
      carries.push_back(leaf);
    }
  return carries;
}

void Emitter::setVariables(const std::vector<const ast::Binding*>& variables,
                           std::span<ir::Value* const> leaves) {
  for (const ast::Binding* binding : variables) {
    Val& value = variable(*binding);
    size_t count = leavesOf(value).size();
    value = withLeaves(value, leaves.first(count));
    leaves = leaves.subspan(count);
  }
}

int64_t Emitter::boundOf(const std::vector<ast::Attribute>& attributes) {
  for (const ast::Attribute& attribute : attributes) {
    if (attribute.name.text != "bound" || attribute.arguments.size() != 1) continue;
    auto bound = ir::constantInt(eval(*attribute.arguments[0]).value);
    if (!bound || *bound <= 0)
      fail(DiagCode::BadAttribute, attribute.span,
           "@bound takes a positive int that is known at compile time");
    return *bound;
  }
  return 0;
}

// The flag that a `break` of a loop sets, on the frame's stack while the loop's body is lowered.
class Emitter::BreakScope {
 public:
  BreakScope(Emitter& emitter, bool breaks) : frame_(*emitter.frame_) {
    flag_.name = "break";
    if (breaks) frame_.env[&flag_] = Val::leaf(emitter.b().boolean(false));
    frame_.break_flags.push_back(breaks ? &flag_ : nullptr);
  }
  ~BreakScope() {
    frame_.break_flags.pop_back();
    frame_.env.erase(&flag_);
  }
  BreakScope(const BreakScope&) = delete;
  const ast::Binding* flag() const { return frame_.break_flags.back(); }

 private:
  Frame& frame_;
  ast::Binding flag_;
};

void Emitter::execFor(const ast::ForStmt& s) {
  ir::Value* lo = eval(*s.lo).value;
  ir::Value* hi = eval(*s.hi).value;
  ir::Value* step = s.step != nullptr ? eval(*s.step).value : nullptr;
  ir::Value* trip = tripCount(lo, hi, step);
  if (ir::constantInt(trip) == 0) return;
  Assignments found;
  found.add(*s.body);
  if (int64_t bound = boundOf(s.attributes))
    require(intOp(OpCode::ILe, trip, integer(bound)), ir::Status::Bound,
            "more iterations than the bound");
  bool exits = found.returns || found.breaks;
  if (found.returns) prepareReturn();
  BreakScope breaking(*this, found.breaks);
  std::vector<const ast::Binding*> variables = assignedVariables(found);
  auto body = [&](ir::Value* k) {
    ranges_[k] = {0, std::max<int64_t>(rangeOf(trip).hi, 1) - 1};
    ir::Value* i = iadd(lo, step != nullptr ? imul(k, step) : k);
    if (step == nullptr) ranges_[i] = {rangeOf(lo).lo, std::max(rangeOf(hi).hi, INT64_MIN + 1) - 1};
    frame_->env[s.binding.get()] = Val::leaf(i);
    eval(*s.body);
    return carriesOf(variables);
  };
  std::vector<ir::Value*> carries = carriesOf(variables), results;
  std::vector<Val> before;
  for (const ast::Binding* binding : variables) before.push_back(variable(*binding));
  if (!exits) {
    results = b().loop(trip, carries, [&](ir::Builder& inner, std::span<ir::Value* const> args) {
      BuilderScope scope(*this, inner);
      setVariables(variables, args.subspan(1));
      return body(args[0]);
    });
  } else {
    carries.insert(carries.begin(), integer(0));
    auto condition = [&](ir::Builder& inner, std::span<ir::Value* const> args) {
      BuilderScope scope(*this, inner);
      setVariables(variables, args.subspan(1));
      ir::Value* more = intOp(OpCode::ILt, args[0], trip);
      return std::vector<ir::Value*>{logicalAnd(more, logicalNot(leaving(found)))};
    };
    results = b().whileLoop(carries, condition,
                            [&](ir::Builder& inner, std::span<ir::Value* const> args) {
                              BuilderScope scope(*this, inner);
                              setVariables(variables, args.subspan(1));
                              std::vector<ir::Value*> next = body(args[0]);
                              next.insert(next.begin(), iadd(args[0], integer(1)));
                              return next;
                            });
    results.erase(results.begin());
  }
  restoreVariables(variables, before, results);
}

// Whether an exit that the body may take has been taken: from the flags.
ir::Value* Emitter::leaving(const Assignments& found) {
  ir::Value* out = nullptr;
  if (found.returns) out = frame_->env.at(&frame_->return_flag).value;
  if (found.breaks) {
    ir::Value* broke = frame_->env.at(frame_->break_flags.back()).value;
    out = out == nullptr ? broke : logicalOr(out, broke);
  }
  return out;
}

// After a loop: the shapes of before with the loop's results as leaves.
void Emitter::restoreVariables(const std::vector<const ast::Binding*>& variables,
                               const std::vector<Val>& before,
                               std::span<ir::Value* const> results) {
  for (size_t k = 0; k < variables.size(); ++k) {
    size_t count = leavesOf(before[k]).size();
    variable(*variables[k]) = withLeaves(before[k], results.first(count));
    results = results.subspan(count);
  }
}

void Emitter::execWhile(const ast::WhileStmt& s) {
  Assignments found;
  found.add(*s.body);
  int64_t bound = boundOf(s.attributes);
  bool exits = found.returns || found.breaks;
  if (found.returns) prepareReturn();
  BreakScope breaking(*this, found.breaks);
  std::vector<const ast::Binding*> variables = assignedVariables(found);
  std::vector<Val> before;
  for (const ast::Binding* binding : variables) before.push_back(variable(*binding));
  auto condition = [&](ir::Builder& inner, std::span<ir::Value* const> args) {
    BuilderScope scope(*this, inner);
    setVariables(variables, args);
    if (!exits) return std::vector<ir::Value*>{eval(*s.condition).value};
    Val more = branch(
        Branching::If, nullptr, logicalNot(leaving(found)), {}, nullptr,
        [&] { return eval(*s.condition); }, [&] { return Val::leaf(b().boolean(false)); });
    return std::vector<ir::Value*>{more.value};
  };
  auto body = [&](ir::Builder& inner, std::span<ir::Value* const> args) {
    BuilderScope scope(*this, inner);
    setVariables(variables, args);
    eval(*s.body);
    return carriesOf(variables);
  };
  std::vector<ir::Value*> results = b().whileLoop(carriesOf(variables), condition, body);
  if (bound > 0) {
    results.back()->def->attrs.i = bound;
    // Keeps the loop, whose status counts even where its variables are not used afterwards.
    require(intOp(OpCode::ILe, results.back(), integer(bound)), ir::Status::Bound, "");
  }
  restoreVariables(variables, before, results);
}

}  // namespace dini::lower
