#include "analysis/value_numbers.h"

#include <cmath>

#include <fmt/format.h>

namespace dini::analysis {
namespace {

using ir::OpCode;

constexpr size_t kMaxTerms = 24;  // longer sums are numbered as they stand

bool isPure(const ir::Op& op) {
  ir::Stratum stratum = ir::shape(op.code).stratum;
  return op.regions.empty() &&
         (stratum == ir::Stratum::Elementwise || stratum == ir::Stratum::Array);
}

std::string text(const AffineForm& form) {
  std::string key = fmt::format("{:a}", form.constant);
  for (const auto& [number, coefficient] : form.terms)
    key += fmt::format("{:+a}*{}", coefficient, number);
  return key;
}

}  // namespace

AffineForm combined(const AffineForm& a, const AffineForm& b, double scale) {
  AffineForm sum = a;
  sum.constant += scale * b.constant;
  for (const auto& [number, coefficient] : b.terms) {
    double& entry = sum.terms[number];
    entry += scale * coefficient;
    if (entry == 0) sum.terms.erase(number);
  }
  return sum;
}

Normalised normalised(const AffineForm& form) {
  if (form.terms.empty()) return {text(form), 0};
  double first = form.terms.begin()->second;
  AffineForm scaled;
  scaled = combined(scaled, form, 1 / first);
  return {text(scaled), first > 0 ? 1 : -1};
}

int64_t ValueNumbers::number(const AffineForm& form) {
  if (form.constant == 0 && form.terms.size() == 1 && form.terms.begin()->second == 1)
    return form.terms.begin()->first;
  auto [it, fresh] = numbers_.try_emplace(text(form), static_cast<int64_t>(numbers_.size()));
  (void)fresh;
  return it->second;
}

AffineForm ValueNumbers::atom(const std::string& key) {
  auto [it, fresh] = numbers_.try_emplace(key, static_cast<int64_t>(numbers_.size()));
  (void)fresh;
  AffineForm form;
  form.terms[it->second] = 1;
  return form;
}

std::string ValueNumbers::keyOf(const ir::Op& op, uint32_t result) {
  std::string key = fmt::format("{}#{} {} {:a} {}", ir::shape(op.code).mnemonic, result, op.attrs.i,
                                op.attrs.f, op.attrs.str);
  if (op.code != OpCode::Choose && op.code != OpCode::Pick)  // theirs name kink classes
    for (int64_t k : op.attrs.ints) key += fmt::format(",{}", k);
  if (op.attrs.data) key += fmt::format(" data{}", fmt::ptr(op.attrs.data.get()));
  key += " " + ir::str(op.results[result]->type);
  for (const ir::Value* operand : op.operands) key += fmt::format(" v{}", number(form(operand)));
  return key;
}

const AffineForm& ValueNumbers::form(const ir::Value* value) {
  auto found = forms_.find(value);
  if (found != forms_.end()) return found->second;
  AffineForm made = compute(value);
  return forms_[value] = std::move(made);
}

AffineForm ValueNumbers::compute(const ir::Value* value) {
  if (value->isArgument() || !isPure(*value->def)) return atom(fmt::format("%{}", value->id));
  const ir::Op& op = *value->def;
  if (!value->type.isReal()) return atom(keyOf(op, value->index));
  if (auto constant = op.code == OpCode::Const && value->type.isScalar()
                          ? std::optional<double>(op.attrs.f) : std::nullopt;
      constant && std::isfinite(*constant)) {
    AffineForm form;
    form.constant = *constant;
    return form;
  }
  AffineForm result;
  switch (op.code) {  // the operations through which a switch stays affine
    case OpCode::Add: result = combined(form(op.operand(0)), form(op.operand(1)), 1); break;
    case OpCode::Sub: result = combined(form(op.operand(0)), form(op.operand(1)), -1); break;
    case OpCode::Neg: result = combined({}, form(op.operand(0)), -1); break;
    case OpCode::Mul: {
      const AffineForm a = form(op.operand(0)), b = form(op.operand(1));
      if (!a.terms.empty() && !b.terms.empty()) return atom(keyOf(op, value->index));
      result = a.terms.empty() ? combined({}, b, a.constant) : combined({}, a, b.constant);
      break;
    }
    case OpCode::Div: {
      const AffineForm b = form(op.operand(1));
      if (!b.terms.empty() || b.constant == 0) return atom(keyOf(op, value->index));
      result = combined({}, form(op.operand(0)), 1 / b.constant);
      break;
    }
    default: return atom(keyOf(op, value->index));
  }
  return result.terms.size() <= kMaxTerms ? result : atom(keyOf(op, value->index));
}

}  // namespace dini::analysis
