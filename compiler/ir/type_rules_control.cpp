// Type rules of control: operands only, the verifier looks into the regions.
#include "ir/type_rule.h"

namespace dini::ir {
namespace {

void givenRule(Rule& rule) { rule.keepGiven(); }
void nothingRule(Rule&) {}
void checkRule(Rule& rule) {
  if (!rule.atLeast(1)) return;
  rule.require(rule.type(0) == i1(), "expected an i1 scalar");
  for (size_t k = 1; k < rule.count(); ++k)
    rule.require(rule.type(k) == f64(), "extra values are f64 scalars");
}
void loopRule(Rule& rule) {
  if (rule.atLeast(1)) rule.require(rule.type(0) == i64(), "the trip count is an i64 scalar");
  rule.keepGiven();
}
void ifRule(Rule& rule) {
  if (rule.atLeast(1)) rule.require(rule.type(0) == i1(), "the condition is an i1 scalar");
  rule.keepGiven();
}

constexpr TypeRuleEntry kRules[] = {
    {OpCode::Yield, nothingRule},
    {OpCode::Loop, loopRule},
    {OpCode::While, givenRule},
    {OpCode::If, ifRule},
    {OpCode::Call, givenRule},
    {OpCode::Check, checkRule},
    {OpCode::Try, givenRule},
    {OpCode::Print, nothingRule},
    {OpCode::Inspect, givenRule},
};

}  // namespace

std::span<const TypeRuleEntry> controlTypeRules() { return kRules; }

}  // namespace dini::ir
