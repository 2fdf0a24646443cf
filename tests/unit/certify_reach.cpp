// Strict linear inequalities: directions are checked, answers agree with a fine search of the circle,
// and the patterns of a nested kink are those that exist.
#include <doctest/doctest.h>

#include <random>

#include "certify/clarke.h"

using namespace dini::certify;
using dini::ir::OpCode;

TEST_CASE("reach: agreement with all directions of the plane") {
  std::mt19937_64 random(5);
  int feasible = 0, infeasible = 0;
  for (int trial = 0; trial < 2000; ++trial) {
    size_t rows = 1 + static_cast<size_t>(trial % 6);
    Matrix g(rows, 2);
    for (auto& entry : g.entries) entry = std::uniform_int_distribution<>(-3, 3)(random);
    double best = -1e9;
    for (int k = 0; k < 3600; ++k) {
      double angle = 2 * std::acos(-1.0) * k / 3600, least = 1e9;
      for (size_t i = 0; i < rows; ++i)
        least = std::min(least, g.at(i, 0).lo * std::cos(angle) + g.at(i, 1).lo * std::sin(angle));
      best = std::max(best, least);
    }
    std::vector<double> y;
    Reach reach = strictlyFeasible(g, &y);
    INFO("trial " << trial << ", best " << best);
    if (best > 0.02) CHECK(reach == Reach::Feasible);
    if (best < -0.02) CHECK(reach == Reach::Infeasible);
    if (reach == Reach::Feasible)
      for (size_t i = 0; i < rows; ++i) CHECK(g.at(i, 0).lo * y[0] + g.at(i, 1).lo * y[1] > 0);
    feasible += reach == Reach::Feasible;
    infeasible += reach == Reach::Infeasible;
  }
  CHECK(feasible > 500);
  CHECK(infeasible > 300);
}

TEST_CASE("reach: many rows of one sign in many dimensions, and one against them") {
  std::mt19937_64 random(7);
  Matrix g(60, 80);
  for (size_t i = 0; i < g.rows; ++i)
    for (size_t j = 0; j < g.columns; ++j) g.at(i, j) = std::normal_distribution<>(j == 0 ? 1.0 : 0.0, 1)(random);
  CHECK(strictlyFeasible(g) == Reach::Feasible);
  for (size_t j = 0; j < g.columns; ++j) g.at(59, j) = -g.at(0, j);
  CHECK(strictlyFeasible(g) == Reach::Infeasible);
  CHECK(strictlyFeasible(Matrix(0, 3)) == Reach::Feasible);
  CHECK(strictlyFeasible(Matrix(1, 3)) == Reach::Infeasible);  // a switch that does not move
}

TEST_CASE("vertices: relu(relu(x) + y) has the three slopes that exist nearby") {
  CallTrace call;
  Graph& g = call.system.graph;
  NodeId x = g.parameter(0), y = g.parameter(0), zero = g.constant(0);
  NodeId inner = g.op(OpCode::Choose, {x, zero, x, zero}, {}, {0, 1});
  NodeId sum = g.op(OpCode::Add, {inner, y}, {});
  call.results = {g.op(OpCode::Choose, {sum, zero, sum, zero}, {}, {0, 1})};
  VertexSet set = vertexJacobians(call, {});
  REQUIRE(set.vertices.size() == 4);
  CHECK(set.piecewise_linear);
  std::vector<std::vector<double>> expected{{1, 1}, {0, 1}, {0, 0}, {0, 0}};
  for (size_t k = 0; k < 4; ++k) {
    CHECK(set.vertices[k].jacobian == expected[k]);
    CHECK(set.vertices[k].reach == Reach::Feasible);
  }
}
