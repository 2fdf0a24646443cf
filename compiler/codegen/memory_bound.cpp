#include "codegen/memory_bound.h"

#include <algorithm>

#include <llvm/IR/Constants.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/Operator.h>

#include "codegen/frame.h"

namespace dini::codegen {

using types::Size;

namespace {

// Position in the array `sizes` of what an instruction loads from it, if it does.
std::optional<uint32_t> loadedFrom(const llvm::Value* value, const llvm::Value* sizes) {
  const auto* load = llvm::dyn_cast<llvm::LoadInst>(value);
  if (load == nullptr) return std::nullopt;
  const llvm::Value* from = load->getPointerOperand();
  if (from == sizes) return 0;
  const auto* place = llvm::dyn_cast<llvm::GEPOperator>(from);
  if (place == nullptr || place->getPointerOperand() != sizes || place->getNumIndices() != 1)
    return std::nullopt;
  const auto* index = llvm::dyn_cast<llvm::ConstantInt>(place->getOperand(1));
  if (index == nullptr) return std::nullopt;
  return static_cast<uint32_t>(index->getZExtValue());
}

std::optional<int64_t> constantOf(const llvm::Value* value) {
  if (const auto* number = llvm::dyn_cast<llvm::ConstantInt>(value))
    if (number->getBitWidth() == 64) return number->getSExtValue();
  return std::nullopt;
}

using Functions = std::map<const ir::Function*, MemoryBound>;

MemoryBound resolvedIn(const Functions& functions, const ir::Function& function,
                       std::vector<const ir::Function*>& path) {
  const auto found = functions.find(&function);
  if (found == functions.end() || std::find(path.begin(), path.end(), &function) != path.end())
    return {0, {}, false};
  MemoryBound result = found->second;
  result.calls.clear();
  path.push_back(&function);
  for (const MemoryBound::Call& call : found->second.calls) {
    const MemoryBound inner = resolvedIn(functions, *call.callee, path);
    result.exact = result.exact && inner.exact;
    result.pieces.emplace_back(inner.frame);
    for (const Size& piece : inner.pieces) {
      bool all = true;
      result.pieces.push_back(piece.substitute([&](types::SizeName name) {
        const auto given = name.id < call.sizes.size() ? call.sizes[name.id] : std::nullopt;
        all = all && given.has_value();
        return given;
      }));
      if (!all) result.pieces.pop_back();
      result.exact = result.exact && all;
    }
  }
  path.pop_back();
  return result;
}

// What the runtime's dini_*_work functions give at most (linalg.h), with min(m, n) bounded by either.
std::optional<Size> runtimeWork(llvm::StringRef name, const std::vector<Size>& s) {
  const auto svd = [](const Size& m, const Size& n) {
    return Size(6) * m * n + Size(75) * m + Size(64) * n + Size(65);
  };
  if (name == "dini_factor_work") return Size(2) * s[0];
  if (name == "dini_linear_solve_work") return s[0] * s[0] + Size(3) * s[0];
  if (name == "dini_eigh_work") return Size(3) * s[0] * s[0] + Size(73) * s[0] + Size(3);
  if (name == "dini_svd_work") return svd(s[0], s[1]);
  if (name == "dini_qr_work") return s[0] * s[1] + Size(65) * s[0] + Size(64) * s[1] + Size(64);
  if (name == "dini_lstsq_work")
    return Size(2) * s[0] * s[1] + s[0] + s[0] * s[2] + svd(s[0], s[1]);
  return std::nullopt;
}

}  // namespace

MemoryBound resolved(const Functions& functions, const ir::Function& function) {
  std::vector<const ir::Function*> path;
  return resolvedIn(functions, function, path);
}

std::optional<Size> SizeAnalysis::bound(const llvm::Value* value) {
  if (const auto number = constantOf(value)) return Size(*number);
  if (const auto found = known_.find(value); found != known_.end()) return found->second;
  std::optional<Size> result = compute(value);
  if (const auto* instruction = llvm::dyn_cast<llvm::Instruction>(value))
    for (const llvm::Use& operand : instruction->operands())
      if (loose_.contains(operand)) loose_.insert(value);
  known_[value] = result;
  return result;
}

// A phi whose incoming values are all equal, if it is taken to be equal to the first of them. Zeros
// (the size of what no iteration has made yet) are passed over.
std::optional<Size> SizeAnalysis::ofPhi(const llvm::Value* value) {
  const auto* phi = llvm::cast<llvm::PHINode>(value);
  std::vector<const llvm::Value*> incoming;
  for (const llvm::Use& one : phi->incoming_values())
    if (constantOf(one) != 0) incoming.push_back(one);
  if (incoming.empty()) return std::nullopt;
  // What is derived under an assumption is forgotten if it fails.
  auto before = known_;
  known_[value] = std::nullopt;
  const std::optional<Size> first = bound(incoming[0]);
  known_ = before;
  if (!first) return std::nullopt;
  if (incoming.size() < phi->getNumIncomingValues()) loose_.insert(value);
  known_[value] = first;
  for (size_t k = 1; k < incoming.size(); ++k)
    if (bound(incoming[k]) != first) {
      known_ = before;
      return std::nullopt;
    }
  return first;
}

std::optional<Size> SizeAnalysis::compute(const llvm::Value* value) {
  if (const auto place = loadedFrom(value, sizes_)) return Size::named({*place});
  if (const auto* load = llvm::dyn_cast<llvm::LoadInst>(value);
      load != nullptr && load->getType()->isIntegerTy(64))
    if (const auto parameter = loadedFrom(load->getPointerOperand()->stripPointerCasts(), in_))
      return Size::named({MemoryBound::kIntParameter + *parameter});
  if (llvm::isa<llvm::PHINode>(value)) return ofPhi(value);
  if (const auto* binary = llvm::dyn_cast<llvm::BinaryOperator>(value)) {
    const std::optional<Size> a = bound(binary->getOperand(0)), b = bound(binary->getOperand(1));
    if (!a || !b) return std::nullopt;
    switch (binary->getOpcode()) {
      case llvm::Instruction::Add:
        return *a + *b;
      case llvm::Instruction::Sub:
        if (loose_.contains(binary->getOperand(1))) return std::nullopt;
        return *a - *b;
      case llvm::Instruction::Mul:
        return *a * *b;
      case llvm::Instruction::And:
        // Rounding down to a multiple of a power of two.
        if (const auto mask = b->constant(); mask && *mask < 0) return a;
        return std::nullopt;
      default:
        return std::nullopt;
    }
  }
  // Saturation: a product that overflowed is more than there is anyway.
  if (const auto* product = llvm::dyn_cast<llvm::ExtractValueInst>(value)) {
    const auto* call = llvm::dyn_cast<llvm::WithOverflowInst>(product->getAggregateOperand());
    if (call == nullptr || product->getIndices()[0] != 0 ||
        call->getIntrinsicID() != llvm::Intrinsic::umul_with_overflow)
      return std::nullopt;
    const std::optional<Size> a = bound(call->getLHS()), b = bound(call->getRHS());
    if (!a || !b) return std::nullopt;
    return *a * *b;
  }
  if (const auto* select = llvm::dyn_cast<llvm::SelectInst>(value)) {
    if (constantOf(select->getTrueValue()) == Frame::kHuge) return bound(select->getFalseValue());
    // max(x, 0), written as a comparison.
    const auto* compared = llvm::dyn_cast<llvm::ICmpInst>(select->getCondition());
    if (compared != nullptr && compared->getPredicate() == llvm::CmpInst::ICMP_SLT &&
        compared->getOperand(0) == select->getFalseValue() &&
        constantOf(compared->getOperand(1)) == 0 && constantOf(select->getTrueValue()) == 0)
      return bound(select->getFalseValue());
    return std::nullopt;
  }
  if (const auto* call = llvm::dyn_cast<llvm::CallInst>(value)) {
    const llvm::Function* callee = call->getCalledFunction();
    std::vector<Size> given;
    for (const llvm::Use& argument : call->args()) {
      const std::optional<Size> size =
          argument->getType()->isIntegerTy(64) ? bound(argument) : std::nullopt;
      if (!size) break;
      given.push_back(*size);
    }
    if (callee != nullptr && given.size() == call->arg_size() && !callee->isIntrinsic())
      return runtimeWork(callee->getName(), given);
  }
  if (const auto* limit = llvm::dyn_cast<llvm::MinMaxIntrinsic>(value)) {
    const auto other = constantOf(limit->getRHS());
    if (limit->getIntrinsicID() == llvm::Intrinsic::umin && other == Frame::kHuge)
      return bound(limit->getLHS());
    if (limit->getIntrinsicID() == llvm::Intrinsic::smax && other == 0)
      return bound(limit->getLHS());
  }
  return std::nullopt;
}

}  // namespace dini::codegen
