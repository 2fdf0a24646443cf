// Golden files of the checker: tests/golden/sema/name.dini and, as diagnostics, name.txt.
// DINI_UPDATE_GOLDEN=1 writes the .txt files anew: read the difference before committing it.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "diag/render.h"
#include "tests/unit/sema_support.h"

using namespace dini;

namespace {

std::string readText(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string diagnostics(const std::string& name, std::string text) {
  sema_tests::Checked made;
  made.file = made.program.addText(name, std::move(text));
  for (ast::Item& item : made.file->items) {
    if (item.kind == ast::ItemKind::Statement)
      made.program.checkStatement(*item.statement, made.top);
    if (item.kind == ast::ItemKind::Test) made.program.checkTest(*item.test);
  }
  std::string all;
  for (const Diagnostic& d : made.sink.all()) all += render(made.sources, d, Colour::Off) + "\n";
  return all;
}

}  // namespace

TEST_CASE("golden files of the checker") {
  size_t count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(DINI_SOURCE_DIR "/tests/golden/sema")) {
    if (entry.path().extension() != ".dini") continue;
    ++count;
    std::filesystem::path expected = entry.path();
    expected.replace_extension(".txt");
    std::string got = diagnostics(entry.path().filename(), readText(entry.path()));
    if (std::getenv("DINI_UPDATE_GOLDEN")) std::ofstream(expected, std::ios::binary) << got;
    CAPTURE(expected.string());
    CHECK(got == readText(expected));
  }
  CHECK(count >= 5);
}
