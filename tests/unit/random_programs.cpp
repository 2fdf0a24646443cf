// Laws on random typed programs: forward against reverse (ties included), forward against
// differences (without kinks), engines against one another to the last bit, and the formatter's
// output against the program. DINI_RANDOM_PROGRAMS=N runs N programs of each kind.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

#include "session/session.h"
#include "syntax/formatter.h"
#include "syntax/parser.h"
#include "tests/unit/random_source.h"

namespace dini::testing {
namespace {

int programCount(int by_default) {
  const char* text = std::getenv("DINI_RANDOM_PROGRAMS");
  return text ? std::atoi(text) : by_default;
}

// Values on kinks (0, equal arguments, the clamps' bounds) half of the time.
struct Points {
  uint64_t state;
  double next(Kinks kinks) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    auto bits = state >> 40;
    static const double special[] = {0.0, 0.25, 1.0, -1.0, 0.5, -0.5, 0.0, 2.0};
    if (kinks == Kinks::Allowed && bits % 2 == 0) return special[(bits >> 1) % 8];
    return static_cast<double>(bits % 4001) / 1000.0 - 2.0;
  }
};

struct Arguments {
  std::string text;       // "a, b, [...], [[...], [...]]"
  std::vector<double> numbers;
};
std::string spell(const std::vector<double>& x) {
  return fmt::format("{:.17g} + 0.0, {:.17g} + 0.0, 1.0*[{:.17g}, {:.17g}, {:.17g}], 1.0*[[{:.17g}, {:.17g}, {:.17g}], [{:.17g}, {:.17g}, {:.17g}]]",
                     x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8], x[9], x[10]);
}
std::vector<double> draw(Points& points, Kinks kinks) {
  std::vector<double> x(11);
  for (double& value : x) value = points.next(kinks);
  return x;
}

session::Options engineOptions(session::Engine engine, jit::OptLevel level, double weight) {
  session::Options options;
  options.execution.engine = engine;
  options.execution.level = level;
  options.ties.policy = ad::TieOptions::Policy::Weight;
  options.ties.weight = weight;
  return options;
}

std::string problems(session::Session& session) {
  std::string text;
  for (const Diagnostic& d : session.sink().all()) text += d.message + "\n";
  return text;
}

// Value, tangent along d, the same from the cotangents.
std::string lawsExpression(const std::vector<double>& x, const std::vector<double>& d) {
  return fmt::format(
      "{{ let (da, db, dv, dM) = ({1})\n let (y, t) = jvp(f)({0}, da, db, dv, dM)\n"
      "let (ga, gb, gv, gM) = vjp(f)({0}, 1.5)\n"
      "(y, 1.5*t, ga*da + gb*db + dot(gv, dv) + dot(gM, dM), ga, gb, gv, gM) }}",
      spell(x), spell(d));
}

std::optional<std::vector<ir::Tensor>> evaluate(session::Session& session, const std::string& source, const std::string& expression) {
  session.readText("random", source);
  if (session.sink().hasErrors()) return std::nullopt;
  auto value = session.evaluateText("expression", expression);
  if (!value) return std::nullopt;
  return value->leaves;
}

}  // namespace

TEST_CASE("random programs: forward equals reverse, ties included") {
  int count = programCount(1500);
  for (int seed = 0; seed < count; ++seed) {
    std::string source = SourceGenerator(static_cast<uint64_t>(seed), Kinks::Allowed).function("f");
    Points points{static_cast<uint64_t>(seed) + 77};
    auto x = draw(points, Kinks::Allowed), d = draw(points, Kinks::Allowed);
    session::Session session(engineOptions(session::Engine::Interpreter, jit::OptLevel::O0, seed % 2 ? 0.5 : 0.3));
    auto leaves = evaluate(session, source, lawsExpression(x, d));
    INFO("seed " << seed << "\n" << source << lawsExpression(x, d) << "\n" << problems(session));
    REQUIRE(leaves.has_value());
    double forward = (*leaves)[1].reals[0], reverse = (*leaves)[2].reals[0];
    CHECK(std::isfinite(forward));
    CHECK(std::abs(forward - reverse) <= 1e-9 * (1 + std::abs(forward)));
  }
}

TEST_CASE("random programs: tangents against differences away from kinks") {
  int count = programCount(400);
  for (int seed = 0; seed < count; ++seed) {
    std::string source = SourceGenerator(static_cast<uint64_t>(seed) + 500000, Kinks::Excluded).function("f");
    Points points{static_cast<uint64_t>(seed) + 99};
    auto x = draw(points, Kinks::Excluded), d = draw(points, Kinks::Excluded);
    double h = 1e-5;
    auto up = x, down = x;
    for (size_t k = 0; k < x.size(); ++k) up[k] += h * d[k], down[k] -= h * d[k];
    session::Session session(engineOptions(session::Engine::Interpreter, jit::OptLevel::O0, 0.5));
    auto leaves = evaluate(session, source, fmt::format("(f({}), f({}), jvp(f)({}, {}))", spell(up), spell(down), spell(x), spell(d)));
    INFO("seed " << seed << "\n" << source << problems(session));
    REQUIRE(leaves.has_value());
    double difference = ((*leaves)[0].reals[0] - (*leaves)[1].reals[0]) / (2 * h);
    double tangent = (*leaves)[3].reals[0];
    CHECK(std::abs(difference - tangent) <= 1e-4 * (1 + std::abs(tangent)));
  }
}

TEST_CASE("random programs: the engines agree to the last bit") {
  int count = programCount(120);
  for (int seed = 0; seed < count; ++seed) {
    std::string source = SourceGenerator(static_cast<uint64_t>(seed) + 900000, Kinks::Allowed).function("f");
    Points points{static_cast<uint64_t>(seed) + 55};
    auto x = draw(points, Kinks::Allowed), d = draw(points, Kinks::Allowed);
    std::string expression = lawsExpression(x, d);
    std::vector<std::vector<ir::Tensor>> results;
    for (auto [engine, level] : {std::pair{session::Engine::Interpreter, jit::OptLevel::O0},
                                 {session::Engine::Jit, jit::OptLevel::O0},
                                 {session::Engine::Jit, jit::OptLevel::O2}}) {
      session::Session session(engineOptions(engine, level, 0.5));
      auto leaves = evaluate(session, source, expression);
      INFO("seed " << seed << "\n" << source << expression << "\n" << problems(session));
      REQUIRE(leaves.has_value());
      results.push_back(*leaves);
    }
    INFO("seed " << seed << "\n" << source << expression);
    for (size_t engine = 1; engine < results.size(); ++engine)
      for (size_t k = 0; k < results[0].size(); ++k) {
        INFO("engine " << engine << " result " << k);
        CHECK(ir::identical(results[0][k], results[engine][k]));
      }
  }
}

TEST_CASE("random programs: formatting keeps the tree and is idempotent") {
  int count = programCount(1500);
  for (int seed = 0; seed < count; ++seed) {
    std::string source = SourceGenerator(static_cast<uint64_t>(seed), Kinks::Allowed).function("f");
    SourceManager sources;
    DiagnosticSink sink;
    FileId first = sources.add("first", source);
    ast::File tree = syntax::parseFile(sources, first, sink);
    std::string once = syntax::format(sources, tree);
    FileId second = sources.add("second", once);
    ast::File again = syntax::parseFile(sources, second, sink);
    INFO("seed " << seed << "\n" << source << "\n" << once);
    REQUIRE(!sink.hasErrors());
    CHECK(syntax::format(sources, again) == once);
  }
}

}  // namespace dini::testing
