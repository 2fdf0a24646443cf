// What the functions of one LLVM module share: types, runtime declarations, sites, and the list of
// IR functions still to emit.
#pragma once

#include <map>

#include <llvm/IR/Function.h>
#include <llvm/IR/Module.h>

#include "codegen/codegen.h"

namespace dini::codegen {

class ModuleEmitter {
 public:
  ModuleEmitter(llvm::LLVMContext& llvm_context, const ir::Module& ir_module,
                const Target& llvm_target);

  llvm::LLVMContext& context;
  const ir::Module& module;
  const Target& target;
  std::unique_ptr<llvm::Module> out;
  std::vector<Site> sites;
  std::map<const ir::Function*, MemoryBound> memory;  // of the functions emitted so far

  llvm::Type* f64;
  llvm::IntegerType* i64;
  llvm::IntegerType* i32;
  llvm::IntegerType* i8;
  llvm::IntegerType* i1;
  llvm::PointerType* ptr;

  // The LLVM function of an IR function; it is put on the list when first asked for.
  llvm::Function* functionFor(const ir::Function& function);
  void emitAll(const ir::Function& entry);

  // A runtime function, declared on first use.
  llvm::FunctionCallee runtime(const char* name, llvm::Type* result,
                               std::vector<llvm::Type*> params);
  // A pure one (mathematics): LLVM may drop or merge calls.
  llvm::FunctionCallee pureRuntime(const std::string& name, llvm::Type* result,
                                   std::vector<llvm::Type*> params);
  int64_t addSite(Site site);
  llvm::Value* constantArray(const ir::Op& op);

 private:
  std::map<const ir::Function*, llvm::Function*> functions_;
  std::vector<const ir::Function*> pending_;
};

}  // namespace dini::codegen
