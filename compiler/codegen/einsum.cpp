// Products of two arrays summed over shared letters: the documented order in loops of our own, BLAS
// for large matrix products.
#include <algorithm>

#include "base/check.h"
#include "codegen/emitter.h"
#include "ir/type_rules.h"

namespace dini::codegen {

using ir::Op;

namespace {
constexpr int64_t kGemmVolume = 32 * 32 * 32;
}

// A matrix in memory, perhaps transposed: element (i, j) at ptr + i * ld + j, or j * ld + i.
struct FunctionEmitter::MatrixView {
  llvm::Value* ptr = nullptr;
  llvm::Value* leading = nullptr;
  bool transposed = false;
};

bool FunctionEmitter::asMatrix(const ir::Value* value, MatrixView& view) {
  const Val held = val(value);
  if (held.kind == Val::Kind::Virtual && value->def->code == ir::OpCode::Transpose) {
    if (!asMatrix(value->def->operand(0), view)) return false;
    view.transposed = !view.transposed;
    return true;
  }
  const Val memory = inMemory(value);
  view.ptr = memory.ptr;
  view.leading = memory.dims[1];
  return true;
}

bool FunctionEmitter::emitGemm(const Op& op) {
  const ir::EinsumSpec spec = ir::parseEinsum(op.attrs.str);
  if (inLanes() || spec.a.size() != 2 || spec.b.size() != 2 || spec.result.size() != 2 ||
      spec.contracted.size() != 1)
    return false;
  const char c = spec.contracted[0];
  const ir::Value* a = op.operand(0);
  const ir::Value* b = op.operand(1);
  if (!a->type.isStatic() || !b->type.isStatic()) return false;
  const bool a_has_rows = spec.a.find(spec.result[0]) != std::string::npos;
  const std::string& left_letters = a_has_rows ? spec.a : spec.b;
  const std::string& right_letters = a_has_rows ? spec.b : spec.a;
  const ir::Value* left = a_has_rows ? a : b;
  const ir::Value* right = a_has_rows ? b : a;
  if (right_letters.find(spec.result[1]) == std::string::npos) return false;
  const bool left_transposed = left_letters[0] == c, right_transposed = right_letters[1] == c;
  const int64_t m = left->type.dims[left_transposed ? 1 : 0];
  const int64_t k = left->type.dims[left_transposed ? 0 : 1];
  const int64_t n = right->type.dims[right_transposed ? 0 : 1];
  if (m < 1 || n < 1 || k < 1 || m > INT32_MAX || n > INT32_MAX || k > INT32_MAX) return false;
  if (static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k) < kGemmVolume) return false;
  MatrixView left_view, right_view;
  if (!asMatrix(left, left_view) || !asMatrix(right, right_view)) return false;
  const Buffer buffer = allocate(op.result(), {i64c(m), i64c(n)});
  const llvm::FunctionCallee gemm = m_.runtime(
      "dini_gemm", llvm::Type::getVoidTy(m_.context),
      {m_.i32, m_.i32, m_.i64, m_.i64, m_.i64, m_.ptr, m_.i64, m_.ptr, m_.i64, m_.ptr});
  b_.CreateCall(gemm, {b_.getInt32(left_transposed != left_view.transposed),
                       b_.getInt32(right_transposed != right_view.transposed), i64c(m), i64c(n), i64c(k),
                       left_view.ptr, left_view.leading, right_view.ptr, right_view.leading, buffer.dest.ptr});
  setBuffer(op.result(), buffer.dest, buffer.storage);
  return true;
}

void FunctionEmitter::emitEinsum(const Op& op) {
  if (emitGemm(op)) return;
  const ir::EinsumSpec spec = ir::parseEinsum(op.attrs.str);
  const ir::Value* a = op.operand(0);
  const ir::Value* b = op.operand(1);
  const ir::Value* result = op.result();
  std::map<char, llvm::Value*> sizes;
  for (size_t k = 0; k < spec.a.size(); ++k) sizes[spec.a[k]] = dimsOf(a)[k];
  for (size_t k = 0; k < spec.b.size(); ++k)
    if (auto& size = sizes[spec.b[k]]; size == nullptr || !constantOf(size)) size = dimsOf(b)[k];
  const bool linear = spec.result.empty() && spec.a == spec.b && linearReadable(a) && linearReadable(b);
  Values outer, contracted;
  for (char letter : spec.result) outer.push_back(sizes[letter]);
  for (char letter : spec.contracted) contracted.push_back(sizes[letter]);

  // The product at a position of the result and one of the contracted letters.
  const auto productAt = [&](llvm::ArrayRef<Index> at, llvm::ArrayRef<Index> inner) {
    const auto factor = [&](const std::string& letters, const ir::Value* operand) {
      llvm::SmallVector<Index, 4> place;
      for (char letter : letters) {
        const auto in_result = spec.result.find(letter);
        place.push_back(in_result != std::string::npos ? at[in_result] : inner[spec.contracted.find(letter)]);
      }
      return element(operand, positionOf(place));
    };
    llvm::Value* x = factor(spec.a, a);
    llvm::Value* y = factor(spec.b, b);
    if (isLanes(x) != isLanes(y)) x = splat(x), y = splat(y);
    return b_.CreateFMul(x, y);
  };
  const bool unroll = treeSize(a, 12) + treeSize(b, 12) < 12;
  const auto summed = [&](llvm::ArrayRef<Index> at, bool along, bool wide) -> llvm::Value* {
    if (linear) {
      const ElementFn read = [&](Index i) {
        const Position position = linearPosition(i);
        llvm::Value* x = element(a, position);
        llvm::Value* y = element(b, position);
        if (isLanes(x) != isLanes(y)) x = splat(x), y = splat(y);
        return b_.CreateFMul(x, y);
      };
      return along ? sumAlong(product(contracted), read) : sumAcross(product(contracted), wide, unroll, read);
    }
    if (contracted.size() == 1) {
      const ElementFn read = [&](Index i) { return productAt(at, {i}); };
      return along ? sumAlong(contracted[0], read) : sumAcross(contracted[0], wide, unroll, read);
    }
    // Several letters: one loop over their row-major number.
    const ElementFn read = [&](Index i) { return productAt(at, delinearised(i, contracted).at); };
    return sumAcross(contracted.empty() ? i64c(1) : product(contracted), wide, false, read);
  };

  const auto isLast = [](const std::string& letters, char letter) {
    return letters.empty() || letters.find(letter) == std::string::npos || letters.back() == letter;
  };
  const bool single = contracted.size() == 1;
  const bool contiguous = linear || (single && isLast(spec.a, spec.contracted[0]) && isLast(spec.b, spec.contracted[0]));
  const bool along = !inLanes() && (contiguous || (single && spec.result.empty()));
  if (result->type.isScalar())
    return setScalar(result, summed({}, along, inLanes() && varies(result)));
  const Buffer buffer = allocate(result, outer);
  const auto body = [&](llvm::ArrayRef<Index> at) {
    const bool wide = inLanes() ? varies(result) : !at.back().uniform();
    llvm::Value* value = summed(at, along, wide);
    store(buffer.dest, positionOf(at), value);
  };
  llvm::SmallVector<Index, 4> at;
  if (along) scalarNest(outer, body);
  else nest(outer, 0, at, body);
  setBuffer(result, buffer.dest, buffer.storage);
}

}  // namespace dini::codegen
