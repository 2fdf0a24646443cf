// Systems by hand, eight at a time: z with z_0 + 0.3 z_1^2 = p_0, z_1 - 0.2 z_0^2 = p_1, and
// z_0 + 0.3 z_1 z_2 = p_0, z_1 - 0.2 z_2 z_0 = p_1, z_2 + 0.25 z_0 z_1 = p_2, for each row p, by Newton's
// method from p until the largest residual is at most 1e-10 and one step more; z_dot is the derivative
// along p_dot. Row-major arrays of rows. False where a system does not converge.
#pragma once

#include <span>

namespace dini::bench {

bool pairs(std::span<const double> p, std::span<double> z);
bool pairs(std::span<const double> p, std::span<const double> p_dot, std::span<double> z,
           std::span<double> z_dot);
bool triples(std::span<const double> p, std::span<double> z);
bool triples(std::span<const double> p, std::span<const double> p_dot, std::span<double> z,
             std::span<double> z_dot);

}  // namespace dini::bench
