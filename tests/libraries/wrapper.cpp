// build: model.dini --derivative grad,vjp,jvp
// build: model.dini --derivative grad,vjp,jvp --no-blas --cpu x86-64-v2,x86-64-v3
// compile: -std=c++20
// The C++ header: sizes from spans, records by leaf, expected values, derivatives against a formula.
#include <cstring>
#include <vector>

#include "check.h"
#include "model.hpp"

int main() {
  dini::workspace work;
  const std::vector<double> X{1, 2, 3, 4, 5, 6, 7, 8, 10, 1, 0, 1}, y{1, 2, 3, 4};
  const double l = 0.3;
  std::vector<double> w(3), up(3), down(3), bar_X(12), bar_y(4);
  CHECK(model::ridge(work, X, y, l, w));
  // (X'X + e^l) w = X'y
  for (int i = 0; i < 3; ++i) {
    double left = std::exp(l) * w[i];
    for (int r = 0; r < 4; ++r) {
      left -= X[3 * r + i] * y[r];
      for (int j = 0; j < 3; ++j) left += X[3 * r + i] * X[3 * r + j] * w[j];
    }
    CHECK(std::fabs(left) < 1e-11);
  }
  double slope = 0, moved = 0, value = 0;
  CHECK(model::loss_grad(work, 3, X, y, l, bar_X, bar_y, slope));
  const double h = 1e-5;
  const double difference =
      (*model::loss(work, 3, X, y, l + h) - *model::loss(work, 3, X, y, l - h)) / (2 * h);
  CHECK(near(slope, difference, 1e-8));
  const std::vector<double> still_X(12), still_y(4);
  CHECK(model::loss_jvp(work, 3, X, y, l, still_X, still_y, 1.0, value, moved));
  CHECK(near(moved, slope, 1e-12));

  const dini::status wrong = model::ridge(work, X, std::vector<double>(5), l, w);
  CHECK(!wrong && wrong.code() == DINI_SHAPE && std::strcmp(wrong.info().text, "X") == 0);
  const dini::expected<double> none = model::no_root(work, -1.0);
  CHECK(!none && none.error().code() == DINI_NOT_CONVERGED);
  CHECK(none.error().message().find("model.dini:7:") != std::string::npos);
  CHECK(none.value_or(7.0) == 7.0);

  const std::vector<double> W{1, -2, 0.5, 3}, b{1, 2};
  std::vector<double> z(2), bar_W(4), bar_b(2);
  CHECK(model::layer(work, W, b, z));
  CHECK(z[0] == 0 && near(z[1], 6.5, 1e-15));
  CHECK(model::layer_vjp(work, W, b, std::vector<double>{1, 1}, bar_W, bar_b));
  CHECK(bar_W[0] == 0 && bar_W[2] == 1 && bar_W[3] == 2 && bar_b[0] == 0.5 && bar_b[1] == 3);
  return 0;
}
