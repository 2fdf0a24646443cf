#include <doctest/doctest.h>
#include "syntax/parser.h"
using namespace dini;
TEST_CASE("figure 1 parses") {
  SourceManager s; DiagnosticSink sink;
  auto f = syntax::parseFile(s, s.add("x", R"(# c
fn f(z: real) -> real = tanh(z) + relu(-z) + z - relu(z)
fn z(x: real) -> real = solve z: real { f(z) == x }
test "derivative at the kink" { assert close(grad(z)(0.0), 1.0) }
print z(0.5), grad(z)(0.5)
)"), sink);
  for (auto& d : sink.all()) MESSAGE(d.message);
  CHECK(f.items.size() == 4);
  CHECK(!sink.hasErrors());
}
