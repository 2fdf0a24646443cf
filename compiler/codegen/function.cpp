// The frame of a function: prologue, operations in order, results.
#include "base/check.h"
#include "codegen/emitter.h"
#include "codegen/linear_algebra.h"
#include "dini/status.h"

namespace dini::codegen {

using ir::Op;
using ir::OpCode;
using ir::Region;

FunctionEmitter::FunctionEmitter(ModuleEmitter& module, const ir::Function& function,
                                 llvm::Function& out)
    : m_(module), function_(function), out_(out), b_(module.context), plan_(function) {}

void FunctionEmitter::emit() {
  prologue();
  emitOps(function_.body);
  emitResults(function_.body);
  closeRegion(function_.body);
  b_.SetInsertPoint(exit_, exit_->begin());
  flushNotes();
  frame_end_->setOperand(1, i64c(frame_.size()));
  m_.memory[&function_] = memoryBound();
}

void FunctionEmitter::prologue() {
  entry_ = llvm::BasicBlock::Create(m_.context, "entry", &out_);
  exit_ = llvm::BasicBlock::Create(m_.context, "exit", &out_);
  failure_ = exit_;
  b_.SetInsertPoint(entry_);
  work_ = out_.getArg(3);
  info_ = out_.getArg(4);
  top_ = b_.CreateAlloca(m_.ptr, nullptr, "top");
  // The size of the frame is known at the end; emit() puts it in.
  frame_end_ =
      llvm::GetElementPtrInst::Create(m_.i8, work_, llvm::ArrayRef<llvm::Value*>{i64c(0)},
                                      "frame_end", static_cast<llvm::Instruction*>(nullptr));
  b_.Insert(frame_end_);
  b_.CreateStore(frame_end_, top_);
  cancel_ = b_.CreateLoad(m_.ptr, infoField(0), "cancel");
  auto* body = llvm::BasicBlock::Create(m_.context, "body", &out_, exit_);
  b_.SetInsertPoint(exit_);
  b_.CreateRet(b_.CreateLoad(m_.i64, infoField(5)));
  // Allocas that are made later go before this branch.
  b_.SetInsertPoint(entry_);
  b_.CreateBr(body);
  b_.SetInsertPoint(body);
  requireMemory(frame_end_);

  unsigned size_slot = 0;
  for (size_t k = 0; k < function_.body.args.size(); ++k) {
    const ir::Value* param = function_.body.args[k];
    llvm::Value* slot = b_.CreateConstInBoundsGEP1_64(m_.ptr, out_.getArg(0), k);
    llvm::Value* address = b_.CreateLoad(m_.ptr, slot);
    if (param->type.isScalar()) {
      setScalar(param, loadAt(address, param->type.elem, fixed(i64c(0)), false));
      continue;
    }
    Val& made = values_[param];
    made.kind = Val::Kind::Buffer;
    made.ptr = address;
    for (int64_t dim : param->type.dims)
      made.dims.push_back(dim != ir::kDynamic
                              ? i64c(dim)
                              : b_.CreateLoad(m_.i64, b_.CreateConstInBoundsGEP1_64(
                                                          m_.i64, out_.getArg(2), size_slot++)));
  }
}

void FunctionEmitter::emitResults(const Region& body) {
  bool dynamic = false;
  for (size_t k = 0; k < body.yields().size(); ++k) {
    const ir::Value* value = body.yields()[k];
    llvm::Value* slot = b_.CreateConstInBoundsGEP1_64(m_.ptr, out_.getArg(1), k);
    llvm::Value* address = b_.CreateLoad(m_.ptr, slot);
    result_sizes_.emplace_back();
    if (value->type.isScalar()) {
      if (value->type.elem == ir::Elem::I64) result_ints_.emplace_back(k, scalar(value));
      storeAt(address, value->type.elem, fixed(i64c(0)), false, scalar(value));
    } else if (value->type.isStatic()) {
      const Val& held = val(value);
      if (held.storage != nullptr && held.storage->kind == Storage::Kind::Output &&
          held.storage->offset == static_cast<int64_t>(k))
        continue;
      copyInto(value, contiguousDest(*this, address, dimsOf(value), value->type.elem, false));
    } else {
      dynamic = true;
      const Val held = inMemory(value);
      b_.CreateStore(held.ptr, address);
      unsigned field = 1;
      for (size_t axis = 0; axis < value->type.rank(); ++axis)
        if (value->type.dims[axis] == ir::kDynamic) {
          result_sizes_.back().push_back(held.dims[axis]);
          b_.CreateStore(held.dims[axis], b_.CreateConstInBoundsGEP1_64(m_.i64, address, field++));
        }
    }
  }
  if (dynamic) storeInfo(12, stackTop());
  flushNotes();
  b_.CreateRet(i64c(DINI_OK));
}

void FunctionEmitter::emitOps(const Region& region) {
  regions_.push_back(&region);
  indices_.push_back(0);
  for (size_t k = 0; k + 1 < region.ops.size(); ++k) {
    indices_.back() = k;
    fresh();
    if (isSumBesideWrite(region, k)) {
      indices_.back() = ++k;
      emitConcat(*region.ops[k], region.ops[k - 1].get());
    } else {
      emitOp(*region.ops[k]);
    }
    releaseAfter(region, k);
  }
  indices_.back() = region.ops.empty() ? 0 : region.ops.size() - 1;
  fresh();
}

void FunctionEmitter::closeRegion(const Region& region) {
  check(regions_.back() == &region, "regions close in order");
  releaseAfter(region, SIZE_MAX);
  regions_.pop_back();
  indices_.pop_back();
}

void FunctionEmitter::emitOp(const Op& op) {
  if (ir::isElementwise(op.code)) {
    const ir::Value* result = op.result();
    if (result->type.isScalar()) {
      Values operands;
      for (const ir::Value* operand : op.operands) operands.push_back(scalar(operand));
      llvm::Value* made = elementwise(op, operands);
      if (inLanes()) noteAffine(op, made, operands);
      setScalar(result, made);
    } else if (plan_.isVirtual(result)) {
      Values dims;
      for (const ir::Value* operand : op.operands)
        if (!operand->type.isScalar()) dims = dimsOf(operand);
      for (size_t k = 0; k < dims.size(); ++k)
        if (result->type.dims[k] != ir::kDynamic) dims[k] = i64c(result->type.dims[k]);
      setVirtual(result, dims);
    } else {
      materialiseOp(op);
    }
    return;
  }
  switch (op.code) {
    case OpCode::Loop:
      return emitLoop(op);
    case OpCode::While:
      return inLanes() ? emitLaneWhile(op) : emitWhile(op);
    case OpCode::If:
      return emitIf(op);
    case OpCode::Call:
      return emitCall(op);
    case OpCode::Check:
      return emitCheck(op);
    case OpCode::Try:
      return inLanes() ? emitLaneTry(op) : emitTry(op);
    case OpCode::Print:
      return emitPrint(op);
    case OpCode::Root:
      return emitRoot(op);
    case OpCode::Spectral:
    case OpCode::SpectralMap:
      return emitSpectral(op);
    default:
      return isLinearAlgebra(op.code) ? emitSolve(op) : emitArrayOp(op);
  }
}

void FunctionEmitter::emitArrayOp(const Op& op) {
  switch (op.code) {
    case OpCode::Const: {
      const ir::Value* result = op.result();
      const ir::Type& type = result->type;
      if (type.isScalar()) {
        setScalar(result, type.isReal()
                              ? f64c(op.attrs.f)
                              : llvm::ConstantInt::get(elemType(type.elem),
                                                       static_cast<uint64_t>(op.attrs.i), true));
        return;
      }
      Val made;
      made.kind = Val::Kind::Buffer;
      made.ptr = m_.constantArray(op);
      for (int64_t dim : type.dims) made.dims.push_back(i64c(dim));
      values_[result] = made;  // a residual is emitted twice
      return;
    }
    case OpCode::Dim:
      return setScalar(op.result(), dimsOf(op.operand(0))[static_cast<size_t>(op.attrs.i)]);
    case OpCode::Index:
      return emitIndex(op);
    case OpCode::Pack:
      return emitPack(op);
    case OpCode::Concat:
      return emitConcat(op);
    case OpCode::Update:
    case OpCode::AddAt:
      return emitUpdate(op);
    case OpCode::UpdateSlice:
    case OpCode::AddSlice:
      return emitUpdateSlice(op);
    case OpCode::ScatterAdd:
      return emitScatterAdd(op);
    case OpCode::Reduce:
      return emitReduce(op);
    case OpCode::ArgExtreme:
      return emitArgExtreme(op);
    case OpCode::Norm:
    case OpCode::Normalize:
      return emitNorm(op);
    case OpCode::ReducePick:
    case OpCode::ReducePickT:
    case OpCode::ArgSort:
    case OpCode::SortPick:
    case OpCode::SortPickT:
      return emitSorting(op);
    case OpCode::ProjSimplex:
    case OpCode::SimplexWeights:
    case OpCode::ProjSoc:
    case OpCode::SocMap:
      return emitVectorProjection(op);
    case OpCode::Einsum:
      if (!plan_.isVirtual(op.result())) return emitEinsum(op);
      break;
    default:
      break;
  }
  // Views: the sizes of the result, by operation.
  Values dims;
  const ir::Value* x = op.operands.empty() ? nullptr : op.operand(0);
  switch (op.code) {
    case OpCode::Fill:
      dims = resultDims(op, 1);
      break;
    case OpCode::Iota:
      dims = resultDims(op, 0);
      break;
    case OpCode::Reshape:
    case OpCode::Broadcast:
      dims = resultDims(op, 1);
      break;
    case OpCode::Slice:
      dims = resultDims(op, 1 + x->type.rank());
      for (size_t k = 0; k < dims.size(); ++k)  // a slice is no longer than what it is cut from
        if (!constantOf(dims[k])) limits_.emplace_back(dims[k], dimsOf(x)[k]);
      break;
    case OpCode::Flip:
      dims = dimsOf(x);
      break;
    case OpCode::Transpose:
      for (int64_t axis : op.attrs.ints) dims.push_back(dimsOf(x)[static_cast<size_t>(axis)]);
      break;
    case OpCode::Gather:
      dims = dimsOf(x);
      dims[0] = dimsOf(op.operand(1))[0];
      break;
    case OpCode::Einsum: {
      dims.resize(op.result()->type.rank());
      const auto& spec = op.attrs.str;
      const std::string result = spec.substr(spec.find("->") + 2);
      const std::string letters[] = {
          spec.substr(0, spec.find(',')),
          spec.substr(spec.find(',') + 1, spec.find("->") - spec.find(',') - 1)};
      for (size_t operand = 0; operand < 2; ++operand)
        for (size_t k = 0; k < letters[operand].size(); ++k)
          if (auto at = result.find(letters[operand][k]); at != std::string::npos)
            dims[at] = dimsOf(op.operand(operand))[k];
      break;
    }
    default:
      dini::check(false, std::string("no code for ") + ir::shape(op.code).mnemonic);
  }
  // An array of one element as a scalar.
  if (op.result()->type.isScalar()) {
    llvm::SmallVector<Index, 4> at(x->type.rank(), fixed(i64c(0)));
    return setScalar(op.result(), x->type.isScalar() ? scalar(x) : element(x, positionOf(at)));
  }
  // A contiguous array under another shape is the same memory.
  if (op.code == OpCode::Reshape && val(x).kind == Val::Kind::Buffer) {
    Val view = val(x);
    view.dims = dims;
    view.owner = false;
    values_[op.result()] = view;
    return;
  }
  setVirtual(op.result(), dims);
  if (!plan_.isVirtual(op.result())) materialiseOp(op);
}

// Sums of a known progression over the lanes and a constant of the lanes are progressions.
void FunctionEmitter::noteAffine(const Op& op, llvm::Value* result,
                                 llvm::ArrayRef<llvm::Value*> operands) {
  if (!isLanes(result) || (op.code != OpCode::IAdd && op.code != OpCode::ISub)) return;
  const auto left = affine_.find(operands[0]), right = affine_.find(operands[1]);
  if (left != affine_.end() && !isLanes(operands[1])) {
    const Index index = left->second;
    llvm::Value* base = op.code == OpCode::IAdd ? b_.CreateAdd(index.base, operands[1])
                                                : b_.CreateSub(index.base, operands[1]);
    affine_[result] = {base, index.step, nullptr};
  } else if (op.code == OpCode::IAdd && right != affine_.end() && !isLanes(operands[0])) {
    const Index index = right->second;
    affine_[result] = {b_.CreateAdd(index.base, operands[0]), index.step, nullptr};
  }
}

// --- values

Val& FunctionEmitter::val(const ir::Value* value) {
  auto found = values_.find(value);
  check(found != values_.end(), "a value is read before it is made");
  return found->second;
}

llvm::Value* FunctionEmitter::scalar(const ir::Value* value) {
  const Val& held = val(value);
  check(held.kind == Val::Kind::Scalar, "a scalar is expected");
  return held.scalar;
}

void FunctionEmitter::setScalar(const ir::Value* value, llvm::Value* result) {
  Val& made = values_[value];
  made = {};
  made.kind = Val::Kind::Scalar;
  made.scalar = result;
}

void FunctionEmitter::setBuffer(const ir::Value* value, const Dest& dest, Storage* storage) {
  Val& made = values_[value];
  made = {};
  made.kind = Val::Kind::Buffer;
  made.ptr = dest.ptr;
  made.dims = dest.dims;
  made.interleaved = dest.interleaved;
  made.storage = storage;
  made.owner = storage != nullptr;
}

void FunctionEmitter::setVirtual(const ir::Value* value, Values dims) {
  Val& made = values_[value];
  made = {};
  made.kind = Val::Kind::Virtual;
  made.dims = std::move(dims);
}

FunctionEmitter::Values FunctionEmitter::dimsOf(const ir::Value* value) {
  Values dims(val(value).dims.begin(), val(value).dims.end());
  for (size_t k = 0; k < value->type.rank(); ++k)
    if (value->type.dims[k] != ir::kDynamic) dims[k] = i64c(value->type.dims[k]);
  return dims;
}

FunctionEmitter::Values FunctionEmitter::resultDims(const Op& op, size_t first) {
  Values dims;
  for (int64_t dim : op.result()->type.dims)
    dims.push_back(dim != ir::kDynamic ? i64c(dim) : scalar(op.operand(first++)));
  return dims;
}

llvm::Value* FunctionEmitter::product(llvm::ArrayRef<llvm::Value*> sizes, size_t from) {
  llvm::Value* total = i64c(1);
  for (size_t k = from; k < sizes.size(); ++k) total = b_.CreateMul(total, sizes[k]);
  return total;
}

std::optional<int64_t> FunctionEmitter::constantOf(llvm::Value* value) const {
  if (auto* constant = llvm::dyn_cast<llvm::ConstantInt>(value)) return constant->getSExtValue();
  return std::nullopt;
}

// --- small helpers

llvm::Type* FunctionEmitter::elemType(ir::Elem elem) {
  return elem == ir::Elem::F64   ? m_.f64
         : elem == ir::Elem::I64 ? m_.i64
                                 : static_cast<llvm::Type*>(m_.i1);
}

llvm::Type* FunctionEmitter::memoryType(ir::Elem elem) {
  return elem == ir::Elem::I1 ? m_.i8 : elemType(elem);
}

llvm::Type* FunctionEmitter::lanesOf(llvm::Type* type) {
  return type->isVectorTy() ? type : llvm::FixedVectorType::get(type, vectorSize());
}

llvm::Value* FunctionEmitter::splat(llvm::Value* value) {
  return isLanes(value) ? value : b_.CreateVectorSplat(vectorSize(), value);
}

llvm::Value* FunctionEmitter::laneNumbers() {
  llvm::SmallVector<uint64_t, 32> numbers;
  for (uint64_t k = 0; k < vectorSize(); ++k) numbers.push_back(k);
  return llvm::ConstantDataVector::get(m_.context, numbers);
}

llvm::Value* FunctionEmitter::lane(llvm::Value* value, int k) {
  return b_.CreateExtractElement(value, static_cast<uint64_t>(k));
}

llvm::Value* FunctionEmitter::any(llvm::Value* mask) {
  const auto size = llvm::cast<llvm::FixedVectorType>(mask->getType())->getNumElements();
  return b_.CreateIsNotNull(b_.CreateBitCast(mask, b_.getIntNTy(size)));
}

llvm::BasicBlock* FunctionEmitter::newBlock(const char* name) {
  return llvm::BasicBlock::Create(m_.context, name, &out_);
}

llvm::Value* FunctionEmitter::entryAlloca(llvm::Type* type, llvm::Value* count, const char* name) {
  llvm::IRBuilder<>::InsertPointGuard guard(b_);
  b_.SetInsertPoint(entry_->getTerminator());
  return b_.CreateAlloca(type, count, name);
}

}  // namespace dini::codegen
