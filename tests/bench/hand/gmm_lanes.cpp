// The fused version: eight points per vector, tiles of some vectors, rows of Q in blocks of four.
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "hand/gmm_parts.h"
#include "hand/lanes.h"

namespace dini::bench {
namespace {

constexpr int64_t kRows = 4;  // of a block

template <int64_t D>
struct Fused {
  static constexpr int64_t kForward = 4;  // vectors of a tile
  static constexpr int64_t kBackward = 8;

  const GmmProblem& problem;
  GmmScratch& scratch;

  void transposePoints() {
    for (int64_t i = 0; i < problem.n; ++i)
      for (int64_t j = 0; j < D; ++j) scratch.points[j * scratch.padded + i] = problem.x[i * D + j];
  }

  // squares += |rows first .. first + kCount of Q u|^2
  template <int64_t kCount>
  static void addRows(const double* q, int64_t first, const Lanes (*u)[kForward], Lanes* squares) {
    Lanes v[kCount][kForward] = {};
    for (int64_t j = 0; j < first; ++j)
      for (int64_t r = 0; r < kCount; ++r)
        for (int64_t t = 0; t < kForward; ++t) v[r][t] += q[(first + r) * D + j] * u[j][t];
    for (int64_t j = 0; j < kCount; ++j)
      for (int64_t r = j; r < kCount; ++r)
        for (int64_t t = 0; t < kForward; ++t)
          v[r][t] += q[(first + r) * D + first + j] * u[first + j][t];
    for (int64_t r = 0; r < kCount; ++r)
      for (int64_t t = 0; t < kForward; ++t) squares[t] += v[r][t] * v[r][t];
  }

  void terms(int64_t tile, int64_t k) {
    const double* q = &scratch.factors[k * D * D];
    Lanes u[D][kForward];
    for (int64_t j = 0; j < D; ++j)
      for (int64_t t = 0; t < kForward; ++t)
        u[j][t] = load(&scratch.points[j * scratch.padded + tile + t * kLanes]) -
                  problem.means[k * D + j];
    Lanes squares[kForward] = {};
    int64_t row = 0;
    for (; row + kRows <= D; row += kRows) addRows<kRows>(q, row, u, squares);
    if constexpr (D % kRows != 0) addRows<D % kRows>(q, row, u, squares);
    const double constant = problem.alphas[k] + scratch.log_diagonals[k];
    for (int64_t t = 0; t < kForward; ++t)
      store(&scratch.terms[k * scratch.padded + tile + t * kLanes], constant - 0.5 * squares[t]);
  }

  // logsumexp over the components; the terms become their softmax where `weights` is set.
  template <bool kWeights>
  Lanes logSumExp(int64_t at) {
    const int64_t stride = scratch.padded;
    double* terms = &scratch.terms[at];
    Lanes top = load(terms), sum = splat(0);
    for (int64_t k = 1; k < problem.K; ++k) top = maxLanes(top, load(terms + k * stride));
    for (int64_t k = 0; k < problem.K; ++k) {
      const Lanes e = expLanes(load(terms + k * stride) - top);
      if constexpr (kWeights) store(terms + k * stride, e);
      sum += e;
    }
    if constexpr (kWeights) {
      const Lanes scale = 1 / sum;
      for (int64_t k = 0; k < problem.K; ++k)
        store(terms + k * stride, load(terms + k * stride) * scale);
    }
    return top + logLanes(sum);
  }

  template <bool kWeights>
  double likelihood() {
    transposePoints();
    double sum = 0;
    for (int64_t tile = 0; tile < problem.n; tile += kForward * kLanes) {
      for (int64_t k = 0; k < problem.K; ++k) terms(tile, k);
      for (int64_t t = 0; t < kForward; ++t) {
        const int64_t at = tile + t * kLanes;
        const Lanes each = logSumExp<kWeights>(at);
        if (at + kLanes <= problem.n) {
          sum += sumLanes(each);
        } else {
          for (int64_t l = 0; at + l < problem.n; ++l) sum += each[l];
        }
      }
    }
    if constexpr (kWeights)
      for (int64_t k = 0; k < problem.K; ++k)
        for (int64_t i = problem.n; i < scratch.padded; ++i)
          scratch.terms[k * scratch.padded + i] = 0;
    return sum;
  }

  struct Statistics {
    Lanes weight, first[D], second[D][D];  // the lower triangle, in blocks
  };

  template <int64_t kCount>
  static void addBlock(const Lanes (*wu)[kBackward], const Lanes (*u)[kBackward], int64_t row,
                       int64_t column, Statistics& sums) {
    Lanes block[kCount][kRows];
    for (int64_t r = 0; r < kCount; ++r)
      for (int64_t c = 0; c < kRows; ++c) block[r][c] = sums.second[row + r][column + c];
    for (int64_t t = 0; t < kBackward; ++t)
      for (int64_t r = 0; r < kCount; ++r)
        for (int64_t c = 0; c < kRows; ++c) block[r][c] += wu[row + r][t] * u[column + c][t];
    for (int64_t r = 0; r < kCount; ++r)
      for (int64_t c = 0; c < kRows; ++c) sums.second[row + r][column + c] = block[r][c];
  }

  template <int64_t kCount>
  static void addRowBlock(const Lanes (*wu)[kBackward], const Lanes (*u)[kBackward], int64_t row,
                          Statistics& sums) {
    for (int64_t column = 0; column < row; column += kRows)
      addBlock<kCount>(wu, u, row, column, sums);
    for (int64_t r = 0; r < kCount; ++r)
      for (int64_t c = 0; c <= r; ++c) {
        Lanes sum = sums.second[row + r][row + c];
        for (int64_t t = 0; t < kBackward; ++t) sum += wu[row + r][t] * u[row + c][t];
        sums.second[row + r][row + c] = sum;
      }
  }

  void addTile(int64_t tile, int64_t k, Statistics& sums) {
    Lanes u[D][kBackward], wu[D][kBackward], w[kBackward];
    for (int64_t t = 0; t < kBackward; ++t) {
      w[t] = load(&scratch.terms[k * scratch.padded + tile + t * kLanes]);
      sums.weight += w[t];
    }
    for (int64_t j = 0; j < D; ++j)
      for (int64_t t = 0; t < kBackward; ++t) {
        u[j][t] = load(&scratch.points[j * scratch.padded + tile + t * kLanes]) -
                  problem.means[k * D + j];
        wu[j][t] = w[t] * u[j][t];
        sums.first[j] += wu[j][t];
      }
    int64_t row = 0;
    for (; row + kRows <= D; row += kRows) addRowBlock<kRows>(wu, u, row, sums);
    if constexpr (D % kRows != 0) addRowBlock<D % kRows>(wu, u, row, sums);
  }

  void addCotangents(int64_t k, const Statistics& sums, GmmGradient& bar) {
    const double* q = &scratch.factors[k * D * D];
    double s[D], qs[D], S[D][D], q_bar[D * D];
    for (int64_t i = 0; i < D; ++i) {
      s[i] = sumLanes(sums.first[i]);
      for (int64_t j = 0; j <= i; ++j) S[i][j] = S[j][i] = sumLanes(sums.second[i][j]);
    }
    bar.alphas[k] += sumLanes(sums.weight);
    for (int64_t i = 0; i < D; ++i) {
      qs[i] = 0;
      for (int64_t j = 0; j < D; ++j) q_bar[i * D + j] = 0;
      for (int64_t l = 0; l <= i; ++l) {
        qs[i] += q[i * D + l] * s[l];
        for (int64_t j = 0; j < D; ++j) q_bar[i * D + j] -= q[i * D + l] * S[l][j];
      }
    }
    for (int64_t j = 0; j < D; ++j) bar.means[k * D + j] = 0;
    for (int64_t i = 0; i < D; ++i)
      for (int64_t j = 0; j < D; ++j) bar.means[k * D + j] += q[i * D + j] * qs[i];
    const double weight = sumLanes(sums.weight);
    for (int64_t i = 0; i < D; ++i) bar.icf[k * icfSize(D) + i] += weight;
    addFactorCotangent(problem, scratch, k, q_bar, bar);
  }

  double value() {
    unpackFactors(problem, scratch);
    return likelihood<false>() + gmmPrior(problem, scratch);
  }

  double both(GmmGradient& bar) {
    unpackFactors(problem, scratch);
    const double result = gmmPrior(problem, scratch, bar) + likelihood<true>();
    for (int64_t k = 0; k < problem.K; ++k) {
      Statistics sums = {};
      for (int64_t tile = 0; tile < problem.n; tile += kBackward * kLanes) addTile(tile, k, sums);
      addCotangents(k, sums, bar);
    }
    return result;
  }
};

template <class Use>
double withSize(const GmmProblem& problem, GmmScratch& scratch, Use use) {
  if (problem.d == 10) return use(Fused<10>{problem, scratch});
  if (problem.d == 64) return use(Fused<64>{problem, scratch});
  std::fprintf(stderr, "gmmLanes: d is 10 or 64\n");
  std::abort();
}

}  // namespace

double gmmLanes(const GmmProblem& problem, GmmScratch& scratch) {
  return withSize(problem, scratch, [](auto fused) { return fused.value(); });
}
double gmmLanes(const GmmProblem& problem, GmmScratch& scratch, GmmGradient& gradient) {
  return withSize(problem, scratch, [&](auto fused) { return fused.both(gradient); });
}

}  // namespace dini::bench
