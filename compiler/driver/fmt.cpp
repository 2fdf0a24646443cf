// dini fmt FILE...: rewrites files in the one layout; `-` formats standard input to standard
// output; --check only says which files would change, with exit code 1 if any.
#include <filesystem>
#include <fstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "driver/commands.h"
#include "driver/text_file.h"
#include "syntax/formatter.h"
#include "syntax/parser.h"

namespace dini::driver {
namespace {

// Writes beside the file first: a full disk must not cost the program.
bool replaceFile(const std::string& path, const std::string& text) {
  std::string fresh = path + ".dini-fmt";
  std::ofstream out(fresh, std::ios::binary);
  out << text;
  out.close();
  std::error_code failure;
  if (out) {
    auto permissions = std::filesystem::status(path, failure).permissions();
    std::filesystem::permissions(fresh, permissions, failure);
    std::filesystem::rename(fresh, path, failure);
    if (!failure) return true;
  }
  std::filesystem::remove(fresh, failure);
  return false;
}

enum class Changes { Write, Check };

// Whether the file is, or now is, formatted.
bool formatFile(Context& context, const std::string& path, Changes changes) {
  std::optional<std::string> text = readTextFile(context, path);
  if (!text) return false;
  FileId id = context.sources().add(path, *text);
  size_t before = context.sink().errorCount();
  ast::File file = syntax::parseFile(context.sources(), id, context.sink());
  if (context.sink().errorCount() > before) {
    context.flushDiagnostics();
    return false;
  }
  std::string formatted = syntax::format(context.sources(), file);
  if (path == "-" && changes == Changes::Write) {
    std::fwrite(formatted.data(), 1, formatted.size(), stdout);
    return true;
  }
  if (formatted == *text) return true;
  if (changes == Changes::Check) {
    printLine(path);
    return false;
  }
  if (replaceFile(path, formatted)) return true;
  context.fail(DiagCode::CannotWrite, fmt::format("cannot write `{}`", path));
  return false;
}

}  // namespace

Command addFmt(CLI::App& parser) {
  CLI::App* app = parser.add_subcommand("fmt", "format files in place");
  auto files = std::make_shared<std::vector<std::string>>();
  auto check = std::make_shared<bool>(false);
  app->add_option("FILE", *files, "files to format; - is standard input")->required();
  app->add_flag("--check", *check, "only list the files that are not formatted");
  return {app, [files, check](Context& context) {
            bool good = true;
            for (const std::string& path : *files)
              good &= formatFile(context, path, *check ? Changes::Check : Changes::Write);
            int code = context.finish();
            return code == kFine && !good ? int{kWrong} : code;
          }};
}

}  // namespace dini::driver
