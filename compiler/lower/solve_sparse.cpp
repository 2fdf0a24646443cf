// Newton's method with a sparse Jacobian: its steps as functions for the prelude's newton_by_steps.
#include "ad/sparse_jacobian.h"
#include "ir/clone.h"
#include "lower/scopes.h"
#include "lower/solve_lowering.h"
#include "opt/opt.h"

namespace dini::lower {

using ir::OpCode;

namespace {

// The Jacobian of the equations at a point.
struct SparseEquations {
  ad::SparsePlan plan;
  std::unique_ptr<ir::Function> entries;
  std::vector<ir::Value*> operands;  // of `entries`, the point first

  ir::Value* at(ir::Builder& b, ir::Value* z) const {
    std::vector<ir::Value*> arguments = operands;
    arguments[0] = z;
    return ir::inlineCall(b, *entries, arguments)[0];
  }
};

ir::Value* integers(ir::Builder& b, std::vector<int64_t> values) {
  const auto count = static_cast<int64_t>(values.size());
  return b.constantInts(ir::i64({count}), std::move(values));
}

// J^-1 r.
ir::Value* fullStep(ir::Builder& b, const SparseEquations& equations, ir::Value* z, ir::Value* r) {
  const ad::SparsePlan& plan = equations.plan;
  return b.op(OpCode::SparseSolve,
              {equations.at(b, z), integers(b, plan.rows), integers(b, plan.cols), r});
}

// The minimiser d of |J d - r|^2 + mu s |d|^2, s the mean square of J's columns, without forming J'J: with u = r - J d
// it is J'u = mu s d.
ir::Value* dampedStep(ir::Builder& b, const SparseEquations& equations, ir::Value* z, ir::Value* r, ir::Value* mu) {
  const ad::SparsePlan& plan = equations.plan;
  const int64_t n = plan.n;
  ir::Value* entries = equations.at(b, z);
  ir::Value* size = b.sumAll(b.mul(entries, entries));
  ir::Value* damping = b.add(b.mul(mu, b.div(size, b.real(static_cast<double>(n)))), b.real(1e-300));
  ir::Value* count = b.integer(n);
  std::vector<int64_t> rows, cols;
  auto place = [&](int64_t row, int64_t col) {
    rows.push_back(row);
    cols.push_back(col);
  };
  for (int64_t i = 0; i < n; ++i) place(i, i);
  for (size_t e = 0; e < plan.rows.size(); ++e) place(plan.rows[e], n + plan.cols[e]);
  for (size_t e = 0; e < plan.rows.size(); ++e) place(n + plan.cols[e], plan.rows[e]);
  for (int64_t i = 0; i < n; ++i) place(n + i, n + i);
  auto filled = [&](ir::Value* value) { return b.fill(value, std::vector<ir::Value*>{count}); };
  ir::Value* values = b.concat({filled(b.real(1.0)), entries, entries, filled(b.neg(damping))}, 0);
  ir::Value* both = b.op(OpCode::SparseSolve, {values, integers(b, std::move(rows)), integers(b, std::move(cols)),
                                               b.concat({r, filled(b.real(0.0))}, 0)});
  return b.slice(both, {count}, {count});
}

std::shared_ptr<const FunctionValue> native(std::vector<std::string> names, std::vector<ir::Type> types,
                                            std::function<ir::Value*(ir::Builder&, std::span<const Val>)> emit) {
  auto f = std::make_shared<FunctionValue>();
  f->kind = FunctionValue::Kind::Native;
  f->native_parameters = std::move(names);
  f->native_arguments = std::move(types);
  f->native = [emit = std::move(emit)](Emitter& e, std::span<const Val> arguments) {
    return Val::leaf(emit(e.b(), arguments));
  };
  return f;
}

}  // namespace

bool SolveLowering::sparseSteps(const Values& starts, std::vector<NamedVal>& arguments) {
  const ir::Type vector = argumentType(starts, false);
  if (!vector.isStatic() || vector.dims[0] < ad::kSparseFrom) return false;
  if (linearMethod() == "lu" || e_.shared_.options.jacobians == Jacobians::Dense) return false;
  auto equations = std::make_shared<SparseEquations>();
  Val z = Val::leaf(flat(starts));
  ++e_.shared_.attempts;  // what cannot be differentiated is told where the dense Jacobian is asked for
  try {
    Emitter::Closed closed = e_.close("equations", std::span(&z, 1), [&](std::span<const Val> at) {
      return e_.callFunction(*function("F", starts, false), {{"z", at[0]}});
    });
    opt::simplify(e_.shared_.module, *closed.function);
    auto plan = ad::sparsePlan(*closed.function, 0, 1, closed.operands);
    if (plan) {
      ad::Request request;  // a vertex of each kink, as in every step of a solver
      request.ties.policy = ad::TieOptions::Policy::Weight;
      request.ties.weight = 1;
      request.active.assign(closed.function->body.args.size(), false);
      request.active[0] = true;
      equations->entries = ad::sparseJacobian(e_.shared_.module, *closed.function, request, *plan);
      equations->plan = std::move(*plan);
      equations->operands = closed.operands;
    }
  } catch (const LowerFailure&) {
  } catch (const ad::Unsupported&) {
  }
  --e_.shared_.attempts;
  if (equations->entries == nullptr) return false;
  arguments.push_back({"step", Val::of(native({"z", "r"}, {vector, vector}, [equations](ir::Builder& b, auto at) {
    return fullStep(b, *equations, at[0].value, at[1].value);
  }))});
  arguments.push_back({"damped", Val::of(native({"z", "r", "mu"}, {vector, vector, ir::f64()},
                                                 [equations](ir::Builder& b, auto at) {
    return dampedStep(b, *equations, at[0].value, at[1].value, at[2].value);
  }))});
  return true;
}

}  // namespace dini::lower
