#include "jit/library_engine.h"

#include <cstring>
#include <vector>

#include <fmt/format.h>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>

#include "base/check.h"
#include "dini/library.h"
#include "ir/ir.h"
#include "jit/objects.h"
#include "jit/status.h"
#include "jit/target.h"

namespace dini::jit {

using ir::Tensor;

namespace {

template <class T>
T expected(llvm::Expected<T> value) {
  if (!value) check(false, "library engine: " + llvm::toString(value.takeError()));
  return std::move(*value);
}

using Call = int (*)(const void* const*, void* const*, const int64_t*, void*, dini_info*);
using WorkBytes = size_t (*)(const int64_t*);

// Every dynamic dimension is a size of the interface. A site's line is its number, from 1.
codegen::Export interfaceOf(const ir::Function& function, const std::string& symbol,
                            codegen::ExportVariant variant) {
  codegen::Export made;
  made.symbol = symbol;
  uint32_t sizes = 0;
  for (size_t k = 0; k < function.body.args.size(); ++k) {
    made.inputs.push_back(static_cast<int64_t>(k));
    for (const int64_t dim : function.body.args[k]->type.dims)
      if (dim == ir::kDynamic) made.sizes.push_back(types::Size::named({sizes++}));
  }
  for (const ir::Value* result : function.body.yields()) {
    codegen::ExportResult one;
    for (const int64_t dim : result->type.dims) one.dims.emplace_back(dim);
    one.dynamic.assign(one.dims.size(), false);
    made.results.push_back(std::move(one));
  }
  made.variants.push_back(std::move(variant));
  return made;
}

ir::StatusInfo statusOf(const dini_info& info, const std::vector<codegen::Site>& sites) {
  ir::StatusInfo status = statusFrom(info);
  status.text = info.text;
  if (info.line > 0) {
    const codegen::Site& site = sites[static_cast<size_t>(info.line - 1)];
    status.span = site.span;
  }
  return status;
}

}  // namespace

struct LibraryEngine::State {
  std::unique_ptr<llvm::orc::LLJIT> session;
  int made = 0;
  void add(const Object& object) {
    if (auto error = session->addObjectFile(
            llvm::MemoryBuffer::getMemBufferCopy(object.bytes, object.name)))
      check(false, "library engine: " + llvm::toString(std::move(error)));
  }
};

LibraryEngine::LibraryEngine() : state_(std::make_unique<State>()) {
  initialiseTarget();
  state_->session = expected(llvm::orc::LLJITBuilder().create());
  llvm::orc::SymbolMap symbols;
  const auto define = [&](const char* name, void* address) {
    symbols[state_->session->mangleAndIntern(name)] = {llvm::orc::ExecutorAddr::fromPtr(address),
                                                       llvm::JITSymbolFlags::Exported};
  };
  for (const codegen::RuntimeSymbol& symbol : codegen::runtimeSymbols())
    define(symbol.name, symbol.address);
  define("dini_library_call", reinterpret_cast<void*>(&dini_library_call));
  define("dini_library_work", reinterpret_cast<void*>(&dini_library_work));
  if (auto error = state_->session->getMainJITDylib().define(
          llvm::orc::absoluteSymbols(std::move(symbols))))
    check(false, "library engine: " + llvm::toString(std::move(error)));
}

LibraryEngine::~LibraryEngine() = default;

std::optional<ir::Outcome> LibraryEngine::run(const ir::Module& module,
                                              const ir::Function& function,
                                              std::span<const Tensor> arguments,
                                              const RunOptions& options) {
  for (const ir::Value* result : function.body.yields())
    if (!result->type.isStatic()) return std::nullopt;
  const std::string symbol = fmt::format("exported_{}", state_->made++);
  codegen::ExportVariant variant;
  variant.symbol = "dini_" + symbol;
  variant.cpu_level = cpuLevel("native");
  std::vector<codegen::Site> sites;
  state_->add(compileEntry(module, function, "native", options.level, variant.symbol,
                           variant.memory, sites));
  for (size_t k = 0; k < sites.size(); ++k)
    variant.sites.push_back({"", sites[k].text, static_cast<int64_t>(k) + 1, 1,
                             codegen::siteKind(sites[k])});
  // What depends on an int argument is left to the caller's second try.
  bool exact = variant.memory.exact;
  std::erase_if(variant.memory.pieces, [&](const types::Size& piece) {
    const auto names = piece.names();
    const bool unknown = std::any_of(names.begin(), names.end(), [](types::SizeName name) {
      return name.id >= codegen::MemoryBound::kIntParameter;
    });
    exact = exact && !unknown;
    return unknown;
  });
  state_->add(compileExport(interfaceOf(function, symbol, std::move(variant))));
  const auto call = expected(state_->session->lookup(symbol)).toPtr<Call>();
  const auto bytes = expected(state_->session->lookup(symbol + "_work_bytes")).toPtr<WorkBytes>();

  static constexpr int64_t kNothing[8] = {};
  int64_t spare[8] = {};
  std::vector<const void*> in;
  std::vector<int64_t> sizes;
  for (size_t k = 0; k < arguments.size(); ++k) {
    in.push_back(arguments[k].size() > 0 ? arguments[k].data() : kNothing);
    const ir::Type& declared = function.body.args[k]->type;
    for (size_t axis = 0; axis < declared.rank(); ++axis)
      if (declared.dims[axis] == ir::kDynamic) sizes.push_back(arguments[k].type.dims[axis]);
  }
  std::vector<Tensor> results;
  std::vector<void*> out;
  for (const ir::Value* result : function.body.yields()) {
    results.push_back(Tensor::zeros(result->type));
    out.push_back(results.back().size() > 0 ? results.back().data() : spare);
  }
  dini_info info{};
  if (options.interrupt != nullptr)
    info.cancel = reinterpret_cast<const volatile uint8_t*>(options.interrupt);
  // A minimum is raised until it is enough, as a caller would.
  for (size_t given = bytes(sizes.data());; given *= 4) {
    std::vector<char> work(given);
    info.work_bytes = given;
    const auto run = [&]() __attribute__((no_sanitize("function"))) {
      return call(in.data(), out.data(), sizes.data(), work.data(), &info);
    };
    const int status = run();
    if (options.notes != nullptr) options.notes->tie |= info.tie != 0;
    if (status == DINI_MEMORY && !exact && given < (size_t{1} << 32)) continue;
    if (status == DINI_OK) return results;
    return statusOf(info, sites);
  }
}

}  // namespace dini::jit
