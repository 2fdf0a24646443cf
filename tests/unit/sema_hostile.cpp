// The programs of the repository, whole and with random damage: checked without a crash, and what
// is accepted is fully annotated.
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "session/prelude.h"
#include "syntax/ast_visit.h"
#include "syntax/lexer.h"
#include "tests/unit/sema_support.h"

using namespace dini;
using namespace dini::sema_tests;

namespace {

std::string readText(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<std::string> programs() {
  std::vector<std::string> texts;
  for (const char* folder : {"/dsl-examples", "/tests", "/runtime/prelude"}) {
    std::filesystem::path root = std::string(DINI_SOURCE_DIR) + folder;
    if (!std::filesystem::exists(root)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root))
      if (entry.path().extension() == ".dini") texts.push_back(readText(entry.path()));
  }
  return texts;
}

std::unique_ptr<Checked> checkedWithPrelude(const std::string& text) {
  auto made = std::make_unique<Checked>();
  for (const auto& prelude : preludeTexts())
    made->program.addPrelude(std::string(prelude.name), std::string(prelude.text));
  made->add(text);
  return made;
}

// Removes, doubles or exchanges some tokens.
std::string damaged(const std::string& text, std::mt19937& random) {
  SourceManager sources;
  DiagnosticSink sink;
  auto tokens = syntax::lex(sources, sources.add("t", text), sink).tokens;
  std::vector<std::string> words;
  uint32_t end = 0;
  for (const auto& token : tokens) {
    words.push_back(text.substr(end, token.span.end - end));
    end = token.span.end;
  }
  for (unsigned k = 0; k < 1 + random() % 3 && words.size() > 2; ++k) {
    size_t i = random() % words.size(), j = random() % words.size();
    switch (random() % 4) {
      case 0: words.erase(words.begin() + static_cast<std::ptrdiff_t>(i)); break;
      case 1: words[i] += " " + words[j]; break;
      case 2: std::swap(words[i], words[j]); break;
      default: words[i] = " " + words[j]; break;
    }
  }
  std::string out;
  for (const std::string& word : words) out += word;
  return out;
}

size_t checkAnnotated(const ast::Expr& expr, const std::string& source) {
  size_t count = 1;
  if (expr.kind == ast::ExprKind::Argmin) return count;
  CHECK_MESSAGE(expr.type, source);
  if (expr.type) CHECK_MESSAGE(!expr.type->isError(), source);
  if (expr.kind == ast::ExprKind::Name && expr.type)
    CHECK_MESSAGE(ast::as<ast::NameExpr>(expr).referent != ast::Referent::Unresolved, source);
  // The words of `wrt = ...` are no expressions.
  if (expr.kind == ast::ExprKind::Call) {
    const auto& call = ast::as<ast::CallExpr>(expr);
    count += checkAnnotated(*call.callee, source);
    for (const auto& argument : call.arguments)
      if (!argument.name || argument.name->text != "wrt")
        count += checkAnnotated(*argument.value, source);
    return count;
  }
  if (expr.kind == ast::ExprKind::Solve && ast::as<ast::SolveExpr>(expr).differentiate) return count;
  ast::forEachChild(expr, [&](const ast::Expr& child) { count += checkAnnotated(child, source); });
  return count;
}

}  // namespace

TEST_CASE("what is accepted is fully annotated") {
  size_t expressions = 0;
  for (const std::string& text : programs()) {
    auto made = checkedWithPrelude(text);
    if (made->sink.hasErrors()) continue;
    for (const ast::Item& item : made->file->items) {
      if (item.fn) expressions += checkAnnotated(*item.fn->body, item.fn->name.text);
      if (item.test) expressions += checkAnnotated(*item.test->body, item.test->title);
      if (item.statement)
        ast::forEachChild(*item.statement, [&](const ast::Expr& child) {
          expressions += checkAnnotated(child, text.substr(0, 60));
        });
    }
  }
  CHECK(expressions > 1000);
}

TEST_CASE("damaged programs end with diagnostics, not with a crash") {
  unsigned seed = 20250711;
  if (const char* given = std::getenv("DINI_SEED")) seed = static_cast<unsigned>(std::atol(given));
  unsigned rounds = 4;
  if (const char* given = std::getenv("DINI_ROUNDS")) rounds = static_cast<unsigned>(std::atol(given));
  INFO("seed " << seed);
  std::mt19937 random(seed);
  size_t with_errors = 0;
  for (const std::string& text : programs()) {
    if (text.size() > 20000) continue;
    for (unsigned round = 0; round < rounds; ++round) {
      std::string broken = damaged(text, random);
      CAPTURE(broken);
      auto made = std::make_unique<Checked>();
      CHECK_NOTHROW(made->add(broken));
      with_errors += made->sink.hasErrors() ? 1 : 0;
    }
  }
  CHECK(with_errors > 20);
}
