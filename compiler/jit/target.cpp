// libmvec, LLVM and the host CPU: what machine code is made for.
#include "jit/target.h"

#include <mutex>

#include <llvm/ADT/SmallString.h>
#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/SmallVectorMemoryBuffer.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/TargetParser/SubtargetFeature.h>
#include <llvm/Transforms/InstCombine/InstCombine.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>
#include <llvm/Transforms/Scalar/SROA.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>

#include "base/check.h"
#include "dini/cpu.h"
#include "dini/math.h"

namespace dini::jit {
namespace {

// What the CPU has and the runtime uses.
std::string hostFeatures() {
  llvm::SubtargetFeatures features;
  for (const auto& feature : llvm::sys::getHostCPUFeatures())
    features.AddFeature(feature.first(), feature.second);
  if (dini_cpu_level() < DINI_CPU_AVX512) features.AddFeature("avx512f", false);
  if (dini_cpu_level() < DINI_CPU_AVX2) features.AddFeature("avx", false);
  return features.getString();
}

llvm::CodeGenOptLevel codegenLevel(OptLevel level) {
  switch (level) {
    case OptLevel::O0:
      return llvm::CodeGenOptLevel::None;
    case OptLevel::O1:
      return llvm::CodeGenOptLevel::Less;
    default:
      return llvm::CodeGenOptLevel::Default;
  }
}

// LLVM's own O2 takes time for what this code does not need: it is made of counted loops over
// vectors already. Its further unrolling gains some per cent in small kernels and doubles the time
// that large functions take to compile.
constexpr size_t kLargeModule = 1500;  // instructions
constexpr const char* kLargePasses =
    "cgscc(inline),function("
    "sroa<modify-cfg>,early-cse<memssa>,simplifycfg,"
    "instcombine<max-iterations=1;no-verify-fixpoint>,"
    "loop-mssa(loop-rotate,licm),simplifycfg,"
    "instcombine<max-iterations=1;no-verify-fixpoint>,"
    "loop(loop-unroll-full),sroa<modify-cfg>,gvn,dse,simplifycfg,"
    "instcombine<max-iterations=1;no-verify-fixpoint>,early-cse)";

}  // namespace

void initialiseTarget() {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
  });
}

std::unique_ptr<llvm::TargetMachine> makeTargetMachine(OptLevel level) {
  return makeTargetMachine(level, "native");
}

std::unique_ptr<llvm::TargetMachine> makeTargetMachine(OptLevel level, const std::string& cpu) {
  initialiseTarget();
  const std::string triple = llvm::sys::getProcessTriple();
  std::string error;
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(triple, error);
  check(target != nullptr, "no LLVM target for this machine: " + error);
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  const bool native = cpu == "native";
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, native ? llvm::sys::getHostCPUName() : llvm::StringRef(cpu),
      native ? hostFeatures() : "", options, llvm::Reloc::PIC_, llvm::CodeModel::Small,
      codegenLevel(level), true));
}

codegen::Target hostTarget() { return targetOf("native"); }

codegen::Target targetOf(const std::string& cpu) {
  const auto machine = makeTargetMachine(OptLevel::O0, cpu);
  codegen::Target target;
  target.triple = machine->getTargetTriple().str();
  target.data_layout = machine->createDataLayout().getStringRepresentation();
  target.cpu = machine->getTargetCPU().str();
  target.features = machine->getTargetFeatureString().str();
  if (cpu == "native") target.vector_lanes = dini_vector_lanes();
  if (cpu == "x86-64-v3") target.vector_lanes = 4;
  if (cpu == "x86-64-v4") target.vector_lanes = 8;
  return target;
}

void optimise(llvm::Module& module, llvm::TargetMachine& machine, OptLevel level) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager graphs;
  llvm::ModuleAnalysisManager modules;
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = false;
  tuning.SLPVectorization = false;
  tuning.LoopInterleaving = false;
  llvm::PassBuilder builder(&machine, tuning);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graphs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graphs, modules);
  llvm::ModulePassManager passes;
  switch (level) {
    case OptLevel::O0:
      passes = builder.buildO0DefaultPipeline(llvm::OptimizationLevel::O0);
      break;
    case OptLevel::O1: {
      llvm::FunctionPassManager cheap;
      cheap.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
      cheap.addPass(llvm::EarlyCSEPass(true));
      cheap.addPass(llvm::InstCombinePass());
      cheap.addPass(llvm::SimplifyCFGPass());
      passes.addPass(llvm::createModuleToFunctionPassAdaptor(std::move(cheap)));
      break;
    }
    default:
      if (module.getInstructionCount() <= kLargeModule)
        passes = builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2);
      else if (auto error = builder.parsePassPipeline(passes, kLargePasses))
        check(false, "jit: " + llvm::toString(std::move(error)));
  }
  passes.run(module, modules);
}

std::unique_ptr<llvm::MemoryBuffer> objectCode(llvm::Module& module, llvm::TargetMachine& machine) {
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  check(!machine.addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::ObjectFile),
        "the target cannot write objects");
  passes.run(module);
  return std::make_unique<llvm::SmallVectorMemoryBuffer>(std::move(bytes), "dini", false);
}

std::string assemblyText(llvm::Module& module, llvm::TargetMachine& machine) {
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream stream(text);
  llvm::legacy::PassManager passes;
  check(!machine.addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::AssemblyFile),
        "the target cannot write assembly");
  passes.run(module);
  return text.str().str();
}

}  // namespace dini::jit
