// Projections and their derivatives: calls of the runtime on arrays in memory.
#include "dini/projections.h"

#include "codegen/emitter.h"

namespace dini::codegen {

using ir::Op;
using ir::OpCode;

// The array of an optional operand, null where it is left out.
llvm::Value* FunctionEmitter::decisionPointer(const Op& op, size_t operand) {
  if (operand >= op.operands.size()) return llvm::ConstantPointerNull::get(m_.ptr);
  return inMemory(op.operand(operand)).ptr;
}

void FunctionEmitter::emitVectorProjection(const Op& op) {
  const Val v = inMemory(op.operand(0));
  llvm::Value* n = dimsOf(op.operand(0))[0];
  const Buffer out = allocate(op.result(), {n});
  llvm::Type* none = llvm::Type::getVoidTy(m_.context);
  const auto call = [&](const char* name, const Values& arguments) {
    std::vector<llvm::Type*> params;
    for (llvm::Value* argument : arguments) params.push_back(argument->getType());
    b_.CreateCall(m_.runtime(name, none, params), arguments);
  };
  const auto decisions = [&](size_t first, size_t stride) {
    return i64c(static_cast<int64_t>((op.operands.size() - first) / stride));
  };
  const auto radius = [&](size_t k) {
    return k < op.operands.size() ? scalar(op.operand(k)) : f64c(0);
  };
  switch (op.code) {
    case OpCode::ProjSimplex:
      call("dini_proj_simplex", {n, v.ptr, radius(1), out.dest.ptr, temporaryDoubles(n)});
      break;
    case OpCode::SimplexWeights:
      call("dini_simplex_weights",
           {f64c(op.attrs.f), n, v.ptr, radius(1), decisions(2, 2), decisionPointer(op, 2),
            radius(3), decisionPointer(op, 4), radius(5), out.dest.ptr,
            temporaryDoubles(b_.CreateMul(n, i64c(3)))});
      break;
    case OpCode::ProjSoc:
      call("dini_proj_soc", {n, v.ptr, out.dest.ptr});
      break;
    default:
      call("dini_soc_map", {f64c(op.attrs.f), n, v.ptr, decisions(2, 1), decisionPointer(op, 2),
                            decisionPointer(op, 3), inMemory(op.operand(1)).ptr, out.dest.ptr});
  }
  setBuffer(op.result(), out.dest, out.storage);
}

void FunctionEmitter::emitSpectral(const Op& op) {
  const bool map = op.code == OpCode::SpectralMap;
  const std::string& name = op.attrs.str;
  const int64_t kind = name == "project"     ? DINI_SPECTRAL_PROJECT
                       : name == "projector" ? DINI_SPECTRAL_PROJECTOR
                       : name == "tangent"   ? DINI_SPECTRAL_TANGENT
                                             : DINI_SPECTRAL_GAP;
  llvm::Value* n = dimsOf(op.operand(1))[0];
  const Val a = inMemory(op.operand(0)), w = inMemory(op.operand(1)), v = inMemory(op.operand(2));
  const size_t first = map ? 4 : 3;
  llvm::Value* c = decisionPointer(op, map ? 3 : op.operands.size());
  const Values decided{decisionPointer(op, first), decisionPointer(op, first + 1)};
  const Buffer out = allocate(op.result(), {n, n});
  llvm::Value* work = workFor("dini_spectral_work", {n},
                              [](const auto& sizes) { return dini_spectral_work(sizes[0]); });
  const llvm::FunctionCallee function =
      m_.runtime("dini_spectral", m_.i32,
                 {m_.i64, m_.f64, m_.i64, m_.ptr, m_.ptr, m_.ptr, m_.ptr, m_.i64, m_.ptr, m_.ptr,
                  m_.ptr, m_.ptr});
  llvm::Value* status = b_.CreateCall(
      function,
      {i64c(kind), f64c(op.attrs.f), n, a.ptr, w.ptr, v.ptr, c,
       i64c(static_cast<int64_t>(op.operands.size() - first)), decided[0], decided[1],
       out.dest.ptr, work});
  requireRuntime(status, op, nullptr);
  setBuffer(op.result(), out.dest, out.storage);
}

}  // namespace dini::codegen
