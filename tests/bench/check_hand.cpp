#include <cmath>
#include <functional>

#include "agreement.h"
#include "hand/brusselator.h"
#include "hand/lasso.h"
#include "hand/qp.h"
#include "hand/roots.h"
#include "hand/rosenbrock.h"
#include "hand/systems.h"
#include "problems.h"

namespace dini::bench {
namespace {

constexpr double kExact = 1e-12;
constexpr double kDifference = 1e-6;  // of central differences with step 1e-5

void checkRoots(Agreement& agreement) {
  const RootsProblem problem = rootsProblem(1003);  // no multiple of a vector
  const size_t n = problem.x.size();
  std::vector<double> root(n), slope(n), z(n), z_dot(n);
  for (size_t i = 0; i < n; ++i) {
    root[i] = std::atanh(problem.x[i]);  // f is tanh
    slope[i] = 1 / (1 - problem.x[i] * problem.x[i]);
  }
  agreement.expect("scalar roots converge", rootsScalar(problem.x, z));
  agreement.expect("scalar roots", z, root, kExact);
  agreement.expect("scalar slopes converge", rootsScalar(problem.x, problem.x_dot, z, z_dot));
  agreement.expect("scalar slopes", z_dot, slope, kExact);
  agreement.expect("roots in lanes converge", rootsLanes(problem.x, z));
  agreement.expect("roots in lanes", z, root, kExact);
  agreement.expect("slopes in lanes converge", rootsLanes(problem.x, problem.x_dot, z, z_dot));
  agreement.expect("slopes in lanes", z_dot, slope, kExact);
}

// What solves the equations at z, which are explicit in p; and slopes by differences.
void checkSystems(Agreement& agreement) {
  for (const size_t n : {2, 3}) {
    const auto solve = [&](const RootsProblem& at, std::vector<double>& z, std::vector<double>& z_dot) {
      return n == 2 ? pairs(at.x, at.x_dot, z, z_dot) : triples(at.x, at.x_dot, z, z_dot);
    };
    const std::string name = "systems of " + std::to_string(n) + ": ";
    RootsProblem problem = systemsProblem(1003 * n);  // no multiple of a vector
    std::vector<double> z(problem.x.size()), z_dot = z, p = z, up = z, down = z, unused = z;
    agreement.expect(name + "converge", solve(problem, z, z_dot));
    for (size_t i = 0; i < z.size(); i += n) {
      const double *u = &z[i], c[3] = {0.3, -0.2, 0.25};
      for (size_t k = 0; k < n; ++k)
        p[i + k] = u[k] + c[k] * (n == 2 ? u[1 - k] * u[1 - k] : u[(k + 1) % 3] * u[(k + 2) % 3]);
    }
    agreement.expect(name + "solutions", p, problem.x, kExact);
    const double step = 1e-5;
    RootsProblem above = problem, below = problem;
    for (size_t i = 0; i < p.size(); ++i) {
      above.x[i] += step * problem.x_dot[i];
      below.x[i] -= step * problem.x_dot[i];
    }
    agreement.expect(name + "beside converge", solve(above, up, unused) && solve(below, down, unused));
    for (size_t i = 0; i < p.size(); ++i) up[i] = (up[i] - down[i]) / (2 * step);
    agreement.expect(name + "slopes", z_dot, up, kDifference);
  }
}

void checkRosenbrock(Agreement& agreement) {
  const std::vector<double> start = {-1.2, 1.0};
  std::vector<double> bar(2);
  agreement.expect("Rosenbrock at the start", rosenbrock(start), 24.2, kExact);
  agreement.expect("Rosenbrock and its gradient", rosenbrock(start, bar), 24.2, kExact);
  agreement.expect("its gradient", bar, std::vector{-215.6, -88.0}, kExact);

  const std::vector<double> x = rosenbrockPoint(1003);
  std::vector<double> plain(x.size()), got(x.size());
  double sum = 0;
  for (size_t i = 0; i + 1 < x.size(); ++i) {
    const double curve = x[i + 1] - x[i] * x[i], miss = 1 - x[i];
    sum += 100 * curve * curve + miss * miss;
    plain[i] -= 400 * x[i] * curve + 2 * miss;
    plain[i + 1] += 200 * curve;
  }
  agreement.expect("Rosenbrock's value, plain", rosenbrock(x), sum, kExact);
  agreement.expect("Rosenbrock's value, fused", rosenbrock(x, got), sum, kExact);
  agreement.expect("Rosenbrock's gradient", got, plain, kExact);
}

// The derivative along a direction of `x`, by differences of `value`, against the gradient's.
void checkDirection(Agreement& agreement, const std::string& what, std::vector<double>& x,
                    const std::vector<double>& bar, const std::function<double()>& value) {
  const std::vector<double> kept = x, direction = uniform(99, x.size(), -1, 1);
  const double step = 1e-5;
  double along = 0;
  const auto at = [&](double distance) {
    for (size_t i = 0; i < x.size(); ++i) x[i] = kept[i] + distance * direction[i];
    return value();
  };
  for (size_t i = 0; i < x.size(); ++i) along += bar[i] * direction[i];
  const double difference = (at(step) - at(-step)) / (2 * step);
  x = kept;
  agreement.expect(what, difference, along, kDifference);
}

void checkGmm(Agreement& agreement, int64_t n, int64_t d, int64_t K) {
  GmmProblem problem = gmmProblem(n, d, K);
  GmmScratch scratch(problem);
  GmmGradient lanes(problem), blas(problem);
  const std::string name = "Gaussian mixture, d = " + std::to_string(d) + ": ";
  const double value = gmmBlas(problem, scratch);
  agreement.expect(name + "lanes", gmmLanes(problem, scratch), value, kExact);
  agreement.expect(name + "BLAS with gradient", gmmBlas(problem, scratch, blas), value, kExact);
  agreement.expect(name + "lanes with gradient", gmmLanes(problem, scratch, lanes), value, kExact);
  agreement.expect(name + "alphas", lanes.alphas, blas.alphas, kExact);
  agreement.expect(name + "means", lanes.means, blas.means, kExact);
  agreement.expect(name + "icf", lanes.icf, blas.icf, kExact);
  const auto again = [&] { return gmmBlas(problem, scratch); };
  checkDirection(agreement, name + "along alphas", problem.alphas, blas.alphas, again);
  checkDirection(agreement, name + "along means", problem.means, blas.means, again);
  checkDirection(agreement, name + "along icf", problem.icf, blas.icf, again);
}

// One component, d = 1, one point: log of a normal density in closed form.
void checkGmmClosedForm(Agreement& agreement) {
  GmmProblem problem;
  problem.n = problem.d = problem.K = 1;
  problem.alphas = {0.7};
  problem.means = {0.25};
  problem.icf = {0.5};
  problem.x = {1.0};
  GmmScratch scratch(problem);
  const double q = std::exp(0.5), u = q * 0.75;
  // The prior of d = 1, m = 0, gamma = 1: 2 (-log(2) / 2) - log Gamma(1) - q^2 / 2.
  const double wanted = 0.5 - 0.5 * u * u - 0.5 * std::log(2 * M_PI) - std::log(2.0) - 0.5 * q * q;
  agreement.expect("Gaussian mixture of one", gmmBlas(problem, scratch), wanted, kExact);
}

void checkMlp(Agreement& agreement) {
  MlpProblem problem = mlpProblem(32);
  MlpScratch scratch(problem.rows);
  MlpLayers lanes, blas;
  const double value = mlpBlas(problem, scratch);
  agreement.expect("perceptron: lanes", mlpLanes(problem, scratch), value, kExact);
  agreement.expect("perceptron: BLAS, both", mlpBlas(problem, scratch, blas), value, kExact);
  agreement.expect("perceptron: lanes, both", mlpLanes(problem, scratch, lanes), value, kExact);
  const auto again = [&] { return mlpBlas(problem, scratch); };
  const auto check = [&](const std::string& name, std::vector<double> MlpLayers::* member) {
    agreement.expect("perceptron: " + name, lanes.*member, blas.*member, kExact);
    checkDirection(agreement, "perceptron along " + name, problem.layers.*member, blas.*member,
                   again);
  };
  check("W1", &MlpLayers::W1);
  check("b1", &MlpLayers::b1);
  check("W2", &MlpLayers::W2);
  check("b2", &MlpLayers::b2);
  check("W3", &MlpLayers::W3);
  check("b3", &MlpLayers::b3);
}

// The conditions of a minimiser, and the slope by differences.
void checkLasso(Agreement& agreement) {
  LassoProblem problem = lassoProblem(60, 200, 30, 20);
  LassoByHand lasso(problem);
  agreement.expect("Lasso settles", lasso.solveAndSlope(problem.penalty));
  const double slope = lasso.slope(), step = 1e-6 * problem.penalty;
  std::vector<double> r = problem.y, wanted, found;
  for (int64_t i = 0; i < problem.m; ++i)
    for (int64_t j = 0; j < problem.n; ++j)
      r[static_cast<size_t>(i)] -= problem.X[static_cast<size_t>(i * problem.n + j)] * lasso.b()[static_cast<size_t>(j)];
  bool bounded = true;
  for (int64_t j = 0; j < problem.n; ++j) {
    double c = 0;
    const double b = lasso.b()[static_cast<size_t>(j)];
    for (int64_t i = 0; i < problem.m; ++i) c += problem.X[static_cast<size_t>(i * problem.n + j)] * r[static_cast<size_t>(i)];
    bounded = bounded && std::fabs(c) <= problem.penalty * (1 + 1e-9);
    if (b == 0) continue;
    found.push_back(c);
    wanted.push_back(b > 0 ? problem.penalty : -problem.penalty);
  }
  agreement.expect("Lasso: bounded correlations", bounded && found.size() > 5);
  agreement.expect("Lasso: stationary", found, wanted, kExact);
  agreement.expect("Lasso beside", lasso.solve(problem.penalty + step));
  const double above = lasso.value();
  agreement.expect("Lasso beside", lasso.solve(problem.penalty - step));
  agreement.expect("Lasso: slope", slope, (above - lasso.value()) / (2 * step), kDifference);
}

// The gradient by differences along a direction.
void checkBrusselator(Agreement& agreement) {
  const std::vector<double> start = brusselatorStart(9), along = uniform(40, start.size(), -1, 1);
  BrusselatorByHand hand(9, 3, start);
  agreement.expect("Brusselator runs", hand.runAndGradient());
  constexpr double kStep = 1e-5;
  double slope = 0, ends[2] = {};
  for (int side = 0; side < 2; ++side) {
    std::vector<double> moved = start;
    for (size_t k = 0; k < moved.size(); ++k) moved[k] += (side == 0 ? -kStep : kStep) * along[k];
    BrusselatorByHand beside(9, 3, moved);
    agreement.expect("Brusselator beside", beside.run());
    ends[side] = beside.value();
  }
  for (size_t k = 0; k < along.size(); ++k) slope += hand.gradient()[k] * along[k];
  agreement.expect("Brusselator: gradient", slope, (ends[1] - ends[0]) / (2 * kStep), kDifference);
}

// The minimisers' conditions, and the cotangents by differences along a direction of all data.
void checkQps(Agreement& agreement) {
  const QpProblem problem = qpProblem(8, 20, 5, 10);
  QpByHand hand(problem);
  agreement.expect("programs are solved", hand.solveAndPull());
  const QpProblem& bars = hand.cotangents();
  constexpr double kStep = 1e-5;
  double slope = 0, sums[2] = {};
  std::vector<double> QpProblem::*const data[] = {&QpProblem::Q, &QpProblem::q, &QpProblem::A,
                                                        &QpProblem::b, &QpProblem::G, &QpProblem::h};
  const auto along = [&](uint64_t which) {
    std::vector<double> d = uniform(60 + which, (problem.*data[which]).size(), -1, 1);
    if (which > 0) return d;
    for (size_t k = 0; k < d.size(); k += 400)  // Q is symmetric
      for (size_t i = 0; i < 20; ++i)
        for (size_t j = 0; j < i; ++j) d[k + 20 * i + j] = d[k + 20 * j + i];
    return d;
  };
  for (uint64_t which = 0; which < 6; ++which) {
    const std::vector<double> d = along(which);
    for (size_t i = 0; i < d.size(); ++i) slope += (bars.*data[which])[i] * d[i];
  }
  for (int side = 0; side < 2; ++side) {
    QpProblem moved = problem;
    for (uint64_t which = 0; which < 6; ++which) {
      const std::vector<double> d = along(which);
      for (size_t i = 0; i < d.size(); ++i) (moved.*data[which])[i] += (side == 0 ? -kStep : kStep) * d[i];
    }
    QpByHand beside(moved);
    agreement.expect("programs beside are solved", beside.solve());
    sums[side] = beside.value();
  }
  agreement.expect("programs: cotangents", slope, (sums[1] - sums[0]) / (2 * kStep), kDifference);
}

}  // namespace

void checkHand(Agreement& agreement) {
  checkRoots(agreement);
  checkSystems(agreement);
  checkRosenbrock(agreement);
  checkGmmClosedForm(agreement);
  checkGmm(agreement, 150, 10, 7);
  checkGmm(agreement, 70, 64, 3);
  checkMlp(agreement);
  checkLasso(agreement);
  checkQps(agreement);
  checkBrusselator(agreement);
}

}  // namespace dini::bench
