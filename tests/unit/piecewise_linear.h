// Random piecewise-linear programs of up to eight variables with integer coefficients, as IR and as a
// list of nodes, and an oracle that shares nothing with the compiler: the gradients of the pieces
// around a point, from the exact enumeration of the sign cells of all switches (three variables), or
// the gradient at x + eps d.
#pragma once

#include <array>
#include <memory>
#include <random>
#include <set>
#include <vector>

#include "ir/ir.h"

namespace dini::test {

struct PlNode {
  enum class Kind { Input, Affine, Relu, Abs, Max, Min } kind = Kind::Input;
  int a = 0, b = 0;             // operands: earlier nodes (Input: which)
  int64_t s = 1, t = 0, c = 0;  // Affine: s a + t b + c
};

struct PlProgram {
  int inputs = 1;
  std::vector<PlNode> nodes;  // the last one is the result
};

PlProgram randomPl(std::mt19937_64& random, int inputs, int size);
// real(real, ..., real)
std::unique_ptr<ir::Function> asFunction(const PlProgram& program);

using Gradient = std::array<int64_t, 3>;
// Of at most three variables, at the origin: the gradients of all pieces whose cells touch it.
// Empty: too many switches.
std::set<Gradient> gradientsAtOrigin(const PlProgram& program);
// The gradient at `eps` times the direction.
std::vector<double> gradientBeside(const PlProgram& program, const std::vector<double>& direction);
// Whether a direction separates the point from the hull of the others.
bool outsideHull(const std::vector<double>& point, const std::set<Gradient>& hull,
                 std::mt19937_64& random);

}  // namespace dini::test
