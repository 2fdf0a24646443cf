// The annotations of a declaration: `[[clang::annotate("dini")]]` on a function, and on parameters and
// results `[[clang::annotate("dini: out, size 2*n")]]`. Words: `size EXPR`, of an array; `out`, an array
// or number that is only written; `inout`, one that is read and written; `bound N`, of a recursive
// function.
#pragma once

#include <optional>
#include <string>

#include <clang/AST/Decl.h>

#include "clang_frontend/report.h"

namespace dini::clang_frontend {

struct Annotation {
  bool present = false;
  std::string size;  // empty: none given
  bool out = false;
  bool inout = false;
  std::string bound;
};

// Reports words that are none of these.
Annotation annotationOf(const clang::Decl& decl, Reporter& reporter);
// The names in a size expression, in order.
std::vector<std::string> namesIn(const std::string& size);

}  // namespace dini::clang_frontend
