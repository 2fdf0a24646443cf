// Products of matrices with any strides. OpenBLAS is made for large matrices with unit strides: at
// 32^3 half of its time is overhead, and a thin product (1000 x 10 by 10 x 10) runs at a tenth of
// the machine's speed. With AVX-512 the code here takes everything but the large: C in blocks of
// kRows x 8 kVectors that stay in registers while k runs; B is read in place where its rows are
// contiguous, else packed panel by panel. Where both are contiguous along a long k, lanes run along
// k.
#include <immintrin.h>

#include <algorithm>
#include <array>
#include <utility>

#include "blas.h"
#include "cpu.h"
#include "dini/linalg.h"

namespace {

constexpr int64_t kLanes = 8;
constexpr int64_t kVectorsMost = 4;
constexpr int64_t kDepth = 128;               // of a packed panel: 32 KB
constexpr int64_t kLongRows = 128;            // from here lanes along k need no packing
constexpr double kLarge = 512.0 * 512 * 512;  // from here OpenBLAS gains

struct Matrix {
  const double* data;
  int64_t row, column;  // strides in elements
  const double* at(int64_t i, int64_t j) const { return data + i * row + j * column; }
};

#define DINI_AVX512 __attribute__((target("avx512f"), always_inline))

// The loops over rows have to be unrolled, else the sums live in memory.
// C[0 .. R, 0 .. 8 V] (+)= A B for a panel B with contiguous rows; `last` masks the last vector.
template <int R, int V>
DINI_AVX512 inline void block(int64_t depth, const double* left, int64_t a_row, int64_t a_column,
                              const double* b, int64_t b_row, double* c, int64_t c_row, bool add,
                              __mmask8 last) {
  __m512d sums[R][V];
#pragma clang loop unroll(full)
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) sums[r][v] = _mm512_setzero_pd();
  if (add)
#pragma clang loop unroll(full)
    for (int r = 0; r < R; ++r)
      for (int v = 0; v < V; ++v)
        sums[r][v] = _mm512_maskz_loadu_pd(v + 1 == V ? last : 0xff, c + r * c_row + v * kLanes);
  for (int64_t k = 0; k < depth; ++k) {
    __m512d right[V];
    for (int v = 0; v + 1 < V; ++v) right[v] = _mm512_loadu_pd(b + v * kLanes);
    right[V - 1] = _mm512_maskz_loadu_pd(last, b + (V - 1) * kLanes);
#pragma clang loop unroll(full)
    for (int r = 0; r < R; ++r) {
      const __m512d factor = _mm512_set1_pd(left[r * a_row]);
      for (int v = 0; v < V; ++v) sums[r][v] = _mm512_fmadd_pd(factor, right[v], sums[r][v]);
    }
    left += a_column;
    b += b_row;
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v)
      _mm512_mask_storeu_pd(c + r * c_row + v * kLanes, v + 1 == V ? last : 0xff, sums[r][v]);
}

// The strides of A apart, not as a Matrix: a struct would go through memory, and its 16-byte load
// would wait until all stores to C before it are in the cache.
using Block = void (*)(int64_t depth, const double* a, int64_t a_row, int64_t a_column,
                       const double* b, int64_t b_row, double* c, int64_t c_row, bool add,
                       __mmask8 last);

template <int R, int V>
__attribute__((target("avx512f"))) void blockFunction(int64_t depth, const double* a, int64_t a_row,
                                                      int64_t a_column, const double* b,
                                                      int64_t b_row, double* c, int64_t c_row,
                                                      bool add, __mmask8 last) {
  block<R, V>(depth, a, a_row, a_column, b, b_row, c, c_row, add, last);
}

// Most rows of a block, by its vectors: at most 24 sums in registers.
constexpr std::array<int, 5> kRowsMost = {0, 12, 12, 8, 6};

template <int V, int... R>
constexpr std::array<Block, 13> rowsOf(std::integer_sequence<int, R...>) {
  return {nullptr, blockFunction<(R + 1 <= kRowsMost[V] ? R + 1 : 1), V>...};
}
constexpr std::array<std::array<Block, 13>, 5> kBlocks = {{
    {},
    rowsOf<1>(std::make_integer_sequence<int, 12>{}),
    rowsOf<2>(std::make_integer_sequence<int, 12>{}),
    rowsOf<3>(std::make_integer_sequence<int, 12>{}),
    rowsOf<4>(std::make_integer_sequence<int, 12>{}),
}};

// One panel: columns of C in `vectors` vectors, all rows, depths [0, depth) of B.
void panel(int64_t m, int64_t depth, Matrix a, const double* b, int64_t b_row, double* c,
           int64_t c_row, bool add, int vectors, __mmask8 last) {
  const int64_t most = kRowsMost[vectors];
  const int64_t count = (m + most - 1) / most;  // blocks, as even as can be
  for (int64_t k = 0, i = 0; k < count; ++k) {
    const int64_t rows = (m - i + count - k - 1) / (count - k);
    kBlocks[vectors][rows](depth, a.at(i, 0), a.row, a.column, b, b_row, c + i * c_row, c_row, add,
                           last);
    i += rows;
  }
}

void pack(const Matrix& b, int64_t depth, int64_t width, double* packed, int64_t packed_row) {
  for (int64_t k = 0; k < depth; ++k)
    for (int64_t j = 0; j < width; ++j) packed[k * packed_row + j] = *b.at(k, j);
}

// C[0 .. R, 0 .. V] = A B where the rows of A and the columns of B are contiguous: lanes along k.
template <int R, int V>
__attribute__((target("avx512f"))) void dotBlock(int64_t depth, const double* a, int64_t a_row,
                                                 const double* b, int64_t b_column, double* c,
                                                 int64_t c_row) {
  __m512d sums[R][V];
#pragma clang loop unroll(full)
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) sums[r][v] = _mm512_setzero_pd();
  for (int64_t k = 0; k < depth; k += kLanes) {
    const int64_t left = depth - k;
    const auto mask = static_cast<__mmask8>(left >= kLanes ? 0xff : (1 << left) - 1);
    __m512d right[V];
    for (int v = 0; v < V; ++v) right[v] = _mm512_maskz_loadu_pd(mask, b + v * b_column + k);
#pragma clang loop unroll(full)
    for (int r = 0; r < R; ++r) {
      const __m512d factor = _mm512_maskz_loadu_pd(mask, a + r * a_row + k);
      for (int v = 0; v < V; ++v) sums[r][v] = _mm512_fmadd_pd(factor, right[v], sums[r][v]);
    }
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) c[r * c_row + v] = _mm512_reduce_add_pd(sums[r][v]);
}

using DotBlock = void (*)(int64_t depth, const double* a, int64_t a_row, const double* b,
                          int64_t b_column, double* c, int64_t c_row);
constexpr int kDots = 5;  // rows and columns of a block: 25 sums in registers
template <int R, int... V>
constexpr std::array<DotBlock, kDots + 1> dotsOf(std::integer_sequence<int, V...>) {
  return {nullptr, dotBlock<R, V + 1>...};
}
template <int... R>
constexpr std::array<std::array<DotBlock, kDots + 1>, kDots + 1> allDots(
    std::integer_sequence<int, R...>) {
  return {{{}, dotsOf<R + 1>(std::make_integer_sequence<int, kDots>{})...}};
}
constexpr auto kDotBlocks = allDots(std::make_integer_sequence<int, kDots>{});

// The side of the block at `from`: what is left in as even parts as can be.
int64_t dotSide(int64_t size, int64_t from) {
  const int64_t left = size - from, blocks = (left + kDots - 1) / kDots;
  return (left + blocks - 1) / blocks;
}

void multiplyByDots(int64_t m, int64_t n, int64_t k, Matrix a, Matrix b, double* c, int64_t c_row) {
  for (int64_t i = 0; i < m;) {
    const int64_t rows = dotSide(m, i);
    for (int64_t j = 0; j < n;) {
      const int64_t columns = dotSide(n, j);
      kDotBlocks[static_cast<size_t>(rows)][static_cast<size_t>(columns)](
          k, a.at(i, 0), a.row, b.at(0, j), b.column, c + i * c_row + j, c_row);
      j += columns;
    }
    i += rows;
  }
}

void multiply(int64_t m, int64_t n, int64_t k, Matrix a, Matrix b, double* c, int64_t c_row) {
  if (a.column == 1 && b.row == 1 && b.column != 1 && k >= kLongRows)
    return multiplyByDots(m, n, k, a, b, c, c_row);
  const int64_t vectors = (n + kLanes - 1) / kLanes;
  const int64_t panels = (vectors + kVectorsMost - 1) / kVectorsMost;
  int64_t column = 0;
  for (int64_t p = 0; p < panels; ++p) {
    const int64_t end = vectors * (p + 1) / panels * kLanes;
    const int64_t width = std::min(end, n) - column;
    const int count = static_cast<int>((width + kLanes - 1) / kLanes);
    const auto last = static_cast<__mmask8>(0xff >> (count * kLanes - width));
    if (b.column == 1) {
      panel(m, k, a, b.at(0, column), b.row, c + column, c_row, false, count, last);
    } else {
      alignas(64) double packed[kDepth * kVectorsMost * kLanes];
      for (int64_t from = 0; from < k; from += kDepth) {
        const int64_t depth = std::min(kDepth, k - from);
        pack({b.at(from, column), b.row, b.column}, depth, width, packed, count * kLanes);
        panel(m, depth, {a.at(0, from), a.row, a.column}, packed, count * kLanes, c + column, c_row,
              from > 0, count, last);
      }
    }
    column += width;
  }
}

// A matrix as OpenBLAS takes it: one stride is 1, the other no smaller than that side is long.
struct BlasOperand {
  const char* transposed;
  int leading;
  bool fits;
  BlasOperand(int64_t rows, int64_t columns, const Matrix& matrix) {
    const bool flip = matrix.column != 1;
    const int64_t stride = flip ? matrix.column : matrix.row;
    transposed = flip ? "T" : "N";
    fits = (flip ? matrix.row : matrix.column) == 1 && stride <= INT32_MAX &&
           stride >= std::max<int64_t>(flip ? rows : columns, 1);
    leading = fits ? static_cast<int>(stride) : 0;
  }
};

// False where the strides do not fit.
bool byBlas(int64_t m, int64_t n, int64_t k, Matrix a, Matrix b, double* c, int64_t c_row) {
  const BlasOperand left(m, k, a), right(k, n, b);
  if (!left.fits || !right.fits || std::max({m, n, k, c_row}) > INT32_MAX) return false;
  // Row-major C is column-major C' = B' A'.
  const int rows = static_cast<int>(n), columns = static_cast<int>(m), inner = static_cast<int>(k);
  const int stride = static_cast<int>(c_row);
  const double one = 1, zero = 0;
  dini::blas::table().dgemm(right.transposed, left.transposed, &rows, &columns, &inner, &one,
                            b.data, &right.leading, a.data, &left.leading, &zero, c, &stride);
  return true;
}

void plain(int64_t m, int64_t n, int64_t k, Matrix a, Matrix b, double* c, int64_t c_row) {
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) c[i * c_row + j] = 0;
    for (int64_t l = 0; l < k; ++l)
      for (int64_t j = 0; j < n; ++j) c[i * c_row + j] += *a.at(i, l) * *b.at(l, j);
  }
}

}  // namespace

void dini_matmul(int64_t m, int64_t n, int64_t k, const double* a, int64_t a_row, int64_t a_column,
                 const double* b, int64_t b_row, int64_t b_column, double* c, int64_t c_row) {
  const Matrix left{a, a_row, a_column}, right{b, b_row, b_column};
  const bool here = dini::cpu::level() >= DINI_CPU_AVX512;
  const double volume = static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  if ((!here || volume >= kLarge) && byBlas(m, n, k, left, right, c, c_row)) return;
  if (here) return multiply(m, n, k, left, right, c, c_row);
  plain(m, n, k, left, right, c, c_row);
}
