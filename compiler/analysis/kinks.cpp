#include "analysis/kinks.h"

#include <limits>
#include <map>
#include <utility>

#include "analysis/value_numbers.h"
#include "ir/walk.h"

namespace dini::analysis {

bool isComparisonIf(const ir::Op& op) {
  return op.code == ir::OpCode::If && op.operands.size() >= 3 && !op.attrs.str.empty();
}

namespace {

constexpr double kNoGap = std::numeric_limits<double>::quiet_NaN();

struct KinkClass {
  int64_t id;
  int first_sign;
};

bool isTurned(const ir::Op& op) {
  return isComparisonIf(op) && (op.attrs.str == "lt" || op.attrs.str == "le");
}

// Of p, or of s where p is a multiple of select(tied, q, s): a switch that was moved onto its tie with q.
AffineForm formBeforeMove(ValueNumbers& numbers, const ir::Value* p, const ir::Value* q) {
  const ir::Op* def = p->def;
  if (def != nullptr && def->code == ir::OpCode::Select) {
    AffineForm apart = combined(numbers.form(def->operand(1)), numbers.form(q), -1);
    if (apart.terms.empty() && apart.constant == 0) return numbers.form(def->operand(2));
  }
  if (def != nullptr && def->code == ir::OpCode::Mul)
    for (size_t k = 0; k < 2; ++k) {
      AffineForm factor = numbers.form(def->operand(k));
      if (factor.terms.empty()) return combined({}, formBeforeMove(numbers, def->operand(1 - k), q), factor.constant);
    }
  return numbers.form(p);
}

}  // namespace

AffineForm switchForm(ValueNumbers& numbers, const ir::Op& op) {
  size_t p = op.code == ir::OpCode::If ? 1 : 0;
  const AffineForm a = numbers.form(op.operand(p)), b = numbers.form(op.operand(p + 1));
  return isTurned(op) ? combined(b, a, -1) : combined(a, b, -1);
}

std::vector<double> gapsOf(ValueNumbers& numbers, const ir::Op& op) {
  if (op.code != ir::OpCode::If) return {op.attrs.f};
  std::vector<double> gaps;
  const ir::Value *p = op.operand(1), *q = op.operand(2);
  if (isTurned(op)) std::swap(p, q);
  AffineForm form = combined(formBeforeMove(numbers, p, q), formBeforeMove(numbers, q, p), -1);
  auto slope = [](const AffineForm& f) { return f.terms.begin()->second; };
  for (size_t k = 0; k < op.results.size(); ++k) {
    ir::Value *then = op.regions[0]->yields()[k], *other = op.regions[1]->yields()[k];
    double gap = 0;
    if (then->type.isReal()) {
      AffineForm difference = combined(numbers.form(then), numbers.form(other), -1);
      bool same = difference.terms.empty() && difference.constant == 0;
      bool proportional = then->type.isScalar() && !form.terms.empty() && !difference.terms.empty() &&
                          normalised(difference).key == normalised(form).key;
      if (!same) gap = proportional ? slope(difference) / slope(form) : kNoGap;
    }
    gaps.push_back(gap);
  }
  return gaps;
}

void unifyKinks(ir::Function& function) {
  ValueNumbers numbers;
  std::map<std::string, KinkClass> classes;
  int64_t next = 0;
  auto annotate = [&](const ir::Op& op) {
    Normalised key = normalised(switchForm(numbers, op));
    int sign = key.sign == 0 ? 1 : key.sign;
    // A policy of its own (ad/ties.h) makes a class of its own; of a pick attrs.i says something else.
    bool is_pick = op.code == ir::OpCode::Pick || op.code == ir::OpCode::PickTie;
    if (!is_pick && op.attrs.i != 0) key.key += "@" + std::to_string(op.attrs.i);
    auto [it, fresh] = classes.try_emplace(key.key, KinkClass{next, sign});
    if (fresh) ++next;
    const_cast<ir::Op&>(op).attrs.ints = {it->second.id, sign * it->second.first_sign};
  };
  ir::walk(function.body, [&](const ir::Op& op) {
    if (op.code == ir::OpCode::Choose || op.code == ir::OpCode::ChooseTie || isComparisonIf(op))
      annotate(op);
  });
  // Weights of picks are decided already: they join classes and do not orient them.
  ir::walk(function.body, [&](const ir::Op& op) {
    if (op.code == ir::OpCode::Pick || op.code == ir::OpCode::PickTie) annotate(op);
  });
}

}  // namespace dini::analysis
