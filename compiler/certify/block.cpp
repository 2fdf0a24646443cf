#include "certify/block.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "base/check.h"
#include "dini/linalg.h"
#include "dini/projections.h"

namespace dini::certify {
namespace {

using Values = std::vector<double>;

double norm(const Values& x) {
  double sum = 0;
  for (double v : x) sum += v * v;
  return std::sqrt(sum);
}

size_t orderOf(const Block& block) {  // r with r (r + 1) / 2 coordinates
  size_t r = 1;
  while (symmetricSize(r) < block.columns) ++r;
  return r;
}

// Column c of the result is derivative(unit c).
template <typename Derivative>
Values byColumns(size_t n, Derivative derivative) {
  Values theta(n * n), unit(n), image(n);
  for (size_t c = 0; c < n; ++c) {
    std::fill(unit.begin(), unit.end(), 0);
    unit[c] = 1;
    derivative(unit, image);
    for (size_t i = 0; i < n; ++i) theta[i * n + c] = image[i];
  }
  return theta;
}

Values coneElement(const Values& h) {
  auto n = static_cast<int64_t>(h.size());
  return byColumns(h.size(), [&](const Values& unit, Values& image) {
    dini_soc_map(0.5, n, h.data(), 0, nullptr, nullptr, unit.data(), image.data());
  });
}

Values spectralElement(const Values& h, size_t r) {
  auto n = static_cast<int64_t>(r);
  Values matrix = fromCoordinates(h, r), values(r), vectors(r * r), out(r * r);
  Values work(static_cast<size_t>(std::max(dini_eigh_work(n), dini_spectral_work(n))));
  if (dini_eigh(n, matrix.data(), values.data(), vectors.data(), work.data()) != 0) return Values(h.size() * h.size(), 0);
  return byColumns(h.size(), [&](const Values& unit, Values& image) {
    Values direction = fromCoordinates(unit, r);
    int status = dini_spectral(DINI_SPECTRAL_TANGENT, 0.5, n, matrix.data(), values.data(), vectors.data(),
                               direction.data(), 0, nullptr, nullptr, out.data(), work.data());
    check(status == 0, "the derivative of a positive part");
    image = toCoordinates(out, r);
  });
}

Values orderElement(const Values& h) {
  size_t n = h.size();
  std::vector<size_t> at(n);
  std::iota(at.begin(), at.end(), size_t{0});
  std::sort(at.begin(), at.end(), [&](size_t a, size_t b) { return h[a] < h[b] || (h[a] == h[b] && a < b); });
  Values theta(n * n, 0);
  for (size_t i = 0; i < n; ++i) theta[i * n + at[i]] = 1;
  return theta;
}

// Directions where all eigenvalues have one sign, and such as the gain suggests.
std::vector<Values> startingDirections(const Block& block, const Values& gain) {
  size_t n = block.columns;
  Values one(n, 0), suggested(n, 0);
  if (block.set == BlockSet::Spectral) {
    size_t r = orderOf(block);
    Values identity(r * r, 0);
    for (size_t i = 0; i < r; ++i) identity[i * r + i] = 1;
    one = toCoordinates(identity, r);
  } else {
    one[0] = 1;
  }
  for (size_t i = 0; i < n; ++i) suggested[i] = -(gain[i] + gain[i * n]);
  std::vector<Values> all{one, suggested};
  for (size_t k = 0; k < 2; ++k) {
    for (double& x : all[k]) x = -x;
    all.push_back(all[k]);
    for (double& x : all[k]) x = -x;
  }
  return all;
}

}  // namespace

size_t symmetricSize(size_t r) { return r * (r + 1) / 2; }

Values toCoordinates(const Values& matrix, size_t r) {
  Values out;
  for (size_t i = 0; i < r; ++i)
    for (size_t j = 0; j <= i; ++j)
      out.push_back(i == j ? matrix[i * r + i] : (matrix[i * r + j] + matrix[j * r + i]) / std::sqrt(2.0));
  return out;
}

Values fromCoordinates(const Values& coordinates, size_t r) {
  Values matrix(r * r);
  size_t at = 0;
  for (size_t i = 0; i < r; ++i)
    for (size_t j = 0; j <= i; ++j, ++at)
      matrix[i * r + j] = matrix[j * r + i] = i == j ? coordinates[at] : coordinates[at] / std::sqrt(2.0);
  return matrix;
}

double reach(BlockSet set) {
  switch (set) {
    case BlockSet::None: return 0;
    case BlockSet::Ball:
    case BlockSet::Order: return 1;
    case BlockSet::Cone:
    case BlockSet::Spectral: return 0.5;
  }
  return 0;
}

Values centre(const Block& block) {
  Values theta(block.rows * block.columns, 0);
  if (block.set == BlockSet::Order)
    std::fill(theta.begin(), theta.end(), 1 / static_cast<double>(block.columns));
  if (block.set == BlockSet::Cone || block.set == BlockSet::Spectral)
    for (size_t i = 0; i < block.rows; ++i) theta[i * block.columns + i] = 0.5;
  return theta;
}

Values element(const Block& block, const Values& h) {
  switch (block.set) {
    case BlockSet::None: return {};
    case BlockSet::Ball: {
      Values g = h;
      double length = norm(h);
      for (double& x : g) x = length > 0 ? x / length : 0;
      return g;
    }
    case BlockSet::Order: return orderElement(h);
    case BlockSet::Cone: return coneElement(h);
    case BlockSet::Spectral: return spectralElement(h, orderOf(block));
  }
  return {};
}

Values leastElement(const Block& block, const Values& gain) {
  constexpr int kDraws = 40, kSteps = 60;
  if (block.set == BlockSet::Ball) {
    Values h = gain;
    for (double& x : h) x = -x;
    return element(block, h);
  }
  std::mt19937_64 draw(20210614);
  auto uniform = [&] { return static_cast<double>(draw() >> 11) * 0x1p-52 - 1; };
  Values best_h, best;
  double least = std::numeric_limits<double>::infinity();
  auto offer = [&](const Values& h) {
    Values theta = element(block, h);
    double value = std::inner_product(gain.begin(), gain.end(), theta.begin(), 0.0);
    if (!(value < least)) return;
    least = value;
    best = std::move(theta);
    best_h = h;
  };
  for (const Values& h : startingDirections(block, gain)) offer(h);
  Values h(block.columns);
  for (int k = 0; k < kDraws; ++k) {
    for (double& x : h) x = uniform();
    offer(h);
  }
  double step = 0.5;
  for (int k = 0; k < kSteps; ++k, step *= 0.95) {
    h = best_h;
    double length = norm(h);
    for (double& x : h) x = x / (length > 0 ? length : 1) + step * uniform();
    offer(h);
  }
  return best;
}

// For P = proj_psd: let V be the orthogonal basis at v~, v within e of v~ and e <= gap / 8. Davis and Kahan
// bound the turn of the three invariant subspaces (positive, null, negative), so some W with
// ||W - I|| <= 2.9 e / gap maps them to those of v. In that frame the map between the positive and the
// negative block solves N+ X - X N- = N+ C, whose data moved by e (1 + 5.8 condition); the others are
// within (null eigenvalues + e) / gap of 1 and 0. Together at most 30 condition e / gap.
double drift(const Block& block, double radius) {
  if (std::isinf(block.gap)) return block.blur;
  if (!(radius <= block.gap / 8)) return std::numeric_limits<double>::infinity();
  return 32 * block.condition * radius / block.gap + block.blur;
}

std::string describe(const Block& block) {
  switch (block.set) {
    case BlockSet::None: return "no kink";
    case BlockSet::Ball: return "`norm` at 0";
    case BlockSet::Order: return "equal entries in `sort`";
    case BlockSet::Cone: return "the apex of `proj_soc`";
    case BlockSet::Spectral:
      return block.columns == 1 ? "a zero eigenvalue in `proj_psd`" : "zero eigenvalues in `proj_psd`";
  }
  return "";
}

}  // namespace dini::certify
