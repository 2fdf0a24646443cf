#include "library/build.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>

#include "base/check.h"
#include "ir/printer.h"
#include "jit/objects.h"

extern char** environ;

namespace dini::library {
namespace {

namespace fs = std::filesystem;

codegen::ExportSite siteOf(session::Session& session, const codegen::Site& site) {
  codegen::ExportSite made;
  made.text = site.code == ir::OpCode::Print ? "" : site.text;
  made.kind = codegen::siteKind(site);
  if (!site.span.valid()) return made;
  const SourceFile& file = session.sources().file(site.span.file);
  const LineColumn at = file.lineColumn(site.span.begin);
  made.file = file.path();
  made.line = at.line;
  made.column = at.column;
  return made;
}

// The position of each name among the exported sizes, as SizeName{position}.
types::Size positioned(const Function& function, const types::Size& size) {
  return size.substitute([&](types::SizeName name) -> std::optional<types::Size> {
    for (size_t k = 0; k < function.sizes.size(); ++k)
      if (function.sizes[k].id == name) return types::Size::named({static_cast<uint32_t>(k)});
    failCheck("a size without a name in the interface");
  });
}

bool readsTape(const Function& function) {
  return function.step == Function::Step::Tangent || function.step == Function::Step::Backward;
}

codegen::Export exportOf(const Function& function, const ir::Function& entry,
                         std::shared_ptr<const codegen::ExportTape> tape) {
  using Step = codegen::Export::Step;
  codegen::Export made;
  made.symbol = function.symbol;
  made.tape_symbol = function.tape_symbol;
  made.step = readsTape(function)                        ? Step::Linear
              : function.step == Function::Step::Forward ? Step::Forward
                                                         : Step::Whole;
  const size_t read = readsTape(function) ? function.residuals : 0;
  const size_t written = made.step == Step::Forward ? function.residuals : 0;
  check(entry.body.args.size() == function.inputs.size() + read, "leaves differ from parameters");
  for (size_t k = 0; k < read; ++k)
    for (const auto& dim : tape->slots[k].dims) made.sizes.push_back(dim.value_or(types::Size(0)));
  if (readsTape(function)) made.tape = std::move(tape);
  int64_t position = 0;
  for (size_t k = 0; k < function.inputs.size(); ++k) {
    const Leaf& leaf = function.inputs[k];
    made.inputs.push_back(leaf.size_argument >= 0 ? ~int64_t{leaf.size_argument} : position++);
    const ir::Type& type = entry.body.args[read + k]->type;
    for (size_t axis = 0; axis < type.rank(); ++axis)
      if (type.dims[axis] == ir::kDynamic)
        made.sizes.push_back(positioned(function, leaf.dims[axis]));
  }
  const auto& yields = entry.body.yields();
  check(yields.size() == function.results.size() + written, "leaves differ from results");
  for (size_t k = 0; k < function.results.size(); ++k) {
    codegen::ExportResult result;
    for (size_t axis = 0; axis < yields[k]->type.rank(); ++axis) {
      result.dims.push_back(positioned(function, function.results[k].dims[axis]));
      result.dynamic.push_back(yields[k]->type.dims[axis] == ir::kDynamic);
    }
    result.element_bytes = yields[k]->type.elem == ir::Elem::I1 ? 1 : 8;
    made.results.push_back(std::move(result));
  }
  return made;
}

// What an int parameter of the entry is in the exported sizes, at most.
std::optional<types::Size> sizeOfInt(const Function& function, const codegen::Export& exported,
                                     size_t parameter) {
  const size_t read = readsTape(function) ? function.residuals : 0;
  if (parameter < read) return exported.tape->slots[parameter].value;
  const int argument = function.inputs[parameter - read].size_argument;
  if (argument < 0) return std::nullopt;
  return types::Size::named({static_cast<uint32_t>(argument)});
}

// Ints that are known from the sizes of the interface join the sizes of the entry; a piece that
// depends on another int, or on a dimension of the tape without a bound, leaves a minimum.
void knowInts(const Function& function, codegen::Export& exported, codegen::MemoryBound& memory) {
  std::vector<bool> unbounded;
  if (readsTape(function))
    for (const codegen::ExportSlot& slot : exported.tape->slots)
      for (const auto& dim : slot.dims) unbounded.push_back(!dim.has_value());
  std::vector<types::Size> known;
  for (const types::Size& piece : memory.pieces) {
    bool all = true;
    known.push_back(piece.substitute([&](types::SizeName name) -> std::optional<types::Size> {
      if (name.id < codegen::MemoryBound::kIntParameter) {
        all = all && !(name.id < unbounded.size() && unbounded[name.id]);
        return std::nullopt;
      }
      const auto found =
          sizeOfInt(function, exported, name.id - codegen::MemoryBound::kIntParameter);
      all = all && found.has_value();
      if (!found) return std::nullopt;
      const types::Size& size = *found;
      auto place = std::find(exported.sizes.begin(), exported.sizes.end(), size);
      if (place == exported.sizes.end()) place = exported.sizes.insert(place, size);
      return types::Size::named({static_cast<uint32_t>(place - exported.sizes.begin())});
    }));
    if (!all) known.pop_back();
    memory.exact = memory.exact && all;
  }
  memory.pieces = std::move(known);
}

// A bound of the first step's code, in its own sizes, in the exported ones.
std::optional<types::Size> outside(const Function& function, const codegen::Export& exported,
                                   const std::optional<types::Size>& bound) {
  if (!bound) return std::nullopt;
  bool all = true;
  const types::Size made =
      bound->substitute([&](types::SizeName name) -> std::optional<types::Size> {
        if (name.id < codegen::MemoryBound::kIntParameter) return exported.sizes[name.id];
        const auto found =
            sizeOfInt(function, exported, name.id - codegen::MemoryBound::kIntParameter);
        all = all && found.has_value();
        return found.value_or(types::Size(0));
      });
  return all ? std::optional(made) : std::nullopt;
}

// Of the text of all three steps, so that no other code's tape is taken for one of theirs.
int64_t hashOf(const std::vector<std::string>& texts) {
  uint64_t sum = 14695981039346656037u;
  for (const std::string& text : texts)
    for (const char c : text) sum = (sum ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return static_cast<int64_t>(sum | 1);
}

// What the first step leaves for the others. Their parameters get the types that its results have.
std::shared_ptr<codegen::ExportTape> tapeOf(Function& function, const ir::Function& entry,
                                            const codegen::Export& exported,
                                            const codegen::MemoryBound& memory,
                                            std::span<Function> others) {
  auto made = std::make_shared<codegen::ExportTape>();
  made->exported_sizes = static_cast<int64_t>(function.sizes.size());
  for (size_t k = 0; k < function.residuals; ++k) {
    const size_t result = function.results.size() + k;
    const ir::Type& type = entry.body.yields()[result]->type;
    codegen::ExportSlot slot;
    slot.element_bytes = type.elem == ir::Elem::I1 ? 1 : 8;
    size_t dynamic = 0;
    for (const int64_t dim : type.dims) {
      if (dim != ir::kDynamic) {
        slot.count *= dim;
        continue;
      }
      slot.dims.push_back(outside(function, exported, memory.results[result].dims[dynamic++]));
      function.exact_tape = function.exact_tape && slot.dims.back().has_value();
    }
    slot.value = outside(function, exported, memory.results[result].value);
    made->slots.push_back(std::move(slot));
    for (Function& other : others) other.part->body.args[k]->type = type;
  }
  std::vector<std::string> texts{function.symbol, ir::print(entry)};
  for (const Function& other : others) texts.push_back(ir::print(*other.part));
  made->hash = hashOf(texts);
  return made;
}

// Runs a program found on PATH; its exit code, -1 where it cannot be started.
int runProgram(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t child = 0;
  if (posix_spawnp(&child, arguments[0], nullptr, nullptr, arguments.data(), environ) != 0)
    return -1;
  int status = 0;
  if (waitpid(child, &status, 0) < 0 || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

// The linker is reached through whichever C compiler there is.
BuildFailure link(const std::vector<std::string>& arguments) {
  for (const char* compiler : {"cc", "clang-19", "clang", "gcc"}) {
    std::vector<std::string> command{compiler};
    command.insert(command.end(), arguments.begin(), arguments.end());
    const int code = runProgram(command);
    if (code == 0) return {};
    if (code != -1 && code != 127)
      return {fmt::format("`{}` could not link the library", compiler), ""};
  }
  return {"there is no C compiler to link the shared library with",
          "install one, such as the package `clang-19` or `gcc`; the static library is written"};
}

// Files that are made on the way and go again.
class Scratch {
 public:
  explicit Scratch(fs::path folder) : folder_(std::move(folder)) {
    fs::create_directories(folder_);
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::string file(const std::string& name) const { return (folder_ / name).string(); }

 private:
  fs::path folder_;
};

// Only the functions of the library and what its users call themselves can be seen from outside.
std::string versionScript(const Library& library) {
  std::string text = "{\n  global:\n    dini_init;\n    dini_status_text;\n";
  for (const Function& function : library.functions) {
    text += fmt::format("    {0};\n    {0}_work_bytes;\n", function.symbol);
    if (!function.tape_symbol.empty()) text += fmt::format("    {};\n", function.tape_symbol);
  }
  return text + "  local: *;\n};\n";
}

BuildFailure writeText(const fs::path& path, const std::string& text) {
  std::error_code failure;
  fs::create_directories(path.parent_path(), failure);
  const std::string error = jit::writeFile(path.string(), text);
  if (error.empty()) return {};
  return {fmt::format("`{}`: {}", path.string(), error), ""};
}

BuildFailure writeTexts(const Library& library, const fs::path& folder) {
  std::error_code failure;
  const std::string absolute = fs::absolute(folder, failure).lexically_normal().string();
  std::vector<std::pair<std::string, std::string>> files = {
      {"include/" + library.name + ".h", cHeader(library)},
      {"include/" + library.name + ".hpp", cppHeader(library)},
      {"lib/pkgconfig/" + library.name + ".pc", pkgConfig(library, absolute)},
      {fmt::format("lib/cmake/{0}/{0}Config.cmake", library.name), cmakePackage(library)}};
  for (const EmbeddedText& header : runtimeHeaders()) {
    const std::string extension = header.name == "library" ? ".hpp" : ".h";
    files.emplace_back(fmt::format("include/dini/{}{}", header.name, extension),
                       std::string(header.text));
  }
  for (const auto& [name, text] : files)
    if (BuildFailure failed = writeText(folder / name, text); !failed.message.empty())
      return failed;
  return {};
}

BuildFailure writeBinaries(const Library& library, const std::vector<jit::Object>& objects,
                           const BuildOptions& options) {
  const fs::path lib = fs::path(options.folder) / "lib";
  std::vector<jit::Object> members = objects;
  const std::vector<jit::Object> runtime = jit::readArchive(options.runtime);
  if (runtime.empty())
    return {fmt::format("the runtime `{}` cannot be read", options.runtime),
            "it lies beside the compiler: `lib/` next to `bin/`"};
  members.insert(members.end(), runtime.begin(), runtime.end());
  const std::string archive = (lib / ("lib" + library.name + ".a")).string();
  std::error_code ignored;
  fs::remove(archive, ignored);
  if (const std::string error = jit::writeArchive(archive, members); !error.empty())
    return {fmt::format("`{}`: {}", archive, error), ""};

  const Scratch scratch(lib / (".dini-" + library.name));
  std::vector<std::string> files;
  for (const jit::Object& object : objects) {
    files.push_back(scratch.file(object.name));
    if (const std::string error = jit::writeFile(files.back(), object.bytes); !error.empty())
      return {fmt::format("`{}`: {}", files.back(), error), ""};
  }
  std::vector<std::string> whole{"-r", "-nostdlib", "-o", (lib / (library.name + ".o")).string()};
  whole.insert(whole.end(), files.begin(), files.end());
  if (BuildFailure failed = link(whole); !failed.message.empty()) return failed;
  const std::string script = scratch.file("exports.map");
  jit::writeFile(script, versionScript(library));
  std::vector<std::string> shared{"-shared",
                                  "-o",
                                  (lib / ("lib" + library.name + ".so")).string(),
                                  "-Wl,--version-script=" + script,
                                  "-Wl,-soname,lib" + library.name + ".so",
                                  "-Wl,-z,noexecstack",
                                  "-Wl,--no-undefined",
                                  // What users call themselves comes along though no function does.
                                  "-Wl,-u,dini_init",
                                  "-Wl,-u,dini_status_text",
                                  "-Wl,--as-needed"};
  shared.insert(shared.end(), files.begin(), files.end());
  shared.insert(shared.end(), {options.runtime, "-lmvec", "-lm", "-ldl", "-lgcc"});
  return link(shared);
}

// Object files of the functions: code per CPU, and tables.
class Compilation {
 public:
  Compilation(session::Session& session, jit::OptLevel level, const std::vector<std::string>& cpus)
      : session_(session), level_(level), cpus_(cpus) {}

  std::vector<jit::Object> all(std::span<Function> functions) {
    for (size_t k = 0; k < functions.size(); ++k) {
      Function& function = functions[k];
      // The steps that read a tape stand behind the one that writes it.
      const bool forward = function.step == Function::Step::Forward;
      std::span<Function> others = functions.subspan(k + 1, forward ? 2 : 0);
      lower::Lowerer& lowerer = function.probed ? session_.probeLowerer() : session_.lowerer();
      codegen::Export exported = compiled(function, lowerer, *function.lowered, "", others);
      if (function.probe != nullptr)
        exported.probe = std::make_shared<codegen::Export>(
            compiled(function, session_.probeLowerer(), *function.probe, "_probe", {}));
      objects_.push_back(jit::compileExport(exported));
    }
    return std::move(objects_);
  }

 private:
  codegen::Export compiled(Function& function, lower::Lowerer& lowerer, const ir::Function& entry,
                           const std::string& suffix, std::span<Function> others) {
    const session::Prepared prepared = session::prepare(lowerer.module(), entry);
    codegen::Export exported = exportOf(function, *prepared.function, tape_);
    for (const std::string& cpu : cpus_) {
      codegen::ExportVariant variant;
      variant.cpu_level = jit::cpuLevel(cpu);
      variant.symbol = fmt::format("dini_{}{}_{}", function.symbol, suffix, variant.cpu_level);
      std::vector<codegen::Site> sites;
      objects_.push_back(jit::compileEntry(prepared.module, *prepared.function, cpu, level_,
                                           variant.symbol, variant.memory, sites));
      if (function.step == Function::Step::Forward && exported.tape == nullptr)
        exported.tape = tape_ =
            tapeOf(function, *prepared.function, exported, variant.memory, others);
      knowInts(function, exported, variant.memory);
      for (const codegen::Site& site : sites) variant.sites.push_back(siteOf(session_, site));
      function.exact_work = function.exact_work && variant.memory.exact;
      exported.variants.push_back(std::move(variant));
    }
    return exported;
  }

  session::Session& session_;
  jit::OptLevel level_;
  const std::vector<std::string>& cpus_;
  std::vector<jit::Object> objects_;
  std::shared_ptr<const codegen::ExportTape> tape_;  // of the Forward step before
};

}  // namespace

BuildFailure build(Library& library, session::Session& session, const BuildOptions& options) {
  std::error_code failure;
  fs::create_directories(fs::path(options.folder) / "lib", failure);
  if (failure) return {fmt::format("`{}`: {}", options.folder, failure.message()), ""};
  std::vector<std::string> cpus = options.cpus;
  std::sort(cpus.begin(), cpus.end(), [](const std::string& a, const std::string& b) {
    return jit::cpuLevel(a) > jit::cpuLevel(b);
  });
  const std::vector<jit::Object> objects =
      Compilation(session, options.level, cpus).all(library.functions);
  if (BuildFailure failed = writeTexts(library, options.folder); !failed.message.empty())
    return failed;
  return writeBinaries(library, objects, options);
}

}  // namespace dini::library
