// The formatter's laws: the tree stays, every comment stays, and a second time changes nothing.
#include <filesystem>
#include <random>

#include "syntax/lexer.h"
#include "syntax_support.h"

using namespace dini;

namespace {

std::vector<std::string> programs() {
  std::vector<std::string> paths;
  for (const char* folder : {"/dsl-examples", "/tests", "/runtime/prelude"}) {
    std::string root = std::string(DINI_SOURCE_DIR) + folder;
    if (!std::filesystem::exists(root)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root))
      if (entry.path().extension() == ".dini") paths.push_back(entry.path());
  }
  return paths;
}

void checkLaws(const std::string& text) {
  test::Parsed parsed(text);
  if (parsed.sink.hasErrors()) return;
  std::string once = parsed.formatted();
  test::Parsed again(once);
  CHECK_MESSAGE(again.sink.all().empty(), once << again.rendered());
  CHECK_MESSAGE(again.tree() == parsed.tree(), text);
  CHECK_MESSAGE(again.formatted() == once, text);
  CHECK_MESSAGE(
      std::count(once.begin(), once.end(), '#') == std::count(text.begin(), text.end(), '#'), once);
}

std::string formatted(const std::string& text) {
  checkLaws(text);
  return test::Parsed(text).formatted();
}

// A comment after every k-th token after which a newline changes nothing.
std::string withComments(const std::string& text, std::mt19937& random, unsigned every) {
  SourceManager sources;
  DiagnosticSink sink;
  FileId id = sources.add("", text);
  std::string out;
  uint32_t copied = 0;
  std::vector<bool> joins;
  for (const syntax::Token& token : syntax::lex(sources, id, sink).tokens) {
    using syntax::TokenKind;
    switch (token.kind) {
      case TokenKind::LParen:
      case TokenKind::LBracket:
        joins.push_back(true);
        break;
      case TokenKind::LBrace:
        joins.push_back(false);
        break;
      case TokenKind::RParen:
      case TokenKind::RBracket:
      case TokenKind::RBrace:
        if (!joins.empty()) joins.pop_back();
        break;
      default:
        break;
    }
    bool free = (!joins.empty() && joins.back()) ||
                syntax::tokenInfo(token.kind).after == syntax::LineRule::Joins;
    out += text.substr(copied, token.span.end - copied);
    copied = token.span.end;
    if (free && random() % every == 0) out += random() % 2 ? "  # c\n" : "\n# own\n# two\n";
  }
  return out + text.substr(copied);
}

}  // namespace

TEST_CASE("every program in the repository keeps its tree") {
  std::vector<std::string> paths = programs();
  CHECK(paths.size() > 10);
  for (const std::string& path : paths) {
    CAPTURE(path);
    checkLaws(test::readFile(path));
  }
}

TEST_CASE("comments wherever a newline may stand") {
  std::mt19937 random(7);
  std::string text = test::readFile(DINI_SOURCE_DIR "/tests/golden/syntax/format/everything.dini");
  for (unsigned round = 0; round < 40; ++round) {
    CAPTURE(round);
    std::string commented = withComments(text, random, 1 + round * round);
    REQUIRE(test::Parsed(commented).sink.all().empty());
    checkLaws(commented);
  }
}

TEST_CASE("narrow pages: everything that can break breaks, and means the same") {
  // long names make every group too long
  std::string text = test::readFile(DINI_SOURCE_DIR "/tests/golden/syntax/format/everything.dini");
  std::string wide;
  for (size_t i = 0; i < text.size(); ++i) {
    wide += text[i];
    bool single = (text[i] == 'x' || text[i] == 'z' || text[i] == 'a') && i > 0 &&
                  !isalnum(static_cast<unsigned char>(text[i - 1])) && text[i - 1] != '_' &&
                  !isalnum(static_cast<unsigned char>(text[i + 1])) && text[i + 1] != '_';
    if (single) wide += "_and_a_name_that_is_as_long_as_no_reasonable_name_would_be";
  }
  REQUIRE(test::Parsed(wide).sink.all().empty());
  checkLaws(wide);
}

TEST_CASE("blank lines, semicolons and spaces") {
  CHECK(formatted("a;b\n\n\n\nc  ;") == "a\nb\n\nc\n");
  CHECK(formatted("\n\n# top\n\n\na") == "# top\n\na\n");
  CHECK(formatted("fn f( x:real )->real={\n\n x\n\n}") == "fn f(x: real) -> real = {\n  x\n}\n");
  CHECK(formatted("if a{b}else{c;d}") == "if a { b } else { c; d }\n");
  CHECK(formatted("if a{b}else{c\nd}") == "if a {\n  b\n} else {\n  c\n  d\n}\n");
  CHECK(formatted("x=a*b+c/d^2 .*e") == "x = a*b + c/d^2 .* e\n");
  CHECK(formatted("") == "");
  CHECK(formatted("# only\n") == "# only\n");
  CHECK(formatted("a # t\r\n# u\r\n") == "a  # t\n# u\n");
}

TEST_CASE("long lines break in brackets and after operators") {
  std::string name(45, 'x');
  CHECK(formatted("let a = " + name + " + " + name + " + " + name) ==
        "let a =\n  " + name + " +\n    " + name + " +\n    " + name + "\n");
  CHECK(formatted("f(" + name + ", " + name + ", b)") == "f(" + name + ", " + name + ", b)\n");
  CHECK(formatted("f(" + name + ", " + name + ", bbbbbbbbbb)") ==
        "f(\n  " + name + ",\n  " + name + ",\n  bbbbbbbbbb\n)\n");
}

TEST_CASE("numbers fill lines, rows stay rows") {
  std::string numbers = "let a = [";
  for (int i = 0; i < 60; ++i) numbers += (i ? ", " : "") + std::to_string(100 + i);
  std::string out = formatted(numbers + "]");
  CHECK(std::count(out.begin(), out.end(), '\n') == 6);
  CHECK(formatted("let A = [[1, 2],\n         [3, 4]]") == "let A = [\n  [1, 2],\n  [3, 4]\n]\n");
}
