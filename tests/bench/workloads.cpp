#include "workloads.h"

#include <cstdio>
#include <cstdlib>

#include "hand/brusselator.h"
#include "hand/gmm_parts.h"
#include "hand/lasso.h"
#include "hand/qp.h"
#include "hand/roots.h"
#include "hand/rosenbrock.h"
#include "hand/systems.h"
#include "problems.h"

namespace dini::bench {
namespace {

constexpr int64_t kElements = 1'000'000;

void require(bool converged) {
  if (converged) return;
  std::fputs("a hand-written root did not converge\n", stderr);
  std::abort();
}

Workload roots() {
  struct State {
    RootsProblem problem = rootsProblem(kElements);
    std::vector<double> z = std::vector<double>(kElements), z_dot = z;
  };
  auto s = std::make_shared<State>();
  return {
      .name = "roots",
      .title = "W1 scalar roots, 1e6 values",
      .hand = {{"4 x 8 lanes", [s] { require(rootsLanes(s->problem.x, s->z)); },
                [s] { require(rootsLanes(s->problem.x, s->problem.x_dot, s->z, s->z_dot)); }},
               {"scalar", [s] { require(rootsScalar(s->problem.x, s->z)); },
                [s] { require(rootsScalar(s->problem.x, s->problem.x_dot, s->z, s->z_dot)); }}},
      .answers = [s] { return std::vector{s->z, s->z_dot}; },
      .program = "roots.dini",
      .inputs = {{"x", realTensor({kElements}, s->problem.x)},
                 {"d", realTensor({kElements}, s->problem.x_dot)}},
      .value = "roots(x)",
      .total = "roots_and_slopes(x, d)",
  };
}

// Equations in two or three unknowns, one system per row.
Workload systems(int64_t unknowns) {
  constexpr int64_t kRows = 100'000;
  struct State {
    RootsProblem problem;
    std::vector<double> z, z_dot;
  };
  const size_t count = static_cast<size_t>(kRows * unknowns);
  auto s = std::make_shared<State>(
      State{systemsProblem(count), std::vector<double>(count), std::vector<double>(count)});
  const bool two = unknowns == 2;
  const std::string name = two ? "pairs" : "triples";
  return {
      .name = name,
      .title = "equations in " + std::to_string(unknowns) + " unknowns, 1e5 systems",
      .hand = {{"8 lanes",
                [s, two] { require(two ? pairs(s->problem.x, s->z) : triples(s->problem.x, s->z)); },
                [s, two] {
                  const RootsProblem& p = s->problem;
                  require(two ? pairs(p.x, p.x_dot, s->z, s->z_dot)
                              : triples(p.x, p.x_dot, s->z, s->z_dot));
                }}},
      .answers = [s] { return std::vector{s->z, s->z_dot}; },
      .program = "systems.dini",
      .inputs = {{"p", realTensor({kRows, unknowns}, s->problem.x)},
                 {"d", realTensor({kRows, unknowns}, s->problem.x_dot)}},
      .value = name + "(p)",
      .total = name + "_and_slopes(p, d)",
  };
}

Workload rosenbrockFunction() {
  struct State {
    std::vector<double> x = rosenbrockPoint(kElements), bar = std::vector<double>(kElements);
    double value = 0;
  };
  auto s = std::make_shared<State>();
  return {
      .name = "rosenbrock",
      .title = "W5 Rosenbrock, 1e6 variables",
      .hand = {{"fused", [s] { s->value = rosenbrock(s->x); },
                [s] { s->value = rosenbrock(s->x, s->bar); }}},
      .answers = [s] { return std::vector{std::vector{s->value}, s->bar}; },
      .program = "rosenbrock.dini",
      .inputs = {{"x", realTensor({kElements}, s->x)}},
      .value = "rosenbrock(x)",
      .total = "rosenbrock_gradient(x)",
  };
}

Workload gaussianMixture(int64_t d) {
  struct State {
    GmmProblem problem;
    GmmScratch scratch{problem};
    GmmGradient gradient{problem};
    double value = 0;
  };
  auto s = std::make_shared<State>(gmmProblem(1000, d, 25));
  const GmmProblem& p = s->problem;
  return {
      .name = "gmm" + std::to_string(d),
      .title = "W5 Gaussian mixture, d " + std::to_string(d) + ", k 25, n 1000",
      .hand = {{"8 lanes, fused", [s] { s->value = gmmLanes(s->problem, s->scratch); },
                [s] { s->value = gmmLanes(s->problem, s->scratch, s->gradient); }},
               {"BLAS", [s] { s->value = gmmBlas(s->problem, s->scratch); },
                [s] { s->value = gmmBlas(s->problem, s->scratch, s->gradient); }}},
      .answers =
          [s] {
            return std::vector{std::vector{s->value}, s->gradient.alphas, s->gradient.means,
                               s->gradient.icf};
          },
      .program = "gmm.dini",
      .inputs = {{"alphas", realTensor({p.K}, p.alphas)},
                 {"means", realTensor({p.K, d}, p.means)},
                 {"icf", realTensor({p.K, icfSize(d)}, p.icf)},
                 {"x", realTensor({p.n, d}, p.x)},
                 {"gamma", ir::Tensor::real(p.gamma)},
                 {"m", ir::Tensor::integer(p.m)}},
      .value = "gmm(alphas, means, icf, x, gamma, m)",
      .total = "gmm_gradient(alphas, means, icf, x, gamma, m)",
  };
}

Workload perceptron() {
  struct State {
    MlpProblem problem = mlpProblem(32);
    MlpScratch scratch{32};
    MlpLayers gradient;
    double value = 0;
  };
  auto s = std::make_shared<State>();
  const MlpLayers& l = s->problem.layers;
  const std::string record = "Mlp { W1 = W1, b1 = b1, W2 = W2, b2 = b2, W3 = W3, b3 = b3 }";
  return {
      .name = "mlp32",
      .title = "W5 perceptron, 3 layers of 32, batch 32",
      .hand = {{"registers", [s] { s->value = mlpLanes(s->problem, s->scratch); },
                [s] { s->value = mlpLanes(s->problem, s->scratch, s->gradient); }},
               {"BLAS", [s] { s->value = mlpBlas(s->problem, s->scratch); },
                [s] { s->value = mlpBlas(s->problem, s->scratch, s->gradient); }}},
      .answers =
          [s] {
            const MlpLayers& g = s->gradient;
            return std::vector{std::vector{s->value}, g.W1, g.b1, g.W2, g.b2, g.W3, g.b3};
          },
      .program = "mlp.dini",
      .inputs = {{"W1", realTensor({kUnits, kUnits}, l.W1)},
                 {"b1", realTensor({kUnits}, l.b1)},
                 {"W2", realTensor({kUnits, kUnits}, l.W2)},
                 {"b2", realTensor({kUnits}, l.b2)},
                 {"W3", realTensor({kUnits, kUnits}, l.W3)},
                 {"b3", realTensor({kUnits}, l.b3)},
                 {"X", realTensor({32, kUnits}, s->problem.X)},
                 {"Y", realTensor({32, kUnits}, s->problem.Y)}},
      .value = "mlp(" + record + ", X, Y)",
      .total = "mlp_gradient(" + record + ", X, Y)",
  };
}

Workload lassoLoss(int64_t divisor) {
  struct State {
    LassoProblem problem;
    LassoByHand lasso{problem};
  };
  auto s = std::make_shared<State>(lassoProblem(1000, 2000, 200, static_cast<double>(divisor)));
  const LassoProblem& p = s->problem;
  return {
      .name = "lasso" + std::to_string(divisor),
      .title = "W3 Lasso 1000 x 2000, largest penalty / " + std::to_string(divisor) + ", hypergradient",
      .hand = {{"working sets", [s] { require(s->lasso.solve(s->problem.penalty)); },
                [s] { require(s->lasso.solveAndSlope(s->problem.penalty)); }}},
      .answers = [s] { return std::vector{std::vector{s->lasso.value()}, std::vector{s->lasso.slope()}}; },
      .program = "lasso.dini",
      .inputs = {{"X", realTensor({p.m, p.n}, p.X)},
                 {"y", realTensor({p.m}, p.y)},
                 {"V", realTensor({p.k, p.n}, p.V)},
                 {"t", realTensor({p.k}, p.t)},
                 {"penalty", ir::Tensor::real(p.penalty)}},
      .value = "validation(penalty, X, y, V, t)",
      .total = "hypergradient(penalty, X, y, V, t)",
  };
}

Workload quadraticPrograms() {
  struct State {
    QpByHand hand{qpProblem(64, 100, 50, 50)};
  };
  auto s = std::make_shared<State>();
  const QpProblem& p = s->hand.problem();
  return {
      .name = "qp",
      .title = "W4 64 quadratic programs, 100 unknowns, 50 equalities, 50 inequalities, cotangents of all data",
      .hand = {{"8 lanes", [s] { require(s->hand.solve()); }, [s] { require(s->hand.solveAndPull()); }}},
      .answers =
          [s] {
            const QpProblem& bars = s->hand.cotangents();
            return std::vector{std::vector{s->hand.value()}, bars.Q, bars.q, bars.A, bars.b, bars.G, bars.h, s->hand.x()};
          },
      .program = "qp_layer.dini",
      .inputs = {{"Q", realTensor({p.count, p.n, p.n}, p.Q)},
                 {"q", realTensor({p.count, p.n}, p.q)},
                 {"A", realTensor({p.count, p.p, p.n}, p.A)},
                 {"b", realTensor({p.count, p.p}, p.b)},
                 {"G", realTensor({p.count, p.m, p.n}, p.G)},
                 {"h", realTensor({p.count, p.m}, p.h)},
                 {"x_bar", realTensor({p.count, p.n}, p.x_bar)}},
      .value = "pairing(Q, q, A, b, G, h, x_bar)",
      .total = "pairing_gradient(Q, q, A, b, G, h, x_bar)",
  };
}

Workload brusselator() {
  constexpr int64_t kGrid = 71, kSteps = 4;
  struct State {
    std::vector<double> start = brusselatorStart(kGrid);
    BrusselatorByHand hand{kGrid, kSteps, start}, searching{kGrid, kSteps, start, true};
  };
  auto s = std::make_shared<State>();
  return {
      .name = "brusselator",
      .title = "W6 implicit Euler, 10082 unknowns, 4 steps, gradient in the start",
      .hand = {{"KLU, pivots per step", [s] { require(s->hand.run()); }, [s] { require(s->hand.runAndGradient()); }},
               {"KLU, pivots each time", [s] { require(s->searching.run()); },
                [s] { require(s->searching.runAndGradient()); }}},
      .answers = [s] { return std::vector{std::vector{s->hand.value()}, s->hand.gradient()}; },
      .program = "brusselator.dini",
      .inputs = {{"z0", realTensor({2 * kGrid * kGrid}, s->start)},
                 {"n", ir::Tensor::integer(kGrid)},
                 {"steps", ir::Tensor::integer(kSteps)}},
      .value = "ending(z0, n, steps)",
      .total = "ending_gradient(z0, n, steps)",
  };
}

}  // namespace

const std::vector<WorkloadRow>& workloads() {
  static const std::vector<WorkloadRow> rows = {
      {"roots", roots},
      {"pairs", [] { return systems(2); }},
      {"triples", [] { return systems(3); }},
      {"rosenbrock", rosenbrockFunction},
      {"gmm10", [] { return gaussianMixture(10); }},
      {"gmm64", [] { return gaussianMixture(64); }},
      {"mlp32", perceptron},
      {"lasso10", [] { return lassoLoss(10); }},
      {"lasso100", [] { return lassoLoss(100); }},
      {"qp", quadraticPrograms},
      {"brusselator", brusselator},
  };
  return rows;
}

}  // namespace dini::bench
