#include "codegen/emitter.h"
namespace dini::codegen {
bool FunctionEmitter::canRunInLanes(const ir::Op&) { return false; }
void FunctionEmitter::emitLaneMap(const ir::Op&) {}
void FunctionEmitter::emitLaneIf(const ir::Op&) {}
void FunctionEmitter::emitLaneWhile(const ir::Op&) {}
void FunctionEmitter::emitLaneTry(const ir::Op&) {}
void FunctionEmitter::failLanes(llvm::Value*, llvm::Value*, int64_t, const FailureFields&) {}
llvm::Value* FunctionEmitter::activeMask() { return nullptr; }
}
