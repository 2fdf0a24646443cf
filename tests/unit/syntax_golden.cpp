// Golden files of the front end: tests/golden/syntax/KIND/name.dini and name.txt, where KIND is
// tree, tokens, format or diagnostics. DINI_UPDATE_GOLDEN=1 writes the .txt files anew: read the
// difference before committing it.
#include <cstdlib>
#include <filesystem>

#include "syntax_support.h"

using namespace dini;

namespace {

std::string produce(const std::string& kind, const std::string& name, const std::string& text) {
  SourceManager sources;
  DiagnosticSink sink;
  FileId id = sources.add(name, text);
  if (kind == "tokens") return syntax::dumpTokens(sources, id);
  ast::File file = syntax::parseFile(sources, id, sink);
  std::string diagnostics;
  for (const Diagnostic& d : sink.all()) diagnostics += render(sources, d, Colour::Off) + "\n";
  if (kind == "diagnostics") return diagnostics;
  CHECK_MESSAGE(diagnostics.empty(), diagnostics);
  return kind == "tree" ? syntax::dumpTree(file) : syntax::format(sources, file);
}

}  // namespace

TEST_CASE("golden files of the front end") {
  const std::string root = DINI_SOURCE_DIR "/tests/golden/syntax/";
  size_t count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.path().extension() != ".dini") continue;
    ++count;
    std::string kind = entry.path().parent_path().filename();
    std::filesystem::path expected = entry.path();
    expected.replace_extension(".txt");
    std::string text = test::readFile(entry.path());
    std::string got = produce(kind, entry.path().filename(), text);
    if (std::getenv("DINI_UPDATE_GOLDEN")) std::ofstream(expected, std::ios::binary) << got;
    CAPTURE(expected.string());
    CHECK(got == test::readFile(expected));
  }
  CHECK(count >= 12);
}

TEST_CASE("the layout of every construct is its own") {
  std::string text = test::readFile(DINI_SOURCE_DIR "/tests/golden/syntax/format/everything.dini");
  test::Parsed parsed(text);
  CHECK_MESSAGE(parsed.sink.all().empty(), parsed.rendered());
  CHECK(parsed.formatted() == text);
}
