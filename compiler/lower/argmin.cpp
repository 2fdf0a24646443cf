#include "lower/argmin.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "ir/clone.h"
#include "lower/scopes.h"
#include "opt/opt.h"

namespace dini::lower {

using ast::BinaryOp;
using ast::ExprKind;
using ir::OpCode;
using sema::Builtin;

namespace {

// f of f(e), where f is the builtin; null otherwise.
const ast::Expr* operandOf(const ast::Expr& e, Builtin builtin) {
  if (e.kind != ExprKind::Call) return nullptr;
  const auto& call = ast::as<ast::CallExpr>(e);
  if (call.callee->kind != ExprKind::Name || call.arguments.size() != 1) return nullptr;
  const auto& name = ast::as<ast::NameExpr>(*call.callee);
  bool same = name.referent == ast::Referent::Builtin &&
              static_cast<Builtin>(name.builtin) == builtin;
  return same ? call.arguments[0].value.get() : nullptr;
}

}  // namespace

ArgminLowering::ArgminLowering(Emitter& emitter, const ast::ArgminExpr& block)
    : SolveLowering(emitter, lifted_), block_(block), terms_(block) {
  lifted_.span = block.span;
}

void ArgminLowering::refuse(const ast::Expr& e, const std::string& what, const std::string& help) {
  e_.fail(DiagCode::BadObjective, e.span, what, help);
}

// --- what the block consists of

ArgminLowering::Row ArgminLowering::rowOf(const ast::ArgminConstraint& constraint) {
  Row row;
  row.relation = &ast::as<ast::BinaryExpr>(*constraint.relation);
  row.span = constraint.relation->span;
  const ast::BinaryExpr& relation = *row.relation;
  if (constraint.label)
    row.labelled = std::any_of(block_.with.begin(), block_.with.end(), [&](const ast::Name& name) {
      return name.text == constraint.label->text;
    });
  if (relation.op == BinaryOp::In) {
    std::string cone = argminCone(*relation.rhs);
    row.kind = cone == "zero"     ? RowKind::Equality
               : cone == "nonneg" ? RowKind::Nonneg
               : cone == "soc"    ? RowKind::SecondOrder
               : cone == "exp"    ? RowKind::Exponential
                                  : RowKind::Semidefinite;
    return row;
  }
  if (relation.op == BinaryOp::Eq) return row;
  row.kind = RowKind::Nonneg;
  const ast::Expr& smaller = relation.op == BinaryOp::Le ? *relation.lhs : *relation.rhs;
  const ast::Expr& larger = relation.op == BinaryOp::Le ? *relation.rhs : *relation.lhs;
  for (auto [norm, kind] : {std::pair{Builtin::Norm, RowKind::SecondOrder},
                            std::pair{Builtin::Norm1, RowKind::Ball1}}) {
    const ast::Expr* e = operandOf(smaller, norm);
    if (e == nullptr || !terms_.dependsOnUnknowns(*e) || !larger.type->isScalar()) continue;
    if (kind == RowKind::Ball1 && terms_.dependsOnUnknowns(larger))
      refuse(larger, "the bound of `norm1` depends on the unknowns",
             "bound each magnitude by an unknown: `e <= t`, `-t <= e`, `sum(t) <= ...`");
    row.kind = kind;
    row.bounded = e;
  }
  return row;
}

void ArgminLowering::collectRows() {
  for (const ast::ArgminConstraint& constraint : block_.constraints)
    rows_.push_back(rowOf(constraint));
  for (const NonsmoothTerm& term : terms_.nonsmooth()) {
    if (term.weight.negative)
      e_.fail(DiagCode::BadObjective, term.span,
              "the objective falls with this kink: a local minimiser is nowhere smooth",
              "a convex kink is added in `minimize`, subtracted in `maximize`");
    if (std::find(composites_.begin(), composites_.end(), &term) != composites_.end()) continue;
    Row row;
    row.kind = RowKind::Term;
    row.term = &term;
    row.span = term.span;
    rows_.push_back(row);
  }
}

// Whether the term is a function of one unknown itself, in a form whose prox is known.
bool ArgminLowering::isUnknownItself(const NonsmoothTerm& term, size_t& unknown) {
  auto found = term.iterator == nullptr ? terms_.unknownOf(*term.argument) : std::nullopt;
  if (term.iterator != nullptr && term.kind == Nonsmooth::Norm &&
      term.argument->kind == ExprKind::Index) {  // norm(W[i]) for all rows i
    const auto& index = ast::as<ast::IndexExpr>(*term.argument);
    const ast::Subscript& first = index.subscripts[0];
    found = terms_.unknownOf(*index.base);
    bool row = index.subscripts.size() == 1 && first.kind == ast::Subscript::Kind::At &&
               first.at->kind == ExprKind::Name &&
               ast::as<ast::NameExpr>(*first.at).binding == term.iterator->binding;
    if (!found || !row || x_start_[*found]->type.rank() != 2) return false;
    ir::Value *lo = e_.eval(*term.iterator->lo).value, *hi = e_.eval(*term.iterator->hi).value;
    if (ir::constantInt(lo) != 0 || e_.knownDifference(hi, e_.sizeOf(x_start_[*found], 0)) != 0)
      return false;
  }
  if (found) unknown = *found;
  return found.has_value();
}

void ArgminLowering::collectComposites() {
  composites_.assign(block_.unknowns.size(), nullptr);
  for (const NonsmoothTerm& term : terms_.nonsmooth()) {
    size_t unknown = 0;
    if (isUnknownItself(term, unknown) && composites_[unknown] == nullptr)
      composites_[unknown] = &term;
  }
}

// Kinks that are none of the known terms, in the objective and in constraints.
void ArgminLowering::refuseKinks() {
  const std::string help =
      "known are abs, relu, norm1, norm, normnuc and max of a vector, added with a nonnegative "
      "weight";
  if (const ast::Expr* kink = terms_.unknownKink())
    refuse(*kink, "this kink of the objective is none that an `argmin` block knows", help);
  for (const Row& row : rows_) {
    if (row.relation == nullptr) continue;
    std::vector<const ast::Expr*> sides = {row.relation->lhs.get()};
    if (row.relation->op != BinaryOp::In) sides.push_back(row.relation->rhs.get());
    for (const ast::Expr* side : sides) {
      const ast::Expr* seen = row.bounded != nullptr && side->kind == ExprKind::Call &&
                                      (operandOf(*side, Builtin::Norm) == row.bounded ||
                                       operandOf(*side, Builtin::Norm1) == row.bounded)
                                  ? row.bounded
                                  : side;
      if (const ast::Expr* kink = terms_.kinkIn(*seen))
        refuse(*kink, "this kink of a constraint is none that an `argmin` block knows",
               "known are `norm(e) <= r`, `norm1(e) <= r` and the cones");
    }
  }
}

// An unknown that stands in psd(k) itself is a symmetric matrix.
bool ArgminLowering::isSymmetric(size_t unknown) const {
  return std::any_of(block_.constraints.begin(), block_.constraints.end(), [&](const auto& c) {
    const auto& relation = ast::as<ast::BinaryExpr>(*c.relation);
    return relation.op == BinaryOp::In && argminCone(*relation.rhs) == "psd" &&
           terms_.unknownOf(*relation.lhs) == unknown;
  });
}

void ArgminLowering::liftUnknowns() {
  auto add = [&](const std::string& name, ast::BindingPtr binding) {
    ast::Unknown unknown;
    unknown.name.text = name;
    unknown.binding = std::move(binding);
    lifted_.unknowns.push_back(std::move(unknown));
  };
  for (const ast::Unknown& unknown : block_.unknowns) add(unknown.name.text, unknown.binding);
  auto added = [&](const std::string& name) { add(name, std::make_shared<ast::Binding>()); };
  for (const Row& row : rows_) added(row.kind == RowKind::Equality ? "multiplier" : "slack");
  for (const Row& row : rows_)
    if (row.labelled && row.kind != RowKind::Equality) added("multiplier");
}

void ArgminLowering::prepareWeights() {
  for (const NonsmoothTerm& term : terms_.nonsmooth()) {
    Emitter::SpanScope span(e_, term.span);
    ir::Value* weight = at(x_start_, [&] { return termWeight(term); });
    ir::Value* fine = b().op(OpCode::FLe, {b().real(0.0), weight});
    e_.require(e_.allTrue(fine), ir::Status::Domain,
               "the weight of this term is negative: the objective is not convex");
    weights_[&term] = weight;
  }
}

// --- functions of the flattened unknowns

std::shared_ptr<const FunctionValue> ArgminLowering::functionOfX(const Expression& body) {
  auto f = std::make_shared<FunctionValue>();
  f->kind = FunctionValue::Kind::Native;
  f->native_parameters = {"z"};
  f->native_arguments = {argumentType(x_start_, false)};
  f->native = [this, body](Emitter&, std::span<const Val> arguments) {
    Values x = unflatten(e_.toReal(arguments[0].value), x_start_);
    return Val::leaf(at(x, body));
  };
  return f;
}

// What is differentiated here is smooth: at a kink of second order any side will do.
Val ArgminLowering::callDerivative(Form form, std::shared_ptr<const FunctionValue> of,
                                   ir::Value* z) {
  FunctionValue derived;
  derived.kind = FunctionValue::Kind::Derivative;
  derived.form = form;
  derived.base = std::move(of);
  ++e_.prelude_depth_;
  Val result = e_.callFunction(derived, {{"", Val::leaf(z)}});
  --e_.prelude_depth_;
  return result;
}

ArgminLowering::Values ArgminLowering::gradient(const Expression& of,
                                                std::span<ir::Value* const> x) {
  return unflatten(callDerivative(Form::Grad, functionOfX(of), flat(x)).value, x_start_);
}

// --- the equations

std::vector<ArgminLowering::Equation> ArgminLowering::stationarity(std::span<ir::Value* const> x,
                                                                   const Values& y) {
  Values slope = gradient([&] { return smoothObjective(); }, x), pull;
  if (!rows_.empty())
    pull = gradient(
        [&] {
          ir::Value* sum = nullptr;
          for (size_t k = 0; k < rows_.size(); ++k) {
            ir::Value* part = b().sumAll(b().mul(y[k], slackValue(rows_[k])));
            sum = sum == nullptr ? part : b().add(sum, part);
          }
          return sum;
        },
        x);
  std::vector<Equation> result;
  for (size_t k = 0; k < x.size(); ++k) {
    ir::Value* force = pull.empty() ? b().zerosLike(x[k]) : pull[k];
    if (isSymmetric(k)) force = b().add(force, b().sub(x[k], symmetric(x[k])));
    if (composites_[k] != nullptr) {
      ir::Value* step = b().mul(gamma_, b().sub(slope[k], force));
      result.push_back({x[k], proxOf(*composites_[k], b().sub(x[k], step), gamma_)});
    } else if (!reference_.empty()) {
      result.push_back({b().sub(slope[k], reference_[k]), b().sub(force, reference_[k])});
    } else {
      result.push_back({slope[k], force});
    }
  }
  return result;
}

std::vector<ArgminLowering::Equation> ArgminLowering::equations(
    std::span<ir::Value* const> unknowns, bool) {
  size_t n = x_start_.size();
  auto x = unknowns.first(n), v = unknowns.subspan(n, rows_.size());
  auto shown = unknowns.subspan(n + rows_.size());
  struct Part {
    ir::Value *image, *multiplier;
  };
  std::vector<Part> parts = at(x, [&] {
    std::vector<Part> made;
    for (size_t k = 0; k < rows_.size(); ++k) {
      bool equality = rows_[k].kind == RowKind::Equality;
      ir::Value* image = equality ? nullptr : projected(rows_[k], v[k]);
      ir::Value* seen = rows_[k].kind == RowKind::Semidefinite ? symmetric(v[k]) : v[k];
      made.push_back({image, equality ? v[k] : b().sub(image, seen)});
    }
    return made;
  });
  Values y;
  for (const Part& part : parts) y.push_back(part.multiplier);
  std::vector<Equation> result = stationarity(x, y);
  at(x, [&] {
    for (size_t k = 0; k < rows_.size(); ++k) {
      Slack slack = slackOf(rows_[k]);
      ir::Value* right = slack.right == nullptr ? b().zerosLike(slack.left) : slack.right;
      if (parts[k].image != nullptr)
        right = slack.right == nullptr ? parts[k].image : b().add(right, parts[k].image);
      if (rows_[k].kind == RowKind::Semidefinite)  // no part of v is left open
        right = b().add(right, b().sub(v[k], symmetric(v[k])));
      // Turned round, equations with rows of equalities alone have a symmetric Jacobian.
      if (rows_[k].kind == RowKind::Equality) std::swap(slack.left, right);
      result.push_back({slack.left, right});
    }
    return 0;
  });
  for (size_t k = 0; k < rows_.size(); ++k) {
    if (!rows_[k].labelled || rows_[k].kind == RowKind::Equality) continue;
    result.push_back({shown.front(), y[k]});
    shown = shown.subspan(1);
  }
  return result;
}

ArgminLowering::Values ArgminLowering::slacksAt(std::span<ir::Value* const> x) {
  return at(x, [&] {
    Values made;
    for (const Row& row : rows_) made.push_back(slackValue(row));
    return made;
  });
}

ArgminLowering::Values ArgminLowering::starts() {
  Values values = x_start_;
  Values slacks = slacksAt(x_start_);
  for (ir::Value* slack : slacks) values.push_back(b().zerosLike(slack));
  for (size_t k = 0; k < rows_.size(); ++k)
    if (rows_[k].labelled && rows_[k].kind != RowKind::Equality)
      values.push_back(b().zerosLike(slacks[k]));
  return values;
}

// The unknowns, or what `with` names.
Val ArgminLowering::value(const Values& solutions) {
  std::vector<Val> parts;
  size_t n = x_start_.size();
  if (block_.with.empty())
    for (size_t k = 0; k < n; ++k) parts.push_back(Val::leaf(solutions[k]));
  for (const ast::Name& name : block_.with) {
    for (size_t k = 0; k < n; ++k)
      if (block_.unknowns[k].name.text == name.text) parts.push_back(Val::leaf(solutions[k]));
    size_t shown = n + rows_.size();
    for (size_t k = 0; k < block_.constraints.size(); ++k) {
      bool equality = rows_[k].kind == RowKind::Equality;
      ir::Value* y = equality ? solutions[n + k] : rows_[k].labelled ? solutions[shown] : nullptr;
      if (rows_[k].labelled && !equality) ++shown;
      if (!block_.constraints[k].label || block_.constraints[k].label->text != name.text) continue;
      if (rows_[k].kind == RowKind::SecondOrder && rows_[k].bounded != nullptr)
        y = b().index(y, {e_.integer(0)});
      parts.push_back(Val::leaf(y));
    }
  }
  return parts.size() == 1 ? parts[0] : Val::tuple(std::move(parts));
}

// An optimality system; of a linear program, with its stationarity first, whose left sides are the cost.
int64_t ArgminLowering::kindOfSystem() const {
  bool linear = objective_degree_ <= Degree::Affine && row_degree_ <= Degree::Affine && isPlain();
  return linear ? 1 + static_cast<int64_t>(x_start_.size()) : 1;
}

void ArgminLowering::classify() {
  Val z = Val::leaf(flat(x_start_));
  Emitter::Closed closed = e_.close("objective", std::span(&z, 1), [&](std::span<const Val> zs) {
    Values x = unflatten(e_.toReal(zs[0].value), x_start_);
    std::vector<Val> parts = at(x, [&] {
      std::vector<Val> made = {Val::leaf(smoothObjective())};
      for (const Row& row : rows_) made.push_back(Val::leaf(slackValue(row)));
      return made;
    });
    return Val::tuple(std::move(parts));
  });
  opt::simplify(e_.shared_.module, *closed.function);
  std::vector<bool> counts(closed.function->body.args.size(), false);
  counts.at(0) = true;
  std::vector<Degree> degrees = analysis::degreesOf(*closed.function, counts);
  objective_degree_ = degrees.at(0);
  for (size_t k = 1; k < degrees.size(); ++k) row_degree_ = std::max(row_degree_, degrees[k]);
}

Val ArgminLowering::lowerBlock() {
  for (const ast::Unknown& unknown : block_.unknowns) {
    const types::Type& type = *unknown.binding->type;
    Val start =
        unknown.start != nullptr ? e_.coerce(e_.eval(*unknown.start), &type) : e_.zeros(type);
    e_.checkSizes(type, start, "the start of `" + unknown.name.text + "`");
    x_start_.push_back(b().op(OpCode::Stop, {start.value}));
  }
  collectComposites();
  collectRows();
  refuseKinks();
  liftUnknowns();
  prepareWeights();
  classify();
  ir::Value* z = flat(x_start_);
  if (objective_degree_ <= Degree::Quadratic && !hasComposites()) {
    Values zero;
    for (ir::Value* start : x_start_) zero.push_back(b().zerosLike(start));
    for (ir::Value* slope : gradient([&] { return smoothObjective(); }, zero))
      reference_.push_back(b().op(OpCode::Stop, {slope}));
  }
  if (hasComposites()) {
    Val f = Val::of(functionOfX([&] { return smoothObjective(); }));
    Val step = e_.callUser(*preludeFunction("gradient_step"), {{"f", f}, {"z", Val::leaf(z)}});
    gamma_ = b().op(OpCode::Stop, {step.value});
  }
  return lower();
}

Val Emitter::evalArgmin(const ast::ArgminExpr& e) { return ArgminLowering(*this, e).lowerBlock(); }

}  // namespace dini::lower
