#include "clang_frontend/invocation.h"

#include <clang/Basic/FileManager.h>
#include <clang/Tooling/Tooling.h>
#include <llvm/Support/VirtualFileSystem.h>

namespace dini::clang_frontend {

std::vector<std::string> compilerWords() {
  return {"dini-clang", "-fsyntax-only", "-x", "c++", "-std=c++20", "-resource-dir", DINI_CLANG_RESOURCES, "-I" DINI_RUNTIME_INCLUDE};
}

void runClang(std::vector<std::string> words, clang::DiagnosticConsumer& collector, std::unique_ptr<clang::FrontendAction> action,
              const std::optional<MemoryFile>& file) {
  auto overlay = llvm::makeIntrusiveRefCnt<llvm::vfs::OverlayFileSystem>(llvm::vfs::getRealFileSystem());
  if (file) {
    auto memory = llvm::makeIntrusiveRefCnt<llvm::vfs::InMemoryFileSystem>();
    memory->addFile(file->path, 0, llvm::MemoryBuffer::getMemBuffer(file->text));
    overlay->pushOverlay(memory);
  }
  auto files = llvm::makeIntrusiveRefCnt<clang::FileManager>(clang::FileSystemOptions{}, overlay);
  clang::tooling::ToolInvocation invocation(std::move(words), std::move(action), files.get());
  invocation.setDiagnosticConsumer(&collector);
  invocation.run();  // what goes wrong is in the collector
}

}  // namespace dini::clang_frontend
