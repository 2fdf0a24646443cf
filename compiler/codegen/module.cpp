// Types, declarations and sites of one LLVM module; the functions of a unit, one after another.
#include "codegen/module.h"

#include <llvm/IR/Verifier.h>
#include <llvm/Support/raw_ostream.h>

#include "base/check.h"
#include "codegen/emitter.h"
#include "dini/linalg.h"
#include "dini/math.h"

namespace dini::codegen {

ModuleEmitter::ModuleEmitter(llvm::LLVMContext& llvm_context, const ir::Module& ir_module,
                             const Target& llvm_target)
    : context(llvm_context),
      module(ir_module),
      target(llvm_target),
      out(std::make_unique<llvm::Module>("dini", llvm_context)),
      f64(llvm::Type::getDoubleTy(context)),
      i64(llvm::Type::getInt64Ty(context)),
      i32(llvm::Type::getInt32Ty(context)),
      i8(llvm::Type::getInt8Ty(context)),
      i1(llvm::Type::getInt1Ty(context)),
      ptr(llvm::PointerType::getUnqual(context)) {
  out->setTargetTriple(target.triple);
  out->setDataLayout(target.data_layout);
}

llvm::Function* ModuleEmitter::functionFor(const ir::Function& function) {
  auto [entry, is_new] = functions_.emplace(&function, nullptr);
  if (!is_new) return entry->second;
  auto* type = llvm::FunctionType::get(i64, {ptr, ptr, ptr, ptr, ptr}, false);
  auto* made = llvm::Function::Create(
      type,
      functions_.size() == 1 ? llvm::Function::ExternalLinkage : llvm::Function::InternalLinkage,
      "dini." + function.name, out.get());
  made->addFnAttr("target-cpu", target.cpu);
  made->addFnAttr("target-features", target.features);
  if (target.vector_lanes == 8) {
    made->addFnAttr("prefer-vector-width", "512");
    made->addFnAttr("min-legal-vector-width", "512");
  }
  made->addFnAttr(llvm::Attribute::NoUnwind);
  for (unsigned k = 0; k < 5; ++k) made->addParamAttr(k, llvm::Attribute::NoAlias);
  entry->second = made;
  pending_.push_back(&function);
  return made;
}

void ModuleEmitter::emitAll(const ir::Function& entry) {
  functionFor(entry);
  while (!pending_.empty()) {
    const ir::Function* next = pending_.back();
    pending_.pop_back();
    FunctionEmitter(*this, *next, *functions_.at(next)).emit();
  }
  std::string message;
  llvm::raw_string_ostream stream(message);
  if (llvm::verifyModule(*out, &stream)) {
    out->print(stream, nullptr);
    check(false, "ill-formed LLVM: " + stream.str());
  }
}

llvm::FunctionCallee ModuleEmitter::runtime(const char* name, llvm::Type* result,
                                            std::vector<llvm::Type*> params) {
  auto callee = out->getOrInsertFunction(name, llvm::FunctionType::get(result, params, false));
  auto* function = llvm::cast<llvm::Function>(callee.getCallee());
  function->addFnAttr(llvm::Attribute::NoUnwind);
  return callee;
}

llvm::FunctionCallee ModuleEmitter::pureRuntime(const std::string& name, llvm::Type* result,
                                                std::vector<llvm::Type*> params) {
  auto callee = out->getOrInsertFunction(name, llvm::FunctionType::get(result, params, false));
  auto* function = llvm::cast<llvm::Function>(callee.getCallee());
  function->addFnAttr(llvm::Attribute::NoUnwind);
  function->addFnAttr(llvm::Attribute::WillReturn);
  function->setDoesNotAccessMemory();
  return callee;
}

int64_t ModuleEmitter::addSite(Site site) {
  sites.push_back(std::move(site));
  return static_cast<int64_t>(sites.size()) - 1;
}

llvm::Value* ModuleEmitter::constantArray(const ir::Op& op) {
  const ir::Type& type = op.result()->type;
  llvm::Constant* data = nullptr;
  if (type.isReal()) {
    data = llvm::ConstantDataArray::get(context, llvm::ArrayRef<double>(*op.attrs.data));
  } else if (type.elem == ir::Elem::I64) {
    std::vector<uint64_t> bits(op.attrs.ints.begin(), op.attrs.ints.end());
    data = llvm::ConstantDataArray::get(context, llvm::ArrayRef<uint64_t>(bits));
  } else {
    std::vector<uint8_t> bytes(op.attrs.ints.begin(), op.attrs.ints.end());
    data = llvm::ConstantDataArray::get(context, llvm::ArrayRef<uint8_t>(bytes));
  }
  if (type.elementCount() == 0) data = llvm::ConstantInt::get(i64, 0);
  auto* global = new llvm::GlobalVariable(*out, data->getType(), true,
                                          llvm::GlobalValue::PrivateLinkage, data, "data");
  global->setAlignment(llvm::Align(64));
  return global;
}

Unit emit(llvm::LLVMContext& context, const ir::Module& module, const ir::Function& function,
          const Target& target) {
  ModuleEmitter emitter(context, module, target);
  emitter.emitAll(function);
  return {std::move(emitter.out), "dini." + function.name, std::move(emitter.sites),
          resolved(emitter.memory, function)};
}

}  // namespace dini::codegen
