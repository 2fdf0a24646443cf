// The largest array that a program may speak of. Sizes known at compile time are held below it when
// an operation is made, so that products and sums of sizes stay far from the range of int64_t.
// Not here: sizes known only when the program runs (the engines, Status::Memory).
#pragma once

#include <stdexcept>

#include "ops/type.h"
#include "source/source.h"

namespace dini::ir {

inline constexpr int64_t kMaxElements = int64_t{1} << 44;  // 128 TiB of reals

// Thrown by Function::addResult; lowering reports it as a limitation (E0902).
class TooManyElements : public std::length_error {
 public:
  TooManyElements(const std::string& what, Span where) : std::length_error(what), span(where) {}
  Span span;
};

// Throws TooManyElements where the type has more than kMaxElements. Dynamic sizes count as 1.
void limitElements(const Type& type, Span where);

}  // namespace dini::ir
