// An internal error: exit code 70, and a reproducer that holds the command and the program.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <new>
#include <sstream>

#include <unistd.h>

#include "base/check.h"
#include "driver/bug_report.h"

using namespace dini;
using namespace dini::driver;

namespace {

// A folder for temporary files of its own, as long as this lives.
struct TemporaryFolder {
  std::filesystem::path path;
  std::string before;
  TemporaryFolder() {
    if (const char* set = std::getenv("TMPDIR")) before = set;
    path = std::filesystem::temp_directory_path() /
           ("dini-bug-report-" + std::to_string(getpid()));
    std::filesystem::create_directory(path);
    setenv("TMPDIR", path.c_str(), 1);
  }
  ~TemporaryFolder() {
    if (before.empty()) unsetenv("TMPDIR"); else setenv("TMPDIR", before.c_str(), 1);
    std::filesystem::remove_all(path);
  }
  // The text of the only file; empty if there is none.
  std::string text() const {
    std::stringstream all;
    for (const auto& entry : std::filesystem::directory_iterator(path))
      all << std::ifstream(entry.path()).rdbuf();
    return all.str();
  }
};

const std::vector<const char*> kCommand = {"dini", "check", "model.dini"};

}  // namespace

TEST_CASE("an internal error ends with 70 and a reproducer of the command and the sources") {
  TemporaryFolder folder;
  Context context;
  int code = reportingBugs(context, kCommand, [](Context& running) -> int {
    running.sources().add("model.dini", "fn odd(x: real) -> real = x\n");
    failCheck("a value without an owner");
  });
  CHECK(code == 70);
  std::string text = folder.text();
  for (std::string part : {"a value without an owner", "command: dini check model.dini",
                           "==== model.dini\nfn odd(x: real) -> real = x\n"})
    CHECK_MESSAGE(text.find(part) != std::string::npos, part);
  CHECK(text.find("<prelude>") == std::string::npos);
}

TEST_CASE("a run without an exception keeps its exit code, and memory is no bug") {
  TemporaryFolder folder;
  Context context;
  CHECK(reportingBugs(context, kCommand, [](Context&) { return int{kWrong}; }) == kWrong);
  CHECK(reportingBugs(context, kCommand, [](Context&) -> int { throw std::bad_alloc(); }) !=
        kCompilerBug);
  CHECK(folder.text().empty());
}
