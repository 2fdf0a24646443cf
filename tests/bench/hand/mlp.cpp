#include "hand/mlp.h"

#include "dini/linalg.h"
#include "hand/lanes.h"

namespace dini::bench {
namespace {

constexpr int64_t kVectors = kUnits / kLanes;

// C = op(A) B with B, C of 32 columns: blocks of 4 rows and all columns stay in registers.
struct InRegisters {
  // op(A)'s element (i, k) is at a[i * row_step + k * inner_step].
  static void product(const double* a, int64_t row_step, int64_t inner_step, int64_t rows,
                      int64_t inner, const double* b, double* c) {
    for (int64_t i = 0; i < rows; i += 4) {
      Lanes sums[4][kVectors] = {};
      for (int64_t k = 0; k < inner; ++k)
        for (int64_t r = 0; r < 4; ++r) {
          const Lanes factor = splat(a[(i + r) * row_step + k * inner_step]);
          for (int64_t v = 0; v < kVectors; ++v)
            sums[r][v] += factor * load(b + k * kUnits + v * kLanes);
        }
      for (int64_t r = 0; r < 4; ++r)
        for (int64_t v = 0; v < kVectors; ++v) store(c + (i + r) * kUnits + v * kLanes, sums[r][v]);
    }
  }
  static void plain(const double* a, const double* b, double* c, int64_t rows, MlpScratch&) {
    product(a, kUnits, 1, rows, kUnits, b, c);
  }
  static void leftTransposed(const double* a, const double* b, double* c, int64_t rows) {
    product(a, 1, kUnits, kUnits, rows, b, c);
  }
  static void rightTransposed(const double* a, const double* b, double* c, int64_t rows,
                              MlpScratch& scratch) {
    for (int64_t i = 0; i < kUnits; ++i)
      for (int64_t j = 0; j < kUnits; ++j) scratch.transposed[i * kUnits + j] = b[j * kUnits + i];
    product(a, kUnits, 1, rows, kUnits, scratch.transposed.data(), c);
  }
};

struct ByBlas {
  static void plain(const double* a, const double* b, double* c, int64_t rows, MlpScratch&) {
    dini_gemm(0, 0, rows, kUnits, kUnits, a, kUnits, b, kUnits, c);
  }
  static void leftTransposed(const double* a, const double* b, double* c, int64_t rows) {
    dini_gemm(1, 0, kUnits, kUnits, rows, a, kUnits, b, kUnits, c);
  }
  static void rightTransposed(const double* a, const double* b, double* c, int64_t rows,
                              MlpScratch&) {
    dini_gemm(0, 1, rows, kUnits, kUnits, a, kUnits, b, kUnits, c);
  }
};

void addBiasAndTanh(double* z, const double* bias, int64_t rows) {
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < kUnits; j += kLanes)
      store(z + i * kUnits + j, tanhLanes(load(z + i * kUnits + j) + load(bias + j)));
}

template <class Product>
double forward(const MlpProblem& p, MlpScratch& s) {
  Product::plain(p.X.data(), p.layers.W1.data(), s.A.data(), p.rows, s);
  addBiasAndTanh(s.A.data(), p.layers.b1.data(), p.rows);
  Product::plain(s.A.data(), p.layers.W2.data(), s.B.data(), p.rows, s);
  addBiasAndTanh(s.B.data(), p.layers.b2.data(), p.rows);
  Product::plain(s.B.data(), p.layers.W3.data(), s.R.data(), p.rows, s);
  Lanes sums[kVectors] = {};
  for (int64_t i = 0; i < p.rows; ++i)
    for (int64_t v = 0; v < kVectors; ++v) {
      const int64_t at = i * kUnits + v * kLanes;
      const Lanes r = load(&s.R[at]) + load(&p.layers.b3[v * kLanes]) - load(&p.Y[at]);
      store(&s.R[at], r);
      sums[v] += r * r;
    }
  return sumLanes((sums[0] + sums[1]) + (sums[2] + sums[3])) / (2.0 * p.rows);
}

// bias_bar = column sums of Z_bar, after Z_bar *= 1 - T^2 where T is given.
void throughTanh(double* z_bar, const double* t, double* bias_bar, int64_t rows) {
  Lanes sums[kVectors] = {};
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t v = 0; v < kVectors; ++v) {
      const int64_t at = i * kUnits + v * kLanes;
      const Lanes y = load(t + at), bar = load(z_bar + at) * (1 - y * y);
      store(z_bar + at, bar);
      sums[v] += bar;
    }
  for (int64_t v = 0; v < kVectors; ++v) store(bias_bar + v * kLanes, sums[v]);
}

template <class Product>
double both(const MlpProblem& p, MlpScratch& s, MlpLayers& bar) {
  const double value = forward<Product>(p, s);
  const Lanes scale = splat(1.0 / p.rows);
  Lanes sums[kVectors] = {};
  for (int64_t i = 0; i < p.rows; ++i)
    for (int64_t v = 0; v < kVectors; ++v) {
      const Lanes r = load(&s.R[i * kUnits + v * kLanes]) * scale;
      store(&s.R[i * kUnits + v * kLanes], r);
      sums[v] += r;
    }
  for (int64_t v = 0; v < kVectors; ++v) store(&bar.b3[v * kLanes], sums[v]);
  Product::leftTransposed(s.B.data(), s.R.data(), bar.W3.data(), p.rows);
  Product::rightTransposed(s.R.data(), p.layers.W3.data(), s.B_bar.data(), p.rows, s);
  throughTanh(s.B_bar.data(), s.B.data(), bar.b2.data(), p.rows);
  Product::leftTransposed(s.A.data(), s.B_bar.data(), bar.W2.data(), p.rows);
  Product::rightTransposed(s.B_bar.data(), p.layers.W2.data(), s.A_bar.data(), p.rows, s);
  throughTanh(s.A_bar.data(), s.A.data(), bar.b1.data(), p.rows);
  Product::leftTransposed(p.X.data(), s.A_bar.data(), bar.W1.data(), p.rows);
  return value;
}

}  // namespace

MlpLayers::MlpLayers() : W1(kUnits * kUnits), b1(kUnits), W2(W1), b2(kUnits), W3(W1), b3(kUnits) {}

MlpScratch::MlpScratch(int64_t rows)
    : A(rows * kUnits), B(A), R(A), B_bar(A), A_bar(A), transposed(kUnits * kUnits) {}

double mlpLanes(const MlpProblem& problem, MlpScratch& scratch) {
  return forward<InRegisters>(problem, scratch);
}
double mlpLanes(const MlpProblem& problem, MlpScratch& scratch, MlpLayers& gradient) {
  return both<InRegisters>(problem, scratch, gradient);
}
double mlpBlas(const MlpProblem& problem, MlpScratch& scratch) {
  return forward<ByBlas>(problem, scratch);
}
double mlpBlas(const MlpProblem& problem, MlpScratch& scratch, MlpLayers& gradient) {
  return both<ByBlas>(problem, scratch, gradient);
}

}  // namespace dini::bench
