// The abs-normal form of a function at a point (Griewank, "On stable piecewise linearization and
// generalized algorithmic differentiation", Optimization Methods and Software 28, 2013):
//
//   z = c + Z x + L |z|,   y = b + J x + Y |z|
//
// with one z for each class of kinks. Of a piecewise-linear function it is the function itself, everywhere;
// of a piecewise-smooth one it is its piecewise linearisation, which has the same value and the same
// directional derivatives at the point and is off by O(|x - x0|^2) elsewhere. L is strictly lower
// triangular, so that z follows row by row, unless a kink stands inside the equations of a solve.
//
// How: the call is traced to a graph (certify/trace.h), whose chooses are cut. With a - b = g s for the switch
// s = p - q of choose(p, q, a, b), the value is b + g (s + |s|)/2; |s| becomes an input w of its class and
// s an output. What is left is smooth in (x, w), and Z, L, J, Y are its Jacobian at (x0, |z0|), by ad/.
// The equations F(u, x, w) = 0 of solves are eliminated: du = -F_u^-1 (F_x dx + F_w dw).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "ir/interpreter.h"
#include "ir/tensor.h"

namespace dini::abs_normal {

// Row-major.
struct Matrix {
  size_t rows = 0, columns = 0;
  std::vector<double> entries;
  double at(size_t i, size_t j) const { return entries[i * columns + j]; }
};

struct Form {
  std::vector<double> x0, z0, y0;
  std::vector<double> c, b;
  Matrix Z, L, J, Y;
  std::vector<Span> places;  // of the first kink of each class
  size_t comparisons = 0;    // that decided what was executed, and stand as they came out at x0
  bool triangular = true;    // L, strictly lower
  // There is none, and why.
  std::string obstacle;
  Span obstacle_span;
};

// Of a call of a function: x are the elements of its real arguments, y those of its real results.
Form formOf(const ir::Module& module, const ir::Function& function, std::span<const ir::Tensor> arguments,
            const ir::InterpretOptions& options = {});

// z and y of a triangular form at x.
struct Evaluated {
  std::vector<double> z, y;
};
Evaluated evaluate(const Form& form, std::span<const double> x);

}  // namespace dini::abs_normal
