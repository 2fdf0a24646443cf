// Sparse systems. Entries in any order become compressed rows with the values of one place added up.
// Compressed rows of A are compressed columns of A', which is what is factorised: A x = b is then the
// transposed solve.
#include "dini/sparse.h"

#include <pthread.h>

#include <cmath>
#include <cstdlib>
#include <cstring>

#include "dini/linalg.h"
#include "dini/status.h"
#include "klu.h"

namespace {

template <class T>
T* allocated(int64_t count) {
  return static_cast<T*>(std::malloc(static_cast<size_t>(count > 0 ? count : 1) * sizeof(T)));
}

struct System {
  int64_t n = 0, count = 0, stored = 0;
  // As given, to know them again.
  int64_t *rows = nullptr, *cols = nullptr;
  double* values = nullptr;
  // Compressed: entries starts[i] .. starts[i + 1] of row i; slot[e]: where entry e went.
  int64_t *starts = nullptr, *columns = nullptr, *slot = nullptr;
  double* entries = nullptr;
  // Dense, where there is no KLU.
  double* factors = nullptr;
  int64_t* pivots = nullptr;
#ifdef DINI_WITH_KLU
  const dini::klu::Table* klu = nullptr;
  klu_l_common common{};
  klu_l_symbolic* symbolic = nullptr;
  klu_l_numeric* numeric = nullptr;
#endif
  bool factorised = false;
  double rcond = 0;
  int64_t used = 0;  // when, by the thread's count of calls
};

void dropFactors(System& s) {
#ifdef DINI_WITH_KLU
  if (s.numeric != nullptr) s.klu->free_numeric(&s.numeric, &s.common);
#endif
  s.factorised = false;
}

void clear(System& s) {
  dropFactors(s);
#ifdef DINI_WITH_KLU
  if (s.symbolic != nullptr) s.klu->free_symbolic(&s.symbolic, &s.common);
#endif
  std::free(s.rows);
  std::free(s.cols);
  std::free(s.values);
  std::free(s.starts);
  std::free(s.columns);
  std::free(s.slot);
  std::free(s.entries);
  std::free(s.factors);
  std::free(s.pivots);
  s = System{};
}

constexpr int kKept = 4;

struct Kept {
  System systems[kKept];
  int64_t calls = 0;
};

pthread_key_t kept_key;
pthread_once_t kept_once = PTHREAD_ONCE_INIT;

void release(void* memory) {
  auto* kept = static_cast<Kept*>(memory);
  for (System& s : kept->systems) clear(s);
  std::free(kept);
}

// Null: no memory.
Kept* keptByThread() {
  pthread_once(&kept_once, [] { pthread_key_create(&kept_key, release); });
  auto* kept = static_cast<Kept*>(pthread_getspecific(kept_key));
  if (kept != nullptr) return kept;
  kept = allocated<Kept>(1);
  if (kept == nullptr) return nullptr;
  for (System& s : kept->systems) s = System{};
  kept->calls = 0;
  pthread_setspecific(kept_key, kept);
  return kept;
}

bool inside(int64_t n, int64_t count, const int64_t* rows, const int64_t* cols) {
  for (int64_t e = 0; e < count; ++e)
    if (rows[e] < 0 || rows[e] >= n || cols[e] < 0 || cols[e] >= n) return false;
  return true;
}

// The places of the entries: a counting sort by rows, then one slot for each column of a row.
bool compress(System& s) {
  s.starts = allocated<int64_t>(s.n + 1);
  s.columns = allocated<int64_t>(s.count);
  s.slot = allocated<int64_t>(s.count);
  s.entries = allocated<double>(s.count);
  auto* order = allocated<int64_t>(s.count);
  auto* next = allocated<int64_t>(s.n + 1);
  auto* seen = allocated<int64_t>(s.n);
  const bool fine = s.starts && s.columns && s.slot && s.entries && order && next && seen;
  if (fine) {
    std::memset(next, 0, static_cast<size_t>(s.n + 1) * sizeof(int64_t));
    for (int64_t e = 0; e < s.count; ++e) ++next[s.rows[e] + 1];
    for (int64_t i = 0; i < s.n; ++i) next[i + 1] += next[i];
    for (int64_t e = 0; e < s.count; ++e) order[next[s.rows[e]]++] = e;
    for (int64_t i = 0; i < s.n; ++i) seen[i] = -1;  // the slot of a column in the row at hand
    int64_t at = 0;
    for (int64_t i = 0, k = 0; i < s.n; ++i) {
      s.starts[i] = at;
      for (; k < next[i]; ++k) {
        const int64_t e = order[k], j = s.cols[e];
        if (seen[j] < s.starts[i]) {
          seen[j] = at;
          s.columns[at++] = j;
        }
        s.slot[e] = seen[j];
      }
    }
    s.starts[s.n] = s.stored = at;
  }
  std::free(order);
  std::free(next);
  std::free(seen);
  return fine;
}

int factoriseDensely(System& s) {
  if (s.factors == nullptr) s.factors = allocated<double>(s.n * s.n);
  if (s.pivots == nullptr) s.pivots = allocated<int64_t>(s.n);
  auto* matrix = static_cast<double*>(std::calloc(static_cast<size_t>(s.n * s.n), sizeof(double)));
  auto* work = allocated<double>(dini_factor_work(s.n));
  int status = DINI_MEMORY;
  if (s.factors && s.pivots && matrix && work) {
    // The transpose, as KLU has it.
    for (int64_t i = 0; i < s.n; ++i)
      for (int64_t k = s.starts[i]; k < s.starts[i + 1]; ++k) matrix[s.columns[k] * s.n + i] = s.entries[k];
    status = dini_factor(0, s.n, matrix, s.factors, s.pivots, &s.rcond, work);
  }
  std::free(matrix);
  std::free(work);
  return status;
}

int factorise(System& s) {
  dropFactors(s);
  std::memset(s.entries, 0, static_cast<size_t>(s.stored) * sizeof(double));
  for (int64_t e = 0; e < s.count; ++e) s.entries[s.slot[e]] += s.values[e];
  s.rcond = 0;
#ifdef DINI_WITH_KLU
  s.klu = dini::klu::table();
  if (s.klu != nullptr) {
    if (s.symbolic == nullptr) {
      s.klu->defaults(&s.common);
      s.common.tol = 0.1;  // KLU's own 0.001 lets entries grow a thousandfold in a step
      s.symbolic = s.klu->analyze(s.n, s.starts, s.columns, &s.common);
      if (s.symbolic == nullptr) return s.common.status == KLU_SINGULAR ? DINI_SINGULAR : DINI_MEMORY;
    }
    s.numeric = s.klu->factor(s.starts, s.columns, s.entries, s.symbolic, &s.common);
    if (s.numeric == nullptr) return s.common.status == KLU_OUT_OF_MEMORY ? DINI_MEMORY : DINI_SINGULAR;
    if (s.common.status == KLU_SINGULAR) return DINI_SINGULAR;
    if (!s.klu->estimate(s.starts, s.entries, s.symbolic, s.numeric, &s.common)) return DINI_MEMORY;
    s.rcond = 1 / s.common.condest;
    s.factorised = s.rcond >= 1e-14;
    return s.factorised ? DINI_OK : DINI_SINGULAR;
  }
#endif
  const int status = factoriseDensely(s);
  s.factorised = status == DINI_OK;
  return status;
}

template <class T>
bool equal(const T* a, const T* b, int64_t count) {
  return std::memcmp(a, b, static_cast<size_t>(count) * sizeof(T)) == 0;
}

// The system with this pattern: a kept one, or the one not used for longest, made anew.
System* withPattern(Kept& kept, int64_t n, int64_t count, const int64_t* rows, const int64_t* cols) {
  System* oldest = &kept.systems[0];
  for (System& s : kept.systems) {
    if (s.n == n && s.count == count && s.slot != nullptr && equal(s.rows, rows, count) &&
        equal(s.cols, cols, count))
      return &s;
    if (s.used < oldest->used) oldest = &s;
  }
  System& s = *oldest;
  clear(s);
  s.n = n;
  s.count = count;
  s.rows = allocated<int64_t>(count);
  s.cols = allocated<int64_t>(count);
  s.values = allocated<double>(count);
  bool fine = s.rows && s.cols && s.values;
  if (fine) {
    std::memcpy(s.rows, rows, static_cast<size_t>(count) * sizeof(int64_t));
    std::memcpy(s.cols, cols, static_cast<size_t>(count) * sizeof(int64_t));
    fine = compress(s);
  }
  if (fine) return &s;
  clear(s);
  return nullptr;
}

// One right-hand side, in place. What was factorised is A'.
void solveOne(System& s, bool transposed, double* x) {
#ifdef DINI_WITH_KLU
  if (s.numeric != nullptr) {
    if (transposed)
      s.klu->solve(s.symbolic, s.numeric, s.n, 1, x, &s.common);
    else
      s.klu->solve_transposed(s.symbolic, s.numeric, s.n, 1, x, &s.common);
    return;
  }
#endif
  dini_solve_factored(0, transposed ? 0 : 1, s.n, 1, s.factors, s.pivots, x, x);
}

// b - A x, or b - A' x.
void residual(const System& s, bool transposed, const double* b, const double* x, double* r) {
  std::memcpy(r, b, static_cast<size_t>(s.n) * sizeof(double));
  for (int64_t i = 0; i < s.n; ++i)
    for (int64_t k = s.starts[i]; k < s.starts[i + 1]; ++k) {
      const int64_t j = s.columns[k];
      if (transposed)
        r[j] -= s.entries[k] * x[i];
      else
        r[i] -= s.entries[k] * x[j];
    }
}

double largest(const double* x, int64_t n) {
  double most = 0;
  for (int64_t i = 0; i < n; ++i) most = std::fmax(most, std::fabs(x[i]));
  return most;
}

// Refined as long as the corrections shrink tenfold: pivots are chosen for sparsity too.
void solveRefined(System& s, bool transposed, const double* b, double* x, double* r) {
  constexpr int kMostSteps = 5;
  std::memcpy(x, b, static_cast<size_t>(s.n) * sizeof(double));
  solveOne(s, transposed, x);
  double before = HUGE_VAL;
  for (int step = 0; step < kMostSteps; ++step) {
    residual(s, transposed, b, x, r);
    solveOne(s, transposed, r);
    const double correction = largest(r, s.n);
    if (!(correction < 0.1 * before)) return;
    for (int64_t i = 0; i < s.n; ++i) x[i] += r[i];
    if (correction <= 1e-16 * largest(x, s.n)) return;
    before = correction;
  }
}

}  // namespace

int dini_sparse_solve(int transposed, int64_t n, int64_t m, int64_t count, const double* values,
                      const int64_t* rows, const int64_t* cols, const double* b, double* x,
                      double* rcond) {
  *rcond = 0;
  if (n == 0) {
    *rcond = 1;
    return DINI_OK;
  }
  if (!inside(n, count, rows, cols)) return DINI_BOUNDS;
  Kept* kept = keptByThread();
  System* system = kept == nullptr ? nullptr : withPattern(*kept, n, count, rows, cols);
  if (system == nullptr) return DINI_MEMORY;
  System& s = *system;
  s.used = ++kept->calls;
  if (!s.factorised || !equal(s.values, values, count)) {
    std::memcpy(s.values, values, static_cast<size_t>(count) * sizeof(double));
    const int status = factorise(s);
    *rcond = s.rcond;
    if (status != DINI_OK) return status;
  }
  *rcond = s.rcond;
  auto* columns = allocated<double>(3 * n);  // one of B, one of X, its residual
  if (columns == nullptr) return DINI_MEMORY;
  for (int64_t j = 0; j < m; ++j) {
    for (int64_t i = 0; i < n; ++i) columns[i] = b[i * m + j];
    solveRefined(s, transposed != 0, columns, columns + n, columns + 2 * n);
    for (int64_t i = 0; i < n; ++i) x[i * m + j] = columns[n + i];
  }
  std::free(columns);
  return DINI_OK;
}
