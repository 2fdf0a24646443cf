// Each line of the precedence table against the same expression with every bracket written out.
#include "syntax_support.h"

using namespace dini;

namespace {

std::string treeOf(const std::string& text) {
  test::Parsed parsed(text);
  CHECK_MESSAGE(parsed.sink.all().empty(), text << "\n" << parsed.rendered());
  return parsed.tree();
}

struct Pair {
  const char* written;
  const char* meant;
};

}  // namespace

TEST_CASE("precedence and associativity") {
  const Pair kPairs[] = {
      {"a + b*c", "a + (b*c)"},
      {"a - b - c", "(a - b) - c"},
      {"a/b*c", "(a/b)*c"},
      {"a \\ b .* c ./ d", "((a \\ b) .* c) ./ d"},
      {"-a*b", "(-a)*b"},
      {"-a^b", "-(a^b)"},
      {"a^b^c", "a^(b^c)"},
      {"a .^ b^c", "a .^ (b^c)"},
      {"2^-x^2", "2^(-(x^2))"},
      {"a^-b*c", "(a^(-b))*c"},
      {"a*-b", "a*(-b)"},
      {"- - a", "-(-a)"},
      {"a'*b'", "(a')*(b')"},
      {"-x'", "-(x')"},
      {"x'^2", "(x')^2"},
      {"f(x)^2", "(f(x))^2"},
      {"a.b[i](c)'", "(((a.b)[i])(c))'"},
      {"a + b == c - d", "(a + b) == (c - d)"},
      {"a < b and c >= d or e", "((a < b) and (c >= d)) or e"},
      {"not a == b and c", "(not (a == b)) and c"},
      {"not not a or b", "(not (not a)) or b"},
      {"a or b or c", "(a or b) or c"},
      {"b - F*x in soc(4)", "(b - (F*x)) in (soc(4))"},
      {"try a + b else c + d", "try (a + b) else (c + d)"},
      {"grad(f)(x)", "(grad(f))(x)"},
      {"1 - 2.*x", "1 - (2 .* x)"},
      {"2./x", "2 ./ x"},
      {"2.^x", "2 .^ x"},
      {"1e-3*x", "(1e-3)*x"},
      {"if a { b } else { c } + d", "(if a { b } else { c }) + d"},
      {"fn(x: real) = x + 1", "fn(x: real) = (x + 1)"},
  };
  for (const Pair& p : kPairs) {
    CAPTURE(p.written);
    CHECK(treeOf(p.written) == treeOf(p.meant));
  }
}

TEST_CASE("ranges take sums") {
  CHECK(treeOf("x[a + 1..2*n]") == treeOf("x[(a + 1)..(2*n)]"));
  CHECK(treeOf("[i for i in 1..n - 1]") == treeOf("[i for i in (1)..(n - 1)]"));
  CHECK(treeOf("for i in a..b + 1 by s*2 { }") == treeOf("for i in (a)..(b + 1) by (s*2) { }"));
  CHECK(treeOf("x[1..]") != treeOf("x[..1]"));
}

TEST_CASE("a number needs a digit on both sides of its point") {
  CHECK(treeOf("x[1..n]") == treeOf("x[1 .. n]"));
  CHECK(test::Parsed("print 1.").codes() == std::vector<std::string>{"E0104:1"});
  CHECK(test::Parsed("print .5").codes() == std::vector<std::string>{"E0104:1"});
  CHECK(test::Parsed("print 3x").codes() == std::vector<std::string>{"E0102:1"});
  CHECK(test::Parsed("print 9223372036854775807, 1e308").codes().empty());
  CHECK(test::Parsed("print 9223372036854775808, 1e309").codes() ==
        std::vector<std::string>{"E0102:1", "E0102:1"});
}

TEST_CASE("`name {` is a record literal, except where a block follows") {
  CHECK(treeOf("let p = Point { x = 1, y = 2 }").find("record Point") != std::string::npos);
  CHECK(treeOf("if p { 1 } else { 2 }").find("record") == std::string::npos);
  CHECK(treeOf("while p { break }").find("record") == std::string::npos);
  CHECK(treeOf("for i in 0..n { break }").find("record") == std::string::npos);
  CHECK(treeOf("solve z: real = s { z == 1 }").find("record") == std::string::npos);
  CHECK(treeOf("if f(P { x = 1 }) { 1 } else { 2 }").find("record P") != std::string::npos);
  CHECK(treeOf("while (P { x = 1 }).x { break }").find("record P") != std::string::npos);
}

TEST_CASE("words that are keywords only in their places") {
  CHECK(!treeOf("let subject = minimize + maximize*differentiate - to").empty());
  CHECK(!treeOf("let test = type + import\nlet by = cpp\nlet i = argmin(x)").empty());
  CHECK(treeOf("argmin x: real { minimize x^2 }").find("unknown x") != std::string::npos);
  CHECK(treeOf("argmin(x)").find("call") != std::string::npos);
}

TEST_CASE("reductions and calls") {
  CHECK(treeOf("sum(x[i] for i in 0..n)").find("reduction sum") != std::string::npos);
  CHECK(treeOf("sum(x)").find("reduction") == std::string::npos);
  CHECK(treeOf("sum(x, axis = 0)").find("axis =") != std::string::npos);
  CHECK(test::Parsed("f(x for i in 0..n)").codes() == std::vector<std::string>{"E0104:1"});
  CHECK(test::Parsed("f(a = 1, 2)").codes() == std::vector<std::string>{"E0104:1"});
}
