// Rendering of diagnostics: frames, several labels, files, colour, JSON, duplicates.
#include "diag/text_width.h"
#include "syntax_support.h"

using namespace dini;

namespace {

struct Source {
  SourceManager sources;
  DiagnosticSink sink;
  FileId file;
  explicit Source(std::string text) : file(sources.add("pendulum.dini", std::move(text))) {}
  Span of(std::string_view part) const {
    auto begin = static_cast<uint32_t>(sources.file(file).text().find(part));
    return {file, begin, begin + static_cast<uint32_t>(part.size())};
  }
};

}  // namespace

TEST_CASE("the frame of the style guide") {
  Source s(
      "\n\n\n\n\n  solve theta: real, omega: real {\n    m * l * theta == -g * sin(theta)\n  }\n");
  Diagnostic& d =
      s.sink.add(DiagCode::EquationCount, s.of("theta"), "the block has 2 unknowns and 1 equation");
  d.labels.push_back({s.of("omega"), "unknowns"});
  d.labels.push_back({s.of("m * l * theta == -g * sin(theta)"), "the only equation"});
  d.help = "add an equation for `omega`, or make it a parameter";
  CHECK(render(s.sources, d, Colour::Off) ==
        "error[E0501]: the block has 2 unknowns and 1 equation\n"
        "  --> pendulum.dini:6:9\n"
        "   |\n"
        " 6 |   solve theta: real, omega: real {\n"
        "   |         ^^^^^        ----- unknowns\n"
        " 7 |     m * l * theta == -g * sin(theta)\n"
        "   |     -------------------------------- the only equation\n"
        "   = help: add an equation for `omega`, or make it a parameter\n");
}

TEST_CASE("several texts on one line") {
  Source s("a + b + c\n");
  Diagnostic& d = s.sink.add(DiagCode::ShapeMismatch, s.of("b"), "sizes that differ", "two");
  d.labels.push_back({s.of("a"), "one"});
  d.labels.push_back({s.of("c"), "three"});
  d.notes = {"first\nsecond line", "another"};
  CHECK(render(s.sources, d, Colour::Off) ==
        "error[E0401]: sizes that differ\n"
        "  --> pendulum.dini:1:5\n"
        "   |\n"
        " 1 | a + b + c\n"
        "   | -   ^   - three\n"
        "   | |   two\n"
        "   | one\n"
        "   = note: first\n"
        "           second line\n"
        "   = note: another\n");
}

TEST_CASE("gaps, other files and no place at all") {
  Source s("one\n2\n3\n4\n5\n6\n7\n8\n9\nten\n");
  FileId other = s.sources.add("other.dini", "x\n");
  Diagnostic& d = s.sink.add(DiagCode::DuplicateName, s.of("ten"), "a name defined twice");
  d.labels.push_back({s.of("one"), "first here"});
  d.labels.push_back({{other, 0, 1}, "and here"});
  CHECK(render(s.sources, d, Colour::Off) ==
        "error[E0202]: a name defined twice\n"
        "   --> pendulum.dini:10:1\n"
        "    |\n"
        "  1 | one\n"
        "    | --- first here\n"
        "...\n"
        " 10 | ten\n"
        "    | ^^^\n"
        "   ::: other.dini:1:1\n"
        "    |\n"
        "  1 | x\n"
        "    | - and here\n");
  Diagnostic& none = s.sink.add(DiagCode::FileNotFound, Span{}, "there is no file `x.dini`");
  CHECK(render(s.sources, none, Colour::Off) == "error[E0701]: there is no file `x.dini`\n");
}

TEST_CASE("a span over several lines") {
  Source s("let a = f(\n  1,\n  2,\n  3,\n  4\n)\n");
  Diagnostic& d =
      s.sink.add(DiagCode::BadArguments, s.of("f(\n  1,\n  2,\n  3,\n  4\n)"), "four", "here");
  CHECK(render(s.sources, d, Colour::Off) ==
        "error[E0304]: four\n"
        "  --> pendulum.dini:1:9\n"
        "   |\n"
        " 1 | let a = f(\n"
        "   |         ^^\n"
        "...\n"
        " 6 | )\n"
        "   | ^ here\n");
}

TEST_CASE("tabs, wide and combining characters, what disturbs a terminal") {
  CHECK(showLine("\tx").column(1) == 4);
  CHECK(showLine("ab\tx").column(3) == 4);
  CHECK(showLine("\xE5\xA4\xA7x").column(3) == 2);
  CHECK(showLine("x\xCC\x82y").column(3) == 1);
  CHECK(showLine("\xFFx").cells[0].shown == "\xEF\xBF\xBD");
  CHECK(showLine("\x1b[2J").cells[0].shown == "\xEF\xBF\xBD");
  CHECK(showLine("\xE2\x80\xAEx").cells[0].shown == "\xEF\xBF\xBD");  // right-to-left override
}

TEST_CASE("colour adds escapes and nothing else") {
  test::Parsed parsed("let = 1");
  REQUIRE(parsed.sink.all().size() == 1);
  std::string plain = render(parsed.sources, parsed.sink.all()[0], Colour::Off);
  std::string coloured = render(parsed.sources, parsed.sink.all()[0], Colour::On);
  std::string stripped;
  for (size_t i = 0; i < coloured.size(); ++i) {
    if (coloured[i] == '\x1b')
      i = coloured.find('m', i);
    else
      stripped += coloured[i];
  }
  CHECK(coloured != plain);
  CHECK(stripped == plain);
}

TEST_CASE("JSON is one object on one line") {
  Source s("let \"quoted\"\n");
  Diagnostic& d =
      s.sink.add(DiagCode::UnexpectedToken, s.of("\"quoted\""), "a \"string\"\\", "here");
  d.notes = {"tab\tline\n"};
  CHECK(renderJson(s.sources, d) ==
        R"({"code":"E0104","name":"UnexpectedToken","severity":"error","class":"program",)"
        R"("message":"a \"string\"\\","labels":[{"file":"pendulum.dini","line":1,"column":5,)"
        R"("end_line":1,"end_column":13,"offset":4,"length":8,"primary":true,"text":"here"}],)"
        R"("notes":["tab\tline\n"],"help":null})");
}

TEST_CASE("the same code at the same place is reported once") {
  Source s("abc");
  s.sink.add(DiagCode::UnknownName, s.of("abc"), "first");
  s.sink.add(DiagCode::UnknownName, s.of("abc"), "second");
  s.sink.add(DiagCode::TypeMismatch, s.of("abc"), "third");
  s.sink.add(DiagCode::JumpDifferentiated, s.of("abc"), "a warning");
  CHECK(s.sink.all().size() == 3);
  CHECK(s.sink.errorCount() == 2);
  CHECK(exitCode(s.sink.all()) == 1);
}

TEST_CASE("exit codes by class") {
  Source s("abc");
  CHECK(exitCode(s.sink.all()) == 0);
  s.sink.add(DiagCode::NotYet, s.of("abc"), "not yet");
  CHECK(exitCode(s.sink.all()) == 2);
  s.sink.add(DiagCode::AssertionFailed, s.of("abc"), "failed");
  CHECK(exitCode(s.sink.all()) == 1);
}
