// Policy `locked` on random piecewise-linear programs: its gradients are those of a piece beside the
// point, by an oracle of its own (piecewise_linear.h), where fixed weights fail on a share; forward,
// reverse, batched and nested requests take the same weights; both engines give the same bits.
#include <doctest/doctest.h>

#include "ad/ad.h"
#include "ad/probe.h"
#include "ir/builder.h"
#include "ir/clone.h"
#include "ir/interpreter.h"
#include "tests/unit/jit_support.h"
#include "tests/unit/piecewise_linear.h"

using namespace dini;
using namespace dini::test;

namespace {

ad::TieOptions locked() {
  ad::TieOptions ties;
  ties.variant = ad::TieOptions::Variant::Probe;
  return ties;
}

ad::TieOptions weight(double t) {
  ad::TieOptions ties;
  ties.policy = ad::TieOptions::Policy::Weight;
  ties.weight = t;
  return ties;
}

ad::Request request(const PlProgram& program, ad::TieOptions ties) {
  return {std::vector<bool>(static_cast<size_t>(program.inputs), true), std::move(ties)};
}

std::vector<double> run(const ir::Module& module, const ir::Function& f,
                        const std::vector<double>& x) {
  std::vector<ir::Tensor> arguments;
  for (double value : x) arguments.push_back(ir::Tensor::real(value));
  auto outcome = ir::interpret(module, f, arguments);
  std::vector<double> results;
  for (const ir::Tensor& tensor : std::get<std::vector<ir::Tensor>>(*outcome))
    results.push_back(tensor.reals.at(0));
  return results;
}

// Of reverse mode, at the origin.
std::vector<double> gradient(const PlProgram& program, const ad::TieOptions& ties) {
  ir::Module module;
  auto f = asFunction(program);
  auto made = ad::valueAndGrad(module, *f, request(program, ties));
  auto results = run(module, *made, std::vector<double>(static_cast<size_t>(program.inputs), 0.0));
  return {results.begin() + 1, results.end()};
}

bool contains(const std::set<Gradient>& all, const std::vector<double>& g) {
  Gradient exact{};
  for (size_t k = 0; k < g.size(); ++k) exact[k] = static_cast<int64_t>(g[k]);
  return all.contains(exact);
}

}  // namespace

TEST_CASE("locked: the gradient is that of a piece around the point, fixed weights fail on a share") {
  std::mt19937_64 random(20260101);
  int checked = 0, several = 0, failed = 0;
  for (int draw = 0; draw < 2400; ++draw) {
    int inputs = 1 + draw % 3;
    PlProgram program = randomPl(random, inputs, draw % 4 == 0 ? 14 : 5);
    std::set<Gradient> pieces = gradientsAtOrigin(program);
    if (pieces.empty()) continue;
    ++checked;
    several += pieces.size() > 1 ? 1 : 0;
    std::vector<double> found = gradient(program, locked());
    INFO("draw ", draw, " of seed 20260101, ", pieces.size(), " pieces, found ", found[0]);
    CHECK(contains(pieces, found));
    if (draw % 4 != 1) continue;
    bool fails = false;
    for (double t : {0.0, 0.5, 1.0})
      fails = fails || outsideHull(gradient(program, weight(t)), pieces, random);
    failed += fails ? 1 : 0;
  }
  MESSAGE(checked, " programs, ", several, " with several pieces, fixed weights leave the hull on ",
          failed, " of a quarter");
  CHECK(checked > 2000);
  CHECK(several > 1000);
  CHECK(failed > 30);
}

TEST_CASE("locked: deep programs of eight variables, against the gradient beside the point") {
  std::mt19937_64 random(7);
  for (int draw = 0; draw < 600; ++draw) {
    PlProgram program = randomPl(random, 8, 12 + draw % 20);
    std::vector<double> direction;
    for (int64_t k = 0; k < 8; ++k)
      direction.push_back(ad::directionEntry(locked(), ad::ProbeStage::First, k));
    INFO("draw ", draw, " of seed 7");
    CHECK(gradient(program, locked()) == gradientBeside(program, direction));
  }
}

TEST_CASE("locked: forward, Jacobian and nested requests agree with reverse, compiled code too") {
  std::mt19937_64 random(11);
  for (int draw = 0; draw < 150; ++draw) {
    int inputs = 1 + draw % 3;
    PlProgram program = randomPl(random, inputs, 8);
    std::vector<double> expected = gradient(program, locked());
    std::vector<double> origin(static_cast<size_t>(inputs), 0.0);
    INFO("draw ", draw, " of seed 11");
    ir::Module module;
    auto f = asFunction(program);
    ad::Request all = request(program, locked());
    CHECK(run(module, *ad::jacobian(module, *f, all), origin) == expected);
    auto forward = ad::jvp(module, *f, all);
    for (size_t k = 0; k < expected.size(); ++k) {
      std::vector<double> arguments = origin;
      arguments.resize(2 * origin.size(), 0.0);
      arguments[origin.size() + k] = 1;
      CHECK(run(module, *forward, arguments)[1] == expected[k]);
    }
    // The derivative of the gradient along anything is 0, and its value stays what it was.
    auto slope = ad::valueAndGrad(module, *f, all);
    auto second = run(module, *ad::jacobian(module, *slope, all), origin);
    CHECK(std::vector<double>(second.begin(), second.begin() + inputs) == expected);
    for (size_t k = static_cast<size_t>(inputs); k < second.size(); ++k) CHECK(second[k] == 0);
    std::vector<ir::Tensor> arguments(origin.size(), ir::Tensor::real(0));
    slope->name = "slope";
    agree(module, module.add(std::move(slope)), arguments);
  }
}

TEST_CASE("locked: the one-sided derivative is the limit along the direction") {
  std::mt19937_64 random(13);
  for (int draw = 0; draw < 300; ++draw) {
    int inputs = 1 + draw % 3;
    PlProgram program = randomPl(random, inputs, 9);
    ir::Module module;
    auto f = asFunction(program);
    auto made = ad::directional(module, *f, request(program, locked()));
    std::vector<double> origin(static_cast<size_t>(inputs), 0.0), direction;
    for (int k = 0; k < inputs; ++k)
      direction.push_back(static_cast<double>(std::uniform_int_distribution<>(-2, 2)(random)));
    std::vector<double> arguments = origin, beside;
    arguments.insert(arguments.end(), direction.begin(), direction.end());
    constexpr double kStep = 0x1p-20;
    for (double d : direction) beside.push_back(kStep * d);
    INFO("draw ", draw, " of seed 13");
    CHECK(run(module, *made, arguments)[1] ==
          (run(module, *f, beside)[0] - run(module, *f, origin)[0]) / kStep);
  }
}

TEST_CASE("locked: the fast variant notes the ties that matter") {
  auto note = [](const char* text, double x) {
    auto owned = parsed(text);
    ir::Module& module = *owned;
    auto made = ad::jvp(module, *module.find("f"), {{true}, {}});
    ir::RunNotes notes;
    ir::InterpretOptions options;
    options.notes = &notes;
    std::vector<ir::Tensor> arguments{ir::Tensor::real(x), ir::Tensor::real(1)};
    ir::interpret(module, *made, arguments, options);
    return notes.tie;
  };
  const char* relu = "func @f(%0: f64) {\n  %1 = const() : f64\n  %2 = choose(%0, %1, %0, %1) <f=1> : f64\n  yield(%2)\n}";
  CHECK(note(relu, 0));
  CHECK_FALSE(note(relu, 1));
  const char* same = "func @f(%0: f64) {\n  %1 = choose(%0, %0, %0, %0) <f=1> : f64\n  yield(%1)\n}";
  CHECK_FALSE(note(same, 0));
}
