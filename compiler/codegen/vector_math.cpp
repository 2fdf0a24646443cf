// Calls of libmvec in the widest variant of the CPU: what the runtime's scalar functions call too
// (runtime/src/math.cpp), so one value and a lane agree to the last bit.
#include <fmt/format.h>

#include "codegen/emitter.h"

namespace dini::codegen {

llvm::Value* FunctionEmitter::mathCall(const std::string& name,
                                       llvm::ArrayRef<llvm::Value*> operands) {
  const int width = m_.target.vector_lanes;
  const char isa = width == 8 ? 'e' : width == 4 ? 'd' : 'b';
  const std::string symbol =
      fmt::format("_ZGV{}N{}{}_{}", isa, width, operands.size() == 2 ? "vv" : "v", name);
  auto* vector = llvm::FixedVectorType::get(m_.f64, static_cast<unsigned>(width));
  const llvm::FunctionCallee function =
      m_.pureRuntime(symbol, vector, std::vector<llvm::Type*>(operands.size(), vector));
  if (!isLanes(operands[0])) {
    Values wide;
    for (llvm::Value* operand : operands)
      wide.push_back(b_.CreateVectorSplat(static_cast<unsigned>(width), operand));
    return b_.CreateExtractElement(b_.CreateCall(function, wide), uint64_t{0});
  }
  const auto lanes =
      static_cast<int>(llvm::cast<llvm::FixedVectorType>(operands[0]->getType())->getNumElements());
  if (width == lanes) return b_.CreateCall(function, operands);
  // Parts of the CPU's width, put together again.
  llvm::SmallVector<llvm::Value*, 4> parts;
  for (int first = 0; first < lanes; first += width) {
    llvm::SmallVector<int, 8> mask;
    for (int k = 0; k < width; ++k) mask.push_back(first + k);
    Values part;
    for (llvm::Value* operand : operands) part.push_back(b_.CreateShuffleVector(operand, mask));
    parts.push_back(b_.CreateCall(function, part));
  }
  while (parts.size() > 1) {
    llvm::SmallVector<llvm::Value*, 4> joined;
    for (size_t k = 0; k < parts.size(); k += 2) {
      const auto size = llvm::cast<llvm::FixedVectorType>(parts[k]->getType())->getNumElements();
      llvm::SmallVector<int, 32> mask;
      for (unsigned lane = 0; lane < 2 * size; ++lane) mask.push_back(static_cast<int>(lane));
      joined.push_back(b_.CreateShuffleVector(parts[k], parts[k + 1], mask));
    }
    parts = joined;
  }
  return parts[0];
}

// A scalar function of the runtime on each lane. `leading`: arguments before the real.
llvm::Value* FunctionEmitter::perLane(const std::string& name,
                                      llvm::ArrayRef<llvm::Value*> operands,
                                      llvm::ArrayRef<llvm::Value*> leading) {
  std::vector<llvm::Type*> params;
  for (llvm::Value* value : leading) params.push_back(value->getType());
  for (size_t k = 0; k < operands.size(); ++k) params.push_back(m_.f64);
  const llvm::FunctionCallee function = m_.pureRuntime(name, m_.f64, params);
  const auto call = [&](auto pick) {
    Values arguments(leading.begin(), leading.end());
    for (llvm::Value* operand : operands) arguments.push_back(pick(operand));
    return b_.CreateCall(function, arguments);
  };
  if (!isLanes(operands[0])) return call([](llvm::Value* x) { return x; });
  llvm::Value* result = llvm::PoisonValue::get(operands[0]->getType());
  for (int k = 0; k < width(); ++k)
    result = b_.CreateInsertElement(result, call([&](llvm::Value* x) { return lane(x, k); }),
                                    static_cast<uint64_t>(k));
  return result;
}

}  // namespace dini::codegen
