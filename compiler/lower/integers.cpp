// Integer and boolean scalars: folding of constants, and what is known of values without running:
// intervals (loop indices) and affine forms (differences of slice bounds).
#include <algorithm>

#include "base/check.h"
#include "lower/emitter.h"

namespace dini::lower {
namespace {

using ir::OpCode;

int64_t floorDiv(int64_t a, int64_t b) {
  if (b == 0) return 0;
  int64_t q = a / b;
  return (a % b != 0 && (a < 0) != (b < 0)) ? q - 1 : q;
}

std::optional<int64_t> folded(OpCode code, int64_t a, int64_t b) {
  int64_t r = 0;
  switch (code) {
    case OpCode::IAdd:
      return __builtin_add_overflow(a, b, &r) ? std::nullopt : std::optional(r);
    case OpCode::ISub:
      return __builtin_sub_overflow(a, b, &r) ? std::nullopt : std::optional(r);
    case OpCode::IMul:
      return __builtin_mul_overflow(a, b, &r) ? std::nullopt : std::optional(r);
    case OpCode::IDiv:
      return b == -1 ? folded(OpCode::ISub, 0, a) : floorDiv(a, b);
    case OpCode::IMod:
      return b == 0 || b == -1 ? 0 : a - floorDiv(a, b) * b;
    case OpCode::IMin:
      return std::min(a, b);
    case OpCode::IMax:
      return std::max(a, b);
    default:
      return std::nullopt;
  }
}

std::optional<bool> foldedComparison(OpCode code, int64_t a, int64_t b) {
  switch (code) {
    case OpCode::ILt:
      return a < b;
    case OpCode::ILe:
      return a <= b;
    case OpCode::IEq:
      return a == b;
    case OpCode::INe:
      return a != b;
    default:
      return std::nullopt;
  }
}

int64_t saturatedAdd(int64_t a, int64_t b) {
  int64_t r;
  if (!__builtin_add_overflow(a, b, &r)) return r;
  return a > 0 ? INT64_MAX : INT64_MIN;
}

int64_t saturatedMul(int64_t a, int64_t b) {
  int64_t r;
  if (!__builtin_mul_overflow(a, b, &r)) return r;
  return (a > 0) == (b > 0) ? INT64_MAX : INT64_MIN;
}

int64_t negated(int64_t a) { return a == INT64_MIN ? INT64_MAX : a == INT64_MAX ? INT64_MIN : -a; }

}  // namespace

ir::Value* Emitter::intOp(OpCode code, ir::Value* a, ir::Value* b) {
  auto x = ir::constantInt(a), y = ir::constantInt(b);
  if (x && y) {
    if (auto value = folded(code, *x, *y)) return integer(*value);
    if (auto value = foldedComparison(code, *x, *y)) return this->b().boolean(*value);
  }
  if (code == OpCode::IAdd && x == 0) return b;
  if ((code == OpCode::IAdd || code == OpCode::ISub) && y == 0) return a;
  if (code == OpCode::IMul && x == 1) return b;
  if ((code == OpCode::IMul || code == OpCode::IDiv) && y == 1) return a;
  return this->b().op(code, {a, b});
}

ir::Value* Emitter::logicalAnd(ir::Value* a, ir::Value* b) {
  auto x = ir::constantInt(a), y = ir::constantInt(b);
  if (x && a->type.isScalar()) return *x ? b : a;
  if (y && b->type.isScalar()) return *y ? a : b;
  return this->b().op(OpCode::And, {a, b});
}

ir::Value* Emitter::logicalOr(ir::Value* a, ir::Value* b) {
  auto x = ir::constantInt(a), y = ir::constantInt(b);
  if (x && a->type.isScalar()) return *x ? a : b;
  if (y && b->type.isScalar()) return *y ? b : a;
  return this->b().op(OpCode::Or, {a, b});
}

ir::Value* Emitter::logicalNot(ir::Value* a) {
  if (auto x = ir::constantInt(a)) return b().boolean(*x == 0);
  return b().op(OpCode::Not, {a});
}

Emitter::Interval Emitter::rangeOf(const ir::Value* v) const {
  if (auto known = ir::constantInt(v)) return {*known, *known};
  if (auto it = ranges_.find(v); it != ranges_.end()) return it->second;
  if (v->def == nullptr) return {};
  if (v->def->code == OpCode::Dim) return {0, INT64_MAX};
  if (v->def->operands.size() != 2) return {};
  if (v->type.elem != ir::Elem::I64) return {};
  Interval a = rangeOf(v->def->operand(0)), c = rangeOf(v->def->operand(1));
  switch (v->def->code) {
    case OpCode::IAdd:
      return {saturatedAdd(a.lo, c.lo), saturatedAdd(a.hi, c.hi)};
    case OpCode::ISub:
      return {saturatedAdd(a.lo, negated(c.hi)), saturatedAdd(a.hi, negated(c.lo))};
    case OpCode::IMul: {
      int64_t products[] = {saturatedMul(a.lo, c.lo), saturatedMul(a.lo, c.hi),
                            saturatedMul(a.hi, c.lo), saturatedMul(a.hi, c.hi)};
      auto [lo, hi] = std::minmax_element(std::begin(products), std::end(products));
      return {*lo, *hi};
    }
    case OpCode::IMin:
      return {std::min(a.lo, c.lo), std::min(a.hi, c.hi)};
    case OpCode::IMax:
      return {std::max(a.lo, c.lo), std::max(a.hi, c.hi)};
    case OpCode::IMod:
      if (c.lo == c.hi && c.lo > 0) return {0, c.lo - 1};
      return {};
    case OpCode::IDiv:
      if (c.lo == c.hi && c.lo > 0 && a.lo > INT64_MIN && a.hi < INT64_MAX)
        return {floorDiv(a.lo, c.lo), floorDiv(a.hi, c.lo)};
      return {};
    default:
      return {};
  }
}

Emitter::Affine Emitter::affineOf(const ir::Value* v) const {
  if (auto known = ir::constantInt(v)) return {{}, *known};
  Affine own{{{v, 1}}, 0};
  if (v->def == nullptr || v->def->operands.size() != 2) return own;
  OpCode code = v->def->code;
  if (code != OpCode::IAdd && code != OpCode::ISub && code != OpCode::IMul) return own;
  Affine a = affineOf(v->def->operand(0)), c = affineOf(v->def->operand(1));
  if (code == OpCode::IMul) {
    if (!a.terms.empty() && !c.terms.empty()) return own;
    if (a.terms.empty()) std::swap(a, c);
    for (auto& [value, coefficient] : a.terms) coefficient *= c.constant;
    a.constant *= c.constant;
    return a;
  }
  int64_t sign = code == OpCode::IAdd ? 1 : -1;
  for (auto& [value, coefficient] : c.terms) a.terms[value] += sign * coefficient;
  std::erase_if(a.terms, [](const auto& term) { return term.second == 0; });
  a.constant += sign * c.constant;
  return a;
}

std::optional<int64_t> Emitter::knownDifference(const ir::Value* a, const ir::Value* b) const {
  Affine x = affineOf(a), y = affineOf(b);
  if (x.terms != y.terms) return std::nullopt;
  return x.constant - y.constant;
}

bool Emitter::provablyAtMost(const ir::Value* a, const ir::Value* b) const {
  if (auto difference = knownDifference(a, b)) return *difference <= 0;
  return rangeOf(a).hi <= rangeOf(b).lo;
}

bool Emitter::provablyLess(const ir::Value* a, const ir::Value* b) const {
  if (auto difference = knownDifference(a, b)) return *difference < 0;
  return rangeOf(a).hi < rangeOf(b).lo;
}

void Emitter::require(ir::Value* ok, ir::Status status, const std::string& text) {
  if (ir::constantInt(ok) == 1) return;
  b().check(ok, status, text);
}

// Of `for i in lo..hi by step`: how often i = lo, lo + step, ... stays before hi.
ir::Value* Emitter::tripCount(ir::Value* lo, ir::Value* hi, ir::Value* step) {
  ir::Value* length = isub(hi, lo);
  if (auto known = knownDifference(hi, lo)) length = integer(*known);
  if (step != nullptr) {
    auto by = ir::constantInt(step);
    if (!by)
      require(intOp(OpCode::ILt, integer(0), step), ir::Status::Domain,
              "the step of a loop is not positive");
    ir::Value* towards = by && *by < 0 ? integer(1) : integer(-1);
    length = intOp(OpCode::IDiv, iadd(iadd(length, step), towards), step);
  }
  if (rangeOf(length).lo >= 0) return length;
  return intOp(OpCode::IMax, length, integer(0));
}

}  // namespace dini::lower
