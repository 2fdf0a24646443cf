// W5 by hand: the extended Rosenbrock function sum_i 100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2, and the
// same with its gradient in one pass. x has at least two elements.
#pragma once

#include <span>

namespace dini::bench {

double rosenbrock(std::span<const double> x);
double rosenbrock(std::span<const double> x, std::span<double> x_bar);

}  // namespace dini::bench
