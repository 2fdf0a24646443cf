#include "ir/type_rules.h"

#include "ir/type_rule.h"
#include "ops/signature.h"

namespace dini::ir {

bool compatible(const Type& a, const Type& b) {
  if (a.elem != b.elem || a.rank() != b.rank()) return false;
  for (size_t k = 0; k < a.rank(); ++k)
    if (a.dims[k] != b.dims[k] && a.dims[k] != kDynamic && b.dims[k] != kDynamic) return false;
  return true;
}

Type merged(const Type& a, const Type& b) {
  Type type = a;
  for (size_t k = 0; k < a.rank(); ++k)
    if (type.dims[k] == kDynamic) type.dims[k] = b.dims[k];
  return type;
}

Type joined(const Type& a, const Type& b) {
  Type type = a;
  for (size_t k = 0; k < a.rank(); ++k)
    if (a.dims[k] != b.dims[k]) type.dims[k] = kDynamic;
  return type;
}

EinsumSpec parseEinsum(const std::string& text) {
  EinsumSpec spec;
  size_t comma = text.find(','), arrow = text.find("->");
  if (comma == std::string::npos || arrow == std::string::npos || comma > arrow) {
    spec.error = "einsum: expected \"ab,bc->ac\", found \"" + text + "\"";
    return spec;
  }
  spec.a = text.substr(0, comma);
  spec.b = text.substr(comma + 1, arrow - comma - 1);
  spec.result = text.substr(arrow + 2);
  auto repeats = [](std::string letters) {
    std::sort(letters.begin(), letters.end());
    return std::adjacent_find(letters.begin(), letters.end()) != letters.end();
  };
  if (repeats(spec.a) || repeats(spec.b) || repeats(spec.result))
    spec.error = "einsum: a letter is repeated within one operand or the result";
  for (char letter : spec.a + spec.b) {
    bool in_both = spec.a.find(letter) != std::string::npos &&
                   spec.b.find(letter) != std::string::npos;
    bool in_result = spec.result.find(letter) != std::string::npos;
    if (!in_both && !in_result)
      spec.error = fmt::format("einsum: '{}' is in one operand only and not in the result", letter);
    if (!in_result && spec.contracted.find(letter) == std::string::npos) spec.contracted += letter;
  }
  for (char letter : spec.result)
    if ((spec.a + spec.b).find(letter) == std::string::npos)
      spec.error = fmt::format("einsum: '{}' of the result is in no operand", letter);
  return spec;
}

bool isLargeProduct(const Op& op) {
  constexpr double kLarge = 32.0 * 32 * 32;
  if (op.code != OpCode::Einsum || !op.operand(0)->type.isStatic() ||
      !op.operand(1)->type.isStatic())
    return false;
  const EinsumSpec spec = parseEinsum(op.attrs.str);
  double volume = 1;
  for (int64_t size : op.operand(0)->type.dims) volume *= static_cast<double>(size);
  for (size_t k = 0; k < spec.b.size(); ++k)
    if (spec.a.find(spec.b[k]) == std::string::npos)
      volume *= static_cast<double>(op.operand(1)->type.dims[k]);
  return volume >= kLarge;
}

namespace {

// The common shape of operands that are of one shape or scalars.
std::vector<int64_t> commonShape(Rule& rule) {
  Type shape_type;
  for (size_t k = 0; k < rule.count(); ++k) {
    Type type{Elem::F64, rule.type(k).dims};
    if (type.isScalar()) continue;
    if (shape_type.isScalar()) {
      shape_type = type;
    } else if (rule.require(compatible(shape_type, type),
                            fmt::format("shapes of {} and {} differ", str(shape_type), str(type)))) {
      shape_type = merged(shape_type, type);
    }
  }
  return shape_type.dims;
}

void elementwiseRule(Rule& rule) {
  std::string_view signature = ops::signature(rule.code());
  size_t arity = signature.size() - 2;  // "ab:c"
  if (!rule.require(rule.count() == arity, "wrong number of operands")) return;
  Elem any = Elem::F64;
  auto elemOf = [&](char c) {
    return c == 'r' ? Elem::F64 : c == 'i' ? Elem::I64 : c == 'b' ? Elem::I1 : any;
  };
  size_t first_any = signature.find('t');
  if (first_any < arity) any = rule.type(first_any).elem;
  for (size_t k = 0; k < arity; ++k)
    rule.require(rule.type(k).elem == elemOf(signature[k]),
                 fmt::format("operand {} has type {}", k, str(rule.type(k))));
  rule.give(Type{elemOf(signature.back()), commonShape(rule)});
}

}  // namespace

TypeAnswer resultTypes(const TypeQuery& query) {
  Rule rule(query);
  if (isElementwise(query.code)) {
    elementwiseRule(rule);
    return rule.take();
  }
  static const std::vector<void (*)(Rule&)> table = [] {
    std::vector<void (*)(Rule&)> rules(static_cast<size_t>(opcodeCount()), nullptr);
    for (auto entries : {arrayTypeRules(), controlTypeRules(), solveTypeRules(),
                         projectionTypeRules()})
      for (const TypeRuleEntry& entry : entries) rules[static_cast<size_t>(entry.code)] = entry.rule;
    return rules;
  }();
  auto* fn = table[static_cast<size_t>(query.code)];
  if (rule.require(fn != nullptr, "has no type rule")) fn(rule);
  return rule.take();
}

}  // namespace dini::ir
