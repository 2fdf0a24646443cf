#include "clang_frontend/names.h"

#include <fmt/format.h>

namespace dini::clang_frontend {
namespace {

constexpr const char* kTaken[] = {
    "and",  "assert", "break", "else",  "false",  "fn",    "for",   "if",    "in",    "let",      "not",   "or",
    "print", "return", "solve", "true", "try",    "var",   "while", "argmin", "import", "type",   "test",  "using",
    "differentiate", "subject", "minimize", "maximize", "with", "by", "real", "int", "bool", "sparse",
    "abs",  "acos",   "acosh", "asin",  "asinh",  "atan",  "atan2", "atanh", "cbrt",  "ceil",     "cos",   "cosh",
    "div",  "erf",    "erfc",  "exp",   "expm1",  "floor", "inf",   "isfinite", "isnan", "len",   "lgamma", "log",
    "log1p", "max",   "min",   "mod",   "nan",    "norm",  "pow",   "round", "sin",   "sinh",     "sqrt",  "tan",
    "tanh", "relu",   "zeros", "sum",   "any",    "all",   "stack", "concat", "flip", "reshape", "norminf", "cholesky",
    "eigh", "svd",    "qr",    "lstsq", "argsort", "argmax", "proj_simplex", "proj_soc", "simplex_weights", "soc_map",
    "at_extreme", "to_extreme", "sorted_like", "positive_part", "spectral_projector", "spectral_tangent", "spectral_gap",
    "root_ties", "hash_bits", "unit_real",
};

}  // namespace

Names::Names() : taken_(std::begin(kTaken), std::end(kTaken)) {}

std::string Names::unique(const std::string& wanted) {
  std::string name = wanted.empty() ? "t" : wanted;
  for (int k = 2; !taken_.insert(name).second; ++k) name = fmt::format("{}_{}", wanted, k);
  return name;
}

}  // namespace dini::clang_frontend
