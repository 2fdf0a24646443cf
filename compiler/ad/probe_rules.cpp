// The probe: its direction, the weights of kinks, and the two stages.
#include "ad/probe.h"

#include <cmath>

#include "ad/calls.h"
#include "ad/comparisons.h"
#include "ad/forward.h"
#include "ad/ties.h"
#include "analysis/kinks.h"
#include "base/check.h"
#include "dini/math.h"
#include "ir/run_notes.h"
#include "ir/walk.h"
#include "opt/opt.h"

namespace dini::ad {

using ir::OpCode;
using ir::Value;
using Values = std::vector<Value*>;

// --- direction

double directionEntry(const TieOptions& ties, ProbeStage stage, int64_t k) {
  bool given = stage == ProbeStage::First;
  if (given && k < static_cast<int64_t>(ties.direction.size()))
    return ties.direction[static_cast<size_t>(k)];
  if (given && k == 0) return 1;
  int64_t bits = dini_hash(2 * ties.key + (given ? 0 : 1), k);
  double size = 0.5 + 0.5 * dini_bits_to_unit(bits);
  return (bits & 1) != 0 ? -size : size;
}

namespace {

// Entries from `offset` on of the direction, where the sizes are known when the program runs.
Value* dynamicDirection(ir::Builder& b, const TieOptions& ties, ProbeStage stage, Value* like,
                        Value* offset) {
  Values sizes = b.dims(like);
  Value* count = b.integer(1);
  for (Value* size : sizes) count = b.op(OpCode::IMul, {count, size});
  Value* k = b.op(OpCode::IAdd, {b.iota(count), offset});
  bool given = stage == ProbeStage::First;
  Value* bits = b.op(OpCode::Hash, {b.integer(2 * ties.key + (given ? 0 : 1)), k});
  Value* half = b.real(0.5);
  Value* size = b.add(half, b.mul(half, b.op(OpCode::BitsToUnit, {bits})));
  Value* odd = b.op(OpCode::IEq, {b.op(OpCode::IMod, {bits, b.integer(2)}), b.integer(1)});
  Value* entries = b.select(odd, b.neg(size), size);
  size_t known = given ? std::max<size_t>(ties.direction.size(), 1) : 0;
  for (size_t j = 0; j < known; ++j) {
    Value* here = b.op(OpCode::IEq, {k, b.integer(static_cast<int64_t>(j))});
    Value* entry = b.real(directionEntry(ties, stage, static_cast<int64_t>(j)));
    entries = b.select(here, entry, entries);
  }
  return sizes.size() == 1 ? entries : b.reshape(entries, sizes);
}

}  // namespace

void Forward::seedDirection(ir::Builder& b) {
  int64_t offset = 0;
  Value* further = nullptr;  // dynamic part of the offset
  for (size_t k = 0; k < source_.body.args.size(); ++k) {
    if (!request_.active[k]) continue;
    const Value* parameter = source_.body.args[k];
    const ir::Type& type = parameter->type;
    if (type.isStatic() && further == nullptr) {
      std::vector<double> entries;
      for (int64_t j = 0; j < type.elementCount(); ++j)
        entries.push_back(directionEntry(request_.ties, *stage_, offset + j));
      offset += type.elementCount();
      setDot(parameter, type.isScalar() ? b.real(entries[0]) : b.constant(type, entries));
      continue;
    }
    Value* start = b.integer(offset);
    if (further != nullptr) start = b.op(OpCode::IAdd, {start, further});
    if (type.isScalar()) {
      Value* one = dynamicDirection(b, request_.ties, *stage_, b.fill(b.real(0), Values{b.integer(1)}), start);
      setDot(parameter, b.index(one, {b.integer(0)}));
      ++offset;
      continue;
    }
    setDot(parameter, dynamicDirection(b, request_.ties, *stage_, x(parameter), start));
    Value* count = b.integer(1);
    for (Value* size : b.dims(x(parameter))) count = b.op(OpCode::IMul, {count, size});
    further = further != nullptr ? b.op(OpCode::IAdd, {further, count}) : count;
  }
}

// --- tools

Value* absolute(ir::Builder& b, Value* v) {
  return b.select(b.op(OpCode::FLt, {v, b.real(0.0)}), b.neg(v), v);
}

Value* tied(ir::Builder& b, Value* p, Value* q, double tolerance) {
  if (tolerance == 0) return b.op(OpCode::FEq, {p, q});
  Value* bound = b.real(tolerance);
  return b.op(OpCode::And, {b.op(OpCode::FLe, {b.sub(p, q), bound}),
                            b.op(OpCode::FLe, {b.sub(q, p), bound})});
}

Value* snapped(ir::Builder& b, Value* p, Value* q, double tolerance) {
  return tolerance == 0 ? p : b.select(tied(b, p, q, tolerance), q, p);
}

namespace {

class Magnitude {
 public:
  explicit Magnitude(ir::Builder& builder) : b_(builder) {}

  Value* of(Value* v, int depth = 0) {
    if (v->def == nullptr || v->region != &b_.region() || depth > kMaxDepth) return absolute(b_, v);
    auto [it, fresh] = known_.try_emplace(v, nullptr);
    if (!fresh) return it->second;
    Value* made = compute(*v->def, v, depth + 1);
    return known_[v] = made;
  }

 private:
  static constexpr int kMaxDepth = 24;

  Value* compute(const ir::Op& op, Value* v, int depth) {
    Values operands = op.operands;
    auto again = [&](size_t from, size_t to) {
      for (size_t k = from; k < to; ++k) operands[k] = of(operands[k], depth);
      return b_.emit(op.code, operands, op.attrs, {op.result()->type}).result();
    };
    switch (op.code) {
      case OpCode::Add:
      case OpCode::Sub: return b_.add(of(operands[0], depth), of(operands[1], depth));
      case OpCode::Neg: return of(operands[0], depth);
      case OpCode::Mul:
      case OpCode::SafeMul:  // coefficient, tangent
        return b_.op(op.code, {absolute(b_, operands[0]), of(operands[1], depth)});
      case OpCode::Div:
      case OpCode::SafeDiv: return b_.op(op.code, {of(operands[0], depth), absolute(b_, operands[1])});
      case OpCode::Einsum:
        return b_.einsum(op.attrs.str, absolute(b_, operands[0]), absolute(b_, operands[1]));
      case OpCode::Reduce: return op.attrs.str == "sum" ? again(0, 1) : absolute(b_, v);
      case OpCode::Index:
      case OpCode::Slice:
      case OpCode::Reshape:
      case OpCode::Transpose:
      case OpCode::Broadcast:
      case OpCode::Fill:
      case OpCode::Flip:
      case OpCode::Gather: return again(0, 1);
      case OpCode::Select: return again(1, 3);
      case OpCode::Pick:
      case OpCode::PickTie: return again(2, 4);
      case OpCode::Pack:
      case OpCode::Concat: return again(0, operands.size());
      default: return absolute(b_, v);
    }
  }

  ir::Builder& b_;
  std::unordered_map<Value*, Value*> known_;
};

}  // namespace

Value* termMagnitude(ir::Builder& b, Value* tangent) { return Magnitude(b).of(tangent); }

// --- kinks

Forward::Switch Forward::switchOf(ir::Builder& b, const ir::Op& op, size_t p, size_t q) {
  Value *p_dot = dot(op.operand(p)), *q_dot = dot(op.operand(q));
  Value* s_dot = p_dot;
  Value* terms = p_dot != nullptr ? termMagnitude(b, p_dot) : nullptr;
  if (q_dot != nullptr) {
    s_dot = p_dot != nullptr ? b.sub(p_dot, q_dot) : b.neg(q_dot);
    Value* more = termMagnitude(b, q_dot);
    terms = terms != nullptr ? b.add(terms, more) : more;
  }
  Value* level = x(op.operand(q));
  return {snapped(b, x(op.operand(p)), level, request_.ties.tolerance), level, s_dot, terms};
}

bool Forward::probeDecides(const ir::Op& op) const {
  return stage_ == ProbeStage::Only || isLocked(request_.ties, op);
}

Value* Forward::decided(ir::Builder& b, const ir::Op&, const Switch& s, Value* earlier) {
  Value* side = b.op(OpCode::TieSide, {s.dot, s.magnitude});
  if (earlier == nullptr) return side;
  return b.select(b.op(OpCode::IsNan, {earlier}), side, earlier);
}

Value* Forward::differ(ir::Builder& b, Value* a_dot, Value* b_dot) {
  Value* terms = b.add(termMagnitude(b, a_dot), termMagnitude(b, b_dot));
  Value* side = b.op(OpCode::TieSide, {b.sub(a_dot, b_dot), terms});
  return b.op(OpCode::Not, {b.op(OpCode::IsNan, {side})});
}

namespace {

Value* code(ir::Builder& b, ir::TieKind kind) { return b.integer(static_cast<int64_t>(kind)); }

// Whether the kink is a row of the op table with a gap.
bool hasGap(const ir::Op& op) {
  return op.code != OpCode::If && !std::isnan(op.attrs.f);
}

}  // namespace

// Of a switch s = p - q: at a tie `at_tie`, within rounding of one Near, else None.
Value* tieKind(ir::Builder& b, Value* s, Value* p, Value* q, Value* at_tie) {
  Value* scale = b.mul(b.real(kTieRounding), b.add(termMagnitude(b, p), termMagnitude(b, q)));
  Value* near = b.op(OpCode::FLe, {absolute(b, s), scale});
  Value* kind = b.select(near, code(b, ir::TieKind::Near), code(b, ir::TieKind::None));
  if (at_tie == nullptr) at_tie = code(b, ir::TieKind::Decided);
  return b.select(b.op(OpCode::FEq, {p, q}), at_tie, kind);
}

Value* Forward::settled(ir::Builder& b, const ir::Op& op, const Switch& s, Value* t,
                        Value* kind_at_tie) {
  double open = hasGap(op) ? 0 : 1;
  bool turned = request_.ties.unify && op.attrs.ints.size() >= 2 && op.attrs.ints[1] < 0;
  if (turned) open = 1 - open;
  t = b.select(b.op(OpCode::IsNan, {t}), b.real(open), t);
  bool is_if = op.code == OpCode::If;
  bool swapped = is_if && (op.attrs.str == "lt" || op.attrs.str == "le");
  size_t first = is_if ? (swapped ? 2 : 1) : 0, second = is_if ? (swapped ? 1 : 2) : 1;
  Value* value = b.sub(x(op.operand(first)), x(op.operand(second)));
  return reported(b, op, value, tieKind(b, value, s.p, s.q, kind_at_tie), t);
}

// Whether the kink is a row of the op table with a gap, or an `if` that could be written as one: its
// sides differ by a multiple of its switch. A probe's tangents beside them do not count.
bool Forward::statesGap(const ir::Op& op) const {
  analysis::ValueNumbers numbers;
  std::vector<double> gaps = analysis::gapsOf(numbers, op);
  bool stated = true;
  for (size_t k = 0; k < gaps.size(); ++k)
    stated = stated && (!std::isnan(gaps[k]) || !activity_.useful(op.results[k]));
  return stated;
}

// t, after a row of the report where `kind` says so.
Value* Forward::reported(ir::Builder& b, const ir::Op& op, Value* s, Value* kind, Value* t) {
  if (!blends_) return t;
  ir::Attrs attrs;
  attrs.str = op.code == OpCode::If ? "if" : op.attrs.str.empty() ? "choose" : op.attrs.str;
  bool by_probe = probeDecides(op) && op.attrs.i == 0;
  attrs.i = by_probe && statesGap(op) ? 0 : 1;
  return b.op(OpCode::ReportTie, {kind, s, t, elementNumbers(b, s)}, std::move(attrs));
}

Value* Forward::withDistance(ir::Builder& b, const ir::Op& op, Value* near, Value* bound, Value* s_dot,
                             Value* t) {
  if (!blends_) return t;
  Value* speed = absolute(b, s_dot);
  Value* moves = b.op(OpCode::And, {near, b.op(OpCode::FLt, {b.real(0.0), speed})});
  Value* kind = b.select(moves, code(b, ir::TieKind::Within), code(b, ir::TieKind::None));
  ir::Attrs attrs;
  attrs.str = op.attrs.str;
  Value* far = b.op(OpCode::SafeDiv, {bound, speed});
  Value* row = b.op(OpCode::ReportTie, {kind, far, b.real(0.0), b.integer(0)}, std::move(attrs));
  return b.op(OpCode::NoteTie, {b.op(OpCode::IsNan, {row}), t});
}

// Of a tie that the tolerance made. What the second direction decides lies on a path of two parts, whose
// length is not known.
Value* Forward::withToleranceDistance(ir::Builder& b, const ir::Op& op, const Switch& s, Value* earlier, Value* t) {
  if (!(request_.ties.tolerance > 0) || stage_ == ProbeStage::Only) return t;
  Value* tie = b.op(OpCode::FEq, {s.p, s.q});
  Value* decided = b.op(OpCode::And, {tie, b.op(OpCode::Not, {b.op(OpCode::IsNan, {t})})});
  if (stage_ == ProbeStage::First)
    return withDistance(b, op, decided, b.real(request_.ties.tolerance), s.dot, t);
  return earlier == nullptr ? t : withoutDistance(b, op, b.op(OpCode::And, {decided, b.op(OpCode::IsNan, {earlier})}), t);
}

Value* Forward::withoutDistance(ir::Builder& b, const ir::Op& op, Value* where, Value* t) {
  if (!blends_) return t;
  Value* kind = b.select(where, code(b, ir::TieKind::Within), code(b, ir::TieKind::None));
  ir::Attrs attrs;
  attrs.str = op.attrs.str;
  Value* far = b.real(std::numeric_limits<double>::infinity());
  Value* row = b.op(OpCode::ReportTie, {kind, far, b.real(0.0), b.integer(0)}, std::move(attrs));
  return b.op(OpCode::NoteTie, {b.op(OpCode::IsNan, {row}), t});
}

Value* Forward::leftOpen(ir::Builder& b, const ir::Op& op, Value* value) {
  size_t first = op.code == OpCode::If ? 1 : 0;
  Value *p = x(op.operand(first)), *q = x(op.operand(first + 1)), *s = b.sub(p, q);
  Value* bound = b.real(request_.ties.tolerance > 0 ? request_.ties.tolerance : request_.ties.undecided);
  Value* near = b.op(OpCode::FLe, {absolute(b, s), bound});
  if (request_.ties.variant == TieOptions::Variant::Fast)
    return b.op(OpCode::NoteTie, {value->type.isScalar() ? anyOf(b, near) : near, value});
  Value* zero = b.real(0.0);
  Value* weight = b.select(b.op(OpCode::FLt, {zero, s}), b.real(1.0), zero);
  Value* kind = b.select(near, code(b, ir::TieKind::Undecided), code(b, ir::TieKind::None));
  Value* never = b.op(OpCode::IsNan, {reported(b, op, s, kind, weight)});
  return b.op(OpCode::NoteTie, {value->type.isScalar() ? anyOf(b, never) : never, value});
}

// Row-major positions in an array, after those of the members of the maps around it.
Value* Forward::elementNumbers(ir::Builder& b, Value* like) {
  Value* member = nullptr;
  for (auto [index, trip] : members_)
    member = member == nullptr ? index
                               : b.op(OpCode::IAdd, {b.op(OpCode::IMul, {member, trip}), index});
  if (like->type.isScalar()) return member != nullptr ? member : b.integer(0);
  Values sizes = b.dims(like);
  Value* count = b.integer(1);
  for (Value* size : sizes) count = b.op(OpCode::IMul, {count, size});
  Value* numbers = b.iota(count);
  if (member != nullptr) numbers = b.op(OpCode::IAdd, {numbers, b.op(OpCode::IMul, {member, count})});
  return sizes.size() == 1 ? numbers : b.reshape(numbers, sizes);
}

void Forward::probeChoose(ir::Builder& b, const ir::Op& op) {
  bool has_weight = op.code == OpCode::ChooseTie;
  bool is_final = has_weight && x(op.operand(4))->def != nullptr &&
                  x(op.operand(4))->def->code == OpCode::ReportTie;
  bool moves = dot(op.operand(0)) != nullptr || dot(op.operand(1)) != nullptr;
  if (is_final || !moves || forcedSide(op) != 0 || !probeDecides(op)) {
    ir::cloneOp(b, op, primal_);
    return chooseRule(b, op);
  }
  Value *a_dot = dotOrZero(b, op.operand(2)), *b_dot = dotOrZero(b, op.operand(3));
  Switch s = switchOf(b, op, 0, 1);
  Value* t = decided(b, op, s, has_weight ? x(op.operand(4)) : nullptr);
  t = withToleranceDistance(b, op, s, has_weight ? x(op.operand(4)) : nullptr, t);
  if (stage_ != ProbeStage::First) {
    Value* open = b.op(OpCode::And, {b.op(OpCode::IsNan, {t}), differ(b, a_dot, b_dot)});
    t = settled(b, op, s, t,
                b.select(open, code(b, ir::TieKind::Undecided), code(b, ir::TieKind::Decided)));
  }
  Values operands;
  for (size_t k = 0; k < 4; ++k) operands.push_back(x(op.operand(k)));
  operands.push_back(t);
  Value* made = b.op(OpCode::ChooseTie, std::move(operands), op.attrs);
  if (made->name.empty()) made->name = op.result()->name;
  primal_[op.result()] = made;
  ir::Attrs attrs;
  attrs.ints = op.attrs.ints;
  Value* tangent = b.op(OpCode::PickTie, {s.p, s.q, a_dot, b_dot, t}, std::move(attrs));
  setDot(op.result(), expanded(b, tangent, made));
}

// --- stages

std::unique_ptr<ir::Function> Forward::runProbe(const std::string& name, ProbeSeeds seeds) {
  result_ = std::make_unique<ir::Function>(name);
  result_->span = source_.span;
  for (const Value* parameter : source_.body.args)
    primal_[parameter] = result_->addParameter(parameter->type, parameter->name);
  ir::Builder b(*result_, result_->body);
  b.setSpan(source_.span);
  bool given = seeds == ProbeSeeds::Parameters;
  for (size_t k = 0; given && k < source_.body.args.size(); ++k)
    if (request_.active[k])
      setDot(source_.body.args[k], result_->addParameter(source_.body.args[k]->type));
  if (!given) seedDirection(b);
  visitOps(b, source_.body);
  Values results;
  appendPrimal(results, source_.body.yields());
  for (const Value* old : source_.body.yields())
    if (given && old->type.isReal()) results.push_back(dotOrZero(b, old));
  b.yield(std::move(results));
  return std::move(result_);
}

namespace {

bool hasOpenKinks(const ir::Function& f, const TieOptions& ties) {
  bool found = false;
  ir::walk(f.body, [&](const ir::Op& op) {
    bool is_kink = op.code == OpCode::Choose || analysis::isComparisonIf(op);
    found = found || (is_kink && isLocked(ties, op)) || op.code == OpCode::Call;
    if (!isIrreducible(op)) return;
    const ir::Op& marked = op.code == OpCode::Gather ? *op.operand(1)->def : op;
    found = found || isLocked(ties, marked);
  });
  return found;
}

std::unique_ptr<ir::Function> staged(ir::Module& module, const ir::Function& f,
                                     const Request& request, ProbeStage stage, ProbeSeeds seeds) {
  Forward probe(module, f, request, analysis::Caller::UsesEverything, SIZE_MAX, stage);
  auto made = probe.runProbe(f.name, seeds);
  ir::eraseDead(*made);
  calls::complete(module, *made);
  return made;
}

}  // namespace

std::unique_ptr<ir::Function> probed(ir::Module& module, const ir::Function& f,
                                     const Request& request) {
  if (!hasOpenKinks(f, request.ties)) return ir::clone(f, f.name);
  auto first = staged(module, f, request, ProbeStage::First, ProbeSeeds::Direction);
  auto second = staged(module, *first, request, ProbeStage::Second, ProbeSeeds::Direction);
  opt::simplify(module, *second);
  return second;
}

std::unique_ptr<ir::Function> directional(ir::Module& module, const ir::Function& f,
                                          const Request& request) {
  auto copy = calls::prepared(module, f, request.ties);
  auto made = staged(module, *copy, request, ProbeStage::Only, ProbeSeeds::Parameters);
  made->name = f.name + "_dirderiv";
  opt::simplify(module, *made);
  return made;
}

}  // namespace dini::ad
