// IR types: tensors of f64, i64 or i1. Rank 0 is the scalar. A dimension is a constant or
// kDynamic, known only when the program runs. Records and tuples do not exist here: lowering
// flattens them to leaves.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace dini::ir {

enum class Elem : uint8_t { F64, I64, I1 };
inline constexpr int64_t kDynamic = -1;

struct Type {
  Elem elem = Elem::F64;
  std::vector<int64_t> dims;

  bool operator==(const Type&) const = default;
  size_t rank() const { return dims.size(); }
  bool isScalar() const { return dims.empty(); }
  bool isReal() const { return elem == Elem::F64; }
  bool isStatic() const;
  int64_t elementCount() const;  // static types only
  Type withElem(Elem e) const { return Type{e, dims}; }
};

inline Type f64(std::vector<int64_t> dims = {}) { return {Elem::F64, std::move(dims)}; }
inline Type i64(std::vector<int64_t> dims = {}) { return {Elem::I64, std::move(dims)}; }
inline Type i1(std::vector<int64_t> dims = {}) { return {Elem::I1, std::move(dims)}; }

// "f64", "f64[3, ?]"
std::string str(const Type& type);

}  // namespace dini::ir
