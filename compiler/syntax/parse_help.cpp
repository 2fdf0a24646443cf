// Help for what people who come from other languages write. Only tables and look-ups: what is
// looked at is the token that does not fit and the one or two before it.
#include "syntax/parse_state.h"

namespace dini::syntax {
namespace {

struct Habit {
  std::string_view before;  // the token before; empty: any
  std::string_view here;    // the token that does not fit; empty: any name
  std::string_view help;
};

constexpr std::string_view kStrings =
    "strings stand in double quotes; `'` transposes what it follows";
constexpr std::string_view kFunction = "a function is written `fn f(x: real) -> real = ...`";
constexpr std::string_view kVariable = "`let` names a value, `var` one that changes";
constexpr std::string_view kIf = "write `if c { a } else { b }`";

constexpr Habit kHabits[] = {
    {"*", "*", "a power is written with `^`"},
    {"/", "/", "comments begin with `#`"},
    {"/", "=", "write `x = x / y`"},
    {"=", ">", "write `->` or `>=`"},
    {"", "'", kStrings},
    {"", "then", kIf},
    {"", "if", kIf},
    {"", "elif", "write `else if`"},
    {"def", "", kFunction},
    {"function", "", kFunction},
    {"func", "", kFunction},
    {"const", "", kVariable},
    {"val", "", kVariable},
    {"lambda", "", "an anonymous function is written `fn(x: real) = ...`"},
    {"import", "", "write `import \"other.dini\"`"},
    {"argmin", "", "an unknown has a type: `argmin x: real { ... }`"},
    {"", "->", "an anonymous function is written `fn(x: real) = ...`"},
    {"", "+", "there is no unary `+`; an operator that ends a line continues it"},
};

}  // namespace

std::string Parser::helpForUnexpected() const {
  auto back = [&](size_t k) { return cursor_ >= k ? lexed_.tokens[cursor_ - k] : Token{}; };
  if (at(TokenKind::Dot) && kind(1) == TokenKind::Int)
    return "a number needs a digit before its point, as in `0.5`";
  if (back(1).kind == TokenKind::Dot && back(2).kind == TokenKind::Int)
    return "a number needs a digit after its point, as in `2.0`";
  std::string_view before = cursor_ >= 1 ? text(back(1)) : "";
  std::string_view here = text(token());
  for (const Habit& habit : kHabits) {
    bool same_here = habit.here.empty() ? at(TokenKind::Name) : habit.here == here;
    if (same_here && (habit.before.empty() || habit.before == before))
      return std::string(habit.help);
  }
  if (at(TokenKind::Colon) && kind(1) == TokenKind::Assign)
    return "an assignment is written with `=`";
  bool naming = back(1).kind == TokenKind::Let || back(1).kind == TokenKind::Var;
  if (at(TokenKind::Assign) && !naming) return "a comparison is written with `==`";
  return "";
}

}  // namespace dini::syntax
