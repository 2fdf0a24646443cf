#include "ad/root_ties.h"


#include "ad/forward.h"
#include "ad/nested_roots.h"
#include "ad/probe.h"
#include "ad/split.h"
#include "ad/ties.h"
#include "base/check.h"
#include "ir/run_notes.h"
#include "ir/walk.h"

namespace dini::ad {

using ir::OpCode;
using ir::Value;
using Values = std::vector<Value*>;

namespace {

// A scalar's image is one row.
Value* asRows(ir::Builder& b, Value* image) {
  return image->type.rank() > 1 ? image : b.reshape(image, {b.integer(1), b.dim(image, 0)});
}

}  // namespace

bool hasOtherKinks(const ir::Region& region) {
  bool found = false;
  ir::walk(region, [&](const ir::Op& op) {
    switch (op.code) {
      case OpCode::Root:
      case OpCode::While:
      case OpCode::Try:
      case OpCode::Call:
      case OpCode::Norm:
      case OpCode::Normalize:
      case OpCode::ArgSort:
      case OpCode::ProjSimplex:
      case OpCode::ProjSoc:
      case OpCode::Spectral:
        found = true;
        break;
      case OpCode::Reduce:
        found = found || op.attrs.str == "max" || op.attrs.str == "min";
        break;
      case OpCode::Loop:
        found = found || !ir::constantInt(op.operand(0));
        break;
      default:
        break;
    }
  });
  return found;
}

bool RootPoint::isImplicit() const { return isImplicitRoot(op); }

std::vector<ir::Type> groupTypes(const TiedEquations& equations, ir::Elem elem) {
  std::vector<ir::Type> types;
  for (const TieGroup& group : equations.groups()) types.push_back({elem, group.dims});
  return types;
}

Value* largestMagnitude(ir::Builder& b, Value* vector) {
  if (vector->type == ir::f64({1})) return absolute(b, b.index(vector, {b.integer(0)}));
  return b.reduce("max", absolute(b, vector), {0});
}

// --- the equations and their derivatives

RootSystem::RootSystem(ir::Builder& b, ir::Module& module, const RootPoint& point,
                       const Request& request, const TiedEquations& equations)
    : moving_(point.moving),
      unknowns_(point.unknowns()),
      terms_(0),
      outs_(1 + equations.groups().size()) {
  Request own{point.active, request.ties};
  own.ties.report = false;
  // The set of tied switches is found here, not kink by kink, and told of the lifted equations.
  if (!equations.groups().empty() && !hasOtherKinks(*point.op.regions[1]))
    own.ties.variant = TieOptions::Variant::Probe;
  if (own.ties.variant == TieOptions::Variant::Probe) own.ties.undecided = 0;
  place(b, module, equations.plain(point.form()), own, point.arguments, point.shapes);
}

RootSystem::RootSystem(ir::Builder& b, ir::Module& module, const RootPoint& point,
                       const Request& request, const TiedEquations& equations,
                       const TieWeights& weights, EquationForm form)
    : moving_(point.moving),
      unknowns_(point.unknowns()),
      terms_(equations.groups().size()),
      outs_(1 + equations.groups().size()) {
  Request own{point.active, request.ties};
  own.ties.report = false;
  Values arguments = point.arguments, shapes = point.shapes;
  for (size_t g = 0; g < terms_; ++g) {
    Value* weight = weights.weights[g];
    shapes.push_back(b.zerosLike(weight));
    arguments.insert(arguments.end(), {weights.tied[g], weight, shapes.back()});
    own.active.insert(own.active.end(), {false, false, true});
  }
  place(b, module, equations.lifted(form), own, std::move(arguments), std::move(shapes));
}

void RootSystem::place(ir::Builder& b, ir::Module& module, std::unique_ptr<ir::Function> function,
                       const Request& request, Values arguments, Values shapes) {
  auto linear = forward(module, *function, request, "equations_jvp");
  split(module, *linear);
  map_.emplace(std::move(linear), moving_ + unknowns_ + terms_, outs_);
  map_->setShapes(std::move(shapes));
  values_ = map_->inlinePrimal(b, arguments);
}

Values RootSystem::rows(ir::Builder& b, size_t first, size_t last) const {
  size_t from = b.region().ops.size();
  std::vector<Values> rows(outs_);
  for (size_t k = first; k < last; ++k) {
    Values images = map_->basisImages(b, k);
    for (size_t out = 0; out < outs_; ++out) rows[out].push_back(asRows(b, images[out]));
  }
  Values made;
  for (const Values& parts : rows) made.push_back(joined(b, parts));
  clearFlagsFrom(b.region(), from);
  return made;
}

Values RootSystem::along(ir::Builder& b, std::span<Value* const> moving,
                         std::span<Value* const> unknowns) const {
  Values tangents(moving.begin(), moving.end());
  tangents.insert(tangents.end(), unknowns.begin(), unknowns.end());
  tangents.resize(moving_ + unknowns_ + terms_, nullptr);
  return map_->apply(b, tangents);
}

// --- the tied switches

Value* TieSet::anyOf(ir::Builder& b, std::span<Value* const> conditions) {
  Value* all = nullptr;
  for (Value* condition : conditions) {
    bool one = condition->type == ir::i1({1});
    Value* any = one ? b.index(condition, {b.integer(0)}) : b.reduce("any", condition, {0});
    all = all == nullptr ? any : b.op(OpCode::Or, {all, any});
  }
  return all;
}

namespace {

// Not beyond: a bound that is not a number, of a singular matrix, counts as a tie.
Value* within(ir::Builder& b, Value* s, Value* bound) {
  Value* beyond =
      b.op(OpCode::Or, {b.op(OpCode::FLt, {bound, s}), b.op(OpCode::FLt, {bound, b.neg(s)})});
  return b.op(OpCode::Not, {beyond});
}

}  // namespace

TieSet::TieSet(ir::Builder& b, const RootPoint& point, const TiedEquations& equations,
               const TieOptions& ties, const RootSystem& system, Values images)
    : system_(system), tolerance_(ties.tolerance), images_(std::move(images)) {
  auto description = equations.description();
  Values described = ir::inlineCall(b, *description, point.arguments);
  for (size_t g = 0; g < equations.groups().size(); ++g) {
    rounding_.push_back(b.mul(b.real(kTieRounding), described[2 * g]));
    earlier_.push_back(described[2 * g + 1]);
  }
}

Value* TieSet::roundsToTie(ir::Builder& b) const {
  Values conditions;
  for (size_t g = 0; g < rounding_.size(); ++g) {
    Value* bound = tolerance_ > 0 ? b.real(tolerance_) : rounding_[g];
    conditions.push_back(within(b, system_.switchValue(g), bound));
  }
  return anyOf(b, conditions);
}

void TieSet::setCorrection(ir::Builder& b, Value* e) {
  near_.clear();
  bounds_.clear();
  for (size_t g = 0; g < rounding_.size(); ++g) {
    Value* bound = b.real(tolerance_);
    if (tolerance_ == 0) {
      Value* image = images_[1 + g];
      bool one = image->type == ir::f64({1, 1});
      Value* slope = one ? absolute(b, b.reshape(image, {b.integer(1)}))
                         : b.reduce("sum", absolute(b, image), {0});
      bound = b.add(b.mul(slope, e), rounding_[g]);
    }
    near_.push_back(within(b, system_.switchValue(g), bound));
    bounds_.push_back(bound);
  }
}

void TieSet::setExact(ir::Builder& b) {
  near_.clear();
  for (size_t g = 0; g < rounding_.size(); ++g)
    near_.push_back(b.op(OpCode::FEq, {system_.switchValue(g), b.real(0.0)}));
}

// --- their weights

namespace {

TieDecision decided(ir::Builder& b, Value* jacobian, Value* tied, Value* held) {
  ir::Op& op = b.emit(OpCode::RootTies, {jacobian, tied, held});
  return {op.results[0], op.results[1], op.results[2]};
}

// Of an inner root in a joined one: rows (unknowns) and columns (equations) of the others left out.
Value* blockOf(ir::Builder& b, Value* jacobian, const RootBlock& block, int64_t unknowns) {
  auto part = [&](int64_t row, int64_t rows, int64_t column, int64_t columns) {
    return b.slice(jacobian, {b.integer(row), b.integer(column)},
                   {b.integer(rows), b.integer(columns)});
  };
  int64_t rest = jacobian->type.dims[1] - unknowns;  // switches
  auto rows = [&](int64_t first, int64_t count) {
    return b.concat({part(first, count, block.first, block.count), part(first, count, unknowns, rest)}, 1);
  };
  return b.concat({rows(block.first, block.count), rows(unknowns, rest + 1)}, 0);
}

}  // namespace

TieAnswer decideTies(ir::Builder& b, ir::Module& module, const RootPoint& point,
                     const Request& request, const TiedEquations& equations,
                     std::span<Value* const> near, Value* held, std::span<Value* const> direction) {
  size_t from = b.region().ops.size();
  Value* tied = joined(b, near);
  TieWeights base;
  base.tied = unflattened(b, tied, groupTypes(equations, ir::Elem::I1));
  for (Value* part : base.tied) {
    Value* zero = b.real(0.0);
    base.weights.push_back(part->type.isScalar() ? zero : b.fill(zero, b.dims(part)));
  }
  RootSystem system(b, module, point, request, equations, base, EquationForm::Residual);
  auto across = [&](const Values& parts) {
    return parts.size() == 1 ? parts[0] : b.concat(parts, 1);
  };
  Value *top = across(system.byUnknowns(b)), *middle = across(system.byTerms(b)), *last = nullptr;
  if (direction.empty()) {
    last = b.fill(b.real(0.0), Values{b.integer(1), b.dim(top, 1)});
  } else {
    Values parts = system.along(b, direction);
    for (Value*& part : parts) part = asRows(b, part);
    last = across(parts);
  }
  Value* jacobian = b.concat({top, middle, last}, 0);
  TieAnswer answer;
  for (const RootBlock& block : blocksOf(point.op))
    answer.inner.push_back(decided(b, blockOf(b, jacobian, block, system.residual()->type.dims[0]), tied, held));
  TieDecision whole = decided(b, jacobian, tied, held);
  clearFlagsFrom(b.region(), from);
  static_cast<TieDecision&>(answer) = whole;
  return answer;
}

namespace {

// The verdict, after a row of the report where it is open.
Value* reportedVerdict(ir::Builder& b, Value* verdict) {
  auto kind = [&](ir::TieKind k) { return b.integer(static_cast<int64_t>(k)); };
  Value *zero = b.real(0.0), *open = b.op(OpCode::FEq, {verdict, zero});
  ir::Attrs attrs;
  attrs.str = "solve";
  attrs.i = 1;
  Value* row = b.select(open, kind(ir::TieKind::Unproved), kind(ir::TieKind::None));
  return b.op(OpCode::ReportTie, {row, zero, verdict, b.integer(0)}, std::move(attrs));
}

}  // namespace

namespace {

void refuse(ir::Builder& b, const RootPoint& point, const TiedEquations& equations,
            const TieDecision& answer) {
  Value* half = b.real(0.5);
  Value* verdict = reportedVerdict(b, b.index(answer.verdict, {b.integer(0)}));
  Value* refuted = b.op(OpCode::FLt, {verdict, b.neg(half)});
  Value* number = b.index(answer.verdict, {b.integer(1)});
  Value* inside = b.op(OpCode::IMax, {b.op(OpCode::RealToInt, {number}), b.integer(0)});
  Value* weight = b.index(answer.weights, {inside});
  int64_t at = 0;
  auto refuseAt = [&](Value* here, Span span, Value* weight) {
    ir::Attrs attrs;
    attrs.i = static_cast<int64_t>(ir::Status::Irregular);
    b.setSpan(span);
    b.emit(OpCode::Check, {b.op(OpCode::Not, {b.op(OpCode::And, {refuted, here})}), weight},
           std::move(attrs));
  };
  // All weights 0.
  refuseAt(b.op(OpCode::FLt, {number, b.neg(half)}), point.op.span, b.real(0.0));
  for (const TieGroup& group : equations.groups()) {
    auto end = static_cast<double>(at + group.count());
    Value* here = b.op(OpCode::And, {b.op(OpCode::FLe, {b.real(static_cast<double>(at)), number}),
                                     b.op(OpCode::FLt, {number, b.real(end)})});
    refuseAt(here, group.first().span, weight);
    at += group.count();
  }
  b.setSpan(point.op.span);
}

}  // namespace

void refuseIrregular(ir::Builder& b, const RootPoint& point, const TiedEquations& equations,
                     const TieAnswer& answer) {
  for (const TieDecision& inner : answer.inner) refuse(b, point, equations, inner);
  refuse(b, point, equations, answer);
}

}  // namespace dini::ad
