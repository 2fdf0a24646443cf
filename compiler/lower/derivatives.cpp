// Derivative forms: the function is lowered to a closed IR function of its arguments, transformed
// by ad/, and the result expanded in place. What the function captures becomes a parameter that is
// not selected, so derivatives of the surrounding code flow through it.
#include <algorithm>

#include <fmt/format.h>

#include "ad/linear.h"
#include "analysis/jumps.h"
#include "analysis/linear_programs.h"
#include "base/check.h"
#include "ir/clone.h"
#include "ir/verifier.h"
#include "ir/walk.h"
#include "lower/scopes.h"
#include "opt/opt.h"

namespace dini::lower {

Emitter::Closed Emitter::close(const std::string& name, std::span<const Val> arguments,
                               const std::function<Val(std::span<const Val>)>& body) {
  Closed closed;
  ir::Region region;
  ir::Builder inner(function_, region);
  {
    BuilderScope scope(*this, inner);
    std::vector<Val> parameters;
    for (const Val& argument : arguments) {
      Val parameter = mapLeaves(argument, [&](ir::Value* leaf) {
        if (auto known = ir::constantInt(leaf)) {
          closed.parameter_of.push_back(-1);
          return leaf->type.elem == ir::Elem::I1 ? b().boolean(*known != 0) : integer(*known);
        }
        closed.parameter_of.push_back(static_cast<int>(closed.operands.size()));
        closed.operands.push_back(leaf);
        return function_.addArgument(region, leaf->type, leaf->name);
      });
      parameters.push_back(std::move(parameter));
    }
    closed.result = body(parameters);
    yield(closed.result);
  }
  closed.function = std::make_unique<ir::Function>(shared_.freshName(name));
  closed.function->span = span_;
  ir::ValueMap map;
  for (ir::Value* argument : region.args)
    map[argument] = closed.function->addParameter(argument->type, argument->name);
  ir::Builder builder(*closed.function, closed.function->body);
  for (ir::Value* captured : ir::captures(region)) {
    if (captured->def != nullptr && captured->def->code == ir::OpCode::Const) {
      ir::cloneOp(builder, *captured->def, map);
      continue;
    }
    closed.operands.push_back(captured);
    map[captured] = closed.function->addParameter(captured->type, captured->name);
  }
  builder.yield(ir::inlineRegion(builder, region, map));
  ir::eraseDead(*closed.function);
  return closed;
}

// Positional and named arguments of the derived function, widened as the base function's are.
void Emitter::bindDerivative(Differentiation& d, std::vector<NamedVal> arguments) {
  const FunctionValue& base = *d.f->base;
  std::vector<std::string> names = parameterNames(*d.f);
  std::vector<const types::Type*> types = parameterTypes(base);
  size_t own = parameterNames(base).size();
  std::vector<Val> values(std::max(names.size(), arguments.size()));
  for (size_t k = 0; k < arguments.size(); ++k) {
    size_t at = k;
    if (!arguments[k].name.empty())
      for (at = 0; at < names.size() && names[at] != arguments[k].name;) ++at;
    if (at >= values.size())
      fail(DiagCode::BadArguments, span_, "an argument that the derivative does not take");
    values[at] = std::move(arguments[k].value);
  }
  bool widen_all = base.kind == FunctionValue::Kind::Builtin;
  for (size_t k = 0; k < own; ++k) {
    Val value = k < types.size() ? coerce(std::move(values[k]), types[k]) : std::move(values[k]);
    if (widen_all) value = mapLeaves(value, [&](ir::Value* leaf) { return toReal(leaf); });
    d.arguments.push_back(std::move(value));
  }
  d.further.assign(values.begin() + static_cast<ptrdiff_t>(own), values.end());
  if (d.f->wrt.empty()) {
    for (size_t k = 0; k < own; ++k)
      if (holdsReals(d.arguments[k])) d.selected.push_back(k);
    return;
  }
  for (const std::string& name : d.f->wrt)
    for (size_t k = 0; k < own; ++k)
      if (names[k] == name) d.selected.push_back(k);
}

void Emitter::closeBase(Differentiation& d) {
  const FunctionValue& base = *d.f->base;
  std::vector<std::string> names = parameterNames(base);
  std::vector<Val> given;
  std::vector<size_t> position;
  for (size_t k = 0; k < d.arguments.size(); ++k)
    if (d.arguments[k].kind != Val::Kind::Unit) {
      given.push_back(d.arguments[k]);
      position.push_back(k);
    }
  bool named = given.size() < d.arguments.size();
  d.base = close("closed", given, [&](std::span<const Val> values) {
    std::vector<NamedVal> passed;
    for (size_t k = 0; k < values.size(); ++k)
      passed.push_back({named ? names[position[k]] : "", values[k]});
    return callFunction(base, std::move(passed));
  });
  noteSelfDerivative(*d.base.function);
  d.request.ties = shared_.options.ties;
  if (prelude_depth_ > 0) {  // a solver's step: a vertex of the kink
    d.request.ties = {};
    d.request.ties.policy = ad::TieOptions::Policy::Weight;
    d.request.ties.weight = 1;
  }
  d.request.active.assign(d.base.function->body.args.size(), false);
  size_t leaf = 0;
  for (size_t k = 0; k < given.size(); ++k) {
    bool selected =
        std::find(d.selected.begin(), d.selected.end(), position[k]) != d.selected.end();
    for (ir::Value* value : leavesOf(given[k])) {
      int parameter = d.base.parameter_of[leaf++];
      if (selected && value->type.isReal()) d.request.active[static_cast<size_t>(parameter)] = true;
    }
  }
}

void Emitter::warnOfJumps(const Differentiation& d) {
  // The gradient of a piecewise-linear function only steps, and that is known.
  auto steps = d.f->base->kind == FunctionValue::Kind::Derivative ? analysis::Steps::Passed : analysis::Steps::Listed;
  for (const ir::Op* op : analysis::jumps(*d.base.function, d.request.active, steps))
    shared_.sink.add(DiagCode::JumpDifferentiated, op->span.valid() ? op->span : span_,
                     "this jumps; its derivative is taken as 0")
        .help = "write `stop(...)` around it if that is meant";
  for (const ir::Op* op : analysis::movingCosts(*d.base.function, d.request.active))
    shared_.sink.add(DiagCode::CostDifferentiated, op->span.valid() ? op->span : span_,
                     "the solution of this linear program does not move with its cost: that "
                     "derivative is 0")
        .help = "a small quadratic term in the objective makes it move";
}

// Runs a transform on the closed function and expands the result; `more`: its further operands.
std::vector<ir::Value*> Emitter::differentiated(
    Differentiation& d, std::vector<ir::Value*> more,
    const std::function<std::unique_ptr<ir::Function>(ir::Module&, const ir::Function&)>&
        transform) {
  std::unique_ptr<ir::Function> made;
  opt::simplify(shared_.module, *d.base.function);
  if (prelude_depth_ == 0) warnOfJumps(d);
  try {
    made = transform(shared_.module, *d.base.function);
  } catch (const ad::Unsupported& unsupported) {
    fail(DiagCode::NotDifferentiable, unsupported.span.valid() ? unsupported.span : span_,
         unsupported.what());
  }
  ad::eraseLinearFlags(*made);
  opt::simplify(shared_.module, *made);
  std::vector<ir::Value*> operands = d.base.operands;
  operands.insert(operands.end(), more.begin(), more.end());
  return ir::inlineCall(b(), *made, operands);
}

Val Emitter::likeSelected(const Differentiation& d, std::span<ir::Value* const> leaves) {
  // Leaves come in the order of parameters, the result in the order of selection.
  std::vector<size_t> order = d.selected;
  std::sort(order.begin(), order.end());
  std::vector<Val> parts(d.arguments.size());
  for (size_t k : order)
    parts[k] = mapLeaves(d.arguments[k], [&](ir::Value* leaf) {
      if (!leaf->type.isReal()) return leaf;
      ir::Value* own = leaves.front();
      leaves = leaves.subspan(1);
      return own;
    });
  check(leaves.empty(), "more derivatives than selected leaves");
  std::vector<Val> result;
  for (size_t k : d.selected) result.push_back(parts[k]);
  return result.size() == 1 ? result[0] : Val::tuple(std::move(result));
}

Val Emitter::gradient(Differentiation& d) {
  std::vector<ir::Value*> results =
      differentiated(d, {}, [&](ir::Module& module, const ir::Function& f) {
        return ad::valueAndGrad(module, f, d.request);
      });
  std::span<ir::Value* const> all = results;
  Val slope = likeSelected(d, all.subspan(1));
  if (d.f->form == Form::Grad) return slope;
  return Val::tuple({Val::leaf(results[0]), slope});
}

Val Emitter::tangent(Differentiation& d) {
  // Tangents of selected leaves, in the order of the parameters.
  std::vector<std::vector<ir::Value*>> by_parameter(d.arguments.size());
  for (size_t j = 0; j < d.selected.size(); ++j) {
    check(j < d.further.size(), "a jvp without its tangent");
    std::vector<ir::Value*> primal = leavesOf(d.arguments[d.selected[j]]),
                            dots = leavesOf(d.further[j]);
    for (size_t k = 0; k < primal.size(); ++k)
      if (primal[k]->type.isReal()) {
        requireEqualShapes(primal[k], dots[k]);
        by_parameter[d.selected[j]].push_back(toReal(dots[k]));
      }
  }
  // A tangent comes with each active parameter of the closed function.
  std::vector<ir::Value*> more;
  for (const auto& dots : by_parameter) more.insert(more.end(), dots.begin(), dots.end());
  std::vector<ir::Value*> results = differentiated(
      d, std::move(more),
      [&](ir::Module& module, const ir::Function& f) {
        return d.f->form == Form::DirDeriv ? ad::directional(module, f, d.request)
                                           : ad::jvp(module, f, d.request);
      });
  size_t count = leavesOf(d.base.result).size();
  std::span<ir::Value* const> all = results;
  Val value = withLeaves(d.base.result, all.first(count));
  std::span<ir::Value* const> dots = all.subspan(count);
  Val slope = mapLeaves(value, [&](ir::Value* leaf) {
    if (!leaf->type.isReal()) return leaf;
    ir::Value* own = dots.front();
    dots = dots.subspan(1);
    return own;
  });
  return d.f->form == Form::DirDeriv ? slope : Val::tuple({value, slope});
}

Val Emitter::cotangent(Differentiation& d) {
  check(d.further.size() == 1, "a vjp without its cotangent");
  std::vector<ir::Value*> seeds;
  std::vector<ir::Value*> results_of_base = leavesOf(d.base.result), bars = leavesOf(d.further[0]);
  check(bars.size() == results_of_base.size(), "a cotangent of another structure than the result");
  for (size_t k = 0; k < bars.size(); ++k)
    if (results_of_base[k]->type.isReal()) seeds.push_back(toReal(bars[k]));
  std::vector<ir::Value*> results = differentiated(
      d, std::move(seeds),
      [&](ir::Module& module, const ir::Function& f) { return ad::vjp(module, f, d.request); });
  std::span<ir::Value* const> all = results;
  return likeSelected(d, all.subspan(results_of_base.size()));
}

// The value, its tangent (the further arguments but the last) and the cotangents (by the last).
Val Emitter::bothMaps(Differentiation& d) {
  check(d.further.size() == d.selected.size() + 1, "tangents and a cotangent");
  std::vector<ir::Value*> more, bars = leavesOf(d.further.back());
  for (size_t j = 0; j < d.selected.size(); ++j)
    for (ir::Value* dot : leavesOf(d.further[j]))
      if (dot->type.isReal()) more.push_back(dot);
  for (ir::Value* bar : bars)
    if (bar->type.isReal()) more.push_back(bar);
  std::vector<ir::Value*> results = differentiated(
      d, std::move(more),
      [&](ir::Module& module, const ir::Function& f) { return ad::bothMaps(module, f, d.request); });
  std::span<ir::Value* const> all = results;
  Val value = withLeaves(d.base.result, all.first(bars.size()));
  std::span<ir::Value* const> dots = all.subspan(bars.size());
  Val slope = mapLeaves(value, [&](ir::Value* leaf) {
    if (!leaf->type.isReal()) return leaf;
    ir::Value* own = dots.front();
    dots = dots.subspan(1);
    return own;
  });
  return Val::tuple({value, slope, likeSelected(d, dots)});
}

namespace {
// The parts of a composite that hold reals.
std::vector<Val> realParts(const Val& value) {
  std::vector<Val> parts;
  for (const Val& element : value.elements)
    if (holdsReals(element)) parts.push_back(element);
  return parts;
}
}  // namespace

// Blocks [result leaf][parameter leaf] as tuples: outer over results, inner over parameters.
Val Emitter::jacobianParts(const Val& out, const Val& in,
                           const std::vector<std::vector<ir::Value*>>& blocks, size_t& row) {
  if (out.isAggregate()) {
    std::vector<Val> parts;
    for (const Val& part : realParts(out)) parts.push_back(jacobianParts(part, in, blocks, row));
    return Val::tuple(std::move(parts));
  }
  const std::vector<ir::Value*>& block = blocks[row++];
  size_t column = 0;
  std::function<Val(const Val&)> inner = [&](const Val& part) {
    if (!part.isAggregate()) return Val::leaf(block[column++]);
    std::vector<Val> parts;
    for (const Val& element : realParts(part)) parts.push_back(inner(element));
    return Val::tuple(std::move(parts));
  };
  return inner(in);
}

Val Emitter::jacobian(Differentiation& d) {
  std::vector<ir::Value*> results =
      differentiated(d, {}, [&](ir::Module& module, const ir::Function& f) {
        return ad::jacobian(module, f, d.request);
      });
  // Columns come in the order of parameters; bring them into the order of selection.
  std::vector<size_t> first(d.arguments.size(), 0);
  std::vector<size_t> order = d.selected;
  std::sort(order.begin(), order.end());
  size_t columns = 0;
  auto reals = [](const Val& value) {
    std::vector<ir::Value*> leaves = leavesOf(value);
    return static_cast<size_t>(
        std::count_if(leaves.begin(), leaves.end(), [](auto* l) { return l->type.isReal(); }));
  };
  for (size_t k : order) {
    first[k] = columns;
    columns += reals(d.arguments[k]);
  }
  std::vector<std::vector<ir::Value*>> blocks(reals(d.base.result));
  for (size_t row = 0; row < blocks.size(); ++row)
    for (size_t k : d.selected)
      for (size_t j = 0; j < reals(d.arguments[k]); ++j)
        blocks[row].push_back(results[row * columns + first[k] + j]);
  std::vector<Val> in;
  for (size_t k : d.selected) in.push_back(d.arguments[k]);
  size_t row = 0;
  return jacobianParts(d.base.result, in.size() == 1 ? in[0] : Val::tuple(in), blocks, row);
}

Val Emitter::callDerivative(const FunctionValue& f, std::vector<NamedVal> arguments) {
  if (f.form == Form::Hess || f.form == Form::Hvp) {
    auto slope = std::make_shared<FunctionValue>();
    slope->kind = FunctionValue::Kind::Derivative;
    slope->form = Form::Grad;
    slope->base = f.base;
    slope->wrt = f.wrt;
    FunctionValue second;
    second.kind = FunctionValue::Kind::Derivative;
    second.form = f.form == Form::Hess ? Form::Jac : Form::Jvp;
    second.base = std::move(slope);
    second.wrt = f.wrt;
    Val result = callDerivative(second, std::move(arguments));
    return f.form == Form::Hess ? result : result.elements[1];
  }
  Differentiation d;
  d.f = &f;
  bindDerivative(d, std::move(arguments));
  if (f.form == Form::Certificate || f.form == Form::Certified) return inspection(d);
  if (d.selected.empty())
    fail(DiagCode::BadDerivative, span_, "nothing to differentiate by: no parameter holds reals");
  closeBase(d);
  if (f.form == Form::Ties) return tiesMet(d);
  switch (f.form) {
    case Form::Grad:
    case Form::ValueAndGrad:
      return gradient(d);
    case Form::Jac:
      return jacobian(d);
    case Form::Jvp:
    case Form::DirDeriv:
      return tangent(d);
    case Form::Vjp:
      return cotangent(d);
    case Form::Maps:
      return bothMaps(d);
    case Form::GradCheck:
      return gradientError(d);
    default:
      failCheck("unknown derivative form");
  }
}

}  // namespace dini::lower
