#include "jit/objects.h"

#include <fstream>

#include <llvm/Object/Archive.h>
#include <llvm/Object/ArchiveWriter.h>

#include "base/check.h"
#include "jit/target.h"

namespace dini::jit {
namespace {

Object objectOf(const std::string& name, llvm::Module& module, const std::string& cpu,
                OptLevel level) {
  const auto machine = makeTargetMachine(level, cpu);
  optimise(module, *machine, level);
  const auto bytes = objectCode(module, *machine);
  return {name + ".o", bytes->getBuffer().str()};
}

}  // namespace

int cpuLevel(const std::string& cpu) {
  if (cpu == "native") {
    const int lanes = targetOf(cpu).vector_lanes;
    return lanes == 8 ? 4 : lanes == 4 ? 3 : 2;
  }
  for (int level = 2; level <= 4; ++level)
    if (cpu == "x86-64-v" + std::to_string(level)) return level;
  return 0;
}

Object compileEntry(const ir::Module& module, const ir::Function& function, const std::string& cpu,
                    OptLevel level, const std::string& symbol, codegen::MemoryBound& memory,
                    std::vector<codegen::Site>& sites) {
  llvm::LLVMContext context;
  codegen::Unit unit = codegen::emit(context, module, function, targetOf(cpu));
  codegen::nameEntry(unit, symbol);
  Object object = objectOf(symbol, *unit.module, cpu, level);
  memory = std::move(unit.memory);
  sites = std::move(unit.sites);
  return object;
}

Object compileExport(const codegen::Export& exported) {
  llvm::LLVMContext context;
  // The tables and the two functions in front of them run everywhere.
  const std::string cpu = "x86-64-v2";
  const auto module = codegen::emitExport(context, exported, targetOf(cpu));
  return objectOf(exported.symbol, *module, cpu, OptLevel::O2);
}

std::string writeFile(const std::string& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  return out ? "" : "it cannot be written";
}

std::string writeArchive(const std::string& path, const std::vector<Object>& members) {
  std::vector<llvm::NewArchiveMember> made;
  for (const Object& member : members)
    made.emplace_back(llvm::MemoryBufferRef(member.bytes, member.name));
  if (auto error = llvm::writeArchive(path, made, llvm::SymtabWritingMode::NormalSymtab,
                                      llvm::object::Archive::K_GNU, true, false))
    return llvm::toString(std::move(error));
  return "";
}

std::vector<Object> readArchive(const std::string& path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer) return {};
  auto archive = llvm::object::Archive::create(**buffer);
  if (!archive) {
    llvm::consumeError(archive.takeError());
    return {};
  }
  std::vector<Object> members;
  llvm::Error failure = llvm::Error::success();
  for (const auto& child : (*archive)->children(failure)) {
    auto name = child.getName();
    auto bytes = child.getBuffer();
    check(bool(name) && bool(bytes), "an archive of the runtime that cannot be read");
    members.push_back({name->str(), bytes->str()});
  }
  check(!failure, "an archive of the runtime that cannot be read");
  return members;
}

}  // namespace dini::jit
