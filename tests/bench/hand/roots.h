// W1 by hand: z with f(z) = tanh(z) + relu(-z) + z - relu(z) == x for each element of x, by
// Newton's method from 0 until |f(z) - x| <= 1e-10 (1 + max(|f(z)|, |x|)) and one step more; the
// slope is dz/dx = 1 / f'(z) at the solution. False where an element does not converge.
#pragma once

#include <span>

namespace dini::bench {

bool rootsScalar(std::span<const double> x, std::span<double> z);
bool rootsScalar(std::span<const double> x, std::span<const double> x_dot, std::span<double> z,
                 std::span<double> z_dot);
// Eight elements per vector, four vectors interleaved.
bool rootsLanes(std::span<const double> x, std::span<double> z);
bool rootsLanes(std::span<const double> x, std::span<const double> x_dot, std::span<double> z,
                std::span<double> z_dot);

}  // namespace dini::bench
