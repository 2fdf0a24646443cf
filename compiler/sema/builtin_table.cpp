// Spellings and parameter names of the builtins.
#include <array>

#include "sema/builtins.h"

namespace dini::sema {
namespace {

constexpr std::array kSpellings = {
#define DINI_BUILTIN(name, spelling) spelling,
#include "sema/builtins.def"
#undef DINI_BUILTIN
};

struct Row {
  std::vector<std::string> names;
  size_t required = 0;
};

Row row(Builtin builtin) {
  switch (builtin) {
    case Builtin::Pow:
      return {{"x", "y"}, 2};
    case Builtin::Atan2:
      return {{"y", "x"}, 2};
    case Builtin::Clamp:
      return {{"x", "lo", "hi"}, 3};
    case Builtin::Soft:
      return {{"x", "t"}, 2};
    case Builtin::Where:
      return {{"c", "a", "b"}, 3};
    case Builtin::Div:
    case Builtin::Mod:
    case Builtin::Dot:
      return {{"a", "b"}, 2};
    case Builtin::Max:
    case Builtin::Min:
      return {{"a", "b", "axis"}, 1};
    case Builtin::Sum:
    case Builtin::Prod:
    case Builtin::Mean:
    case Builtin::Any:
    case Builtin::All:
    case Builtin::Flip:
      return {{"x", "axis"}, 1};
    case Builtin::MaxPool:
      return {{"x", "k"}, 2};
    case Builtin::Close:
      return {{"a", "b", "tol"}, 2};
    case Builtin::Lstsq:
      return {{"A", "b"}, 2};
    case Builtin::Cholesky:
    case Builtin::Eigh:
    case Builtin::Svd:
    case Builtin::Qr:
      return {{"A"}, 1};
    case Builtin::NormNuc:
    case Builtin::ProjPsd:
      return {{"A"}, 1};
    case Builtin::ProjNonneg:
    case Builtin::ProjSoc:
      return {{"v"}, 1};
    case Builtin::ProjBox:
      return {{"v", "lo", "hi"}, 3};
    case Builtin::ProjSimplex:
    case Builtin::ProjL1:
    case Builtin::ProjL2:
      return {{"v", "radius"}, 1};
    case Builtin::HashBits:
      return {{"key", "i"}, 2};
    case Builtin::UnitReal:
      return {{"bits"}, 1};
    case Builtin::Load:
      return {{"path"}, 1};
    case Builtin::Save:
      return {{"value", "path"}, 2};
    default:
      return takesAnyNumber(builtin) ? Row{} : Row{{"x"}, 1};
  }
}

}  // namespace

const char* spelling(Builtin builtin) { return kSpellings[static_cast<size_t>(builtin)]; }
int builtinCount() { return static_cast<int>(kSpellings.size()); }

std::optional<Builtin> builtinNamed(const std::string& name) {
  for (int i = 0; i < builtinCount(); ++i)
    if (name == kSpellings[static_cast<size_t>(i)]) return static_cast<Builtin>(i);
  return std::nullopt;
}

bool takesAnyNumber(Builtin builtin) {
  switch (builtin) {
    case Builtin::Zeros:
    case Builtin::Ones:
    case Builtin::Reshape:
    case Builtin::Concat:
    case Builtin::Stack:
      return true;
    default:
      return false;
  }
}

const std::vector<std::string>& builtinParameters(Builtin builtin) {
  static const std::vector<std::vector<std::string>> all = [] {
    std::vector<std::vector<std::string>> names;
    for (int i = 0; i < builtinCount(); ++i) names.push_back(row(static_cast<Builtin>(i)).names);
    return names;
  }();
  return all[static_cast<size_t>(builtin)];
}

size_t requiredParameters(Builtin builtin) { return row(builtin).required; }

bool isRealElementwise(Builtin builtin) {
  return builtin <= Builtin::Sign;  // the first group of builtins.def
}

const ast::Expr* argument(const ast::CallExpr& call, size_t parameter, std::string_view name) {
  if (!call.order.empty()) {
    if (parameter >= call.order.size() || call.order[parameter] < 0) return nullptr;
    return call.arguments[static_cast<size_t>(call.order[parameter])].value.get();
  }
  size_t positional = 0;
  for (const ast::Argument& a : call.arguments) {
    if (a.name ? a.name->text == name : positional == parameter) return a.value.get();
    if (!a.name) ++positional;
  }
  return nullptr;
}

}  // namespace dini::sema
