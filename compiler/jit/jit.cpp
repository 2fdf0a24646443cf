// One session of LLVM's JIT linker, a cache of compiled functions, and runs.
#include "jit/jit.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/Support/raw_ostream.h>

#include "base/check.h"
#include "base/large_stack.h"
#include "dini/status.h"
#include "ir/printer.h"
#include "ir/text.h"
#include "ir/type_rules.h"
#include "ir/walk.h"
#include "jit/object_cache.h"
#include "jit/status.h"
#include "jit/target.h"
#include "jit/workspace.h"

namespace dini::jit {

using ir::Tensor;

namespace {

constexpr int64_t kMaxDepth = 10'000;
constexpr size_t kCallStack = size_t{1} << 30;  // deep enough for kMaxDepth calls

template <class T>
T expected(llvm::Expected<T> value) {
  if (!value) check(false, "jit: " + llvm::toString(value.takeError()));
  return std::move(*value);
}

using Entry = int64_t (*)(const void* const* in, void* const* out, const int64_t* sizes, void* work,
                          dini_run* info);

struct Compiled {
  Entry entry = nullptr;
  std::vector<codegen::Site> sites;
  bool calls = false;
};

// `function` and what it calls, each once.
std::vector<const ir::Function*> reachable(const ir::Module& module, const ir::Function& function) {
  std::vector<const ir::Function*> found{&function};
  for (size_t k = 0; k < found.size(); ++k)
    ir::walk(found[k]->body, [&](const ir::Op& op) {
      if (op.code != ir::OpCode::Call) return;
      const ir::Function* callee = module.find(op.attrs.str);
      if (std::find(found.begin(), found.end(), callee) == found.end()) found.push_back(callee);
    });
  return found;
}

// The text of the code and the places it came from, which statuses show.
std::string cacheKey(const std::vector<const ir::Function*>& functions, OptLevel level) {
  std::string key = fmt::format("O{}\n", static_cast<int>(level));
  for (const ir::Function* function : functions) {
    key += ir::print(*function);
    ir::walk(function->body, [&](const ir::Op& op) {
      if (ir::isElementwise(op.code) && op.code != ir::OpCode::ReportTie) return;
      key += fmt::format("{}:{}-{} ", op.span.file.index, op.span.begin, op.span.end);
    });
  }
  return key;
}

struct PrintContext {
  const Compiled* code;
  const RunOptions* options;
  dini_notes notes{0, 1, -1, -1};
};

Tensor tensorAt(const ir::Type& type, const void* data) {
  Tensor tensor = Tensor::zeros(type);
  const auto bytes = static_cast<size_t>(tensor.size()) * (type.elem == ir::Elem::I1 ? 1 : 8);
  if (bytes > 0) std::memcpy(tensor.data(), data, bytes);
  return tensor;
}

ir::Type withSizes(ir::Type type, const int64_t*& sizes) {
  for (int64_t& dim : type.dims)
    if (dim == ir::kDynamic) dim = *sizes++;
  return type;
}

void printLine(void* context, int64_t site_number, const void* const* values,
               const int64_t* sizes) {
  const auto& print = *static_cast<PrintContext*>(context);
  if (!print.options->print) return;
  if (print.notes.tie != 0 && !print.options->decided) return;  // void: the run is repeated
  const codegen::Site& site = print.code->sites[static_cast<size_t>(site_number)];
  std::vector<Tensor> tensors;
  for (size_t k = 0; k < site.types.size(); ++k)
    tensors.push_back(tensorAt(withSizes(site.types[k], sizes), values[k]));
  print.options->print(ir::formatLine(site.text, tensors));
}

void reportTie(void* context, int64_t site_number, int64_t kind, double value, double weight,
               int64_t element) {
  const auto& print = *static_cast<PrintContext*>(context);
  if (print.options->notes == nullptr) return;
  const codegen::Site& site = print.code->sites[static_cast<size_t>(site_number)];
  print.options->notes->addTie({site.span, site.text, site.clarke, static_cast<ir::TieKind>(kind),
                                element, value, weight});
}

void takeNotes(const PrintContext& context) {
  ir::RunNotes* notes = context.options->notes;
  if (notes == nullptr) return;
  notes->tie |= context.notes.tie != 0;
  notes->residual = std::max(notes->residual, context.notes.residual);
  if (context.notes.rcond_site < 0 || !(context.notes.rcond < notes->rcond)) return;
  notes->rcond = context.notes.rcond;
  notes->system_span = context.code->sites[static_cast<size_t>(context.notes.rcond_site)].span;
}

ir::StatusInfo statusOf(const Compiled& code, const dini_run& info) {
  ir::StatusInfo status = statusFrom(info);
  if (info.site >= 0) {
    const codegen::Site& site = code.sites[static_cast<size_t>(info.site)];
    status.span = site.span;
    status.text = site.text;
    if (status.status == ir::Status::NotConverged && site.code == ir::OpCode::Root)
      status.text = ir::solverReason(info.reason);
  }
  return status;
}

}  // namespace

struct Jit::State {
  explicit State(const std::filesystem::path& cache_folder);
  const Compiled& compile(const ir::Module& module, const ir::Function& function, OptLevel level);
  codegen::Unit optimised(llvm::LLVMContext& context, const ir::Module& module,
                          const ir::Function& function, OptLevel level);
  // From the cache on disk, else compiled and put there.
  CachedObject objectOf(const std::string& key, const ir::Module& module,
                        const ir::Function& function, OptLevel level);
  llvm::TargetMachine& machine(OptLevel level);
  // What a call starts with.
  dini_run freshInfo(PrintContext& print);

  codegen::Target target;
  std::map<OptLevel, std::unique_ptr<llvm::TargetMachine>> machines;
  std::unique_ptr<llvm::orc::LLJIT> session;
  std::map<std::string, Compiled> cache;
  Workspace workspace;
  ObjectCache disk;
};

Jit::State::State(const std::filesystem::path& cache_folder) : disk(cache_folder) {
  initialiseTarget();
  target = hostTarget();
  session = expected(llvm::orc::LLJITBuilder().create());
  llvm::orc::SymbolMap symbols;
  for (const codegen::RuntimeSymbol& symbol : codegen::runtimeSymbols())
    symbols[session->mangleAndIntern(symbol.name)] = {
        llvm::orc::ExecutorAddr::fromPtr(symbol.address), llvm::JITSymbolFlags::Exported};
  auto& library = session->getMainJITDylib();
  if (auto error = library.define(llvm::orc::absoluteSymbols(std::move(symbols))))
    check(false, "jit: " + llvm::toString(std::move(error)));
}

llvm::TargetMachine& Jit::State::machine(OptLevel level) {
  auto& made = machines[level];
  if (!made) made = makeTargetMachine(level);
  return *made;
}

dini_run Jit::State::freshInfo(PrintContext& print) {
  static constexpr uint8_t kNever = 0;
  const std::atomic<bool>* interrupt = print.options->interrupt;
  dini_run info{};
  info.cancel = interrupt ? reinterpret_cast<const volatile uint8_t*>(interrupt) : &kNever;
  info.work_end = workspace.end();
  info.depth_left = kMaxDepth - 1;
  info.member = -1;
  info.context = &print;
  info.print = printLine;
  info.notes = &print.notes;
  info.report = reportTie;
  info.site = -1;
  return info;
}

codegen::Unit Jit::State::optimised(llvm::LLVMContext& context, const ir::Module& module,
                                    const ir::Function& function, OptLevel level) {
  codegen::Unit unit = codegen::emit(context, module, function, target);
  optimise(*unit.module, machine(level), level);
  return unit;
}

const Compiled& Jit::State::compile(const ir::Module& module, const ir::Function& function,
                                    OptLevel level) {
  const auto functions = reachable(module, function);
  const auto [entry, is_new] = cache.emplace(cacheKey(functions, level), Compiled{});
  Compiled& code = entry->second;
  if (!is_new && code.entry != nullptr) return code;
  CachedObject made = objectOf(entry->first, module, function, level);
  auto object = llvm::MemoryBuffer::getMemBufferCopy(made.object, made.entry);
  if (auto error = session->addObjectFile(std::move(object)))
    check(false, "jit: " + llvm::toString(std::move(error)));
  code.entry = expected(session->lookup(made.entry)).toPtr<Entry>();
  code.sites = std::move(made.sites);
  ir::walk(function.body, [&](const ir::Op& op) { code.calls |= op.code == ir::OpCode::Call; });
  return code;
}

CachedObject Jit::State::objectOf(const std::string& key, const ir::Module& module,
                                  const ir::Function& function, OptLevel level) {
  const std::string name = disk.enabled() ? disk.nameOf(key, target) : "";
  if (auto found = disk.find(name)) return std::move(*found);
  llvm::LLVMContext context;
  codegen::Unit unit = optimised(context, module, function, level);
  CachedObject made;
  made.entry = "dini_entry_" + (disk.enabled() ? name : std::to_string(cache.size()));
  unit.module->getFunction(unit.entry)->setName(made.entry);
  made.object = objectCode(*unit.module, machine(level))->getBuffer().str();
  made.sites = std::move(unit.sites);
  disk.store(name, made);
  return made;
}

Jit::Jit(const std::filesystem::path& cache_folder)
    : state_(std::make_unique<State>(cache_folder)) {}
Jit::~Jit() = default;

ir::Outcome Jit::run(const ir::Module& module, const ir::Function& function,
                     std::span<const Tensor> arguments, const RunOptions& options) {
  check(arguments.size() == function.body.args.size(), "wrong number of arguments");
  const Compiled& code = state_->compile(module, function, options.level);
  static constexpr int64_t kNothing[8] = {};
  std::vector<const void*> in;
  std::vector<int64_t> sizes{0};
  sizes.clear();
  for (size_t k = 0; k < arguments.size(); ++k) {
    const ir::Type& declared = function.body.args[k]->type;
    check(ir::compatible(arguments[k].type, declared),
          "an argument does not have the parameter's type");
    in.push_back(arguments[k].size() > 0 ? arguments[k].data() : kNothing);
    for (size_t axis = 0; axis < declared.rank(); ++axis)
      if (declared.dims[axis] == ir::kDynamic) sizes.push_back(arguments[k].type.dims[axis]);
  }
  const auto& yields = function.body.yields();
  std::vector<Tensor> results(yields.size());
  std::vector<std::vector<int64_t>> descriptors(yields.size());
  std::vector<void*> out;
  int64_t spare[8] = {};
  for (size_t k = 0; k < yields.size(); ++k) {
    if (yields[k]->type.isStatic()) {
      results[k] = Tensor::zeros(yields[k]->type);
      out.push_back(results[k].size() > 0 ? results[k].data() : spare);
    } else {
      descriptors[k].resize(1 + yields[k]->type.rank());
      out.push_back(descriptors[k].data());
    }
  }
  PrintContext print{&code, &options};
  dini_run info = state_->freshInfo(print);
  int64_t status = 0;
  // Compiled code carries no signature in front of its entry for the sanitizer to compare.
  const auto call = [&]() __attribute__((no_sanitize("function"))) {
    status = code.entry(in.data(), out.data(), sizes.data(), state_->workspace.begin(), &info);
  };
  if (code.calls)
    runOnLargeStack(kCallStack, call);
  else
    call();
  takeNotes(print);
  if (status != DINI_OK) {
    state_->workspace.trim();
    return statusOf(code, info);
  }
  for (size_t k = 0; k < yields.size(); ++k) {
    if (yields[k]->type.isStatic()) continue;
    const int64_t* next = descriptors[k].data() + 1;
    results[k] = tensorAt(withSizes(yields[k]->type, next),
                          reinterpret_cast<const void*>(descriptors[k][0]));
  }
  state_->workspace.trim();
  return results;
}

Jit::Callable Jit::compile(const ir::Module& module, const ir::Function& function,
                           const RunOptions& options) {
  const Compiled& code = state_->compile(module, function, options.level);
  const auto isStatic = [](const ir::Value* value) { return value->type.isStatic(); };
  const auto& parameters = function.body.args;
  const auto& yields = function.body.yields();
  check(std::all_of(parameters.begin(), parameters.end(), isStatic) &&
            std::all_of(yields.begin(), yields.end(), isStatic),
        "a callable has static types");
  return [&code, &state = *state_, options](const void* const* in, void* const* out) {
    PrintContext print{&code, &options};
    dini_run info = state.freshInfo(print);
    int64_t status = 0;
    const auto call = [&]() __attribute__((no_sanitize("function"))) {
      status = code.entry(in, out, nullptr, state.workspace.begin(), &info);
    };
    if (code.calls)
      runOnLargeStack(kCallStack, call);
    else
      call();
    return static_cast<ir::Status>(status);
  };
}

std::string Jit::llvmText(const ir::Module& module, const ir::Function& function, OptLevel level) {
  llvm::LLVMContext context;
  const codegen::Unit unit = state_->optimised(context, module, function, level);
  std::string text;
  llvm::raw_string_ostream stream(text);
  unit.module->print(stream, nullptr);
  return stream.str();
}

std::string Jit::assembly(const ir::Module& module, const ir::Function& function, OptLevel level) {
  llvm::LLVMContext context;
  const codegen::Unit unit = state_->optimised(context, module, function, level);
  return assemblyText(*unit.module, state_->machine(level));
}

}  // namespace dini::jit
