#include "ir/tensor.h"

#include <cmath>
#include <cstring>
#include <utility>

namespace dini::ir {

Tensor Tensor::real(double value) {
  Tensor tensor;
  tensor.reals = {value};
  return tensor;
}

Tensor Tensor::integer(int64_t value) {
  Tensor tensor;
  tensor.type = i64();
  tensor.ints = {value};
  return tensor;
}

Tensor Tensor::boolean(bool value) {
  Tensor tensor;
  tensor.type = i1();
  tensor.bools = {static_cast<uint8_t>(value ? 1 : 0)};
  return tensor;
}

Tensor Tensor::zeros(const Type& type) {
  Tensor tensor;
  tensor.type = type;
  auto count = static_cast<size_t>(type.elementCount());
  if (type.elem == Elem::F64) tensor.reals.assign(count, 0.0);
  else if (type.elem == Elem::I64) tensor.ints.assign(count, 0);
  else tensor.bools.assign(count, 0);
  return tensor;
}

int64_t Tensor::size() const {
  size_t count = type.elem == Elem::F64   ? reals.size()
                 : type.elem == Elem::I64 ? ints.size()
                                          : bools.size();
  return static_cast<int64_t>(count);
}

const void* Tensor::data() const {
  if (type.elem == Elem::F64) return reals.data();
  if (type.elem == Elem::I64) return ints.data();
  return bools.data();
}

void* Tensor::data() { return const_cast<void*>(std::as_const(*this).data()); }

bool identical(const Tensor& a, const Tensor& b) {
  if (!(a.type == b.type) || a.ints != b.ints || a.bools != b.bools) return false;
  if (a.reals.size() != b.reals.size()) return false;
  for (size_t k = 0; k < a.reals.size(); ++k) {
    if (std::isnan(a.reals[k]) && std::isnan(b.reals[k])) continue;
    if (std::memcmp(&a.reals[k], &b.reals[k], sizeof(double)) != 0) return false;
  }
  return true;
}

std::string solverReason(int64_t reason) {
  switch (reason) {
    case 0: return "the solver stopped where the equations do not hold";
    case 1: return "the iteration limit was reached";
    case 2: return "no further progress was possible";
    case 3: return "a value became infinite or NaN";
    case 4: return "the problem is unbounded";
    case 5: return "the problem is infeasible";
    case 7: return "the problem is not convex";
    case 8: return "no point nearby satisfies the constraints";
    default: return "the solver gave up";
  }
}

}  // namespace dini::ir
