// Policy `locked` at irreducible kinks. The fast variant notes that one is met; the probe hands its
// tangent on, as a decision of the operation or in an equal program whose ties it has broken: entries
// that lose a maximum leave it, a sort gets the order of the tangents among equals, and norm(v) near 0
// is <u, v> with the tangent's direction u. Values stay what they were. Mathematics: docs/maths.md,
// "Irreducible kinks".
#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include <fmt/format.h>

#include "ad/forward.h"
#include "ad/probe.h"
#include "ad/ties.h"
#include "ir/run_notes.h"

namespace dini::ad {

using ir::OpCode;
using ir::Value;
using Values = std::vector<Value*>;

namespace {

std::string letters(size_t rank) { return std::string("abcdefghijklmnop").substr(0, rank); }

// Whether any element of a truth array holds.
Value* anyOf(ir::Builder& b, Value* truth) {
  if (truth->type.isScalar()) return truth;
  std::vector<int64_t> axes(truth->type.rank());
  std::iota(axes.begin(), axes.end(), 0);
  return b.reduce("any", truth, axes);
}

// The result of a reduction of `like` over `axes` beside each element of that.
Value* spread(ir::Builder& b, Value* reduced, Value* like, const std::vector<int64_t>& axes) {
  std::vector<int64_t> kept;
  for (size_t k = 0; k < like->type.rank(); ++k)
    if (std::find(axes.begin(), axes.end(), static_cast<int64_t>(k)) == axes.end())
      kept.push_back(static_cast<int64_t>(k));
  return b.broadcast(reduced, kept, b.dims(like));
}

bool isExtreme(const ir::Op& op) {
  return op.code == OpCode::Reduce && (op.attrs.str == "max" || op.attrs.str == "min") &&
         op.result()->type.isReal();
}

// The operation that carries a sort's policy, null if the gather is none.
const ir::Op* sortOf(const ir::Op& op) {
  if (op.code != OpCode::Gather || op.operand(1)->def == nullptr) return nullptr;
  const ir::Op* order = op.operand(1)->def;
  return order->code == OpCode::ArgSort && order->operand(0) == op.operand(0) ? order : nullptr;
}

// The order that the first stage gave a sort: by the tangent, then stably by the value.
struct BrokenSort {
  const Value* tangent = nullptr;
};
std::optional<BrokenSort> brokenSortOf(const ir::Op& op) {
  auto made = [](const Value* value, OpCode code) -> const ir::Op* {
    return value->def != nullptr && value->def->code == code ? value->def : nullptr;
  };
  if (op.code != OpCode::Gather) return std::nullopt;
  const ir::Op* order = made(op.operand(1), OpCode::Gather);
  if (order == nullptr) return std::nullopt;
  const ir::Op *by_tangent = made(order->operand(0), OpCode::ArgSort),
               *by_value = made(order->operand(1), OpCode::ArgSort);
  if (by_tangent == nullptr || by_value == nullptr) return std::nullopt;
  const ir::Op* values = made(by_value->operand(0), OpCode::Gather);
  bool of_same = values != nullptr && values->operand(0) == op.operand(0) &&
                 values->operand(1) == order->operand(0);
  if (!of_same) return std::nullopt;
  return BrokenSort{by_tangent->operand(0)};
}

std::string nameOf(const ir::Op& op) {
  switch (op.code) {
    case OpCode::Norm: return "norm";
    case OpCode::Reduce: return op.attrs.str;
    case OpCode::Gather: return "sort";
    case OpCode::ProjSimplex: return "proj_simplex";
    case OpCode::ProjSoc: return "proj_soc";
    default: return "proj_psd";
  }
}

// What a constant policy takes at the kink, and `locked` where the tangent does not tell.
double constantWeight(const TieOptions& ties, const ir::Op& op) {
  switch (op.code) {
    case OpCode::Norm: return 0;
    case OpCode::Reduce: return extremeWeight(ties, op);
    case OpCode::Gather: return sortWeight(ties, *op.operand(1)->def);
    default: return irreducibleWeight(ties, op);
  }
}

}  // namespace

bool isIrreducible(const ir::Op& op) {
  switch (op.code) {
    case OpCode::Norm:
    case OpCode::ProjSimplex:
    case OpCode::ProjSoc: return true;
    case OpCode::Spectral: return op.attrs.str == "project";
    default: return isExtreme(op) || sortOf(op) != nullptr;
  }
}

// Whether (an element of) the operation's operands is on its kink; inside equations, whether near.
Value* Forward::onKink(ir::Builder& b, const ir::Op& op) {
  Value* v = x(op.operand(0));
  double bound = request_.ties.undecided;
  switch (op.code) {
    case OpCode::Norm: return b.op(OpCode::FLe, {x(op.result()), b.real(bound)});
    case OpCode::Reduce: {
      Value* tied = ad::tied(b, v, spread(b, x(op.result()), v, op.attrs.ints), bound);
      Value* count = b.reduce("sum", b.op(OpCode::BoolToReal, {tied}), op.attrs.ints);
      return b.op(OpCode::FLt, {b.real(1.0), count});
    }
    case OpCode::Gather: {
      Value *sorted = x(op.result()), *zero = b.integer(0), *one = b.integer(1);
      Value* rest = b.op(OpCode::ISub, {b.dim(sorted, 0), one});
      if (auto n = ir::constantInt(b.dim(sorted, 0)))
        rest = b.integer(std::max<int64_t>(*n - 1, 0));
      else
        rest = b.op(OpCode::IMax, {rest, zero});
      Value* from = b.op(OpCode::ISub, {b.dim(sorted, 0), rest});  // 1, and 0 of an empty array
      if (auto n = ir::constantInt(b.dim(sorted, 0))) from = b.integer(std::min<int64_t>(*n, 1));
      return anyOf(b, ad::tied(b, b.slice(sorted, {zero}, {rest}),
                               b.slice(sorted, {from}, {rest}), bound));
    }
    case OpCode::ProjSimplex: {
      ir::Attrs attrs;
      attrs.f = 0.5;
      Value* d = b.op(OpCode::SimplexWeights, {v, x(op.operand(1))}, attrs);
      return anyOf(b, b.op(OpCode::FEq, {d, b.real(0.5)}));
    }
    case OpCode::ProjSoc: {
      Value *n = b.dim(v, 0), *one = b.integer(1);
      auto known = ir::constantInt(n);
      if (!known || *known == 0) return b.boolean(!known);
      Value* length = b.op(OpCode::Norm, {b.slice(v, {one}, {b.integer(*known - 1)})});
      return ad::tied(b, absolute(b, b.index(v, {b.integer(0)})), length, bound);
    }
    default: {
      Value* size = absolute(b, x(op.operand(1)));
      Value* bound = b.mul(b.real(kTieRounding), b.reduce("max", size, {0}));
      return anyOf(b, b.op(OpCode::FLe, {size, bound}));
    }
  }
}

// The tangent, and what is to be told of it: the fast variant notes where the probe would have had to
// decide, a report of constant policies gets its rows.
Value* Forward::noted(ir::Builder& b, const ir::Op& op, Value* tangent) {
  bool from_probe = op.code == OpCode::Norm && op.attrs.i != 0;
  if (probing() || from_probe || tangent == nullptr) return tangent;
  const ir::Op* marked = sortOf(op);
  bool locked = isLocked(request_.ties, marked != nullptr ? *marked : op);
  if (locked && request_.ties.variant == TieOptions::Variant::Fast)
    return b.op(OpCode::NoteTie, {onKink(b, op), tangent});
  bool open = locked && request_.ties.undecided > 0;  // inside equations
  if (!open && (locked || !request_.ties.report)) return tangent;
  return told(b, op, nullptr, {tangent})[0];
}

// The values, which now depend on a row of the report where the operation is on its kink. h: the
// probe's tangent, which decides if it is finite; null under constant policies.
Values Forward::told(ir::Builder& b, const ir::Op& op, Value* h, Values values) {
  if (!blends_) return values;
  auto code = [&](ir::TieKind kind) { return b.integer(static_cast<int64_t>(kind)); };
  Value* weight = b.real(constantWeight(request_.ties, op));
  bool open = request_.ties.undecided > 0 && h == nullptr;
  Value* kind = code(open ? ir::TieKind::Undecided : ir::TieKind::Decided);
  if (h != nullptr) {
    Value* open = anyOf(b, b.op(OpCode::Not, {b.op(OpCode::IsFinite, {h})}));
    weight = b.select(open, weight, b.real(ir::kByTangent));
    kind = b.select(open, code(ir::TieKind::Undecided), kind);
  }
  kind = b.select(onKink(b, op), kind, code(ir::TieKind::None));
  ir::Attrs attrs;
  attrs.str = nameOf(op);
  attrs.i = h != nullptr ? 0 : 1;
  Value* row = b.op(OpCode::ReportTie, {kind, b.real(0), weight, elementNumbers(b, kind)}, attrs);
  Value* never = b.op(OpCode::IsNan, {row});
  for (Value*& value : values) value = b.op(OpCode::NoteTie, {never, value});
  return values;
}

// In the second stage: entries equal in value and in the first tangent take the order of this one.
bool Forward::sortOnceMore(ir::Builder& b, const ir::Op& op) {
  std::optional<BrokenSort> sort = brokenSortOf(op);
  if (stage_ != ProbeStage::Second || !sort || dot(op.operand(0)) == nullptr) return false;
  Value *h = dot(op.operand(0)), *v = x(op.operand(0));
  Value* order = b.op(OpCode::ArgSort, {h});
  for (Value* key : {x(sort->tangent), v})
    order = b.gather(order, b.op(OpCode::ArgSort, {b.gather(key, order)}));
  primal_[op.result()] = b.gather(v, order);
  setDot(op.result(), b.gather(h, order));
  return true;
}

bool Forward::probeIrreducible(ir::Builder& b, const ir::Op& op) {
  if (!decideIrreducible(b, op)) return false;
  if (stage_ == ProbeStage::Second) return true;  // its first stage has reported
  const Value* result = op.result();
  Values now = told(b, op, dot(op.operand(0)), {x(result), dot(result)});
  primal_[result] = now[0];
  setDot(result, now[1]);
  return true;
}

// False where the probe has nothing to decide here.
bool Forward::decideIrreducible(ir::Builder& b, const ir::Op& op) {
  const ir::Op* sort = sortOf(op);
  if (!probeDecides(sort != nullptr ? *sort : op) || dot(op.operand(0)) == nullptr) return false;
  Value *v = x(op.operand(0)), *h = dot(op.operand(0));
  switch (op.code) {
    case OpCode::Norm: probeNorm(b, op, v, h); return true;
    case OpCode::Reduce: probeExtreme(b, op, v, h); return true;
    case OpCode::Gather: {
      // Stable sorts by the tangent and then by the value: equal values in the tangents' order.
      Value* by_tangent = b.op(OpCode::ArgSort, {h});
      Value* by_value = b.op(OpCode::ArgSort, {b.gather(v, by_tangent)});
      Value* order = b.gather(by_tangent, by_value);
      primal_[op.result()] = b.gather(v, order);
      setDot(op.result(), b.gather(h, order));
      return true;
    }
    default: break;
  }
  // A decision of the operation; with two it is final, and differentiated as it stands.
  size_t group = op.code == OpCode::ProjSimplex ? 2 : 1;
  size_t first = op.code == OpCode::Spectral ? 3 : group;
  if (op.operands.size() >= first + 2 * group) return false;
  Values operands;
  for (Value* operand : op.operands) operands.push_back(x(operand));
  for (size_t k = 0; k < group; ++k) operands.push_back(dotOrZero(b, op.operand(k)));
  primal_[op.result()] = b.op(op.code, operands, op.attrs);
  Values maps = operands;
  ir::Attrs attrs;
  attrs.f = irreducibleWeight(request_.ties, op);
  if (op.code == OpCode::ProjSimplex) {
    Value* d = b.op(OpCode::SimplexWeights, operands, attrs);
    Value* total = b.sub(b.einsum("i,i->", d, h), dotOrZero(b, op.operand(1)));
    Value* y_dot = b.op(OpCode::SafeDiv, {total, b.sumAll(d)});
    setDot(op.result(), b.sub(b.mul(d, h), b.mul(d, y_dot)));
  } else if (op.code == OpCode::ProjSoc) {
    maps.insert(maps.begin() + 1, h);
    setDot(op.result(), b.op(OpCode::SocMap, std::move(maps), attrs));
  } else {
    attrs.str = "tangent";
    maps.insert(maps.begin() + 3, h);
    setDot(op.result(), b.op(OpCode::SpectralMap, std::move(maps), attrs));
  }
  return true;
}

// norm(v), and <h / norm(h), v> at v = 0 where h tells. attrs.i = 2: a second derivative there is a
// status although its value is dropped.
void Forward::probeNorm(ir::Builder& b, const ir::Op& op, Value* v, Value* h) {
  ir::Attrs attrs = op.attrs;
  if (attrs.i == 0 && !isGuarded(op.result())) attrs.i = 2;
  Value* n = b.op(OpCode::Norm, {v}, attrs);
  Value* length = b.op(OpCode::Norm, {h});
  Value* tells = b.op(OpCode::And, {b.op(OpCode::FLt, {b.real(0.0), length}),
                                    b.op(OpCode::IsFinite, {length})});
  Value* here = b.op(OpCode::And, {b.op(OpCode::FEq, {n, b.real(0.0)}), tells});
  Value* u = b.op(OpCode::Stop, {b.op(OpCode::Normalize, {h})});
  std::string all = letters(v->type.rank());
  std::string spec = fmt::format("{},{}->", all, all);
  primal_[op.result()] = b.select(here, b.einsum(spec, u, v), n);
  Value* along = b.einsum(spec, b.op(OpCode::Normalize, {v}), h);
  setDot(op.result(), b.select(here, length, along));
}

// Of the entries that are extreme, those stay whose tangents are extreme among them; the others are
// moved out of the way.
void Forward::probeExtreme(ir::Builder& b, const ir::Op& op, Value* v, Value* h) {
  const std::vector<int64_t>& axes = op.attrs.ints;
  bool max = op.attrs.str == "max";
  Value* worst = b.real(max ? -HUGE_VAL : HUGE_VAL);
  Value* extreme = b.op(OpCode::Reduce, {v}, op.attrs);
  Value* tied = b.op(OpCode::FEq, {v, spread(b, extreme, v, axes)});
  Value* best = b.reduce(op.attrs.str, b.select(tied, h, worst), axes);
  Value* beside = spread(b, best, v, axes);
  Value* lag = max ? b.sub(beside, h) : b.sub(h, beside);
  Value* terms = b.add(termMagnitude(b, h), absolute(b, beside));
  Value* behind = b.op(OpCode::FLt, {b.mul(b.real(kTieRounding), terms), lag});
  Value* loses = b.op(OpCode::And, {tied, behind});
  primal_[op.result()] = b.op(OpCode::Reduce, {b.select(loses, worst, v)}, op.attrs);
  setDot(op.result(), b.select(b.op(OpCode::IsFinite, {best}), best, b.real(0.0)));
}

}  // namespace dini::ad
