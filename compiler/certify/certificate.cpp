#include "certify/certificate.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "certify/block_witness.h"
#include "certify/global.h"
#include "certify/reach.h"
#include "certify/regularity.h"

namespace dini::certify {
namespace {

constexpr double kSingular = 1e-12;
constexpr size_t kSmall = 100;  // unknowns and switches: below, the sharper test comes first
constexpr double kInfinite = std::numeric_limits<double>::infinity();

class Certifier {
 public:
  Certifier(System system, const CertifyOptions& options)
      : system_(std::move(system)), options_(options),
        switches_(system_, options.unification), lifted_(system_, switches_) {
    out_.span = system_.span;
    out_.unknowns = system_.own_unknowns;
    out_.kinks = switches_.classes().size();
    for (const Block& block : system_.blocks) out_.kinks += block.set != BlockSet::None;
    for (size_t k = 0; k < system_.own_unknowns; ++k)
      out_.solution.push_back(system_.graph.node(system_.graph.unknowns()[k]).value);
  }

  Certificate run() {
    if (system_.graph.unknowns().size() > kDominanceLimit) {
      out_.how = fmt::format("more than {} unknowns", kDominanceLimit);
      return out_;
    }
    solution_ = atSolution(system_, switches_, lifted_, options_.tie_tolerance);
    out_.tied = solution_.tied;
    if (!solution_.obstacle.empty()) {
      out_.how = solution_.obstacle;
      return out_;
    }
    GlobalRule rule;
    if (system_.blocks.empty()) rule = globalRule(system_, options_.unification, options_.node_limit);
    if (rule.holds) return proveGlobally(rule);
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
    return std::all_of(solution_.residual.entries.begin(), solution_.residual.entries.end(),
                       [](Interval x) { return x.lo == 0 && x.hi == 0; });
  }

  Regular regular(double r, double delta);
  enum class Grow { No, Yes };
  bool prove(Grow grow = Grow::Yes);
  Certificate proveGlobally(const GlobalRule& rule);
  void growBox(double r, Regular point);
  bool tryBox(double delta, double correction, Regular& result);
  bool refute();
  bool refuteSmooth(const LiftedJacobian& j);
  bool refuteBlocks(const LiftedJacobian& j);
  bool refuteFrom(const LiftedJacobian& j, const Vertex& v, bool& decided);
  bool checkedWitness(const LiftedJacobian& j, const std::vector<double>& d, Witness kind,
                      std::string how, const LiftedJacobian::Thetas& thetas = {});
  bool patternsReachable(const LiftedJacobian& j, const std::vector<double>& d);
  std::vector<Vertex> vertices(const LiftedJacobian& j) const;

  System system_;
  CertifyOptions options_;
  Switches switches_;
  Lifted lifted_;
  Certificate out_;
  Solution solution_;
};

// ---------------------------------------------------------------- proofs
Regular Certifier::regular(double r, double delta) {
  Regular none;
  std::string why = lifted_.evaluate(boxAround(system_.graph, r, delta));
  LiftedJacobian j;
  std::vector<int> sides = lifted_.sides();
  for (size_t c = 0; c < sides.size() && options_.tie_tolerance >= 0; ++c)
    if (solution_.sides[c] == 0) sides[c] = 0;
  if (why.empty()) why = lifted_.jacobian(j, &sides);
  size_t size = j.n + j.k();
  if (why.empty() && size > kDominanceLimit)
    why = fmt::format("more than {} unknowns and tied switches", kDominanceLimit);
  if (!why.empty()) {
    none.how = why;
    return none;
  }
  Regular found;
  if (!j.parts.empty()) {
    if (size > kSizeLimit) none.how = fmt::format("more than {} unknowns and tied switches", kSizeLimit);
    return size > kSizeLimit ? none : byBlocks(j, system_.blocks, solution_.residual);
  }
  for (bool dominance : {size > kSmall, size <= kSmall}) {
    if (!dominance && size > kSizeLimit) continue;
    found = dominance ? byDominance(j, solution_.residual) : byNorm(j, solution_.residual);
    if (found.holds) return found;
    tried(found.how);
  }
  if (j.k() == 0 || size > kSizeLimit) return found;
  return byMinors(j, solution_.residual, vertices(j), options_.node_limit);
}

std::vector<Vertex> Certifier::vertices(const LiftedJacobian& j) const {
  size_t k = j.k();
  std::vector<double> signs(k), alternating(k);
  for (size_t i = 0; i < k; ++i) {
    signs[i] = lifted_.switchValue(j.tied[i]).middle() > 0 ? 1 : 0;
    alternating[i] = i % 2 ? 1 : 0;
  }
  return {signs, std::vector<double>(k, 1), std::vector<double>(k, 0), alternating};
}

bool Certifier::prove(Grow grow) {
  double size = 1;
  for (NodeId id : system_.graph.unknowns()) size = std::max(size, std::abs(system_.graph.node(id).value));
  double r = std::max(4 * solution_.correction, 64 * std::numeric_limits<double>::epsilon() * size);
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
      tried("all Jacobians over the enclosure are regular, but the distance to the root is "
                        "not bounded for so many switches");
      return false;
    }
    if (point.correction < r) {
      out_.verdict = Verdict::Proved;
      out_.how = point.how;
      out_.enclosure = r;
      out_.lipschitz = std::isfinite(point.lipschitz) ? point.lipschitz : -1;
      if (point.lipschitz >= 0 && std::isfinite(point.lipschitz) && grow == Grow::Yes) growBox(r, point);
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

// The rule decides; the box adds how far the root is, and what is known of parameters that it holds.
Certificate Certifier::proveGlobally(const GlobalRule& rule) {
  bool all = rule.held == 0 && rule.lipschitz >= 0;
  if (!prove(all ? Grow::No : Grow::Yes)) {
    out_.radius = 0;
    out_.lipschitz = out_.enclosure = -1;
  }
  out_.verdict = Verdict::Proved;
  out_.scope = Scope::Global;
  out_.how = rule.how;
  out_.tried.clear();
  out_.free = rule.free;
  out_.held = rule.held;
  out_.free_lipschitz = rule.lipschitz;
  if (all) {
    out_.radius = kInfinite;
    out_.lipschitz = rule.lipschitz;
  }
  return out_;
}

// ---------------------------------------------------------------- refutations
bool Certifier::refute() {
  if (std::string why = lifted_.evaluate(boxAround(system_.graph, 0, 0)); !why.empty()) return false;
  LiftedJacobian j;
  if (std::string why = lifted_.jacobian(j, &solution_.sides); !why.empty()) {
    out_.how = why;
    return false;
  }
  if (j.n + j.k() > kSizeLimit) return false;
  if (!j.parts.empty()) return refuteBlocks(j);
  if (j.k() == 0) return refuteSmooth(j);
  for (const Vertex& v : vertices(j)) {
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
    return checkedWitness(j, {}, Witness::ExactZero, "all derivatives of an equation in the unknowns are 0");
  if (checkedWitness(j, {}, Witness::NumericallySingular, "the Jacobian is numerically singular"))
    return true;
  out_.how = "the root is not enclosed";
  return false;
}

bool Certifier::refuteBlocks(const LiftedJacobian& j) {
  if (!solution_.blocks_tied) {
    out_.how = "a kink of rank above one is too close to tell, and not tied";
    return false;
  }
  std::optional<BlockWitness> found = singularElement(j, system_.blocks);
  if (!found) {
    out_.how = "kinks of rank above one: the sufficient test failed, and no singular Jacobian was found";
    return false;
  }
  std::string how = found->sign_change ? "two elements of the set have determinants of opposite sign"
                                       : "elements of the set with a singular Jacobian";
  Witness kind = found->sign_change ? Witness::SignChange : Witness::NumericallySingular;
  if (checkedWitness(j, found->weights, kind, std::move(how), found->thetas)) return true;
  out_.how = "a witness was found that did not pass its check";
  return false;
}

bool Certifier::refuteFrom(const LiftedJacobian& j, const Vertex& v, bool& decided) {
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
    if (checkedWitness(j, d, kind, how)) {
      out_.reachable = patternsReachable(j, d);
      return true;
    }
  }
  out_.how = test.verdict == Verdict::Refuted ? "a witness was found that did not pass its check"
                                              : test.how;
  return false;
}

// The vertices next to the weights: one if all are 0 or 1, two on both sides of a fractional one.
bool Certifier::patternsReachable(const LiftedJacobian& j, const std::vector<double>& d) {
  for (double fraction : {0.0, 1.0}) {
    std::vector<int> sides = j.sides;
    bool whole = true;
    for (size_t i = 0; i < d.size(); ++i) {
      bool inner = d[i] > 1e-9 && d[i] < 1 - 1e-9;
      whole = whole && !inner;
      sides[static_cast<size_t>(j.tied[i])] = (inner ? fraction : d[i]) > 0.5 ? 1 : -1;
    }
    if (patternReach(lifted_, j, sides) != Reach::Feasible) return false;
    if (whole) break;
  }
  return true;
}

// What a smaller ratio of singular values would say depends on rounding alone.
constexpr double kRoundingRatio = 4 * std::numeric_limits<double>::epsilon();

bool Certifier::checkedWitness(const LiftedJacobian& j, const std::vector<double>& d, Witness kind,
                               std::string how, const LiftedJacobian::Thetas& thetas) {
  Singularity found = singularity(j.at(pointWeights(d), thetas));
  if (!(found.ratio <= kSingular)) return false;
  out_.verdict = Verdict::Refuted;
  out_.witness = kind;
  out_.how = std::move(how);
  out_.singularity = std::max(found.ratio, kRoundingRatio);
  found.kernel.resize(std::min(found.kernel.size(), system_.own_unknowns));
  out_.kernel = std::move(found.kernel);
  for (double& entry : out_.kernel)
    if (std::abs(entry) < kSingular) entry = 0;
  for (size_t i = 0; i < d.size() && i < out_.tied.size(); ++i) out_.tied[i].weight = d[i];
  for (size_t b = 0; b < thetas.size(); ++b)
    for (TiedSwitch& tie : out_.tied)
      if (tie.block == static_cast<int>(j.parts[b].block)) tie.element = thetas[b];
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
