// Kinks of rank above one in equations, and projections by eigenvalues, as blocks (block.h).
#include <algorithm>
#include <cmath>
#include <map>

#include "base/check.h"
#include "certify/block.h"
#include "certify/enclosure.h"
#include "certify/tracer.h"
#include "ir/walk.h"

namespace dini::certify {

using ir::Elem;
using ir::Op;
using ir::OpCode;

namespace {

constexpr double kEps = std::numeric_limits<double>::epsilon();

// The sum of the magnitudes of the terms that a sum is formed of.
double termsOf(const Graph& graph, NodeId id, int depth = 8) {
  const Node& node = graph.node(id);
  bool sum = node.leaf == Leaf::None &&
             (node.code == OpCode::Add || node.code == OpCode::Sub || node.code == OpCode::Neg);
  if (!sum || depth == 0) return std::abs(node.value);
  double total = 0;
  for (NodeId operand : node.operands)
    if (operand >= 0) total += termsOf(graph, operand, depth - 1);
  return total;
}

// X X' for the columns of V that `sign` selects, X = V sqrt(sign * values) there; X itself in `factor`.
Matrix signedPart(const ir::interp::Slot& values, const ir::interp::Slot& vectors, double sign, Matrix& factor) {
  auto n = static_cast<size_t>(values.count());
  factor = Matrix(n, n);
  for (size_t c = 0; c < n; ++c) {
    double size = sign * values.reals()[c];
    if (!(size > 0)) continue;
    for (size_t i = 0; i < n; ++i) factor.at(i, c) = vectors.reals()[i * n + c] * std::sqrt(size);
  }
  Matrix product(n, n);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j)
      for (size_t c = 0; c < n; ++c) product.at(i, j) = product.at(i, j) + factor.at(i, c) * factor.at(j, c);
  return product;
}

double frobenius(const Matrix& x) {
  double sum = 0;
  for (const Interval& entry : x.entries) sum = roundUp(sum + roundUp(entry.magnitude() * entry.magnitude()));
  return roundUp(std::sqrt(sum));
}

Matrix timesTransposed(const Matrix& a, const Matrix& b) {  // A' B
  Matrix out(a.columns, b.columns);
  for (size_t k = 0; k < a.rows; ++k)
    for (size_t i = 0; i < a.columns; ++i)
      for (size_t j = 0; j < b.columns; ++j) out.at(i, j) = out.at(i, j) + a.at(k, i) * b.at(k, j);
  return out;
}

// The derivative of the positive part at v~ = V diag(values) V', null eigenvalues aside:
//   C -> V (Omega .* V'CV) V' + left Theta right C.
class SpectralJacobian {
 public:
  SpectralJacobian(const ir::interp::Slot& values, const ir::interp::Slot& vectors, std::vector<size_t> null)
      : n_(static_cast<size_t>(values.count())), values_(values.reals()), v_(vectors.reals()), null_(std::move(null)) {}

  void fill(Block& block) const {
    size_t n2 = n_ * n_;
    block.base.assign(n2 * n2, 0);
    std::vector<double> c(n2);
    for (size_t column = 0; column < n2; ++column) {
      std::fill(c.begin(), c.end(), 0);
      c[column] += 0.5;
      c[column % n_ * n_ + column / n_] += 0.5;
      std::vector<double> image = map(c);
      for (size_t i = 0; i < n2; ++i) block.base[i * n2 + column] = image[i];
    }
    block.rows = block.columns = symmetricSize(null_.size());
    block.left.assign(n2 * block.rows, 0);
    block.right.assign(block.rows * n2, 0);
    std::vector<double> unit(block.rows);
    for (size_t k = 0; k < block.rows; ++k) {
      std::fill(unit.begin(), unit.end(), 0);
      unit[k] = 1;
      std::vector<double> q = embedded(fromCoordinates(unit, null_.size()));
      for (size_t i = 0; i < n2; ++i) block.left[i * block.rows + k] = block.right[k * n2 + i] = q[i];
    }
  }

 private:
  bool isNull(size_t i) const { return std::find(null_.begin(), null_.end(), i) != null_.end(); }
  double omega(size_t i, size_t j) const {
    double a = isNull(i) ? 0 : values_[i], b = isNull(j) ? 0 : values_[j];
    if (a < b) std::swap(a, b);
    return !(a > 0) ? 0 : b >= 0 ? 1 : a / (a - b);
  }
  std::vector<double> map(const std::vector<double>& c) const {
    std::vector<double> inner(n_ * n_, 0), out(n_ * n_, 0);
    for (size_t i = 0; i < n_; ++i)
      for (size_t j = 0; j < n_; ++j) {
        if (isNull(i) && isNull(j)) continue;
        double sum = 0;
        for (size_t a = 0; a < n_; ++a)
          for (size_t b = 0; b < n_; ++b)
            if (double entry = c[a * n_ + b]; entry != 0) sum += v_[a * n_ + i] * entry * v_[b * n_ + j];
        inner[i * n_ + j] = sum * omega(i, j);
      }
    std::vector<double> half(n_ * n_, 0);
    for (size_t a = 0; a < n_; ++a)
      for (size_t i = 0; i < n_; ++i)
        for (size_t j = 0; j < n_; ++j) half[a * n_ + j] += v_[a * n_ + i] * inner[i * n_ + j];
    for (size_t a = 0; a < n_; ++a)
      for (size_t b = 0; b < n_; ++b)
        for (size_t j = 0; j < n_; ++j) out[a * n_ + b] += half[a * n_ + j] * v_[b * n_ + j];
    return out;
  }
  std::vector<double> embedded(const std::vector<double>& m) const {  // Q M Q', Q the null vectors
    size_t r = null_.size();
    std::vector<double> out(n_ * n_, 0);
    for (size_t a = 0; a < n_; ++a)
      for (size_t b = 0; b < n_; ++b)
        for (size_t i = 0; i < r; ++i)
          for (size_t j = 0; j < r; ++j)
            out[a * n_ + b] += v_[a * n_ + null_[i]] * m[i * r + j] * v_[b * n_ + null_[j]];
    return out;
  }

  size_t n_;
  const double *values_, *v_;
  std::vector<size_t> null_;
};

bool ordersOnly(const Op& gather, const ir::Value* order) {
  return gather.code == OpCode::Gather && gather.operand(1) == order && gather.operand(0) == order->def->operand(0);
}

// Whether the positions serve to sort what they are the order of, and nothing else.
bool onlySorts(const ir::Value* order) {
  const ir::Region* region = order->def->parent;
  while (region->parent && region->parent->parent) region = region->parent->parent;
  bool only = true;
  ir::walk(*region, [&](const Op& op) {
    for (const ir::Value* operand : op.operands) only = only && (operand != order || ordersOnly(op, order));
  });
  return only;
}

}  // namespace

Block Tracer::blockOf(const Step& step, const Slot& ids, const double* at) {
  Block block;
  block.span = step.op->span;
  for (int64_t k = 0; k < ids.count(); ++k) {
    block.inputs.push_back(idAt(ids, k));
    block.at.push_back(at[k]);
    block.magnitude = std::max(block.magnitude, termsOf(system_.graph, idAt(ids, k)));
  }
  return block;
}

// Its outputs become unknowns.
Tracer::Slot Tracer::addBlock(Block block, const Slot& values) {
  Slot ids = newUnknowns(values);
  for (int64_t k = 0; k < ids.count(); ++k) {
    block.outputs.push_back(idAt(ids, k));
    system_.equations.push_back(idAt(ids, k));
  }
  if (block.left.empty()) block.rows = block.set == BlockSet::None ? 0 : block.outputs.size();
  if (block.right.empty()) block.columns = block.set == BlockSet::None ? 0 : block.inputs.size();
  system_.blocks.push_back(std::move(block));
  return ids;
}

bool Tracer::nearZero(const Slot& ids) const {
  double size = 0, terms = 1;
  for (int64_t k = 0; k < ids.count(); ++k) {
    size = std::max(size, std::abs(system_.graph.node(idAt(ids, k)).value));
    terms = std::max(terms, termsOf(system_.graph, idAt(ids, k)));
  }
  return size <= kNearKink * terms;
}

Tracer::Slot Tracer::normAtZero(const Step& step, const Slot& x, const Slot& values, const Slot& out) {
  Block block = blockOf(step, x, values.reals());
  block.set = BlockSet::Ball;
  double count = static_cast<double>(x.count());
  block.distance = out.reals()[0];
  block.error = 4 * (count + 4) * kEps * block.distance;
  return addBlock(std::move(block), out);
}

Tracer::Slot Tracer::coneAtApex(const Step& step, const Slot& v, const Slot& values, const Slot& out) {
  Block block = blockOf(step, v, values.reals());
  block.set = BlockSet::Cone;
  double squares = 0;
  for (double x : block.at) squares += x * x;
  block.distance = std::sqrt(squares);
  block.error = 16 * (static_cast<double>(v.count()) + 4) * kEps * block.distance;
  return addBlock(std::move(block), out);
}

// Where they serve the operation `spectral` alone eigenvalues and vectors are taken from here.
void Tracer::eigen(const Step& step, Frame& frame) {
  bool only = true;
  ir::walk(*step.op->parent, [&](const Op& op) {
    for (const ir::Value* result : step.op->results) {
      bool reads = std::find(op.operands.begin(), op.operands.end(), result) != op.operands.end();
      only = only && (!reads || (op.code == OpCode::Spectral && op.operand(0) == step.op->operand(0)));
    }
  });
  if (!only) return eigenvalues(step, frame);
  execute(step, frame);
  for (uint32_t slot : step.results) clearIds(frame, slot);
}

// The nearest positive semidefinite matrix. With q = X X', s = Z Z' from the positive and the negative
// eigenvalues, P = the projection and v any matrix, ||q - P(q - s)||^2 <= <q, s> = ||X'Z||^2, so
//   ||q - P(v)|| <= ||v - q + s|| + ||X'Z||.
void Tracer::positivePart(const Step& step, Frame& frame) {
  if (step.op->attrs.str != "project") stop(step, "a derivative of a projection inside the equations is not followed");
  Slot a = idsOf(step, frame, 0), at = step.in(frame.values, 0);
  const Slot values = step.in(frame.values, 1), vectors = step.in(frame.values, 2);
  execute(step, frame);
  const Slot& out = step.out(frame.values);
  auto n = static_cast<size_t>(values.count());
  constexpr size_t kLargest = 24;  // its Jacobian has n^4 entries
  if (n > kLargest) stop(step, "a projection on positive semidefinite matrices beyond 24 x 24 is not followed");
  Block block = blockOf(step, a, at.reals());
  Matrix x, z, error(n, n), far(n, n), gram(n, n);
  Matrix q = signedPart(values, vectors, 1, x), s = signedPart(values, vectors, -1, z);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) {
      Interval v = (Interval(at.reals()[i * n + j]) + Interval(at.reals()[j * n + i])) / Interval(2);
      far.at(i, j) = v - q.at(i, j) + s.at(i, j);
      error.at(i, j) = Interval(out.reals()[i * n + j]) - q.at(i, j);
      for (size_t k = 0; k < n; ++k)
        gram.at(i, j) = gram.at(i, j) + Interval(vectors.reals()[k * n + i]) * vectors.reals()[k * n + j];
      if (i == j) gram.at(i, j) = gram.at(i, j) - 1.0;
    }
  block.error = roundUp(frobenius(error) + frobenius(far) + frobenius(timesTransposed(x, z)));
  double size = 0, null_size = 0;
  for (size_t k = 0; k < n; ++k) size = std::max(size, std::abs(values.reals()[k]));
  std::vector<size_t> null;
  for (size_t k = 0; k < n; ++k) {
    double value = std::abs(values.reals()[k]);
    if (value <= kNearKink * (1 + block.magnitude)) {
      null.push_back(k);
      null_size = std::max(null_size, value);
    } else {
      block.gap = std::min(block.gap, value);
    }
  }
  SpectralJacobian(values, vectors, null).fill(block);
  if (null.empty()) block.set = BlockSet::None;
  else block.set = BlockSet::Spectral;
  block.distance = null.size() == 1 ? values.reals()[null[0]] : null_size;
  block.blur = 4 * frobenius(gram) + 64 * static_cast<double>(n) * kEps;
  if (std::isfinite(block.gap)) {
    block.gap -= null_size;
    block.condition = size / block.gap;
    double off = roundUp(frobenius(far) + 3 * frobenius(gram) * size);
    block.blur += 32 * block.condition * off / block.gap + 2 * null_size / block.gap;
  }
  setIds(frame, step.results[0], addBlock(std::move(block), out));
}

// x in ascending order, where it is not strict: two equal entries are a maximum and a minimum, more of
// them a block. That groups of equal entries lie apart is a guard.
void Tracer::tiedOrder(const Step& step, const Slot& x, const Slot& values, const Slot& positions) {
  Graph& graph = system_.graph;
  const int64_t* at = positions.integers();
  int64_t n = positions.count();
  auto value = [&](int64_t k) { return values.reals()[at[k]]; };
  auto id = [&](int64_t k) { return idAt(x, at[k]); };
  auto tied = [&](int64_t k) {  // entries k - 1 and k
    double terms = 1 + std::max(termsOf(graph, id(k - 1)), termsOf(graph, id(k)));
    return value(k) - value(k - 1) <= kNearKink * terms;
  };
  Slot sorted = Slot::make(Elem::I64, positions.dims());
  bool any = false;
  for (int64_t begin = 0, end = 0; begin < n; begin = end) {
    end = begin + 1;
    while (end < n && tied(end)) ++end;
    if (begin > 0)
      for (int64_t a = begin - 1; a >= 0 && (a == begin - 1 || tied(a + 1)); --a)
        for (int64_t b = begin; b < end; ++b)
          system_.guards.push_back({OpCode::FLt, id(a), id(b), true, step.op->span});
    any = any || end > begin + 1;
    sortGroup(step, x, values, {at + begin, at + end}, writable(sorted) + begin);
  }
  if (!any) return;
  if (!onlySorts(step.op->result())) stop(step, "the positions of equal entries of unknowns are not followed");
  sorted_[step.op->result()] = std::move(sorted);
}

void Tracer::sortGroup(const Step& step, const Slot& x, const Slot& values, std::span<const int64_t> group,
                       int64_t* to) {
  Graph& graph = system_.graph;
  Span span = step.op->span;
  if (group.size() == 1) {
    to[0] = idAt(x, group[0]);
  } else if (group.size() == 2) {
    NodeId a = idAt(x, group[0]), b = idAt(x, group[1]);
    to[0] = a == b ? a : graph.op(OpCode::Choose, {a, b, b, a}, span, {0, -1});
    to[1] = a == b ? a : graph.op(OpCode::Choose, {a, b, a, b}, span, {0, 1});
  } else {
    const int64_t dims[] = {static_cast<int64_t>(group.size())};
    Slot ids = Slot::make(Elem::I64, dims), reals = Slot::make(Elem::F64, dims);
    auto* numbers = static_cast<double*>(reals.own());
    for (size_t k = 0; k < group.size(); ++k) {
      writable(ids)[k] = idAt(x, group[k]);
      numbers[k] = values.reals()[group[k]];
    }
    Block block = blockOf(step, ids, numbers);
    block.set = BlockSet::Order;
    block.distance = numbers[group.size() - 1] - numbers[0];
    Slot outputs = addBlock(std::move(block), reals);
    for (size_t k = 0; k < group.size(); ++k) to[k] = idAt(outputs, static_cast<int64_t>(k));
  }
}

}  // namespace dini::certify
