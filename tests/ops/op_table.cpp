// Laws of the op table, one test per law, run over every row.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <array>
#include <memory>
#include <random>
#include <unordered_map>

#include "ir/builder.h"
#include "ir/interpreter.h"
#include "ir/partials.h"
#include "ir/printer.h"
#include "ir/verifier.h"
#include "ops/irreducible.h"
#include "ops/signature.h"
#include "ops/table.h"

using namespace dini;
using ir::OpCode;

namespace {

constexpr unsigned kSeed = 20240611;

bool allReal(OpCode code) {
  for (char c : ops::signature(code))
    if (c != 'r' && c != ':') return false;
  return true;
}

// Attributes with which a row is tested.
std::vector<ops::Parameters> parametersOf(OpCode code) {
  if (code == OpCode::PowI) return {{0, 0}, {1, 0}, {2, 0}, {5, 0}, {-3, 0}};
  if (code == OpCode::Polygamma) return {{0, 0}, {1, 0}, {2, 0}};
  return {{}};
}

std::vector<double> sample(OpCode code, std::mt19937_64& random) {
  std::vector<double> x;
  ops::Box box = ops::facts(code).sampling;
  for (int k = 0; k < ops::arity(code); ++k)
    x.push_back(std::uniform_real_distribution<>(box.operands[k].lo, box.operands[k].hi)(random));
  return x;
}

// Sixth-order central difference in operand k.
double difference(OpCode code, std::vector<double> x, size_t k, const ops::Parameters& p) {
  const double h = 1e-3 * std::max(0.1, std::fabs(x[k]));
  double at = x[k];
  auto f = [&](double offset) {
    x[k] = at + offset * h;
    return ops::evaluate(code, x, p);
  };
  return (45 * (f(1) - f(-1)) - 9 * (f(2) - f(-2)) + (f(3) - f(-3))) / (60 * h);
}

}  // namespace

TEST_CASE("op table: every partial derivative agrees with differences of the evaluation") {
  std::mt19937_64 random(kSeed);
  for (OpCode code : ops::elementwiseOps())
    for (const ops::Parameters& p : parametersOf(code))
      for (size_t k = 0; k < static_cast<size_t>(ops::arity(code)); ++k) {
        if ((ops::facts(code).partials >> k & 1u) == 0) continue;
        for (int draw = 0; draw < 20; ++draw) {
          std::vector<double> x = sample(code, random);
          double expected = difference(code, x, k, p);
          double found = ops::partial(code, k, x, p);
          INFO(ir::shape(code).mnemonic, " seed ", kSeed, " operand ", k, " at ", x[0]);
          CHECK(found == doctest::Approx(expected).epsilon(1e-8).scale(1e-3));
        }
      }
}

namespace {

// f(x) = d op / d x[k] as a function of the IR.
std::unique_ptr<ir::Function> partialFunction(OpCode code, size_t k, const ops::Parameters& p) {
  auto f = std::make_unique<ir::Function>("f");
  std::vector<ir::Value*> x;
  for (int j = 0; j < ops::arity(code); ++j) x.push_back(f->addParameter(ir::f64()));
  ir::Builder b(*f, f->body);
  ir::Attrs attrs;
  attrs.i = p.i;
  attrs.f = p.f;
  ir::Op& op = b.emit(code, x, attrs);
  b.yield({ir::partial(b, op, k)});
  return f;
}

// Appends the tangent of the result with respect to parameter j: forward mode for straight lines.
void addTangent(ir::Function& f, size_t j) {
  const ir::Value* result = f.body.yields()[0];
  f.body.ops.pop_back();
  std::unordered_map<const ir::Value*, ir::Value*> dots;
  ir::Builder b(f, f.body);
  dots[f.body.args[j]] = b.real(1);
  size_t count = f.body.ops.size() - 1;  // without the seed
  for (size_t at = 0; at < count; ++at) {
    const ir::Op& op = *f.body.ops[at];
    if (op.code == OpCode::Const) continue;
    std::vector<ir::Value*> operand_dots;
    for (ir::Value* operand : op.operands) operand_dots.push_back(dots[operand]);
    dots[op.result()] = ir::elementwiseTangent(b, op, operand_dots);
  }
  ir::Value* dot = dots[result];
  b.yield({dot ? dot : b.real(0)});
}

double runScalar(const ir::Function& f, const std::vector<double>& x) {
  std::vector<ir::Tensor> arguments;
  for (double value : x) arguments.push_back(ir::Tensor::real(value));
  auto outcome = ir::interpret(ir::Module(), f, arguments);
  return std::get<std::vector<ir::Tensor>>(*outcome)[0].reals[0];
}

}  // namespace

TEST_CASE("op table: partials as IR and as doubles are one template") {
  std::mt19937_64 random(kSeed);
  for (OpCode code : ops::elementwiseOps())
    for (const ops::Parameters& p : parametersOf(code))
      for (size_t k = 0; k < static_cast<size_t>(ops::arity(code)); ++k) {
        if ((ops::facts(code).partials >> k & 1u) == 0) continue;
        auto f = partialFunction(code, k, p);
        INFO(ir::shape(code).mnemonic, " seed ", kSeed);
        CHECK(ir::verify(*f) == std::vector<std::string>{});
        std::vector<double> x = sample(code, random);
        CHECK(runScalar(*f, x) == ops::partial(code, k, x, p));
      }
}

TEST_CASE("op table: second derivatives agree with differences of the first") {
  std::mt19937_64 random(kSeed);
  for (OpCode code : ops::elementwiseOps())
    for (const ops::Parameters& p : parametersOf(code))
      for (size_t k = 0; k < static_cast<size_t>(ops::arity(code)); ++k)
        for (size_t j = 0; j < static_cast<size_t>(ops::arity(code)); ++j) {
          if ((ops::facts(code).partials >> k & 1u) == 0) continue;
          auto f = partialFunction(code, k, p);
          addTangent(*f, j);
          std::vector<double> x = sample(code, random), at = x;
          const double h = 1e-3 * std::max(0.1, std::fabs(x[j]));
          auto first = [&](double offset) {
            at[j] = x[j] + offset * h;
            return ops::partial(code, k, at, p);
          };
          double expected =
              (45 * (first(1) - first(-1)) - 9 * (first(2) - first(-2)) + (first(3) - first(-3))) / (60 * h);
          INFO(ir::shape(code).mnemonic, " operands ", k, " ", j, " at ", x[0], " seed ", kSeed);
          CHECK(runScalar(*f, x) == doctest::Approx(expected).epsilon(1e-7).scale(1e-2));
        }
}

TEST_CASE("op table: every elementwise operation is printed and read back") {
  for (OpCode code : ops::elementwiseOps()) {
    ir::Module module;
    ir::Function& f = *module.functions.emplace("f", std::make_unique<ir::Function>("f")).first->second;
    std::vector<ir::Value*> x;
    for (char c : ops::signature(code).substr(0, static_cast<size_t>(ops::arity(code))))
      x.push_back(f.addParameter(c == 'i' ? ir::i64() : c == 'b' ? ir::i1() : ir::f64()));
    ir::Builder b(f, f.body);
    ir::Attrs attrs;
    attrs.i = 3;
    attrs.f = 0.25;
    b.yield({b.op(code, x, attrs)});
    std::string text = ir::print(module);
    auto again = ir::parseModule(text);
    REQUIRE(std::holds_alternative<std::unique_ptr<ir::Module>>(again));
    auto& parsed = *std::get<std::unique_ptr<ir::Module>>(again);
    CHECK(ir::print(parsed) == text);
    CHECK(parsed.find("f")->body.ops[0]->code == code);
    CHECK(ir::verify(*parsed.find("f")) == std::vector<std::string>{});
  }
}

TEST_CASE("op table: infinities pass as libm has them") {
  auto at = [](OpCode code, double x) { return ops::evaluate(code, std::vector<double>{x}); };
  CHECK(at(OpCode::Exp, -HUGE_VAL) == 0);
  CHECK(at(OpCode::Exp, HUGE_VAL) == HUGE_VAL);
  CHECK(at(OpCode::Log, 0) == -HUGE_VAL);
  CHECK(std::isnan(at(OpCode::Log, -1)));
  CHECK(std::isnan(at(OpCode::Sin, HUGE_VAL)));
  CHECK(at(OpCode::Tanh, -HUGE_VAL) == -1);
  CHECK(at(OpCode::Erf, HUGE_VAL) == 1);
  CHECK(at(OpCode::Sigmoid, -HUGE_VAL) == 0);
  CHECK(at(OpCode::Softplus, HUGE_VAL) == HUGE_VAL);
  CHECK(at(OpCode::Sqrt, HUGE_VAL) == HUGE_VAL);
  CHECK(at(OpCode::Atanh, 1) == HUGE_VAL);
  CHECK(at(OpCode::Sign, -HUGE_VAL) == -1);
  CHECK(std::signbit(at(OpCode::Sign, -0.0)));
  CHECK(at(OpCode::Round, 2.5) == 2);
  CHECK(at(OpCode::Round, 3.5) == 4);
}

TEST_CASE("op table: linear rows are linear in their linear operands") {
  std::mt19937_64 random(kSeed);
  for (OpCode code : ops::elementwiseOps()) {
    ops::LinearRule rule = ops::facts(code).linear;
    if (rule.kind == ops::Linearity::Never || !allReal(code)) continue;
    for (int draw = 0; draw < 20; ++draw) {
      std::vector<double> x = sample(code, random), y = x, sum = x, twice = x;
      for (size_t k = 0; k < x.size(); ++k) {
        bool linear = rule.kind == ops::Linearity::Either ? k == 0 : rule.at(k);
        if (!linear) continue;
        y[k] = 0.7 - x[k];
        sum[k] = x[k] + y[k];
        twice[k] = 2 * x[k];
      }
      INFO(ir::shape(code).mnemonic, " seed ", kSeed);
      CHECK(ops::evaluate(code, twice) == 2 * ops::evaluate(code, x));
      CHECK(ops::evaluate(code, sum) ==
            doctest::Approx(ops::evaluate(code, x) + ops::evaluate(code, y)).epsilon(1e-13).scale(1e-2));
    }
  }
}

TEST_CASE("op table: algebraic facts hold on samples") {
  std::mt19937_64 random(kSeed);
  for (OpCode code : ops::elementwiseOps()) {
    unsigned facts = ops::facts(code).algebraic;
    if (!allReal(code)) continue;
    for (int draw = 0; draw < 20; ++draw) {
      std::vector<double> x = sample(code, random);
      auto f = [&](double value) {
        return ops::evaluate(code, std::vector<double>{value});
      };
      INFO(ir::shape(code).mnemonic, " at ", x[0], " seed ", kSeed);
      if (facts & ops::kCommutative)
        CHECK(ops::evaluate(code, x) == ops::evaluate(code, std::vector<double>{x[1], x[0]}));
      if (facts & ops::kOdd) CHECK(f(-x[0]) == -f(x[0]));
      if (facts & ops::kEven) CHECK(f(-x[0]) == f(x[0]));
      if (facts & ops::kIncreasing) CHECK(f(x[0]) <= f(x[0] + 0.01));
      if (facts & ops::kDecreasing) CHECK(f(x[0]) >= f(x[0] + 0.01));
      if (facts & ops::kIdempotent) CHECK(f(f(x[0])) == f(x[0]));
      if (facts & ops::kInvolution) CHECK(f(f(x[0])) == x[0]);
    }
  }
}

TEST_CASE("op table: a NaN operand of a real function of reals gives NaN") {
  for (OpCode code : ops::elementwiseOps()) {
    if (!allReal(code) || code == OpCode::SafeDiv || code == OpCode::SafeMul) continue;
    bool is_kink = code == OpCode::Choose || code == OpCode::Pick || code == OpCode::ChooseTie ||
                   code == OpCode::PickTie;
    size_t read = is_kink ? 2 : static_cast<size_t>(ops::arity(code));
    for (size_t k = 0; k < read; ++k) {
      std::vector<double> x(static_cast<size_t>(ops::arity(code)), 0.5);
      x[k] = std::nan("");
      ops::Parameters p{code == OpCode::PowI ? 3 : 0, 0.5};
      INFO(ir::shape(code).mnemonic, " operand ", k);
      CHECK(std::isnan(ops::evaluate(code, x, p)));
    }
  }
}

TEST_CASE("op table: choose and pick on their kink and on both sides") {
  auto choose = [](double p, double q, double a, double b) {
    return ops::evaluate(OpCode::Choose, std::vector<double>{p, q, a, b});
  };
  auto pick = [](double p, double q, double a, double b, double t, int64_t comparison = 0) {
    return ops::evaluate(OpCode::Pick, std::vector<double>{p, q, a, b}, {comparison, t});
  };
  const double nan = std::nan("");
  CHECK(choose(1, 0, 5, 7) == 5);
  CHECK(choose(0, 1, 5, 7) == 7);
  CHECK(choose(0, -0.0, 5, 7) == 5);
  CHECK(std::isnan(choose(nan, 0, 5, 7)));
  CHECK(pick(1, 0, 5, 7, 0.25) == 5);
  CHECK(pick(0, 1, 5, 7, 0.25) == 7);
  CHECK(pick(1, 1, 5, 7, 0.25) == 0.25 * 5 + 0.75 * 7);
  CHECK(pick(1, 1, 5, nan, 1) == 5);  // the other side is not read
  CHECK(pick(1, 1, nan, 7, 0) == 7);
  CHECK(std::isnan(pick(1, 1, 5, nan, 0.5)));
  CHECK(std::isnan(pick(nan, 1, 5, 7, 0.5)));
  CHECK(pick(nan, 1, 5, 7, 0.5, 1) == 7);
  auto pickTie = [](double p, double q, double a, double b, double t) {
    return ops::evaluate(OpCode::PickTie, std::vector<double>{p, q, a, b, t}, {0, 0});
  };
  CHECK(pickTie(1, 0, 5, 7, 0) == 5);
  CHECK(pickTie(1, 1, 5, nan, 1) == 5);
  CHECK(pickTie(1, 1, nan, 7, 0) == 7);
  CHECK(pickTie(1, 1, 5, 7, nan) == 7);  // undecided
  CHECK(pickTie(1, 1, 5, 7, 0.25) == 0.25 * 5 + 0.75 * 7);
  auto side = [](double s, double m) {
    return ops::evaluate(OpCode::TieSide, std::vector<double>{s, m});
  };
  CHECK(side(1e-13, 1) == 1);
  CHECK(side(-1e-13, 1) == 0);
  CHECK(std::isnan(side(1e-14, 1)));
  CHECK(std::isnan(side(0, 0)));
}

TEST_CASE("op table: derivatives at the edges of domains") {
  auto partial = [](OpCode code, size_t k, std::vector<double> x, int64_t i = 0) {
    return ops::partial(code, k, x, {i, 0});
  };
  CHECK(partial(OpCode::Pow, 1, {0, 2}) == 0);
  CHECK(partial(OpCode::Pow, 0, {0, 2}) == 0);
  CHECK(partial(OpCode::Pow, 0, {0, 1}) == 1);
  CHECK(partial(OpCode::Pow, 0, {0, 0}) == 0);
  CHECK(partial(OpCode::PowI, 0, {0}, 0) == 0);
  CHECK(partial(OpCode::PowI, 0, {0}, 1) == 1);
  CHECK(partial(OpCode::PowI, 0, {0}, 2) == 0);
  CHECK(partial(OpCode::Sqrt, 0, {0}) == HUGE_VAL);
  CHECK(partial(OpCode::SafeDiv, 1, {3, 0}) == 0);
  CHECK(partial(OpCode::Sigmoid, 0, {40}) == doctest::Approx(std::exp(-40.0)));
}

TEST_CASE("op table: integers, booleans and conversions") {
  auto integer = [](OpCode code, int64_t a, int64_t b) {
    ops::Elements operands[] = {{&a, true}, {&b, true}};
    int64_t result = 0;
    ops::evaluator(code)({}, operands, &result, 1);
    return result;
  };
  CHECK(integer(OpCode::IAdd, INT64_MAX, 1) == INT64_MIN);
  CHECK(integer(OpCode::ISub, 3, 5) == -2);
  CHECK(integer(OpCode::IMul, -3, 5) == -15);
  CHECK(integer(OpCode::IDiv, -7, 2) == -4);
  CHECK(integer(OpCode::IDiv, 7, 0) == 0);
  CHECK(integer(OpCode::IDiv, INT64_MIN, -1) == INT64_MIN);
  CHECK(integer(OpCode::IMod, -7, 2) == 1);
  CHECK(integer(OpCode::IMod, 7, -2) == -1);
  CHECK(integer(OpCode::IMod, 7, 0) == 0);
  CHECK(integer(OpCode::IMin, 7, -2) == -2);
  CHECK(integer(OpCode::IMax, 7, -2) == 7);
  CHECK(integer(OpCode::Hash, 1, 2) != integer(OpCode::Hash, 2, 1));
  double half = 2.5, nan = std::nan("");
  int64_t truncated = 0;
  ops::Elements real{&half, true};
  ops::evaluator(OpCode::RealToInt)({}, &real, &truncated, 1);
  CHECK(truncated == 2);
  uint8_t flag = 2;
  ops::Elements not_a_number{&nan, true};
  ops::evaluator(OpCode::FNe)({}, std::array{not_a_number, not_a_number}.data(), &flag, 1);
  CHECK(flag == 1);
}

TEST_CASE("documentation of partials: the table of docs/ir.md is what the rows write") {
  std::string table;
  for (OpCode code : ops::elementwiseOps()) {
    if (ops::facts(code).partials == 0u) continue;
    std::string row = std::string("| `") + ir::shape(code).mnemonic + "` |";
    ops::Parameters p{code == OpCode::PowI ? 3 : 0, 0};
    if (code == OpCode::PowI) row = "| `powi`, exponent 3 |";
    for (size_t k = 0; k < static_cast<size_t>(ops::arity(code)); ++k)
      if ((ops::facts(code).partials >> k & 1u) != 0)
        row += (k ? ", `" : " `") + ops::partialText(code, k, p) + "`";
    table += row + " |\n";
  }
  std::ifstream file(DINI_SOURCE_DIR "/docs/ir.md");
  std::string page((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  bool current = page.find(table) != std::string::npos;
  CHECK(current);
  if (!current) MESSAGE("expected in docs/ir.md:\n", table);
}

TEST_CASE("documentation of irreducible kinks: the table of docs/nonsmooth.md is what the rows say") {
  std::ifstream file(DINI_SOURCE_DIR "/docs/nonsmooth.md");
  std::string page((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::string table = ops::irreducibleTable();
  bool current = page.find(table) != std::string::npos;
  CHECK(current);
  if (!current) MESSAGE("expected in docs/nonsmooth.md:\n", table);
}

TEST_CASE("every operation is named by a test") {
  std::string tests;
  for (const char* folder : {"/tests/ops", "/tests/unit"})
    for (const auto& entry : std::filesystem::directory_iterator(std::string(DINI_SOURCE_DIR) + folder)) {
      std::ifstream file(entry.path());
      tests.append(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
  for (int k = 0; k < ir::opcodeCount(); ++k) {
    const ir::OpShape& shape = ir::shape(static_cast<OpCode>(k));
    bool by_rows = shape.stratum == ir::Stratum::Elementwise;  // the laws above run over all rows
    bool named = tests.find(std::string(shape.mnemonic) + "(") != std::string::npos ||
                 tests.find(std::string("OpCode::") + shape.name) != std::string::npos;
    INFO(shape.name);
    CHECK((by_rows || named));
  }
}

TEST_CASE("op table: the rows write derivatives as text") {
  CHECK(ops::partialText(OpCode::Div, 1) == "(-(y / %1))");
  CHECK(ops::partialText(OpCode::Sin, 0) == "cos(%0)");
  CHECK(ops::partialText(OpCode::PowI, 0, {3, 0}) == "(3 * powi[2](%0))");
}
