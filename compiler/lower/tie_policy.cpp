#include "lower/tie_policy.h"

#include "ad/ties.h"

namespace dini::lower {
namespace {

const std::string* word(const ast::Expr& e) {
  return e.kind == ast::ExprKind::Name ? &ast::as<ast::NameExpr>(e).name : nullptr;
}

}  // namespace

int64_t tieMarkOf(const ast::FnDecl& fn) {
  ad::TieOptions ties;
  bool marked = false;
  using Policy = ad::TieOptions::Policy;
  for (const ast::Attribute& attribute : fn.attributes) {
    if (attribute.name.text != "ties" || attribute.arguments.size() != 1) continue;
    marked = true;
    const ast::Expr& policy = *attribute.arguments[0];
    if (const std::string* name = word(policy)) {
      ties.policy = *name == "locked" ? Policy::Locked : Policy::Weight;
      ties.weight = *name == "first" ? 1.0 : *name == "second" ? 0.0 : 0.5;
      continue;
    }
    if (policy.kind != ast::ExprKind::Call) continue;
    const auto& call = ast::as<ast::CallExpr>(policy);
    const std::string* name = word(*call.callee);
    if (name == nullptr || call.arguments.size() != 1) continue;
    const ast::Expr& argument = *call.arguments[0].value;
    if (*name == "weight" && argument.kind == ast::ExprKind::Number) {
      const auto& weight = ast::as<ast::NumberExpr>(argument);
      ties.policy = Policy::Weight;
      ties.weight = weight.is_int ? static_cast<double>(weight.int_value) : weight.value;
    }
    const std::string* framework = word(argument);
    if (*name == "framework" && framework != nullptr)
      ties.policy = *framework == "jax" ? Policy::Jax : Policy::Torch;
  }
  return marked ? ad::tieMark(ties) : 0;
}

}  // namespace dini::lower
