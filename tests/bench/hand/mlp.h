// W5 by hand: the perceptron of mlp.dini, 32 units: A = tanh(X W1 + b1), B = tanh(A W2 + b2),
// R = B W3 + b3 - Y, value sum(R^2) / (2 m), and its gradient in the six parameters.
// Matrices are row-major. `rows` is a multiple of 4.
#pragma once

#include <cstdint>
#include <vector>

namespace dini::bench {

inline constexpr int64_t kUnits = 32;

struct MlpLayers {
  std::vector<double> W1, b1, W2, b2, W3, b3;
  MlpLayers();
};

struct MlpProblem {
  int64_t rows = 0;
  MlpLayers layers;
  std::vector<double> X, Y;  // [rows, 32]
};

// Arrays between the passes, made once.
struct MlpScratch {
  std::vector<double> A, B, R, B_bar, A_bar, transposed;
  explicit MlpScratch(int64_t rows);
};

double mlpLanes(const MlpProblem& problem, MlpScratch& scratch);
double mlpLanes(const MlpProblem& problem, MlpScratch& scratch, MlpLayers& gradient);
// Products by OpenBLAS, the rest as above.
double mlpBlas(const MlpProblem& problem, MlpScratch& scratch);
double mlpBlas(const MlpProblem& problem, MlpScratch& scratch, MlpLayers& gradient);

}  // namespace dini::bench
