// Certificates of random systems with kinks of rank above one against brute force over members of their
// sets: never PROVED where two members have determinants of opposite sign, never REFUTED without a witness
// whose matrix, put together here from the meaning of the system, is singular and whose members are allowed.
#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "certify/block.h"
#include "certify/certificate.h"
#include "certify/trace.h"
#include "dini/linalg.h"
#include "dini/projections.h"
#include "session/session.h"

using namespace dini::certify;
using dini::ir::OpCode;

namespace {

using Values = std::vector<double>;

struct Random {
  std::mt19937_64 engine;
  double operator()() { return std::uniform_real_distribution<>(-1, 1)(engine); }
  size_t below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(engine); }
};

// c += a b
void accumulate(Values& c, const Values& a, const Values& b, size_t n, size_t k, size_t m) {
  for (size_t i = 0; i < n; ++i)
    for (size_t l = 0; l < k; ++l)
      for (size_t j = 0; j < m; ++j) c[i * m + j] += a[i * k + l] * b[l * m + j];
}

double determinant(Values a, size_t n) {
  double det = 1;
  for (size_t k = 0; k < n; ++k) {
    size_t best = k;
    for (size_t i = k; i < n; ++i)
      if (std::abs(a[i * n + k]) > std::abs(a[best * n + k])) best = i;
    if (a[best * n + k] == 0) return 0;
    if (best != k) det = -det;
    for (size_t j = 0; j < n; ++j) std::swap(a[k * n + j], a[best * n + j]);
    det *= a[k * n + k];
    for (size_t i = k + 1; i < n; ++i) {
      double factor = a[i * n + k] / a[k * n + k];
      for (size_t j = 0; j < n; ++j) a[i * n + j] -= factor * a[k * n + j];
    }
  }
  return det;
}

// F(z) = D z + sum_b G_b y_b, y_b = P_b(R_b z + S_b y_{b-1}), everything at 0. A relu is a part with one
// input, a chain of choices; the others are blocks.
struct Part {
  BlockSet set = BlockSet::None;  // None: relu
  size_t inputs = 1, outputs = 1;
  Values gain, read, chain;       // n x outputs, inputs x n, inputs x the outputs before
};

struct RandomSystem {
  size_t n;
  Values linear;
  std::vector<Part> parts;

  RandomSystem(Random& draw, size_t unknowns, size_t count, double strength) : n(unknowns), linear(n * n) {
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < n; ++j) linear[i * n + j] = 0.3 * draw() + (i == j ? 1.0 : 0.0);
    const BlockSet sets[] = {BlockSet::None, BlockSet::Ball, BlockSet::Cone, BlockSet::Spectral, BlockSet::Order};
    size_t before = 0;
    for (size_t b = 0; b < count; ++b) {
      Part part;
      part.set = b == 0 ? sets[1 + draw.below(4)] : sets[draw.below(5)];
      part.inputs = part.set == BlockSet::None ? 1 : part.set == BlockSet::Ball ? 2 : 3;
      part.outputs = part.set == BlockSet::Ball ? 1 : part.inputs;
      for (size_t k = 0; k < n * part.outputs; ++k) part.gain.push_back(strength * draw());
      for (size_t k = 0; k < part.inputs * n; ++k) part.read.push_back(draw());
      for (size_t k = 0; k < part.inputs * before; ++k) part.chain.push_back(draw.below(2) == 0 ? 0 : 0.5 * draw());
      before = part.outputs;
      parts.push_back(part);
    }
  }

  Values jacobian(const std::vector<Values>& thetas) const {
    Values total = linear, previous;
    size_t before = 0;
    for (size_t b = 0; b < parts.size(); ++b) {
      const Part& part = parts[b];
      Values v = part.read, y(part.outputs * n);
      accumulate(v, part.chain, previous, part.inputs, before, n);
      accumulate(y, thetas[b], v, part.outputs, part.inputs, n);
      accumulate(total, part.gain, y, n, part.outputs, n);
      previous = y;
      before = part.outputs;
    }
    return total;
  }

  System system() const {
    System out;
    Graph& g = out.graph;
    std::vector<NodeId> z, previous, rows(n, g.constant(0));
    for (size_t i = 0; i < n; ++i) z.push_back(g.unknown(0));
    out.own_unknowns = n;
    auto add = [&](NodeId sum, double c, NodeId x) {
      return g.op(OpCode::Add, {sum, g.op(OpCode::Mul, {g.constant(c), x}, {})}, {});
    };
    for (const Part& part : parts) {
      Block block;
      block.set = part.set;
      std::vector<NodeId> outputs;
      for (size_t i = 0; i < part.inputs; ++i) {
        NodeId v = g.constant(0);
        for (size_t j = 0; j < n; ++j) v = add(v, part.read[i * n + j], z[j]);
        for (size_t j = 0; j < previous.size(); ++j) v = add(v, part.chain[i * previous.size() + j], previous[j]);
        block.inputs.push_back(v);
      }
      if (part.set == BlockSet::None) {
        NodeId v = block.inputs[0], zero = g.constant(0);
        outputs = {g.op(OpCode::Choose, {v, zero, v, zero}, {}, {0, 1})};
      } else {
        block.at.assign(part.inputs, 0);
        block.rows = part.outputs;
        block.columns = part.inputs;
        for (size_t i = 0; i < part.outputs; ++i) {
          outputs.push_back(g.unknown(0));
          out.equations.push_back(outputs.back());
        }
        block.outputs = outputs;
        out.blocks.push_back(block);
      }
      for (size_t i = 0; i < n; ++i)
        for (size_t j = 0; j < part.outputs; ++j) rows[i] = add(rows[i], part.gain[i * part.outputs + j], outputs[j]);
      previous = outputs;
    }
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < n; ++j) rows[i] = add(rows[i], linear[i * n + j], z[j]);
      out.equations.push_back(rows[i]);
    }
    return out;
  }

  // Members of the sets: extreme ones, and mixtures.
  std::vector<Values> member(Random& draw) const {
    std::vector<Values> thetas;
    for (const Part& part : parts) {
      Values theta(part.outputs * part.inputs, 0);
      double rest = 1;
      for (size_t pieces = 1 + draw.below(2); pieces > 0; --pieces) {
        double share = pieces == 1 ? rest : rest * std::abs(draw());
        rest -= share;
        Values h(part.inputs);
        for (double& x : h) x = draw();
        Values one{draw() > 0 ? 1.0 : 0.0};
        if (part.set != BlockSet::None) {
          Block block;
          block.set = part.set;
          block.rows = part.outputs;
          block.columns = part.inputs;
          one = element(block, h);
        }
        for (size_t k = 0; k < theta.size(); ++k) theta[k] += share * one[k];
      }
      thetas.push_back(theta);
    }
    return thetas;
  }
};

void checkAllowed(const Part& part, const Values& theta) {
  size_t n = part.inputs;
  if (part.set == BlockSet::Ball) CHECK(std::hypot(theta[0], theta[1]) <= 1 + 1e-12);
  if (part.set == BlockSet::Order)
    for (size_t i = 0; i < n; ++i) {
      double row = 0, column = 0;
      for (size_t j = 0; j < n; ++j) {
        CHECK(theta[i * n + j] >= -1e-12);
        row += theta[i * n + j];
        column += theta[j * n + i];
      }
      CHECK(row == doctest::Approx(1));
      CHECK(column == doctest::Approx(1));
    }
  if (part.set == BlockSet::Cone || part.set == BlockSet::Spectral) {
    Values values(n), vectors(n * n), work(static_cast<size_t>(dini_eigh_work(static_cast<int64_t>(n))));
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < n; ++j) CHECK(theta[i * n + j] == doctest::Approx(theta[j * n + i]).epsilon(1e-9));
    REQUIRE(dini_eigh(static_cast<int64_t>(n), theta.data(), values.data(), vectors.data(), work.data()) == 0);
    CHECK(values.front() >= -1e-12);
    CHECK(values.back() <= 1 + 1e-12);
  }
}

// The witness's weights and members in the order of the parts.
std::vector<Values> witness(const RandomSystem& random, const Certificate& c) {
  std::vector<Values> thetas;
  size_t relus = 0, blocks = 0, scalars = 0;
  for (const TiedSwitch& tie : c.tied) scalars += tie.block < 0;
  for (const Part& part : random.parts)
    thetas.push_back(part.set == BlockSet::None ? Values{c.tied[relus++].weight} : c.tied[scalars + blocks++].element);
  return thetas;
}

}  // namespace

TEST_CASE("certificates with kinks of rank above one agree with members of their sets") {
  Random draw{std::mt19937_64(31)};
  int proved = 0, refuted = 0, unknown = 0, single_ball_unknown = 0, opposite_unknown = 0;
  for (int trial = 0; trial < 900; ++trial) {
    size_t n = 1 + static_cast<size_t>(trial % 4), count = 1 + static_cast<size_t>(trial / 4 % 4);
    RandomSystem random(draw, n, count, trial % 3 == 0 ? 0.2 : 0.6);
    Certificate c = certify(random.system(), {});
    INFO("trial " << trial << ": " << c.how);
    bool plus = false, minus = false;
    for (int k = 0; k < 200; ++k) {
      double det = determinant(random.jacobian(random.member(draw)), n);
      (det > 0 ? plus : minus) = true;
    }
    if (plus && minus) CHECK(c.verdict != Verdict::Proved);
    opposite_unknown += plus && minus && c.verdict == Verdict::Unknown;
    if (c.verdict == Verdict::Refuted) {
      CHECK(c.singularity <= 1e-12);
      std::vector<Values> thetas = witness(random, c);
      for (size_t b = 0; b < thetas.size(); ++b) checkAllowed(random.parts[b], thetas[b]);
      CHECK(std::abs(determinant(random.jacobian(thetas), n)) <= 1e-9);
    }
    proved += c.verdict == Verdict::Proved;
    refuted += c.verdict == Verdict::Refuted;
    unknown += c.verdict == Verdict::Unknown;
    single_ball_unknown += count == 1 && random.parts[0].set == BlockSet::Ball && c.verdict == Verdict::Unknown;
  }
  MESSAGE("proved ", proved, ", refuted ", refuted, ", unknown ", unknown, ", of these with members of opposite sign ",
          opposite_unknown);
  CHECK(single_ball_unknown == 0);
  CHECK(opposite_unknown <= 2);
  CHECK(proved > 250);
  CHECK(refuted > 250);
  CHECK(unknown < 90);
}

// Of proj_psd at a matrix with `zeros` eigenvalues 0: near it the derivative is base + left Theta right with
// 0 <= Theta <= I, up to the block's bound.
TEST_CASE("the bound on the derivative of a positive part holds beside its point") {
  Random draw{std::mt19937_64(5)};
  constexpr size_t n = 3, n2 = 9;
  dini::session::Session session{dini::session::Options{}};
  REQUIRE(session.readText("f.dini", "fn f(x: real[3, 3]) -> real[3, 3] = proj_psd(x)") != nullptr);
  Values work(static_cast<size_t>(std::max(dini_eigh_work(n), dini_spectral_work(n))));
  for (int trial = 0; trial < 90; ++trial) {
    size_t zeros = static_cast<size_t>(trial % 4);
    Values mixing(n2), ignored(n), q(n2), a(n2);
    for (double& x : mixing) x = draw();
    REQUIRE(dini_eigh(n, mixing.data(), ignored.data(), q.data(), work.data()) == 0);
    for (size_t k = zeros; k < n; ++k) {
      double value = draw();
      value += value > 0 ? 0.5 : -0.5;
      for (size_t i = 0; i < n2; ++i) a[i] += value * q[i / n * n + k] * q[i % n * n + k];
    }
    dini::ir::Tensor at = dini::ir::Tensor::zeros({dini::ir::Elem::F64, {3, 3}});
    at.reals = a;
    dini::types::Size three(3);
    session.define("x", {dini::types::realType({three, three}), {at}});
    auto call = session.lowerText("call", "f(x)");
    REQUIRE(call);
    std::vector<dini::ir::Tensor> arguments{at};
    CallTrace trace = traceCall(session.lowerer().module(), *call->function, arguments);
    REQUIRE(trace.system.blocks.size() == 1);
    const Block& block = trace.system.blocks[0];
    INFO("trial " << trial);
    CHECK(block.rows == symmetricSize(zeros));
    CHECK(block.error < 1e-13);
    size_t r = block.rows;
    for (double radius : {1e-3, 1e-6}) {
      Values off(n2), beside = a, values(n), vectors(n2), derivative(n2 * n2), unit(n2), image(n2);
      for (double& x : off) x = draw();
      double size = 0;
      for (size_t i = 0; i < n2; ++i) size += std::pow((off[i] + off[i % n * n + i / n]) / 2, 2);
      for (size_t i = 0; i < n2; ++i) beside[i] += radius * (off[i] + off[i % n * n + i / n]) / 2 / std::sqrt(size);
      REQUIRE(dini_eigh(n, beside.data(), values.data(), vectors.data(), work.data()) == 0);
      for (size_t c = 0; c < n2; ++c) {
        std::fill(unit.begin(), unit.end(), 0);
        unit[c] = 1;
        REQUIRE(dini_spectral(DINI_SPECTRAL_TANGENT, 0.5, n, beside.data(), values.data(), vectors.data(), unit.data(),
                              0, nullptr, nullptr, image.data(), work.data()) == 0);
        for (size_t i = 0; i < n2; ++i) derivative[i * n2 + c] = image[i];
      }
      Values theta(r * r), half(r * n2), rest = derivative, negative_left = block.left, part(n2 * r);
      accumulate(half, block.right, derivative, r, n2, n2);
      accumulate(theta, half, block.left, r, n2, r);
      for (double& x : negative_left) x = -x;
      accumulate(part, negative_left, theta, n2, r, r);
      accumulate(rest, part, block.right, n2, r, n2);
      double distance = 0;
      for (size_t i = 0; i < rest.size(); ++i) distance += std::pow(rest[i] - block.base[i], 2);
      double bound = drift(block, radius);
      CHECK(std::sqrt(distance) <= std::max(bound, 1e-13));
      if (r == 0) continue;
      Values eigenvalues(r), basis(r * r), more(static_cast<size_t>(dini_eigh_work(static_cast<int64_t>(r))));
      REQUIRE(dini_eigh(static_cast<int64_t>(r), theta.data(), eigenvalues.data(), basis.data(), more.data()) == 0);
      CHECK(eigenvalues.front() >= -bound - 1e-13);
      CHECK(eigenvalues.back() <= 1 + bound + 1e-13);
    }
  }
}
