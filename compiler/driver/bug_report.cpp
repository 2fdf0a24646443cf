#include "driver/bug_report.h"

#include <filesystem>
#include <fstream>
#include <new>

#include <fmt/format.h>
#include <unistd.h>

namespace dini::driver {
namespace {

// The command, the folder and every source file; the path, empty if it could not be written.
std::string writeReproducer(Context& context, std::span<const char* const> command,
                            const std::string& what) {
  std::error_code failure;
  std::filesystem::path folder = std::filesystem::temp_directory_path(failure);
  std::string path = (folder / fmt::format("dini-bug-{}.txt", getpid())).string();
  std::ofstream out(path);
  out << "dini " << DINI_VERSION << "\nfailure: " << what << "\nfolder: "
      << std::filesystem::current_path(failure).string() << "\ncommand:";
  for (const char* word : command) out << ' ' << word;
  out << '\n';
  SourceManager& sources = context.sources();
  for (size_t k = 0; k < sources.size(); ++k) {
    const SourceFile& file = sources.file(FileId{static_cast<int32_t>(k)});
    if (file.path().starts_with("<prelude>")) continue;
    out << "\n==== " << file.path() << '\n' << file.text() << '\n';
  }
  return out.flush() ? path : "";
}

int reportBug(Context& context, std::span<const char* const> command, const std::string& what) {
  context.flushDiagnostics();
  std::string path = writeReproducer(context, command, what);
  fmt::print(stderr,
             "internal error: this is a bug in the compiler, not in your program\n  {}\n", what);
  if (!path.empty()) fmt::print(stderr, "  a reproducer was written to {}\n", path);
  return kCompilerBug;
}

}  // namespace

int reportingBugs(Context& context, std::span<const char* const> command,
                  const std::function<int(Context&)>& run) {
  try {
    return run(context);
  } catch (const std::bad_alloc&) {
    return context.fail(DiagCode::OutOfMemory, "not enough memory");
  } catch (const std::exception& bug) {
    return reportBug(context, command, bug.what());
  }
}

}  // namespace dini::driver
