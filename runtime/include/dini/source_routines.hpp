// What emitted C++ includes besides source.hpp where it projects on cones, decomposes matrices or
// differentiates equations with ties: the runtime's routines as inline functions, and decompositions
// by Jacobi rotations and Householder reflections, for moderate sizes. Standard library only, C++20.
// Not here: the routines' text (routines/*.inc), which the runtime library compiles as well.
#ifndef DINI_SOURCE_ROUTINES_HPP
#define DINI_SOURCE_ROUTINES_HPP

#include "dini/complementarity.h"
#include "dini/projections.h"
#include "dini/routines/array.h"
#include "dini/routines/tangents.h"
#include "dini/source.hpp"
#include "dini/status.h"

namespace dini::source {

// --- decompositions; the signs that a decomposition leaves open are those of runtime/linalg.h

struct spectrum {
  reals values, vectors;  // ascending; in columns, the largest entry of each positive
};
struct singular_values {
  reals u, s, v;  // thin; s descending, the largest entry of each column of u positive
};
struct orthogonal {
  reals q, r;  // thin; the diagonal of r not negative
};

inline bool all_finite(const reals& a) {
  return std::all_of(a.data(), a.data() + a.size(), [](double x) { return std::isfinite(x); });
}

// -1 where the first entry of largest magnitude in column j is negative.
inline double orientation(const reals& a, std::int64_t j) {
  double largest = 0;
  for (std::int64_t i = 0; i < a.dim(0); ++i)
    if (std::fabs(a(i, j)) > std::fabs(largest)) largest = a(i, j);
  return largest < 0 ? -1 : 1;
}
inline void scale_column(reals& a, std::int64_t j, double factor) {
  for (std::int64_t i = 0; i < a.dim(0); ++i) a(i, j) *= factor;
}
// Columns p and q become c p - s q and s p + c q.
inline void rotate(reals& a, std::int64_t p, std::int64_t q, double c, double s) {
  for (std::int64_t i = 0; i < a.dim(0); ++i) {
    const double x = a(i, p), y = a(i, q);
    a(i, p) = c * x - s * y;
    a(i, q) = s * x + c * y;
  }
}
// Cosine and sine of the rotation that makes [a b; b d] diagonal (Golub and Van Loan, 8.5).
inline std::pair<double, double> rotation(double a, double b, double d) {
  const double tau = (d - a) / (2 * b);
  const double t = (tau >= 0 ? 1.0 : -1.0) / (std::fabs(tau) + std::sqrt(1 + tau * tau));
  const double c = 1 / std::sqrt(1 + t * t);
  return {c, t * c};
}
inline reals identity(std::int64_t n) {
  reals made({n, n});
  for (std::int64_t k = 0; k < n; ++k) made(k, k) = 1;
  return made;
}
inline reals columns(const reals& a, const ints& order) {
  reals made({a.dim(0), order.size()});
  for (std::int64_t i = 0; i < a.dim(0); ++i)
    for (std::int64_t j = 0; j < order.size(); ++j) made(i, j) = a(i, order[j]);
  return made;
}

// Cyclic Jacobi on (A + A') / 2.
inline spectrum eigh(const reals& matrix, const char* place) {
  const std::int64_t n = matrix.dim(0);
  check(all_finite(matrix), status::non_finite, place);
  reals a({n, n}), v = identity(n);
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < n; ++j) a(i, j) = 0.5 * (matrix(i, j) + matrix(j, i));
  for (int sweep = 0; sweep < 60; ++sweep) {
    bool rotated = false;
    for (std::int64_t p = 0; p < n; ++p)
      for (std::int64_t q = p + 1; q < n; ++q) {
        const double b = a(p, q);
        if (b == 0 || std::fabs(b) < 1e-17 * std::sqrt(std::fabs(a(p, p) * a(q, q)))) continue;
        rotated = true;
        const auto [c, s] = rotation(a(p, p), b, a(q, q));
        rotate(a, p, q, c, s);
        for (std::int64_t j = 0; j < n; ++j) {
          const double x = a(p, j), y = a(q, j);
          a(p, j) = c * x - s * y;
          a(q, j) = s * x + c * y;
        }
        a(p, q) = a(q, p) = 0;
        rotate(v, p, q, c, s);
      }
    if (!rotated) break;
  }
  reals values({n});
  for (std::int64_t k = 0; k < n; ++k) values[k] = a(k, k);
  const ints order = argsort(values);
  spectrum made{gather(values, order), columns(v, order)};
  for (std::int64_t k = 0; k < n; ++k) scale_column(made.vectors, k, orientation(made.vectors, k));
  return made;
}

// Householder reflections, accumulated from the last to the first.
inline orthogonal qr(const reals& matrix, const char* place) {
  const std::int64_t m = matrix.dim(0), n = matrix.dim(1), k = std::min(m, n);
  check(all_finite(matrix), status::non_finite, place);
  reals a = matrix;
  std::vector<std::vector<double>> normals;
  const auto reflect = [&](reals& x, std::int64_t from, const std::vector<double>& w) {
    for (std::int64_t j = 0; j < x.dim(1); ++j) {
      double dot = 0;
      for (std::int64_t i = from; i < m; ++i) dot += w[static_cast<std::size_t>(i - from)] * x(i, j);
      for (std::int64_t i = from; i < m; ++i) x(i, j) -= 2 * dot * w[static_cast<std::size_t>(i - from)];
    }
  };
  for (std::int64_t j = 0; j < k; ++j) {
    std::vector<double> w;
    for (std::int64_t i = j; i < m; ++i) w.push_back(a(i, j));
    const double length = std::sqrt(std::inner_product(w.begin(), w.end(), w.begin(), 0.0));
    if (length > 0) {
      w[0] += w[0] < 0 ? -length : length;
      const double size = std::sqrt(std::inner_product(w.begin(), w.end(), w.begin(), 0.0));
      for (double& x : w) x /= size;
    }
    reflect(a, j, w);
    normals.push_back(std::move(w));
  }
  orthogonal made{reals({m, k}), reals({k, n})};
  for (std::int64_t j = 0; j < k; ++j) made.q(j, j) = 1;
  for (std::int64_t j = k; j-- > 0;) reflect(made.q, j, normals[static_cast<std::size_t>(j)]);
  for (std::int64_t i = 0; i < k; ++i) {
    const double sign = a(i, i) < 0 ? -1 : 1;
    for (std::int64_t j = i; j < n; ++j) made.r(i, j) = sign * a(i, j);
    scale_column(made.q, i, sign);
  }
  return made;
}

// One-sided Jacobi (Hestenes) on the columns of A, or of A' where A is wide.
inline singular_values svd(const reals& matrix, const char* place) {
  const std::int64_t m = matrix.dim(0), n = matrix.dim(1);
  check(all_finite(matrix), status::non_finite, place);
  if (m < n) {
    singular_values turned = svd(transpose(matrix, {1, 0}), place);
    std::swap(turned.u, turned.v);
    for (std::int64_t k = 0; k < m; ++k) {
      const double sign = orientation(turned.u, k);
      scale_column(turned.u, k, sign);
      scale_column(turned.v, k, sign);
    }
    return turned;
  }
  reals u = matrix, v = identity(n), s({n});
  const auto dot = [&](std::int64_t p, std::int64_t q) {
    double sum = 0;
    for (std::int64_t i = 0; i < m; ++i) sum += u(i, p) * u(i, q);
    return sum;
  };
  for (int sweep = 0; sweep < 60; ++sweep) {
    bool rotated = false;
    for (std::int64_t p = 0; p < n; ++p)
      for (std::int64_t q = p + 1; q < n; ++q) {
        const double b = dot(p, q), a = dot(p, p), d = dot(q, q);
        if (b == 0 || std::fabs(b) < 1e-16 * std::sqrt(a * d)) continue;
        rotated = true;
        const auto [c, sine] = rotation(a, b, d);
        rotate(u, p, q, c, sine);
        rotate(v, p, q, c, sine);
      }
    if (!rotated) break;
  }
  for (std::int64_t k = 0; k < n; ++k) s[k] = -std::sqrt(dot(k, k));
  const ints order = argsort(s);
  singular_values made{columns(u, order), gather(s, order), columns(v, order)};
  const double negligible = n > 0 ? -made.s[0] * 1e-16 * static_cast<double>(m) : 0;
  reals whole;  // an orthonormal basis that begins with the columns of u, for those without a direction
  for (std::int64_t k = 0; k < n; ++k) {
    made.s[k] = -made.s[k];
    if (made.s[k] > negligible) {
      scale_column(made.u, k, 1 / made.s[k]);
    } else {
      reals given({m, k + m});
      for (std::int64_t i = 0; i < m; ++i) {
        for (std::int64_t j = 0; j < k; ++j) given(i, j) = made.u(i, j);
        given(i, k + i) = 1;
      }
      whole = qr(given, place).q;
      for (std::int64_t i = 0; i < m; ++i) made.u(i, k) = whole(i, k);
    }
    const double sign = orientation(made.u, k);
    scale_column(made.u, k, sign);
    scale_column(made.v, k, sign);
  }
  return made;
}

// The least X of those that minimise |A X - B|.
inline reals lstsq(const reals& a, const reals& b, const char* place) {
  check(all_finite(b), status::non_finite, place);
  const singular_values parts = svd(a, place);
  const std::int64_t m = a.dim(0), n = a.dim(1), k = parts.s.size(), columns = b.dims().size() == 1 ? 1 : b.dim(1);
  shape dims = b.dims();
  dims[0] = n;
  reals x(dims);
  for (std::int64_t r = 0; r < k; ++r) {
    if (!(parts.s[r] > static_cast<double>(std::max(m, n)) * std::numeric_limits<double>::epsilon() * parts.s[0])) continue;
    for (std::int64_t j = 0; j < columns; ++j) {
      double along = 0;
      for (std::int64_t i = 0; i < m; ++i) along += parts.u(i, r) * b[i * columns + j];
      for (std::int64_t i = 0; i < n; ++i) x[i * columns + j] += parts.v(i, r) * along / parts.s[r];
    }
  }
  return x;
}

// --- the runtime's routines, with the linear algebra of source.hpp
namespace routines {

inline double dini_norm(const double* x, std::int64_t n) {
  return norm(reals({n}, std::span<const double>(x, static_cast<std::size_t>(n))));
}
inline std::int64_t dini_factor_work(std::int64_t) { return 0; }
inline int dini_factor(std::int64_t kind, std::int64_t n, const double* a, double* f, std::int64_t* pivots,
                       double* rcond, double*) {
  try {
    const factors made = factor(reals({n, n}, std::span<const double>(a, static_cast<std::size_t>(n * n))),
                                static_cast<structure>(kind), "");
    std::copy_n(made.f.data(), n * n, f);
    std::copy_n(made.pivots.data(), n, pivots);
    *rcond = made.rcond;
    return DINI_OK;
  } catch (const error&) {
    return DINI_SINGULAR;
  }
}
inline void dini_solve_factored(std::int64_t kind, int transposed, std::int64_t n, std::int64_t m, const double* f,
                                const std::int64_t* pivots, const double* b, double* x) {
  const factors given{static_cast<structure>(kind), reals({n, n}, std::span<const double>(f, static_cast<std::size_t>(n * n))),
                      ints({n}, std::span<const std::int64_t>(pivots, static_cast<std::size_t>(n))), 0};
  const reals solution =
      solve_factored(given, reals({n, m}, std::span<const double>(b, static_cast<std::size_t>(n * m))), transposed != 0);
  std::copy_n(solution.data(), n * m, x);
}
inline std::int64_t dini_eigh_work(std::int64_t) { return 0; }
inline int dini_eigh(std::int64_t n, const double* a, double* values, double* vectors, double*) {
  try {
    const spectrum made = eigh(reals({n, n}, std::span<const double>(a, static_cast<std::size_t>(n * n))), "");
    std::copy_n(made.values.data(), n, values);
    std::copy_n(made.vectors.data(), n * n, vectors);
    return DINI_OK;
  } catch (const error& ended) {
    return static_cast<int>(ended.code);
  }
}

#define DINI_ROUTINE inline
#include "dini/routines/projections.inc"
#include "dini/routines/spectral.inc"
#include "dini/routines/p_matrix.inc"
#include "dini/routines/complementarity.inc"
#undef DINI_ROUTINE

}  // namespace routines

// --- and as functions of arrays; `decisions` are the tangents that decide ties, h after h

inline const double* decision(const std::vector<reals>& decisions, std::size_t k) {
  return k < decisions.size() ? decisions[k].data() : nullptr;
}
inline reals proj_simplex(const reals& v, double radius) {
  reals x(v.dims()), work(v.dims());
  routines::dini_proj_simplex(v.size(), v.data(), radius, x.data(), work.data());
  return x;
}
// Tangents of the radius stand beside those of v.
inline reals simplex_weights(const reals& v, double radius, double t, const std::vector<reals>& decisions = {},
                             const std::vector<double>& radii = {}) {
  reals d(v.dims()), work({3 * v.size()});
  const auto of_radius = [&](std::size_t k) { return k < radii.size() ? radii[k] : 0.0; };
  routines::dini_simplex_weights(t, v.size(), v.data(), radius, static_cast<std::int64_t>(decisions.size()), decision(decisions, 0),
                                 of_radius(0), decision(decisions, 1), of_radius(1), d.data(), work.data());
  return d;
}
inline reals proj_soc(const reals& v) {
  reals made(v.dims());
  routines::dini_proj_soc(v.size(), v.data(), made.data());
  return made;
}
inline reals soc_map(const reals& v, const reals& c, double t, const std::vector<reals>& decisions = {}) {
  reals made(v.dims());
  routines::dini_soc_map(t, v.size(), v.data(), static_cast<std::int64_t>(decisions.size()), decision(decisions, 0),
                         decision(decisions, 1), c.data(), made.data());
  return made;
}
// kind: DINI_SPECTRAL_*; c is read by the last two.
inline reals spectral(std::int64_t kind, const reals& a, const spectrum& basis, const reals& c, double t, const char* place,
                      const std::vector<reals>& decisions = {}) {
  const std::int64_t n = a.dim(0);
  reals made(a.dims()), work({routines::dini_spectral_work(n)});
  const int ended = routines::dini_spectral(kind, t, n, a.data(), basis.values.data(), basis.vectors.data(),
                                            c.size() > 0 ? c.data() : nullptr, static_cast<std::int64_t>(decisions.size()),
                                            decision(decisions, 0), decision(decisions, 1), made.data(), work.data());
  check(ended == DINI_OK, static_cast<status>(ended), place);
  return made;
}

// The switches that are tied at a solution of equations, and what they decide: dini_root_ties.
struct tied_switches {
  reals weights, z_dot, verdict;
};
inline tied_switches root_ties(const reals& jacobian, const bools& tied, const reals& held) {
  const std::int64_t k = tied.size(), n = jacobian.dim(1) - k;
  tied_switches made{reals({k}), reals({n}), reals({2})};
  routines::dini_root_ties(n, k, jacobian.data(), tied.data(), held.data(), made.weights.data(), made.z_dot.data(),
                           made.verdict.data());
  return made;
}

}  // namespace dini::source

#endif
