// Type rules of the projections and of their derivatives.
#include "ir/type_rule.h"

namespace dini::ir {
namespace {

// Operands from `first` on are decisions: as many groups as there are, at most two, of the types of
// the first `group` operands.
void decisionsFrom(Rule& rule, size_t first, size_t group) {
  size_t extra = rule.count() - std::min(rule.count(), first);
  rule.require(extra % group == 0 && extra / group <= 2, "expected at most two decisions");
  for (size_t k = first; k < rule.count(); ++k)
    rule.require(compatible(rule.type(k), rule.type((k - first) % group)),
                 "a decision is a tangent of the operand");
}
bool realVector(Rule& rule) {
  return rule.require(rule.type(0).isReal() && rule.type(0).rank() == 1, "expected f64[n]");
}
void simplexRule(Rule& rule) {
  if (!rule.atLeast(2) || !realVector(rule)) return;
  rule.require(rule.type(1) == f64(), "the radius is a scalar");
  decisionsFrom(rule, 2, 2);
  rule.give(rule.type(0));
}
void socRule(Rule& rule) {
  if (!rule.atLeast(1) || !realVector(rule)) return;
  decisionsFrom(rule, 1, 1);
  rule.give(rule.type(0));
}
void socMapRule(Rule& rule) {
  if (!rule.atLeast(2) || !realVector(rule)) return;
  rule.require(compatible(rule.type(0), rule.type(1)), "shapes differ");
  decisionsFrom(rule, 2, 1);
  rule.give(rule.type(0));
}
void spectralRule(Rule& rule) {
  bool map = rule.code() == OpCode::SpectralMap;
  const std::string& kind = rule.attrs().str;
  bool known = map ? kind == "tangent" || kind == "gap" : kind == "project" || kind == "projector";
  if (!rule.require(known, "unknown kind") || !rule.atLeast(map ? 4 : 3)) return;
  const Type& a = rule.type(0);
  if (!rule.require(a.isReal() && a.rank() == 2, "expected a matrix")) return;
  rule.require(compatible(f64({a.dims[0]}), rule.type(1)) && compatible(a, rule.type(2)),
               "expected the eigenvalues and eigenvectors of the matrix");
  if (map) rule.require(compatible(a, rule.type(3)), "shapes differ");
  decisionsFrom(rule, map ? 4 : 3, 1);
  rule.give(a);
}

constexpr TypeRuleEntry kRules[] = {
    {OpCode::ProjSimplex, simplexRule}, {OpCode::SimplexWeights, simplexRule},
    {OpCode::ProjSoc, socRule},         {OpCode::SocMap, socMapRule},
    {OpCode::Spectral, spectralRule},   {OpCode::SpectralMap, spectralRule},
};

}  // namespace

std::span<const TypeRuleEntry> projectionTypeRules() { return kRules; }

}  // namespace dini::ir
