#include "abs_normal/abs_normal.h"

#include <cmath>

#include "abs_normal/cut.h"
#include "ad/ad.h"
#include "base/check.h"

namespace dini::abs_normal {
namespace {

// Solves A X = B in place by elimination with row pivoting; false where A is singular.
bool solve(Matrix a, Matrix& b) {
  size_t n = a.rows;
  auto swapRows = [](Matrix& m, size_t i, size_t j) {
    for (size_t k = 0; k < m.columns; ++k) std::swap(m.entries[i * m.columns + k], m.entries[j * m.columns + k]);
  };
  auto addRow = [](Matrix& m, size_t to, size_t from, double factor) {
    for (size_t k = 0; k < m.columns; ++k) m.entries[to * m.columns + k] += factor * m.entries[from * m.columns + k];
  };
  for (size_t k = 0; k < n; ++k) {
    size_t pivot = k;
    for (size_t i = k + 1; i < n; ++i)
      if (std::abs(a.at(i, k)) > std::abs(a.at(pivot, k))) pivot = i;
    if (!(std::abs(a.at(pivot, k)) > 0)) return false;
    swapRows(a, k, pivot);
    swapRows(b, k, pivot);
    for (size_t i = 0; i < n; ++i) {
      double factor = i == k ? 0 : -a.at(i, k) / a.at(k, k);
      if (factor == 0) continue;
      addRow(a, i, k, factor);
      addRow(b, i, k, factor);
    }
  }
  for (size_t k = 0; k < n; ++k)
    for (size_t j = 0; j < b.columns; ++j) b.entries[k * b.columns + j] /= a.at(k, k);
  return true;
}

Matrix rowsOf(const Matrix& m, size_t from, size_t count) {
  auto begin = m.entries.begin() + static_cast<long>(from * m.columns);
  return {count, m.columns, {begin, begin + static_cast<long>(count * m.columns)}};
}

// a -= b x
void subtractProduct(Matrix& a, const Matrix& b, const Matrix& x) {
  for (size_t i = 0; i < a.rows; ++i)
    for (size_t k = 0; k < b.columns; ++k)
      for (size_t j = 0; j < a.columns; ++j) a.entries[i * a.columns + j] -= b.at(i, k) * x.at(k, j);
}

// What z or y is where x and |z| are 0.
std::vector<double> offset(const std::vector<double>& value, const Matrix& by_x, const Matrix& by_w,
                           const std::vector<double>& x, const std::vector<double>& z) {
  std::vector<double> result = value;
  for (size_t i = 0; i < value.size(); ++i) {
    for (size_t j = 0; j < x.size(); ++j) result[i] -= by_x.at(i, j) * x[j];
    for (size_t j = 0; j < z.size(); ++j) result[i] -= by_w.at(i, j) * std::abs(z[j]);
  }
  return result;
}

// The Jacobian of the cut function: rows F, z, y; one matrix for each of its parameters u, x, w.
struct Jacobians {
  Matrix by_u, by_x, by_w;
};

std::optional<Jacobians> jacobians(ir::Module& module, const CutFunction& cut, const ir::InterpretOptions& options) {
  ad::Request request;
  request.active = {true, true, true};
  const ir::Function& derivative = module.add(ad::jacobian(module, *cut.function, request));
  std::vector<ir::Tensor> arguments;
  for (const auto& values : {cut.u0, cut.x0, cut.w0}) {
    arguments.push_back(ir::Tensor::zeros({ir::Elem::F64, {static_cast<int64_t>(values.size())}}));
    arguments.back().reals = values;
  }
  auto outcome = ir::interpret(module, derivative, arguments, options);
  if (!outcome || !std::holds_alternative<std::vector<ir::Tensor>>(*outcome)) return std::nullopt;
  const auto& results = std::get<std::vector<ir::Tensor>>(*outcome);
  check(results.size() >= 3, "a Jacobian with three parameters has three parts");
  size_t first = results.size() - 3, rows = cut.equations + cut.switches + cut.results;
  auto part = [&](size_t k, size_t columns) { return Matrix{rows, columns, results[first + k].reals}; };
  return Jacobians{part(0, cut.u0.size()), part(1, cut.x0.size()), part(2, cut.w0.size())};
}

bool isStrictlyLower(const Matrix& m) {
  for (size_t i = 0; i < m.rows; ++i)
    for (size_t j = i; j < m.columns; ++j)
      if (m.at(i, j) != 0) return false;
  return true;
}

void fill(Form& form, const CutFunction& cut, Jacobians j) {
  size_t n = cut.equations, s = cut.switches, m = cut.results;
  if (n > 0) {
    Matrix x = rowsOf(j.by_x, 0, n), w = rowsOf(j.by_w, 0, n), f = rowsOf(j.by_u, 0, n);
    if (!solve(f, x) || !solve(f, w)) {
      form.obstacle = "the Jacobian of the equations is singular";
      return;
    }
    subtractProduct(j.by_x, j.by_u, x);
    subtractProduct(j.by_w, j.by_u, w);
  }
  form.Z = rowsOf(j.by_x, n, s), form.L = rowsOf(j.by_w, n, s);
  form.J = rowsOf(j.by_x, n + s, m), form.Y = rowsOf(j.by_w, n + s, m);
  form.x0 = cut.x0, form.z0 = cut.z0, form.y0 = cut.y0;
  form.c = offset(form.z0, form.Z, form.L, form.x0, form.z0);
  form.b = offset(form.y0, form.J, form.Y, form.x0, form.z0);
  form.triangular = isStrictlyLower(form.L);
}

}  // namespace

Form formOf(const ir::Module& module, const ir::Function& function, std::span<const ir::Tensor> arguments,
            const ir::InterpretOptions& options) {
  Form form;
  ir::Module own;
  CutFunction cut = cutAtKinks(module, function, arguments, options);
  if (!cut.obstacle.empty()) {
    form.obstacle = cut.obstacle;
    form.obstacle_span = cut.obstacle_span;
    return form;
  }
  form.places = cut.places;
  form.comparisons = cut.comparisons;
  if (auto derivatives = jacobians(own, cut, options)) fill(form, cut, std::move(*derivatives));
  else form.obstacle = "the derivatives of the pieces cannot be evaluated at the point";
  return form;
}

Evaluated evaluate(const Form& form, std::span<const double> x) {
  check(form.triangular, "only a triangular form is evaluated row by row");
  Evaluated result{form.c, form.b};
  auto add = [&](std::vector<double>& to, const Matrix& by_x, const Matrix& by_z, size_t i, size_t known) {
    for (size_t j = 0; j < x.size(); ++j) to[i] += by_x.at(i, j) * x[j];
    for (size_t j = 0; j < known; ++j) to[i] += by_z.at(i, j) * std::abs(result.z[j]);
  };
  for (size_t i = 0; i < result.z.size(); ++i) add(result.z, form.Z, form.L, i, i);
  for (size_t i = 0; i < result.y.size(); ++i) add(result.y, form.J, form.Y, i, result.z.size());
  return result;
}

}  // namespace dini::abs_normal
