// Derivatives at kinks: every policy, forward and reverse alike, and unification.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/unit/ad_support.h"

using namespace dini;
using namespace dini::test;

namespace {

// A function of one real, its derivative in both modes under a policy.
struct Slopes {
  double forward, reverse;
};

Slopes slopesAt(const std::string& text, double x, ad::TieOptions ties) {
  Program program(text);
  program.ties = ties;
  std::string jvp = program.derive("jvp", "f"), vjp = program.derive("vjp", "f");
  return {value(program.run(jvp, {scalar(x), scalar(1)}), 1),
          value(program.run(vjp, {scalar(x), scalar(1)}), 1)};
}

ad::TieOptions weight(double t, bool unify = true) {
  return {ad::TieOptions::Policy::Weight, t, unify};
}

// Both modes give `expected` at x.
void checkSlope(const std::string& text, double x, ad::TieOptions ties, double expected) {
  Slopes slopes = slopesAt(text, x, ties);
  INFO(text);
  CHECK(near(slopes.forward, expected, 1e-14));
  CHECK(near(slopes.reverse, expected, 1e-14));
}

std::string function(const std::string& body) {
  return "func @f(%0.x: f64) {\n  %1 = const() <f=0> : f64\n  %2 = neg(%0.x) : f64\n" + body + "}\n";
}
const std::string kRelu = "  %3 = choose(%0.x, %1, %0.x, %1) <f=1, str=\"relu\"> : f64\n";
const std::string kReluNeg = "  %4 = choose(%2, %1, %2, %1) <f=1, str=\"relu\"> : f64\n";
const std::string kAbs = "  %5 = choose(%0.x, %1, %0.x, %2) <f=2, str=\"abs\"> : f64\n";

}  // namespace

TEST_CASE("kinks that cancel do so under every weight") {
  std::string relus = function(kRelu + kReluNeg + "  %9 = sub(%3, %4) : f64\n  yield(%9)\n");
  for (double t : {0.0, 0.25, 0.5, 1.0}) {
    checkSlope(relus, 0, weight(t), 1);
    checkSlope(relus, 3, weight(t), 1);
    checkSlope(relus, -3, weight(t), 1);
    // max(x, 0) + log1p(exp(-abs(x))), a way to write softplus.
    checkSlope(function(kRelu + kAbs +
                        "  %6 = neg(%5) : f64\n  %7 = exp(%6) : f64\n  %8 = log1p(%7) : f64\n"
                        "  %9 = add(%3, %8) : f64\n  yield(%9)\n"),
               0, weight(t), 0.5);
    checkSlope(function(kAbs + "  %9 = sub(%5, %5) : f64\n  yield(%9)\n"), 0, weight(t), 0);
    // max(x, 2x) + min(x, 2x) = 3x; its switches are x - 2x and again x - 2x.
    checkSlope(function("  %3 = add(%0.x, %0.x) : f64\n"
                        "  %4 = choose(%0.x, %3, %0.x, %3) <f=1, str=\"max\"> : f64\n"
                        "  %5 = choose(%3, %0.x, %0.x, %3) <f=-1, str=\"min\"> : f64\n"
                        "  %6 = add(%4, %5) : f64\n  yield(%6)\n"),
               0, weight(t), 3);
  }
}

TEST_CASE("the weight is that of the first kink's branch a") {
  for (double t : {0.0, 0.25, 1.0}) {
    checkSlope(function(kRelu + "  yield(%3)\n"), 0, weight(t), t);
    checkSlope(function(kReluNeg + "  yield(%4)\n"), 0, weight(t), -t);
    checkSlope(function(kAbs + "  yield(%5)\n"), 0, weight(t), 2 * t - 1);
  }
  std::string relus = function(kRelu + kReluNeg + "  %9 = sub(%3, %4) : f64\n  yield(%9)\n");
  checkSlope(relus, 0, weight(0.25, false), 0.5);  // not unified: t + t
}

TEST_CASE("a kink inside a branch of its own class takes that branch") {
  // z - 4 relu(z) + 4 choose(z; relu(z), 0): equal to z, slope 1 under every weight.
  std::string text = function(kRelu +
                              "  %4 = choose(%0.x, %1, %3, %1) : f64\n  %5 = const() <f=4> : f64\n"
                              "  %6 = mul(%5, %3) : f64\n  %7 = mul(%5, %4) : f64\n"
                              "  %8 = sub(%0.x, %6) : f64\n  %9 = add(%8, %7) : f64\n  yield(%9)\n");
  for (double t : {0.0, 0.25, 0.5, 1.0}) checkSlope(text, 0, weight(t), 1);
}

TEST_CASE("frameworks: per operation, not unified") {
  ad::TieOptions torch{ad::TieOptions::Policy::Torch, 0.5, true};
  ad::TieOptions jax{ad::TieOptions::Policy::Jax, 0.5, true};
  std::string relus = function(kRelu + kReluNeg + "  %9 = sub(%3, %4) : f64\n  yield(%9)\n");
  checkSlope(relus, 0, torch, 0);
  checkSlope(relus, 0, jax, 0);
  checkSlope(function(kAbs + "  yield(%5)\n"), 0, torch, 0);
  checkSlope(function(kAbs + "  yield(%5)\n"), 0, jax, 1);
  // clamp(x, 0, 1) = min(max(x, 0), 1) at 0.
  std::string clamp = function("  %3 = choose(%0.x, %1, %0.x, %1) <f=1, str=\"clamp\"> : f64\n"
                               "  %4 = const() <f=1> : f64\n"
                               "  %5 = choose(%3, %4, %4, %3) <f=-1, str=\"clamp\"> : f64\n"
                               "  yield(%5)\n");
  checkSlope(clamp, 0, torch, 1);
  checkSlope(clamp, 1, torch, 1);
  checkSlope(clamp, 0, jax, 0.5);
}

TEST_CASE("if on a comparison blends at a tie, and keeps its branch at a jump") {
  auto branch = [](const std::string& how, const std::string& then, const std::string& other) {
    std::string cond = how == "gt" ? "flt(%1, %0.x)" : how == "ge" ? "fle(%1, %0.x)"
                       : how == "lt" ? "flt(%0.x, %1)" : "fle(%0.x, %1)";
    return function("  %3 = " + cond + " : i1\n  %4 = if(%3, %0.x, %1) <str=\"" + how +
                    "\"> : f64 {()\n" + then + "  } {()\n" + other + "  }\n  yield(%4)\n");
  };
  const std::string x = "    yield(%0.x)\n", zero = "    yield(%1)\n";
  for (double t : {0.0, 0.25, 0.5, 1.0}) {
    checkSlope(branch("gt", x, zero), 0, weight(t), t);
    checkSlope(branch("ge", x, zero), 0, weight(t), t);
    checkSlope(branch("lt", zero, x), 0, weight(t), 1 - t);  // then is 0, where 0 - x > 0
    checkSlope(branch("gt", x, zero), 2, weight(t), 1);
    checkSlope(branch("gt", x, zero), -2, weight(t), 0);
    // A jump of 1: the comparison's branch.
    std::string one = "    %7 = const() <f=1> : f64\n    %8 = add(%0.x, %7) : f64\n    yield(%8)\n";
    checkSlope(branch("gt", one, zero), 0, weight(t), 0);
    checkSlope(branch("ge", one, zero), 0, weight(t), 1);
    // A side that may end in a status runs guarded; one that does not hold at the tie is a jump.
    std::string guarded = "    %7 = flt(%1, %0.x) : i1\n    check(%7) <i=6>\n    yield(%0.x)\n";
    checkSlope(branch("gt", guarded, zero), 0, weight(t), 0);
    std::string holds = "    %7 = fle(%1, %0.x) : i1\n    check(%7) <i=6>\n    yield(%0.x)\n";
    checkSlope(branch("gt", holds, zero), 0, weight(t), t);
    // if x > 0 { x } else { if x < 0 { -x } else { 0 } }: the inner tie follows the outer side.
    std::string inner = "    %5 = flt(%0.x, %1) : i1\n    %6 = if(%5, %0.x, %1) <str=\"lt\"> : f64 {()\n"
                        "      yield(%2)\n    } {()\n      yield(%1)\n    }\n    yield(%6)\n";
    checkSlope(branch("gt", x, inner), 0, weight(t), 2 * t - 1);
  }
}

TEST_CASE("reductions, sort and norm at ties: forward is reverse") {
  for (double t : {0.0, 0.25, 0.5, 1.0}) {
    Program program(R"(func @f(%0.v: f64[4]) {
  %1 = reduce(%0.v) <str="max", ints=[0]> : f64
  %2 = reduce(%0.v) <str="min", ints=[0]> : f64
  %3 = argsort(%0.v) : i64[4]
  %4 = gather(%0.v, %3) : f64[4]
  %5 = norm(%0.v) : f64
  yield(%1, %2, %4, %5)
}
)");
    program.ties = weight(t);
    checkForwardIsReverse(program, "f", {vec({2, 1, 2, 1})});
    checkForwardIsReverse(program, "f", {vec({0, 0, 0, 0})});
    std::string jac = program.derive("jac", "f");
    Tensors j = program.run(jac, {vec({2, 1, 2, 1})});
    double first = t == 0.5 ? 0.5 : t;
    CHECK(near(j[0].reals, {first, 0, 1 - first, 0}));
    CHECK(near(j[1].reals, {0, first, 0, 1 - first}));
    Tensors zero = program.run(jac, {vec({0, 0, 0, 0})});
    CHECK(near(zero[3].reals, {0, 0, 0, 0}));
  }
}

TEST_CASE("a side not taken cannot spoil the derivative") {
  // where(x > 0, x log(x), 0) and where(x > 0, sqrt(x), 0) at 0.
  std::string entropy = function("  %3 = flt(%1, %0.x) : i1\n  %4 = log(%0.x) : f64\n"
                                 "  %5 = mul(%0.x, %4) : f64\n  %6 = select(%3, %5, %1) : f64\n"
                                 "  yield(%6)\n");
  checkSlope(entropy, 0, weight(0.5), 0);
  std::string root = function("  %3 = flt(%1, %0.x) : i1\n  %4 = sqrt(%0.x) : f64\n"
                              "  %6 = select(%3, %4, %1) : f64\n  yield(%6)\n");
  checkSlope(root, 0, weight(0.5), 0);
  std::string quotient = function("  %3 = flt(%1, %0.x) : i1\n  %4 = div(%2, %0.x) : f64\n"
                                  "  %6 = select(%3, %4, %1) : f64\n  yield(%6)\n");
  checkSlope(quotient, 0, weight(0.5), 0);
}
