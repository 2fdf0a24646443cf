// Certificates of random piecewise-linear systems against brute force over vertex determinants, in
// exact integers: never PROVED where a weight is singular, never REFUTED where none is.
#include <doctest/doctest.h>

#include <cstdint>
#include <utility>

#include "certify/certificate.h"
#include "certify/regularity.h"

using namespace dini::certify;
using dini::ir::OpCode;

namespace {

struct Draw {
  uint64_t state;
  int64_t operator()(int64_t bound) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return static_cast<int64_t>((state >> 33) % static_cast<uint64_t>(2 * bound + 1)) - bound;
  }
};

using Row = std::vector<int64_t>;  // coefficients of the unknowns

// A random system with F(0) = 0 and all switches tied there. A term of a sum is an unknown or an
// earlier kink; the slopes of everything for given weights are computed beside, from the meaning of
// relu, abs, max and min and not from gaps.
struct Random {
  enum Kind { Relu, Abs, Max, Min };
  struct Kink {
    Kind kind;
    size_t class_id;
    int64_t scale;      // its switch is scale * the class's
    std::vector<int64_t> other;  // max and min: of b, over unknowns; a = b + switch
    bool operator==(const Kink&) const = default;
  };
  size_t n;
  std::vector<std::vector<int64_t>> switches;  // per class: over unknowns, then over kinks before it
  std::vector<Kink> kinks;
  std::vector<std::vector<int64_t>> equations;  // over unknowns, then all kinks

  Random(Draw& draw, size_t unknowns, size_t count) : n(unknowns) {
    for (size_t k = 0; k < count; ++k) {
      Kink kink{static_cast<Kind>(draw(1000) & 3), 0, 1, Row(n)};
      bool shared = !switches.empty() && draw(2) == 0;
      if (shared) {
        kink.class_id = static_cast<size_t>(draw(1000) + 1000) % switches.size();
        kink.scale = draw(1) < 0 ? -2 : 3;
      } else {
        std::vector<int64_t> s(n + k);
        for (int64_t& c : s) c = draw(1);
        s[static_cast<size_t>(draw(1000) + 1000) % n] = 1;
        assignClass(kink, std::move(s));
      }
      if (kink.kind == Max || kink.kind == Min)
        for (int64_t& c : kink.other) c = draw(1);
      bool known = false;  // equal kinks are one node, and would make switches equal unseen
      for (const Kink& k2 : kinks) known = known || k2 == kink;
      if (known) kink.scale = 2 * static_cast<int64_t>(k) + 5;
      kinks.push_back(kink);
    }
    for (size_t i = 0; i < n; ++i) {
      std::vector<int64_t> row(n + count);
      for (int64_t& c : row) c = draw(1);
      row[i] += draw(2) + 3;
      equations.push_back(row);
    }
  }

  // Coefficients are -1, 0, 1: equal up to scale means up to sign.
  void assignClass(Kink& kink, std::vector<int64_t> s) {
    while (s.back() == 0) s.pop_back();
    std::vector<int64_t> opposite = s;
    for (int64_t& c : opposite) c = -c;
    for (size_t k = 0; k < switches.size(); ++k)
      if (switches[k] == s || switches[k] == opposite) {
        kink.class_id = k;
        kink.scale = switches[k] == s ? 1 : -1;
        return;
      }
    kink.class_id = switches.size();
    switches.push_back(std::move(s));
  }

  static Row combine(const std::vector<int64_t>& c, const std::vector<Row>& terms, size_t n) {
    Row sum(n);
    for (size_t k = 0; k < c.size(); ++k)
      for (size_t i = 0; i < n; ++i) sum[i] += c[k] * terms[k][i];
    return sum;
  }

  // The Jacobian where the switches of the classes in `positive` are positive, the others negative.
  std::vector<Row> jacobian(uint32_t positive) const {
    std::vector<Row> terms(n, Row(n));
    for (size_t i = 0; i < n; ++i) terms[i][i] = 1;
    std::vector<Row> units = terms;
    for (const Kink& kink : kinks) {
      Row s = combine(switches[kink.class_id], terms, n), other = combine(kink.other, units, n);
      bool above = ((positive >> kink.class_id & 1u) != 0) == (kink.scale > 0);
      Row y(n);
      for (size_t i = 0; i < n; ++i) {
        int64_t u = kink.scale * s[i];
        if (kink.kind == Relu) y[i] = above ? u : 0;
        if (kink.kind == Abs) y[i] = above ? u : -u;
        if (kink.kind == Max) y[i] = other[i] + (above ? u : 0);
        if (kink.kind == Min) y[i] = other[i] + (above ? 0 : u);
      }
      terms.push_back(y);
    }
    std::vector<Row> rows;
    for (const auto& equation : equations) rows.push_back(combine(equation, terms, n));
    return rows;
  }

  System system() const {
    System out;
    Graph& g = out.graph;
    std::vector<NodeId> terms;
    for (size_t i = 0; i < n; ++i) terms.push_back(g.unknown(0));
    out.own_unknowns = n;
    NodeId zero = g.constant(0);
    auto sum = [&](const std::vector<int64_t>& c) {
      NodeId total = zero;
      for (size_t k = 0; k < c.size(); ++k) {
        NodeId term = g.op(OpCode::Mul, {g.constant(static_cast<double>(c[k])), terms[k]}, {});
        total = g.op(OpCode::Add, {total, term}, {});
      }
      return total;
    };
    for (const Kink& kink : kinks) {
      NodeId scale = g.constant(static_cast<double>(kink.scale));
      NodeId u = g.op(OpCode::Mul, {sum(switches[kink.class_id]), scale}, {});
      NodeId b = sum(kink.other), a = g.op(OpCode::Add, {b, u}, {});
      if (kink.kind == Relu) terms.push_back(g.op(OpCode::Choose, {u, zero, u, zero}, {}, {0, 1}));
      if (kink.kind == Abs)
        terms.push_back(g.op(OpCode::Choose, {u, zero, u, g.op(OpCode::Neg, {u}, {})}, {}, {0, 2}));
      if (kink.kind == Max) terms.push_back(g.op(OpCode::Choose, {a, b, a, b}, {}, {0, 1}));
      if (kink.kind == Min) terms.push_back(g.op(OpCode::Choose, {a, b, b, a}, {}, {0, -1}));
    }
    for (const auto& equation : equations)
      out.equations.push_back(g.op(OpCode::Sub, {sum(equation), zero}, {}));
    return out;
  }
};

int64_t determinant(std::vector<Row> a) {
  if (a.size() == 1) return a[0][0];
  int64_t sum = 0, sign = 1;
  for (size_t j = 0; j < a.size(); ++j, sign = -sign) {
    std::vector<Row> minor;
    for (size_t i = 1; i < a.size(); ++i) {
      Row row = a[i];
      row.erase(row.begin() + static_cast<long>(j));
      minor.push_back(row);
    }
    if (a[0][j] != 0) sum += sign * a[0][j] * determinant(minor);
  }
  return sum;
}

// The signs that determinants of vertices have; one sign alone is what certificates decide.
struct Signs {
  bool plus = false, minus = false, zero = false;
  bool regular() const { return !zero && plus != minus; }
};
Signs vertexSigns(const Random& random) {
  Signs signs;
  for (uint32_t set = 0; set < (1u << random.switches.size()); ++set) {
    int64_t det = determinant(random.jacobian(set));
    (det > 0 ? signs.plus : det < 0 ? signs.minus : signs.zero) = true;
  }
  return signs;
}

}  // namespace

TEST_CASE("certificates agree with vertex determinants") {
  Draw draw{77};
  int proved = 0, refuted = 0, unknown = 0, global = 0, reachable = 0;
  for (int trial = 0; trial < 2400; ++trial) {
    size_t n = 1 + static_cast<size_t>(trial % 4), kinks = static_cast<size_t>(trial % 40 == 0 ? 14 : trial / 4 % 8);
    Random random(draw, n, kinks);
    const bool regular = vertexSigns(random).regular();
    Certificate c = certify(random.system(), {});
    INFO("trial " << trial << ", n " << n << ", kinks " << kinks << ": " << c.how);
    if (c.verdict == Verdict::Proved) CHECK(regular);
    if (c.verdict == Verdict::Refuted) {
      CHECK_FALSE(regular);
      CHECK(c.singularity <= 1e-12);
    }
    // No parameters: a proof holds for all unknowns, by the rule for all values.
    global += c.verdict == Verdict::Proved && c.scope == Scope::Global;
    reachable += c.verdict == Verdict::Refuted && c.reachable;
    proved += c.verdict == Verdict::Proved;
    refuted += c.verdict == Verdict::Refuted;
    unknown += c.verdict == Verdict::Unknown;
  }
  MESSAGE("proved ", proved, " (for all values ", global, "), refuted ", refuted, " (reachable ", reachable,
          "), unknown ", unknown);
  CHECK(global > 400);
  CHECK(reachable > 100);
  CHECK(reachable < refuted);
  CHECK(proved > 400);
  CHECK(refuted > 400);
  CHECK(unknown < 24);
}

namespace {

// S at any weights d0, by solving with the Jacobian there; M at a vertex v by
//   S_v = S (I - diag(v - d0) S)^-1,   M = I - diag(1 - 2v) S_v.
// Nothing where a matrix is singular.
std::optional<IntervalMatrix> movedTo(const LiftedJacobian& j, const std::vector<double>& d0, const Vertex& v) {
  size_t n = j.n, k = j.k();
  std::vector<Interval> weights(d0.begin(), d0.end());
  Matrix a = j.at(weights);
  std::optional<Preconditioner> p = regularAt(a);
  if (!p) return std::nullopt;
  Matrix units(n + k, k), s(k, k), step(k, k), right(k, k);
  for (size_t c = 0; c < k; ++c) units.at(n + c, c) = 1.0;
  Matrix x = encloseSolution(*p, a, units);
  for (size_t i = 0; i < k; ++i)
    for (size_t c = 0; c < k; ++c)
      for (size_t l = 0; l < n + k; ++l) s.at(i, c) = s.at(i, c) + j.unknowns.at(n + i, l) * x.at(l, c);
  for (size_t i = 0; i < k; ++i)
    for (size_t c = 0; c < k; ++c) {  // transposed: (I - S' diag(v - d0)) S_v' = S'
      step.at(c, i) = Interval(i == c ? 1.0 : 0.0) - Interval(v[i] - d0[i]) * s.at(i, c);
      right.at(c, i) = s.at(i, c);
    }
  std::optional<Preconditioner> q = regularAt(step);
  if (!q) return std::nullopt;
  Matrix moved = encloseSolution(*q, step, right);
  IntervalMatrix m(k);
  for (size_t i = 0; i < k; ++i)
    for (size_t c = 0; c < k; ++c)
      m.at(i, c) = Interval(i == c ? 1.0 : 0.0) - Interval(1 - 2 * v[i]) * moved.at(c, i);
  return m;
}

}  // namespace

// relu, abs, max and min, nested and with shared switches: which weights the test starts from, those of a
// policy or of a vertex, changes nothing.
TEST_CASE("certificates do not depend on the weights that the test starts from") {
  Draw draw{91};
  int decided = 0, opposite = 0;
  for (int trial = 0; trial < 500; ++trial) {
    size_t n = 1 + static_cast<size_t>(trial % 4), kinks = static_cast<size_t>(trial % 50 == 0 ? 14 : 1 + trial / 4 % 7);
    Random random(draw, n, kinks);
    const Signs signs = vertexSigns(random);
    const bool regular = signs.regular();
    System system = random.system();
    Switches switches(system, Unification::On);
    Lifted lifted(system, switches);
    LiftedJacobian j;
    std::vector<int> tied(switches.classes().size(), 0);
    REQUIRE(lifted.evaluate(boxAround(system.graph, 0, 0)).empty());
    REQUIRE(lifted.jacobian(j, &tied).empty());
    size_t k = j.k();
    Vertex v(k);
    for (double& side : v) side = draw(1000) > 0 ? 1 : 0;
    std::vector<double> mixed(k);
    for (double& weight : mixed) weight = static_cast<double>(draw(1000) + 1000) / 2000;
    // first, second, average, weight(0.3), and anything between
    for (const auto& d0 : {Vertex(k, 1), Vertex(k, 0), Vertex(k, 0.5), Vertex(k, 0.3), mixed, v}) {
      std::optional<IntervalMatrix> m = movedTo(j, d0, v);
      if (!m) continue;
      PMatrixResult test = testPMatrix(*m);
      INFO("trial " << trial << ", from " << (k > 0 ? d0[0] : 0) << ": " << test.how);
      if (test.verdict == Verdict::Proved) CHECK(regular);
      if (test.verdict == Verdict::Refuted) CHECK_FALSE(regular);
      decided += test.verdict != Verdict::Unknown;
      opposite += signs.plus && signs.minus;
    }
  }
  MESSAGE("decided ", decided, ", of systems with determinants of both signs ", opposite);
  CHECK(decided > 2400);
  CHECK(opposite > 600);
}
