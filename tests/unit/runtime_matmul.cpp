#include "dini/linalg.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "dini/math.h"

namespace {

std::vector<double> numbers(int64_t seed, int64_t count) {
  std::vector<double> made(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i)
    made[static_cast<size_t>(i)] = dini_bits_to_unit(dini_hash(seed, i)) - 0.5;
  return made;
}

struct Strides {
  int64_t row, column;
};

// The largest difference from the sum of products, element by element; and nothing written beside
// C.
double worst(int64_t m, int64_t n, int64_t k, Strides a, Strides b) {
  const std::vector<double> left = numbers(1, 2 * m * k), right = numbers(2, 2 * k * n);
  const int64_t c_row = n + 3;
  std::vector<double> c(static_cast<size_t>(m * c_row), 7.0);
  dini_matmul(m, n, k, left.data(), a.row, a.column, right.data(), b.row, b.column, c.data(),
              c_row);
  double largest = 0;
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < c_row; ++j) {
      double sum = j < n ? 0 : 7;
      for (int64_t l = 0; l < k && j < n; ++l)
        sum += left[static_cast<size_t>(i * a.row + l * a.column)] *
               right[static_cast<size_t>(l * b.row + j * b.column)];
      largest = std::max(largest, std::abs(sum - c[static_cast<size_t>(i * c_row + j)]));
    }
  return largest;
}

}  // namespace

TEST_CASE("products of matrices with strides, every size of block and panel") {
  for (int64_t m : {1, 2, 5, 12, 13, 33})
    for (int64_t n : {1, 3, 8, 10, 17, 24, 31, 33, 70})
      for (int64_t k : {1, 4, 130, 300})
        for (const Strides a : {Strides{k, 1}, Strides{1, m}, Strides{2 * k, 2}})
          for (const Strides b : {Strides{n, 1}, Strides{1, k}, Strides{2 * n, 2}}) {
            CAPTURE(m);
            CAPTURE(n);
            CAPTURE(k);
            CHECK(worst(m, n, k, a, b) < 1e-13 * static_cast<double>(k));
          }
}

TEST_CASE("products that go to OpenBLAS") {
  CHECK(worst(600, 520, 500, {500, 1}, {1, 500}) < 1e-11);
  CHECK(worst(600, 520, 500, {1, 600}, {520, 1}) < 1e-11);
}
