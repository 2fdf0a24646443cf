// `solve` blocks. The block becomes a Root operation: its solver region is the solver's Dini
// function expanded over the residual (or the fixed-point map) as a function value; its residual
// region holds the equations. The equations are lowered anew wherever the solver evaluates them.
// Solver protocol: docs/guides/adding-a-solver.md.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "ir/clone.h"
#include "ir/text.h"
#include "lower/poison.h"
#include "lower/scopes.h"
#include "lower/solve_lowering.h"

namespace dini::lower {

using ir::OpCode;

namespace {

// Solution.reason of the prelude's solvers: converged, with the contraction of a multiple root.
constexpr int64_t kMultipleRoot = 6;
constexpr double kGivenTolerance = 1e-8;

// An estimate takes the whole Jacobian: not of more unknowns than this.
bool isLarge(std::span<ir::Value* const> unknowns) {
  constexpr int64_t kMost = 1000;
  int64_t total = 0;
  for (const ir::Value* unknown : unknowns) {
    if (!unknown->type.isStatic()) return false;
    total += unknown->type.elementCount();
  }
  return total > kMost;
}

}  // namespace

void SolveLowering::orderFixedPoint() {
  std::vector<int> used(solve_.equations.size(), 0);
  auto is = [](const ast::Expr& side, const ast::Unknown& unknown) {
    return side.kind == ast::ExprKind::Name &&
           ast::as<ast::NameExpr>(side).binding == unknown.binding;
  };
  for (const ast::Unknown& unknown : solve_.unknowns) {
    bool found = false;
    for (bool left : {true, false})
      for (size_t k = 0; k < solve_.equations.size() && !found; ++k) {
        const auto& equation = ast::as<ast::BinaryExpr>(*solve_.equations[k]);
        if (used[k] || !is(left ? *equation.lhs : *equation.rhs, unknown)) continue;
        fixed_point_.push_back({k, left});
        used[k] = 1;
        found = true;
      }
  }
  if (fixed_point_.size() != solve_.unknowns.size()) fixed_point_.clear();
}

SolveLowering::Values SolveLowering::starts() {
  Values values;
  for (const ast::Unknown& unknown : solve_.unknowns) {
    const types::Type& type = *unknown.binding->type;
    Val start =
        unknown.start != nullptr ? e_.coerce(e_.eval(*unknown.start), &type) : e_.zeros(*unknown.type);
    e_.checkSizes(type, start, "the start of `" + unknown.name.text + "`");
    values.push_back(b().op(OpCode::Stop, {start.value}));
  }
  return values;
}

// The two sides of every equation at the given unknowns; as fixed point: unknown and map, in the
// order of the unknowns.
std::vector<SolveLowering::Equation> SolveLowering::equations(std::span<ir::Value* const> unknowns,
                                                              bool as_fixed_point) {
  Emitter::FrameScope scope(e_, *home_, false);
  int saved = std::exchange(e_.prelude_depth_, home_prelude_);
  for (size_t k = 0; k < unknowns.size(); ++k)
    home_->env[solve_.unknowns[k].binding.get()] = Val::leaf(unknowns[k]);
  for (const auto& let : solve_.lets) e_.exec(*let);
  std::vector<Equation> result;
  auto both = [&](const ast::BinaryExpr& equation) {
    Emitter::SpanScope span(e_, equation.span);
    Equation sides{e_.toReal(e_.eval(*equation.lhs).value),
                   e_.toReal(e_.eval(*equation.rhs).value)};
    e_.requireEqualShapes(sides.lhs, sides.rhs);
    if (sides.lhs->type.isScalar() && !sides.rhs->type.isScalar())
      sides.lhs = b().fill(sides.lhs, b().dims(sides.rhs));
    if (sides.rhs->type.isScalar() && !sides.lhs->type.isScalar())
      sides.rhs = b().fill(sides.rhs, b().dims(sides.lhs));
    return sides;
  };
  if (!as_fixed_point) {
    for (const auto& equation : solve_.equations)
      result.push_back(both(ast::as<ast::BinaryExpr>(*equation)));
  } else {
    for (const FixedPointForm& form : fixed_point_) {
      Equation sides = both(ast::as<ast::BinaryExpr>(*solve_.equations[form.equation]));
      if (!form.left) std::swap(sides.lhs, sides.rhs);
      result.push_back(sides);
    }
  }
  e_.prelude_depth_ = saved;
  return result;
}

ir::Value* SolveLowering::flat(std::span<ir::Value* const> values) {
  Values parts;
  for (ir::Value* value : values) {
    if (value->type.rank() == 1) {
      parts.push_back(value);
      continue;
    }
    ir::Value* count = e_.integer(1);
    for (size_t k = 0; k < value->type.rank(); ++k) count = e_.imul(count, e_.sizeOf(value, k));
    parts.push_back(b().reshape(value, {count}));
  }
  return parts.size() == 1 ? parts[0] : b().concat(std::move(parts), 0);
}

SolveLowering::Values SolveLowering::unflatten(ir::Value* z, std::span<ir::Value* const> like) {
  if (like.size() == 1 && like[0]->type.rank() == 1) return {z};
  Values result;
  ir::Value* at = e_.integer(0);
  for (ir::Value* shape : like) {
    ir::Value* count = e_.integer(1);
    Values dims;
    for (size_t k = 0; k < shape->type.rank(); ++k) {
      dims.push_back(e_.sizeOf(shape, k));
      count = e_.imul(count, dims.back());
    }
    ir::Value* part = like.size() == 1 ? z : b().slice(z, {at}, {count});
    result.push_back(shape->type.rank() == 1 ? part : b().reshape(part, dims));
    at = e_.iadd(at, count);
  }
  return result;
}

ir::Type SolveLowering::argumentType(const Values& like, bool scalar) {
  if (scalar) return ir::f64();
  int64_t count = 0;
  for (const ir::Value* value : like)
    count = count == ir::kDynamic || !value->type.isStatic() ? ir::kDynamic
                                                             : count + value->type.elementCount();
  return ir::f64({count});
}

// F: the residual lhs - rhs; T: the fixed-point map.
std::shared_ptr<const FunctionValue> SolveLowering::function(const std::string& kind,
                                                             const Values& like, bool scalar) {
  auto f = std::make_shared<FunctionValue>();
  f->kind = FunctionValue::Kind::Native;
  f->native_parameters = {"z"};
  f->native_arguments = {argumentType(like, scalar)};
  bool map = kind == "T";
  f->native = [this, like, map, scalar](Emitter&, std::span<const Val> arguments) {
    ir::Value* z = e_.toReal(arguments[0].value);
    Values unknowns = scalar ? Values{z} : unflatten(z, like);
    Values parts;
    for (const Equation& sides : equations(unknowns, map))
      parts.push_back(map ? sides.rhs : b().sub(sides.lhs, sides.rhs));
    return Val::leaf(scalar ? parts[0] : flat(parts));
  };
  return f;
}

// What the block's clause passes for a parameter of the solver; null: its default.
const ast::Expr* SolveLowering::solverArgument(const std::string& name) {
  if (!solve_.solver) return nullptr;
  std::vector<std::string> open;
  if (isGiven()) {
    open = {"z0", "tol"};
  } else {
    for (const ast::Parameter& parameter : solver().parameters) {
      const std::string& own = parameter.name.text;
      if (own != "F" && own != "T" && own != "z0") open.push_back(own);
    }
    open.push_back("polish");
  }
  for (size_t k = 0; k < solve_.solver->arguments.size(); ++k) {
    const ast::Argument& argument = solve_.solver->arguments[k];
    if (argument.name ? argument.name->text == name : k < open.size() && open[k] == name)
      return argument.value.get();
  }
  return nullptr;
}

SolveLowering::Reached SolveLowering::readSolution(const Val& result, const Values& like,
                                                   bool scalar) {
  Reached reached{{}, e_.integer(0), e_.integer(0), nullptr};
  ir::Value* z = result.isLeaf() ? result.value : result.elements[0].value;
  if (!result.isLeaf()) {  // Solution { z, iterations, reason }, or that as a tuple
    reached.iterations = result.elements[1].value;
    reached.reason = result.elements[2].value;
    if (result.elements.size() > 3) reached.rcond = result.elements[3].value;
  }
  reached.solutions = scalar ? Values{z} : unflatten(z, like);
  ir::Value* multiple = e_.intOp(OpCode::IEq, reached.reason, e_.integer(kMultipleRoot));
  reached.multiple = multiple;
  auto known = ir::constantInt(reached.reason);
  reached.reason = known ? e_.integer(*known == kMultipleRoot ? 0 : *known)
                         : b().select(multiple, e_.integer(0), reached.reason);
  return reached;
}

SolveLowering::Reached SolveLowering::runSolver(const Values& starts) {
  const ast::FnDecl* decl = &solver();
  bool scalar = starts.size() == 1 && starts[0]->type.isScalar();
  auto variant = [&](const char* suffix) {
    return decl->in_prelude ? e_.shared_.program.preludeFunction(decl->name.text + suffix) : nullptr;
  };
  scalar = scalar && variant("_scalar") != nullptr;
  if (const ast::FnDecl* better = variant(scalar ? "_scalar" : "_system")) decl = better;
  std::vector<NamedVal> arguments;
  if (isNewton() && !scalar && sparseSteps(starts, arguments)) decl = preludeFunction("newton_by_steps");
  for (const ast::Parameter& parameter : decl->parameters) {
    const std::string& name = parameter.name.text;
    if (name == "F" || name == "T") {
      arguments.push_back({name, Val::of(function(name, starts, scalar))});
    } else if (name == "z0") {
      arguments.push_back({name, Val::leaf(scalar ? starts[0] : flat(starts))});
    } else if (const ast::Expr* given = solverArgument(name)) {
      arguments.push_back({name, e_.eval(*given)});
    }
  }
  Env bound;
  Reached reached = readSolution(e_.callUser(*decl, std::move(arguments), &bound), starts, scalar);
  reached.tolerance = b().real(kDefaultTolerance);
  const ast::Expr* polish = solverArgument("polish");
  for (const ast::Parameter& parameter : decl->parameters) {
    if (parameter.name.text == "tol")
      reached.tolerance = e_.toReal(bound.at(parameter.binding.get()).value);
    if (parameter.name.text == "polish") polish = nullptr;  // the solver's own affair
  }
  if (polish != nullptr) {
    Val z = e_.callUser(*preludeFunction("polished"),
                        {{"F", Val::of(function("F", starts, false))},
                         {"z0", Val::leaf(flat(reached.solutions))},
                         {"wanted", e_.eval(*polish)}});
    reached.solutions = unflatten(z.value, starts);
  }
  return reached;
}

// using given(z0): nothing is iterated.
SolveLowering::Reached SolveLowering::given() {
  const ast::Expr* z0 = solverArgument("z0");
  check(z0 != nullptr, "`given` without a value");
  Val value = e_.eval(*z0);
  const ast::Expr* tol = solverArgument("tol");
  Reached reached{{}, e_.integer(0), e_.integer(0), b().boolean(false)};
  reached.tolerance = tol != nullptr ? e_.toReal(e_.eval(*tol).value) : b().real(kGivenTolerance);
  for (ir::Value* leaf : leavesOf(value))
    reached.solutions.push_back(b().op(OpCode::Stop, {e_.toReal(leaf)}));
  return reached;
}

SolveLowering::Sizes SolveLowering::sizesAt(const Values& solutions) {
  Sizes sizes{b().real(0.0), b().real(0.0)};
  auto larger = [&](ir::Value* a, ir::Value* c) { return e_.choose(a, c, a, c, 1.0, "max"); };
  for (const Equation& sides : equations(solutions, false)) {
    sizes.residual = larger(sizes.residual, e_.normInf(b().sub(sides.lhs, sides.rhs)));
    sizes.scale = larger(sizes.scale, larger(e_.normInf(sides.lhs), e_.normInf(sides.rhs)));
  }
  return sizes;
}

// The block's test.
ir::Value* SolveLowering::passes(const Sizes& sizes, ir::Value* tolerance) {
  ir::Value* bound = b().mul(tolerance, b().add(b().real(1.0), sizes.scale));
  return b().op(OpCode::FLe, {sizes.residual, bound});
}

// For the status of a solve that fails, and run only then: from the equations' Jacobian where the
// solver stopped. Equations that cannot be differentiated, and systems of many unknowns, have none. `fine`: whether it succeeded.
void SolveLowering::estimateCondition(Reached& reached, const Values& like, ir::Value* fine) {
  if (reached.rcond != nullptr || isLarge(like)) return;
  bool scalar = like.size() == 1 && like[0]->type.isScalar();
  const ast::FnDecl* estimate = preludeFunction(scalar ? "condition_scalar" : "condition_system");
  Val z = Val::leaf(scalar ? reached.solutions[0] : flat(reached.solutions));
  Emitter::Closed closed;
  ++e_.shared_.attempts;
  try {
    closed = e_.close("condition", std::span(&z, 1), [&](std::span<const Val> at) {
      return e_.callUser(*estimate, {{"F", Val::of(function("F", like, scalar))}, {"z", at[0]}});
    });
  } catch (const LowerFailure&) {
    --e_.shared_.attempts;
    return;
  }
  --e_.shared_.attempts;
  // Newton's method knows whether it succeeded; of other solvers only the test tells.
  if (fine == nullptr)
    fine = isNewton() ? e_.intOp(OpCode::IEq, reached.reason, e_.integer(0))
                      : passes(sizesAt(reached.solutions), reached.tolerance);
  reached.rcond = e_.branch(
                        Emitter::Branching::If, nullptr, fine, {}, nullptr,
                        [&] { return Val::leaf(b().real(-1.0)); },
                        [&] {  // not differentiated where the solver is
                          for (ir::Value*& read : closed.operands)
                            if (read->type.isReal()) read = b().op(OpCode::Stop, {read});
                          return Val::leaf(ir::inlineCall(b(), *closed.function, closed.operands)[0]);
                        })
                      .value;
}

// Of the solver's options none but the tolerance is given.
bool SolveLowering::hasToleranceOnly() {
  return !solve_.solver || solve_.solver->arguments.empty() ||
         (solve_.solver->arguments.size() == 1 && solverArgument("tol") != nullptr);
}

Val SolveLowering::value(const Values& solutions) {
  std::vector<Val> parts;
  for (ir::Value* solution : solutions) parts.push_back(Val::leaf(solution));
  return parts.size() == 1 ? parts[0] : Val::tuple(std::move(parts));
}

// The same values; where the solver saw a multiple root, their derivative is a status.
SolveLowering::Values SolveLowering::simpleRoots(const Reached& reached) {
  if (ir::constantInt(reached.multiple) == 0) return reached.solutions;
  ir::Value* reason = b().select(reached.multiple, e_.integer(kMultipleRoot), e_.integer(0));
  Val z = e_.callUser(*preludeFunction("simple_root"), {{"z", Val::leaf(flat(reached.solutions))},
                                                        {"reason", Val::leaf(reason)}});
  return unflatten(z.value, reached.solutions);
}

// The solver's own operations, differentiated like any others, and the block's test after them.
Val SolveLowering::unrolled(const Reached& start) {
  Reached reached = isGiven() ? start : runSolver(start.solutions);
  Sizes sizes = sizesAt(reached.solutions);
  ir::Value* fine = passes(sizes, reached.tolerance);
  estimateCondition(reached, reached.solutions, fine);
  ir::Value* rcond = reached.rcond != nullptr ? reached.rcond : b().real(-1.0);
  auto test = [&](ir::Value* ok, ir::Status status) {
    ir::Attrs attrs;
    attrs.i = static_cast<int64_t>(status);
    b().emit(OpCode::Check, {ok, sizes.residual, sizes.scale, rcond}, std::move(attrs));
  };
  test(b().op(OpCode::IsFinite, {b().add(sizes.residual, sizes.scale)}), ir::Status::NonFinite);
  test(fine, ir::Status::NotConverged);
  return value(simpleRoots(reached));
}

// `start`: the starts, or what `using given` gives.
Val SolveLowering::root(const Reached& start) {
  const Values& starts = start.solutions;
  ir::Attrs attrs;
  attrs.str = differentiation(starts);
  attrs.i = kindOfSystem();
  int64_t terms = 0;
  if (mode() == "neumann")
    terms =
        ir::constantInt(e_.eval(*solve_.differentiate->arguments.at(0).value).value).value_or(0);
  const bool poisons = e_.shared_.options.on_failure == OnFailure::Nan;
  attrs.ints = {terms,
                isGiven() ? 1 : 0,
                isNewton() && hasToleranceOnly() ? 1 : 0,
                static_cast<int64_t>(factorisation()),
                poisons ? 1 : 0,
                isNewton() ? 1 : 0};
  bool as_fixed_point = mode() != "implicit" && !fixed_point_.empty();
  ir::Op& op = b().emitUnchecked(OpCode::Root, starts, std::move(attrs));
  auto fill = [&](ir::Region& region, const std::function<Values(const Values&)>& emit) {
    Values arguments;
    for (size_t k = 0; k < starts.size(); ++k)
      arguments.push_back(
          e_.function_.addArgument(region, starts[k]->type, solve_.unknowns[k].name.text));
    ir::Builder inner(e_.function_, region);
    Emitter::BuilderScope scope(e_, inner);
    inner.yield(emit(arguments));
  };
  fill(*op.regions[0], [&](const Values& arguments) {
    Reached reached = isGiven() ? start : runSolver(arguments);
    if (isGiven()) reached.solutions = arguments;
    estimateCondition(reached, starts);
    Values yields = reached.solutions;
    yields.insert(yields.end(), {reached.iterations, reached.reason, reached.multiple});
    auto known = ir::constantReal(reached.tolerance);
    op.attrs.f = known.value_or(0);
    if (reached.rcond || !known)
      yields.push_back(reached.rcond ? reached.rcond : b().real(-1.0));
    if (!known) yields.push_back(reached.tolerance);
    return yields;
  });
  fill(*op.regions[1], [&](const Values& arguments) {
    Values yields;
    for (const Equation& sides : equations(arguments, as_fixed_point))
      yields.insert(yields.end(), {sides.lhs, sides.rhs});
    return yields;
  });
  Values solutions;
  for (size_t k = 0; k < starts.size(); ++k) {
    solutions.push_back(e_.function_.addResult(op, starts[k]->type));
    solutions.back()->name = solve_.unknowns[k].name.text;
  }
  e_.function_.addResult(op, ir::i64());
  e_.function_.addResult(op, ir::i1());
  return value(solutions);
}

// The solve, or NaN and a notice where it ends in a status.
Val SolveLowering::orNan(const std::function<Val()>& solve) {
  ir::Op& op = b().emitUnchecked(OpCode::Try, {});
  auto fill = [&](ir::Region& region, const std::function<Values()>& emit) {
    ir::Builder inner(e_.function_, region);
    Emitter::BuilderScope scope(e_, inner);
    inner.yield(emit());
  };
  fill(*op.regions[0], [&] { return leavesOf(solve()); });
  const Values solutions = op.regions[0]->yields();
  fill(*op.regions[1], [&] {
    ir::Value* poison = poisonOf(b(), *op.regions[0]);
    ir::Attrs attrs;
    attrs.str = ir::failureNotice(solve_.span);
    b().emit(OpCode::Print, {}, std::move(attrs));
    Values poisoned;
    for (ir::Value* solution : solutions) {
      Values sizes;
      for (int64_t dim : solution->type.dims) sizes.push_back(b().integer(dim));
      poisoned.push_back(sizes.empty() ? poison : b().fill(poison, sizes));
    }
    return poisoned;
  });
  Values results;
  for (ir::Value* solution : solutions)
    results.push_back(e_.function_.addResult(op, solution->type));
  return value(results);
}

Val SolveLowering::lower() {
  // A given solution is the start of a solver that returns it.
  Reached start = isGiven() ? given() : Reached{starts(), nullptr, nullptr, nullptr};
  auto solve = [&] {
    return mode() == "unroll" ? unrolled(start) : root(start);
  };
  return e_.shared_.options.on_failure == OnFailure::Nan ? orNan(solve) : solve();
}

Val Emitter::evalSolve(const ast::SolveExpr& e) { return SolveLowering(*this, e).lower(); }

}  // namespace dini::lower
