// dini test PATH...: runs the `test` blocks of files, or of all .dini files below folders.
#include <algorithm>
#include <filesystem>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "driver/commands.h"

namespace dini::driver {
namespace {

namespace fs = std::filesystem;

struct Counts {
  size_t passed = 0, failed = 0;
  int exit = kFine;
};

std::vector<std::string> filesOf(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code failure;
    if (!fs::is_directory(path, failure)) {
      files.push_back(path);
      continue;
    }
    size_t first = files.size();
    for (const auto& entry : fs::recursive_directory_iterator(path, failure))
      if (entry.is_regular_file() && entry.path().extension() == ".dini")
        files.push_back(entry.path().string());
    std::sort(files.begin() + static_cast<long>(first), files.end());
  }
  return files;
}

// A wrong program (1) outweighs a known limitation (2).
void worse(Counts& counts, int code) {
  if (counts.exit != kWrong) counts.exit = code;
}

void testFile(Context& context, const std::string& path, const std::string& filter,
              Counts& counts) {
  // Each file gets a session of its own: files do not see one another's names.
  Context own(context.options);
  session::Session* session = own.session();
  ast::File* file = session ? session->readFile(path) : nullptr;
  if (!file || session->sink().hasErrors()) {
    worse(counts, own.finish());
    ++counts.failed;
    printLine(fmt::format("FAILED {}", path));
    return;
  }
  for (ast::Item& item : file->items) {
    if (item.kind != ast::ItemKind::Test || item.test->title.find(filter) == std::string::npos)
      continue;
    session->sink().clear();
    if (session->runTest(*item.test) && !session->sink().hasErrors()) {
      ++counts.passed;
      own.flushDiagnostics();
      continue;
    }
    ++counts.failed;
    printLine(fmt::format("FAILED {}: {}", path, item.test->title));
    worse(counts, own.finish());
    if (session::interruptFlag()) return;
  }
}

}  // namespace

Command addTest(CLI::App& parser) {
  CLI::App* app = parser.add_subcommand("test", "run the `test` blocks of files or folders");
  auto paths = std::make_shared<std::vector<std::string>>();
  auto filter = std::make_shared<std::string>();
  app->add_option("PATH", *paths, "files, or folders that hold them")->required();
  app->add_option("--filter", *filter, "only tests whose title contains this");
  return {app, [paths, filter](Context& context) {
            Counts counts;
            for (const std::string& path : filesOf(*paths)) {
              testFile(context, path, *filter, counts);
              if (session::interruptFlag()) break;
            }
            printLine(fmt::format("{} passed, {} failed", counts.passed, counts.failed));
            return counts.exit;
          }};
}

}  // namespace dini::driver
