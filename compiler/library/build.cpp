#include "library/build.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>

#include "base/check.h"
#include "jit/objects.h"

extern char** environ;

namespace dini::library {
namespace {

namespace fs = std::filesystem;

codegen::ExportSite siteOf(session::Session& session, const codegen::Site& site) {
  codegen::ExportSite made;
  made.text = site.code == ir::OpCode::Print ? "" : site.text;
  made.is_root = site.code == ir::OpCode::Root;
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
      if (function.sizes[k].id == name)
        return types::Size::named({static_cast<uint32_t>(k)});
    failCheck("a size without a name in the interface");
  });
}

codegen::Export exportOf(const Function& function, const ir::Function& entry) {
  codegen::Export made;
  made.symbol = function.symbol;
  check(entry.body.args.size() == function.inputs.size(), "leaves differ from parameters");
  int64_t position = 0;
  for (size_t k = 0; k < function.inputs.size(); ++k) {
    const Leaf& leaf = function.inputs[k];
    made.inputs.push_back(leaf.size_argument >= 0 ? ~int64_t{leaf.size_argument} : position++);
    const ir::Type& type = entry.body.args[k]->type;
    for (size_t axis = 0; axis < type.rank(); ++axis)
      if (type.dims[axis] == ir::kDynamic)
        made.sizes.push_back(positioned(function, leaf.dims[axis]));
  }
  const auto& yields = entry.body.yields();
  check(yields.size() == function.results.size(), "leaves differ from results");
  for (size_t k = 0; k < yields.size(); ++k) {
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

// Int parameters that are sizes of the interface join the sizes of the entry; a piece that depends on
// another int leaves a minimum.
void knowInts(const Function& function, codegen::Export& exported, codegen::MemoryBound& memory) {
  std::vector<types::Size> known;
  for (const types::Size& piece : memory.pieces) {
    bool all = true;
    known.push_back(piece.substitute([&](types::SizeName name) -> std::optional<types::Size> {
      if (name.id < codegen::MemoryBound::kIntParameter) return std::nullopt;
      const int argument =
          function.inputs[name.id - codegen::MemoryBound::kIntParameter].size_argument;
      all = all && argument >= 0;
      if (argument < 0) return std::nullopt;
      const types::Size size = types::Size::named({static_cast<uint32_t>(argument)});
      auto place = std::find(exported.sizes.begin(), exported.sizes.end(), size);
      if (place == exported.sizes.end()) place = exported.sizes.insert(place, size);
      return types::Size::named({static_cast<uint32_t>(place - exported.sizes.begin())});
    }));
    if (!all) known.pop_back();
    memory.exact = memory.exact && all;
  }
  memory.pieces = std::move(known);
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
  explicit Scratch(fs::path folder) : folder_(std::move(folder)) { fs::create_directories(folder_); }
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
  for (const Function& function : library.functions)
    text += fmt::format("    {0};\n    {0}_work_bytes;\n", function.symbol);
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
                                  "-Wl,--as-needed"};
  shared.insert(shared.end(), files.begin(), files.end());
  shared.insert(shared.end(), {options.runtime, "-lmvec", "-lm", "-ldl", "-lgcc"});
  return link(shared);
}

}  // namespace

BuildFailure build(Library& library, session::Session& session, const BuildOptions& options) {
  std::error_code failure;
  fs::create_directories(fs::path(options.folder) / "lib", failure);
  if (failure) return {fmt::format("`{}`: {}", options.folder, failure.message()), ""};
  std::vector<std::string> cpus = options.cpus;
  std::sort(cpus.begin(), cpus.end(), [](const std::string& a, const std::string& b) {
    return jit::cpuLevel(a) > jit::cpuLevel(b);
  });
  std::vector<jit::Object> objects;
  for (const Function& function : library.functions) {
    bool exact = true;
    const auto compiled = [&](lower::Lowerer& lowerer, const ir::Function& entry,
                              const std::string& suffix) {
      const session::Prepared prepared = session::prepare(lowerer.module(), entry);
      codegen::Export exported = exportOf(function, *prepared.function);
      for (const std::string& cpu : cpus) {
        codegen::ExportVariant variant;
        variant.cpu_level = jit::cpuLevel(cpu);
        variant.symbol = fmt::format("dini_{}{}_{}", function.symbol, suffix, variant.cpu_level);
        std::vector<codegen::Site> sites;
        objects.push_back(jit::compileEntry(prepared.module, *prepared.function, cpu,
                                            options.level, variant.symbol, variant.memory, sites));
        knowInts(function, exported, variant.memory);
        for (const codegen::Site& site : sites) variant.sites.push_back(siteOf(session, site));
        exact = exact && variant.memory.exact;
        exported.variants.push_back(std::move(variant));
      }
      return exported;
    };
    codegen::Export exported = compiled(session.lowerer(), *function.lowered, "");
    if (function.probe != nullptr)
      exported.probe = std::make_shared<codegen::Export>(
          compiled(session.probeLowerer(), *function.probe, "_probe"));
    library.exact_work.push_back(exact);
    objects.push_back(jit::compileExport(exported));
  }
  if (BuildFailure failed = writeTexts(library, options.folder); !failed.message.empty())
    return failed;
  return writeBinaries(library, objects, options);
}

}  // namespace dini::library
