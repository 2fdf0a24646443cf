// With A = [F_z F_w; -d s_z, I - d s_w] at weights d, vertex v and X = A_v^-1 [0; I]:
//   S = [s_z s_w] X,   M = I - diag(1 - 2v) S,
// every A_d is invertible if and only if M is a P-matrix; weights of M's test are e with
// d = v + (1 - 2v) e.
#include "certify/certificate.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "certify/lifted.h"

namespace dini::certify {
namespace {

constexpr size_t kSizeLimit = 400;     // unknowns and tied switches: dense matrices
constexpr size_t kVertexLimit = 10;    // switches whose vertices are all solved
constexpr double kSingular = 1e-12;

using Weights = std::vector<Interval>;

Matrix identityColumns(size_t n, size_t k) {
  Matrix b(n + k, k);
  for (size_t c = 0; c < k; ++c) b.at(n + c, c) = 1.0;
  return b;
}

Weights pointWeights(const std::vector<double>& v) { return {v.begin(), v.end()}; }

std::optional<Preconditioner> regularAt(const Matrix& a) {
  std::optional<Preconditioner> p = precondition(a);
  return p && p->eta < 1 ? p : std::nullopt;
}

IntervalMatrix pMatrixAt(const LiftedJacobian& j, const std::vector<double>& v, const Matrix& a,
                         const Preconditioner& p) {
  size_t n = j.n, k = j.k();
  Matrix x = encloseSolution(p, a, identityColumns(n, k));
  IntervalMatrix m(k);
  for (size_t i = 0; i < k; ++i)
    for (size_t c = 0; c < k; ++c) {
      Interval s = 0.0;
      for (size_t l = 0; l < n + k; ++l) s = s + j.unknowns.at(n + i, l) * x.at(l, c);
      m.at(i, c) = Interval(i == c ? 1.0 : 0.0) - Interval(1 - 2 * v[i]) * s;
    }
  return m;
}

// What is proved of a box: all lifted Jacobians regular, and two bounds over them.
struct Regular {
  bool holds = false;
  bool bounded = false;   // the bounds are known
  double correction = 0;  // of A^-1 (F, 0), the largest entry
  double lipschitz = 0;
  std::string how;
};

class Certifier {
 public:
  Certifier(System system, const CertifyOptions& options)
      : system_(std::move(system)), options_(options),
        switches_(system_, options.unification), lifted_(system_, switches_) {
    out_.span = system_.span;
    out_.unknowns = system_.own_unknowns;
    out_.kinks = switches_.classes().size();
    for (size_t k = 0; k < system_.own_unknowns; ++k)
      out_.solution.push_back(system_.graph.node(system_.graph.unknowns()[k]).value);
  }

  Certificate run() {
    if (system_.graph.unknowns().size() > kSizeLimit) {
      out_.how = fmt::format("more than {} unknowns", kSizeLimit);
      return out_;
    }
    if (std::string why = atSolution(); !why.empty()) {
      out_.how = why;
      return out_;
    }
    if (prove()) return out_;
    if (!refute() && out_.how.empty()) out_.how = "no test decided";
    return out_;
  }

 private:
  void tried(std::string what) {
    if (std::find(out_.tried.begin(), out_.tried.end(), what) == out_.tried.end())
      out_.tried.push_back(std::move(what));
  }
  bool exact() const {
    return std::all_of(residual_.entries.begin(), residual_.entries.end(),
                       [](Interval x) { return x.lo == 0 && x.hi == 0; });
  }

  std::string atSolution();
  double newtonCorrection();
  void takeTies(const LiftedJacobian& smooth, double correction);
  Regular regular(double r, double delta);
  Regular byNorm(const LiftedJacobian& j);
  Regular byMinors(const LiftedJacobian& j);
  bool boundByVertices(const LiftedJacobian& j, Regular& result);
  bool prove();
  void growBox(double r, Regular point);
  bool tryBox(double delta, double correction, Regular& result);
  bool refute();
  bool refuteSmooth(const LiftedJacobian& j);
  bool refuteFrom(const LiftedJacobian& j, const std::vector<double>& v, bool& decided);
  bool checkedWitness(const LiftedJacobian& j, const std::vector<double>& d, Witness kind,
                      std::string how);
  std::vector<std::vector<double>> vertices(const LiftedJacobian& j) const;
  Matrix stackedResidual(size_t k) const;

  System system_;
  CertifyOptions options_;
  Switches switches_;
  Lifted lifted_;
  Certificate out_;
  Matrix residual_;          // F at the solution
  double correction_ = 0;    // of a Newton step there
  std::vector<int> sides_;   // of the classes at the solution, 0 tied
};

// ---------------------------------------------------------------- the solution
std::string Certifier::atSolution() {
  if (std::string why = lifted_.evaluate(boxAround(system_.graph, 0, 0)); !why.empty()) return why;
  residual_ = lifted_.residual();
  correction_ = newtonCorrection();
  return "";
}

// The sides by sign, zeros to one side; where that Jacobian is singular, to the other.
double Certifier::newtonCorrection() {
  double size = 0;
  for (const Interval& f : residual_.entries) size = std::max(size, f.magnitude());
  for (int tie : {1, -1}) {
    std::vector<int> sides;
    for (size_t c = 0; c < switches_.classes().size(); ++c) {
      double s = lifted_.switchValue(static_cast<int>(c)).middle();
      sides.push_back(s > 0 ? 1 : s < 0 ? -1 : tie);
    }
    LiftedJacobian j;
    if (!lifted_.jacobian(j, &sides).empty()) continue;
    std::optional<Preconditioner> p = precondition(j.unknowns);
    bool usable = p && p->eta < 1;
    double step = usable ? boundSolution(*p, residual_) : size;
    sides_ = sides;
    takeTies(j, step);
    if (usable) return step;
  }
  return size;
}

// tau_c = ||ds_c/dz|| e + 64 eps scale(s_c); ds_c/dz with the other switches on their sides.
void Certifier::takeTies(const LiftedJacobian& smooth, double correction) {
  out_.tied.clear();
  std::vector<int> taken = smooth.sides;
  for (size_t c = 0; c < switches_.classes().size(); ++c) {
    const KinkClass& own = switches_.classes()[c];
    std::vector<int> alone = smooth.sides;
    alone[c] = 0;
    double value = lifted_.switchValue(static_cast<int>(c)).middle();
    double rounding = 64 * std::numeric_limits<double>::epsilon() * own.magnitude;
    LiftedJacobian j;
    double slope = 0;
    bool near = std::abs(value) <= rounding;
    if (!near && correction > 0 && lifted_.jacobian(j, &alone).empty())
      for (size_t col = 0; col < j.n; ++col) slope += j.unknowns.at(j.n, col).magnitude();
    if (!near && !(std::abs(value) <= slope * correction + rounding)) continue;
    taken[c] = 0;
    out_.tied.push_back({system_.graph.node(own.first).span, value, 0});
  }
  sides_ = taken;
}

Matrix Certifier::stackedResidual(size_t k) const {
  Matrix b(residual_.rows + k, 1);
  for (size_t i = 0; i < residual_.rows; ++i) b.at(i, 0) = residual_.at(i, 0);
  return b;
}

// ---------------------------------------------------------------- proofs
Regular Certifier::regular(double r, double delta) {
  Regular none;
  std::string why = lifted_.evaluate(boxAround(system_.graph, r, delta));
  LiftedJacobian j;
  if (why.empty()) why = lifted_.jacobian(j);
  if (why.empty() && j.n + j.k() > kSizeLimit)
    why = fmt::format("more than {} unknowns and tied switches", kSizeLimit);
  if (!why.empty()) {
    none.how = why;
    return none;
  }
  Regular norm = byNorm(j);
  return norm.holds || j.k() == 0 ? norm : byMinors(j);
}

Regular Certifier::byNorm(const LiftedJacobian& j) {
  Regular result;
  Weights any(j.k(), Interval(0, 1));
  std::optional<Preconditioner> p = precondition(j.at(any));
  result.how = "the interval Newton test (Krawczyk)";
  if (!p || !(p->eta < 1)) return result;
  result.holds = result.bounded = true;
  result.correction = boundSolution(*p, stackedResidual(j.k()));
  result.lipschitz = boundSolution(*p, j.parametersAt(any));
  return result;
}

Regular Certifier::byMinors(const LiftedJacobian& j) {
  Regular result;
  tried("the interval Newton test (Krawczyk)");
  for (const std::vector<double>& v : vertices(j)) {
    Matrix a = j.at(pointWeights(v));
    std::optional<Preconditioner> p = regularAt(a);
    if (!p) continue;
    PMatrixResult test = testPMatrix(pMatrixAt(j, v, a, *p), options_.node_limit);
    result.how = test.how;
    if (test.verdict != Verdict::Proved) return result;
    result.holds = true;
    result.bounded = boundByVertices(j, result);
    return result;
  }
  result.how = "no vertex was shown to be invertible";
  return result;
}

// A_d^-1 b is a quotient of functions affine in each d_i, so its entries are extreme at vertices.
bool Certifier::boundByVertices(const LiftedJacobian& j, Regular& result) {
  if (j.k() > kVertexLimit) return false;
  for (uint32_t set = 0; set < (1u << j.k()); ++set) {
    std::vector<double> v(j.k());
    for (size_t i = 0; i < j.k(); ++i) v[i] = set >> i & 1u;
    std::optional<Preconditioner> p = regularAt(j.at(pointWeights(v)));
    if (!p) return false;
    result.correction = std::max(result.correction, boundSolution(*p, stackedResidual(j.k())));
    result.lipschitz = std::max(result.lipschitz, boundSolution(*p, j.parametersAt(pointWeights(v))));
  }
  return true;
}

std::vector<std::vector<double>> Certifier::vertices(const LiftedJacobian& j) const {
  size_t k = j.k();
  std::vector<double> signs(k), alternating(k);
  for (size_t i = 0; i < k; ++i) {
    signs[i] = lifted_.switchValue(j.tied[i]).middle() > 0 ? 1 : 0;
    alternating[i] = i % 2 ? 1 : 0;
  }
  return {signs, std::vector<double>(k, 1), std::vector<double>(k, 0), alternating};
}

bool Certifier::prove() {
  double size = 1;
  for (NodeId id : system_.graph.unknowns()) size = std::max(size, std::abs(system_.graph.node(id).value));
  double r = std::max(4 * correction_, 64 * std::numeric_limits<double>::epsilon() * size);
  for (int attempt = 0; attempt < 8; ++attempt) {
    Regular point = regular(r, 0);
    if (!point.holds) {
      tried(point.how);
      return false;
    }
    if (!point.bounded && exact()) {  // the solution is a root as it stands
      point.bounded = true;
      point.lipschitz = -1;
    }
    if (!point.bounded) {
      tried(fmt::format("all Jacobians over the enclosure are regular, but the distance to the root is "
                        "not bounded for more than {} switches", kVertexLimit));
      return false;
    }
    if (point.correction < r) {
      out_.verdict = Verdict::Proved;
      out_.how = point.how;
      out_.enclosure = r;
      out_.lipschitz = point.lipschitz;
      if (point.lipschitz >= 0) growBox(r, point);
      return true;
    }
    r = 4 * point.correction;
  }
  tried("no enclosure of the root was found");
  return false;
}

// One root within r for every parameter within delta: |A^-1 F| + L delta < r over the box.
bool Certifier::tryBox(double delta, double correction, Regular& result) {
  double guess = std::max(result.lipschitz, 0.0) * delta + correction;
  for (double factor : {1.25, 2.0, 6.0}) {
    double r = factor * guess + 1e-15;
    Regular box = regular(r, delta);
    if (!box.holds || !box.bounded) continue;
    if (!(roundUp(box.correction + roundUp(box.lipschitz * delta)) < r)) continue;
    out_.scope = Scope::Box;
    out_.radius = delta;
    out_.enclosure = r;
    out_.lipschitz = box.lipschitz;
    out_.how = box.how;
    result = box;
    return true;
  }
  return false;
}

void Certifier::growBox(double r, Regular point) {
  if (system_.graph.parameters().empty()) return;
  if (options_.radius > 0) {
    if (!tryBox(options_.radius, r, point))
      tried(fmt::format("no box of radius {:g} was proved", options_.radius));
    return;
  }
  bool small = system_.graph.unknowns().size() + switches_.classes().size() <= 60;
  double step = small ? 4 : 32, good = 0;
  for (double delta = 1e-9; delta < 1e4; delta *= step) {
    if (!tryBox(delta, r, point)) break;
    good = delta;
  }
  for (int refine = 0; good > 0 && refine < (small ? 4 : 1); ++refine) {
    step = std::sqrt(step);
    if (tryBox(good * step, r, point)) good *= step;
  }
}

// ---------------------------------------------------------------- refutations
bool Certifier::refute() {
  if (std::string why = lifted_.evaluate(boxAround(system_.graph, 0, 0)); !why.empty()) return false;
  LiftedJacobian j;
  if (std::string why = lifted_.jacobian(j, &sides_); !why.empty()) {
    out_.how = why;
    return false;
  }
  if (j.n + j.k() > kSizeLimit) return false;
  if (j.k() == 0) return refuteSmooth(j);
  for (const std::vector<double>& v : vertices(j)) {
    bool decided = false;
    if (refuteFrom(j, v, decided)) return true;
    if (decided) return false;
  }
  out_.how = "no vertex was shown to be invertible";
  return false;
}

bool Certifier::refuteSmooth(const LiftedJacobian& j) {
  auto zero = [](Interval x) { return x.lo == 0 && x.hi == 0; };
  bool empty_row = false;
  for (size_t i = 0; i < j.n; ++i) {
    bool all = true;
    for (size_t c = 0; c < j.n; ++c) all = all && zero(j.unknowns.at(i, c));
    empty_row = empty_row || all;
  }
  if (empty_row)
    return checkedWitness(j, {}, Witness::ExactZero, "an equation does not depend on the unknowns");
  if (checkedWitness(j, {}, Witness::NumericallySingular, "the Jacobian is numerically singular"))
    return true;
  out_.how = "the root is not enclosed";
  return false;
}

bool Certifier::refuteFrom(const LiftedJacobian& j, const std::vector<double>& v, bool& decided) {
  Matrix a = j.at(pointWeights(v));
  std::optional<Preconditioner> p = regularAt(a);
  if (!p)
    return checkedWitness(j, v, Witness::NumericallySingular, "a vertex is numerically singular");
  decided = true;
  PMatrixResult test = testPMatrix(pMatrixAt(j, v, a, *p), options_.node_limit);
  if (test.verdict == Verdict::Proved) {
    out_.how = "every weight of the ties at the solution is regular, but no root is enclosed";
    return false;
  }
  if (!test.witness.empty()) {
    std::vector<double> d(j.k());
    for (size_t i = 0; i < j.k(); ++i) d[i] = v[i] + (1 - 2 * v[i]) * test.witness[i];
    Witness kind = test.refutation == Refutation::SignChange  ? Witness::SignChange
                   : test.refutation == Refutation::ExactZero ? Witness::ExactZero
                                                              : Witness::NumericallySingular;
    std::string how = kind == Witness::NumericallySingular ? "weights of a numerically singular Jacobian"
                                                           : test.how;
    if (checkedWitness(j, d, kind, how)) return true;
  }
  out_.how = test.verdict == Verdict::Refuted ? "a witness was found that did not pass its check"
                                              : test.how;
  return false;
}

bool Certifier::checkedWitness(const LiftedJacobian& j, const std::vector<double>& d, Witness kind,
                               std::string how) {
  Singularity found = singularity(j.at(pointWeights(d)));
  if (!(found.ratio <= kSingular)) return false;
  out_.verdict = Verdict::Refuted;
  out_.witness = kind;
  out_.how = std::move(how);
  out_.singularity = found.ratio;
  found.kernel.resize(std::min(found.kernel.size(), system_.own_unknowns));
  out_.kernel = std::move(found.kernel);
  for (size_t i = 0; i < d.size() && i < out_.tied.size(); ++i) out_.tied[i].weight = d[i];
  return true;
}

}  // namespace

Certificate certify(System system, const CertifyOptions& options) {
  if (!system.obstacle.empty()) {
    Certificate out;
    out.span = system.span;
    out.unknowns = system.own_unknowns;
    out.how = system.obstacle;
    out.reason_span = system.obstacle_span;
    return out;
  }
  return Certifier(std::move(system), options).run();
}

}  // namespace dini::certify
