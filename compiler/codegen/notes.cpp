// What a run tells its caller beside its results (dini_notes): ties that the fast variant met, ties
// for the report, the smallest condition of a linear system.
#include "codegen/emitter.h"
#include "codegen/info.h"
#include "ops/rows/nonsmooth.h"

namespace dini::codegen {

using ir::Op;

llvm::Value* FunctionEmitter::tieSide(llvm::Value* s_dot, llvm::Value* magnitude) {
  llvm::Type* type = s_dot->getType();
  llvm::Value* bound = b_.CreateFMul(
      llvm::ConstantFP::get(type, ops::Row<ir::OpCode::TieSide>::kRelative), magnitude);
  llvm::Value* negative = b_.CreateSelect(b_.CreateFCmpOLT(s_dot, b_.CreateFNeg(bound)),
                                          llvm::ConstantFP::get(type, 0),
                                          llvm::ConstantFP::getNaN(type));
  return b_.CreateSelect(b_.CreateFCmpOGT(s_dot, bound), llvm::ConstantFP::get(type, 1), negative);
}

llvm::Value* FunctionEmitter::presentLanes() {
  return inLanes() ? activeMask() : tail_mask_;
}

// Collected in a register of the function, so that a loop stores nothing.
void FunctionEmitter::noteTie(llvm::Value* condition) {
  if (solver_depth_ > 0) return;
  const bool lanes = isLanes(condition);
  if (llvm::Value* present = presentLanes(); present != nullptr && lanes)
    condition = b_.CreateAnd(condition, present);
  llvm::Type* type = condition->getType();
  llvm::AllocaInst*& cell = tie_noted_[type];
  if (cell == nullptr) {
    cell = llvm::cast<llvm::AllocaInst>(entryAlloca(type, nullptr, "tie_noted"));
    llvm::IRBuilder<>::InsertPointGuard guard(b_);
    b_.SetInsertPoint(entry_->getTerminator());
    b_.CreateStore(llvm::Constant::getNullValue(type), cell);
  }
  llvm::Value* before = b_.CreateLoad(cell->getAllocatedType(), cell);
  b_.CreateStore(b_.CreateOr(before, condition), cell);
}

void FunctionEmitter::flushNotes() {
  llvm::Value* noted = nullptr;
  for (const auto& [type, cell] : tie_noted_) {
    llvm::Value* here = b_.CreateLoad(type, cell);
    if (type->isVectorTy()) here = any(here);
    noted = noted != nullptr ? b_.CreateOr(noted, here) : here;
  }
  if (noted == nullptr) return;
  llvm::Value* notes = b_.CreateLoad(m_.ptr, infoField(kNotes));
  llvm::Value* before = b_.CreateLoad(m_.i64, notes);
  b_.CreateStore(b_.CreateOr(before, b_.CreateZExt(noted, m_.i64)), notes);
}

void FunctionEmitter::reportTie(const Op& op, llvm::ArrayRef<llvm::Value*> operands) {
  if (solver_depth_ > 0) return;
  auto* type = llvm::FunctionType::get(
      llvm::Type::getVoidTy(m_.context), {m_.ptr, m_.i64, m_.i64, m_.f64, m_.f64, m_.i64}, false);
  const int64_t site = siteOf(op);
  const auto report = [&](llvm::ArrayRef<llvm::Value*> row) {
    llvm::Value* function = b_.CreateLoad(m_.ptr, infoField(kReport));
    llvm::Value* context = b_.CreateLoad(m_.ptr, infoField(kContext));
    b_.CreateCall(type, function, {context, i64c(site), row[0], row[1], row[2], row[3]});
  };
  const auto isRow = [&](llvm::Value* kind) {
    return b_.CreateICmpNE(kind, llvm::Constant::getNullValue(kind->getType()));
  };
  const auto memo = memo_;  // values made before the branch remain readable after it
  if (!isLanes(operands[0])) {
    ifThen(isRow(operands[0]), [&] { report(operands); });
  } else {
    llvm::Value* rows = isRow(operands[0]);
    if (llvm::Value* present = presentLanes()) rows = b_.CreateAnd(rows, present);
    ifThen(any(rows), [&] {
      for (int k = 0; k < static_cast<int>(width()); ++k)
        ifThen(lane(rows, k), [&] {
          Values row;
          for (llvm::Value* operand : operands) row.push_back(lane(operand, k));
          report(row);
        });
    });
  }
  memo_ = memo;
}

llvm::Value* FunctionEmitter::member() {
  return batch_index_ != nullptr ? batch_index_ : b_.CreateLoad(m_.i64, infoField(kMember));
}

// The run holds the failure when its receiver is called, with the member that the solve belongs to.
// In lanes the mask is that of the handler: the lanes that failed.
void FunctionEmitter::emitNotice(const Op& op) {
  auto* type = llvm::FunctionType::get(llvm::Type::getVoidTy(m_.context),
                                       {m_.ptr, m_.i64, m_.ptr, m_.ptr}, false);
  flushNotes();
  const int64_t site = siteOf(op);
  llvm::Value* null = llvm::ConstantPointerNull::get(m_.ptr);
  const auto tell = [&] {
    llvm::Value* function = b_.CreateLoad(m_.ptr, infoField(kPrint));
    llvm::Value* context = b_.CreateLoad(m_.ptr, infoField(kContext));
    b_.CreateCall(type, function, {context, i64c(site), null, null});
  };
  if (!inLanes()) {
    storeInfo(kBatchIndex, member());
    return tell();
  }
  const auto memo = memo_;
  llvm::Value* failed = activeMask();
  llvm::Value* members = splat(member());
  countedLoop(i64c(0), i64c(width()), 1, [&](llvm::Value* k) {
    ifThen(b_.CreateExtractElement(failed, k), [&] {
      storeLaneFailure(k, b_.CreateExtractElement(members, k));
      tell();
    });
  });
  memo_ = memo;
}

// `rcond` of one system or of eight, against the smallest so far.
void FunctionEmitter::noteCondition(llvm::Value* rcond, int64_t site) {
  if (solver_depth_ > 0) return;
  if (isLanes(rcond)) {
    llvm::Value* none = llvm::ConstantFP::getInfinity(rcond->getType());
    if (llvm::Value* present = presentLanes()) rcond = b_.CreateSelect(present, rcond, none);
    rcond = b_.CreateFPMinReduce(rcond);
  }
  llvm::Value* notes = b_.CreateLoad(m_.ptr, infoField(kNotes));
  llvm::Value* smallest = b_.CreateConstInBoundsGEP1_64(m_.i64, notes, 1);
  llvm::Value* worse = b_.CreateFCmpOLT(rcond, b_.CreateLoad(m_.f64, smallest));
  const auto memo = memo_;
  ifThen(worse, [&] {
    b_.CreateStore(rcond, smallest);
    b_.CreateStore(i64c(site), b_.CreateConstInBoundsGEP1_64(m_.i64, notes, 2));
  });
  memo_ = memo;
}

// The relative residual of one solve or of those of the lanes, against the largest so far.
void FunctionEmitter::noteResidual(llvm::Value* residual) {
  if (solver_depth_ > 0) return;
  if (isLanes(residual)) {
    llvm::Value* none = llvm::ConstantFP::get(residual->getType(), -1);
    if (llvm::Value* present = presentLanes()) residual = b_.CreateSelect(present, residual, none);
    residual = b_.CreateFPMaxReduce(residual);
  }
  llvm::Value* notes = b_.CreateLoad(m_.ptr, infoField(kNotes));
  llvm::Value* cell = b_.CreateConstInBoundsGEP1_64(m_.i64, notes, 3);
  llvm::Value* before = b_.CreateLoad(m_.f64, cell);
  b_.CreateStore(b_.CreateSelect(b_.CreateFCmpOGT(residual, before), residual, before), cell);
}

}  // namespace dini::codegen
