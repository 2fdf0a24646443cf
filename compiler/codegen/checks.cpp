// Statuses: what ends a call, prints, interruption, memory.
#include <llvm/IR/MDBuilder.h>

#include "codegen/emitter.h"
#include "codegen/info.h"
#include "ir/text.h"

namespace dini::codegen {

using ir::Op;

llvm::Value* FunctionEmitter::infoField(unsigned field) {
  return b_.CreateConstInBoundsGEP1_64(m_.i64, info_, field);
}

void FunctionEmitter::storeInfo(unsigned field, llvm::Value* value) {
  b_.CreateStore(value, infoField(field));
}

int64_t FunctionEmitter::siteOf(const Op& op, std::string text) {
  Site site;
  site.span = op.span;
  const bool has_text = op.code == ir::OpCode::Check || op.code == ir::OpCode::Print ||
                        op.code == ir::OpCode::ReportTie || op.code == ir::OpCode::LinearSolve ||
                        op.code == ir::OpCode::Factor;
  site.text = text.empty() && has_text ? op.attrs.str : std::move(text);
  site.clarke = op.attrs.i == 0;
  site.code = op.code;
  for (const ir::Value* operand : op.operands) site.types.push_back(operand->type);
  return m_.addSite(std::move(site));
}

llvm::Value* FunctionEmitter::batchIndex() {
  return batch_index_ != nullptr ? batch_index_ : i64c(-1);
}

void FunctionEmitter::require(llvm::Value* ok, ir::Status status, const Op& op,
                              const FailureFields& fields) {
  require(ok, i64c(static_cast<int64_t>(status)), siteOf(op), fields);
}

void FunctionEmitter::require(llvm::Value* ok, llvm::Value* status, int64_t site,
                              const FailureFields& fields) {
  if (inLanes()) return failLanes(b_.CreateNot(splat(ok)), status, site, fields);
  auto* failed = newBlock("failed");
  auto* fine = newBlock("ok");
  b_.CreateCondBr(ok, fine, failed, llvm::MDBuilder(m_.context).createBranchWeights(1u << 20, 1));
  b_.SetInsertPoint(failed);
  storeFailure(status, i64c(site), batchIndex(), fields);
  b_.CreateBr(failure_);
  b_.SetInsertPoint(fine);
}

void FunctionEmitter::storeFailure(llvm::Value* status, llvm::Value* site, llvm::Value* batch,
                                   const FailureFields& fields) {
  storeInfo(kStatus, status);
  storeInfo(kSite, site);
  storeInfo(kBatchIndex, batch);
  storeInfo(kIterations, fields.iterations ? fields.iterations : i64c(0));
  storeInfo(kResidual, fields.residual ? fields.residual : f64c(0));
  storeInfo(kScale, fields.scale ? fields.scale : f64c(0));
  storeInfo(kRcond, fields.rcond ? fields.rcond : f64c(-1));
  storeInfo(kReason, fields.reason ? fields.reason : i64c(0));
  storeInfo(kTolerance, fields.tolerance ? fields.tolerance : f64c(0));
}

void FunctionEmitter::leave(ir::Status status, int64_t site) {
  storeFailure(i64c(static_cast<int64_t>(status)), i64c(site), inLanes() ? i64c(-1) : batchIndex(),
               {});
  b_.CreateBr(exit_);
}

void FunctionEmitter::pollCancel(const Op& op) {
  auto* flag = b_.CreateAlignedLoad(m_.i8, cancel_, llvm::Align(1));
  flag->setVolatile(true);
  auto* stop = newBlock("cancelled");
  auto* go_on = newBlock("go_on");
  b_.CreateCondBr(b_.CreateICmpEQ(flag, llvm::ConstantInt::get(m_.i8, 0)), go_on, stop,
                  llvm::MDBuilder(m_.context).createBranchWeights(1u << 20, 1));
  b_.SetInsertPoint(stop);
  leave(ir::Status::Interrupted, siteOf(op));
  b_.SetInsertPoint(go_on);
}

void FunctionEmitter::requireMemory(llvm::Value* end) {
  llvm::Value* limit = b_.CreateLoad(m_.ptr, infoField(kWorkEnd));
  auto* full = newBlock("full");
  auto* enough = newBlock("enough");
  b_.CreateCondBr(
      b_.CreateICmpULE(b_.CreatePtrToInt(end, m_.i64), b_.CreatePtrToInt(limit, m_.i64)), enough,
      full);
  b_.SetInsertPoint(full);
  leave(ir::Status::Memory);
  b_.SetInsertPoint(enough);
}

void FunctionEmitter::emitCheck(const Op& op) {
  FailureFields fields;
  llvm::Value** slots[] = {&fields.residual, &fields.scale, &fields.rcond};
  for (size_t k = 1; k < op.operands.size() && k <= 3; ++k) *slots[k - 1] = scalar(op.operand(k));
  require(scalar(op.operand(0)), static_cast<ir::Status>(op.attrs.i), op, fields);
}

void FunctionEmitter::emitPrint(const Op& op) {
  if (ir::parseFailureNotice(op.attrs.str)) return emitNotice(op);
  const auto count = static_cast<int64_t>(op.operands.size());
  llvm::Value* pointers = entryAlloca(m_.ptr, i64c(std::max<int64_t>(count, 1)), "printed");
  Values sizes;
  for (int64_t k = 0; k < count; ++k) {
    const ir::Value* operand = op.operand(static_cast<size_t>(k));
    const Val held = inMemory(operand);
    b_.CreateStore(held.ptr,
                   b_.CreateConstInBoundsGEP1_64(m_.ptr, pointers, static_cast<uint64_t>(k)));
    for (size_t axis = 0; axis < operand->type.rank(); ++axis)
      if (operand->type.dims[axis] == ir::kDynamic) sizes.push_back(held.dims[axis]);
  }
  llvm::Value* dims =
      entryAlloca(m_.i64, i64c(std::max<int64_t>(static_cast<int64_t>(sizes.size()), 1)), "sizes");
  for (size_t k = 0; k < sizes.size(); ++k)
    b_.CreateStore(sizes[k], b_.CreateConstInBoundsGEP1_64(m_.i64, dims, k));
  auto* type = llvm::FunctionType::get(llvm::Type::getVoidTy(m_.context),
                                       {m_.ptr, m_.i64, m_.ptr, m_.ptr}, false);
  flushNotes();
  llvm::Value* function = b_.CreateLoad(m_.ptr, infoField(kPrint));
  llvm::Value* context = b_.CreateLoad(m_.ptr, infoField(kContext));
  b_.CreateCall(type, function, {context, i64c(siteOf(op)), pointers, dims});
}

}  // namespace dini::codegen
