#include "plot/curve.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <optional>

#include <fmt/format.h>

namespace dini::plot {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kBracket = 1e-13;     // of the range: a bisection ends here
constexpr double kBeside = 1e-6;       // of the range: one-sided derivatives are taken this far away
constexpr double kJumpOfSlope = 1e-6;  // relative: less is no kink
constexpr double kStray = 1e-3;        // relative: a derivative at a tie that is no limit of those beside it
constexpr size_t kMostEvents = 400;    // brackets that are searched; more is noise
constexpr double kMerge = 1e-9;        // of the range: brackets closer than this are one event

struct At {
  double x = 0;
  std::optional<Sample> sample;
};

struct Bracket {
  At left, right;
};

class Sampler {
 public:
  Sampler(const Function& function, Interval over, Failures& failures)
      : function_(function), over_(over), failures_(failures) {}

  At at(double x) {
    Sampled sampled = function_(x);
    ++failures_.of;
    At made{x, std::nullopt};
    std::string why;
    if (auto* text = std::get_if<std::string>(&sampled)) why = *text;
    else if (!std::isfinite(std::get<Sample>(sampled).value)) why = "the value is not finite";
    else made.sample = std::move(std::get<Sample>(sampled));
    if (!made.sample && failures_.count++ == 0) failures_.first = fmt::format("{:.6g}: {}", x, why);
    return made;
  }
  // The same without counting: for points that bisection adds.
  At quietly(double x) {
    Failures kept = failures_;
    At made = at(x);
    failures_ = std::move(kept);
    return made;
  }
  double width() const { return over_.width(); }
  bool narrow(const At& a, const At& b) const {
    double middle = a.x + (b.x - a.x) / 2;
    return b.x - a.x <= kBracket * width() || middle <= a.x || middle >= b.x;
  }

  // All places between a and b where the switches change.
  void bySwitches(const At& a, const At& b, std::vector<Bracket>& found) {
    if (found.size() >= kMostEvents || a.sample->switches == b.sample->switches) return;
    if (narrow(a, b)) return found.push_back({a, b});
    At middle = quietly(a.x + (b.x - a.x) / 2);
    if (!middle.sample) return;
    bySwitches(a, middle, found);
    bySwitches(middle, b, found);
  }

  // The largest change of `what` between a and b, if it stays above half of what it was.
  template <class What>
  void byChange(At a, At b, const What& what, std::vector<Bracket>& found) {
    double change = std::abs(what(b) - what(a));
    while (!narrow(a, b)) {
      At middle = quietly(a.x + (b.x - a.x) / 2);
      if (!middle.sample) return;
      double left = std::abs(what(middle) - what(a)), right = std::abs(what(b) - what(middle));
      if (!(std::max(left, right) > change / 4)) return;
      if (left > right) b = std::move(middle);
      else a = std::move(middle);
    }
    found.push_back({a, b});
  }

  // Between a point with a value and one without: the last with one.
  At edge(At inside, At outside) {
    for (int k = 0; k < 40 && !narrow(std::min(inside.x, outside.x) == inside.x ? inside : outside,
                                      std::min(inside.x, outside.x) == inside.x ? outside : inside);
         ++k) {
      At middle = quietly(inside.x + (outside.x - inside.x) / 2);
      (middle.sample ? inside : outside) = std::move(middle);
    }
    return inside;
  }

 private:
  const Function& function_;
  Interval over_;
  Failures& failures_;
};

double valueOf(const At& a) { return a.sample->value; }
double slopeOf(const At& a) { return a.sample->derivative; }

std::vector<Bracket> merged(std::vector<Bracket> brackets, double distance) {
  std::sort(brackets.begin(), brackets.end(),
            [](const Bracket& a, const Bracket& b) { return a.left.x < b.left.x; });
  std::vector<Bracket> result;
  for (Bracket& bracket : brackets) {
    if (!result.empty() && bracket.left.x - result.back().right.x <= distance) {
      if (bracket.right.x > result.back().right.x) result.back().right = std::move(bracket.right);
    } else {
      result.push_back(std::move(bracket));
    }
  }
  return result;
}

// The derivative beside x, extrapolated to x from two points at distances `away` and twice that.
std::optional<double> slopeBeside(Sampler& sampler, double x, double away) {
  At near = sampler.quietly(x + away), far = sampler.quietly(x + 2 * away);
  if (!near.sample || !far.sample) return std::nullopt;
  return 2 * slopeOf(near) - slopeOf(far);
}

struct Slopes {
  double left = kNaN, right = kNaN;
  double gap() const { return right - left; }
};

Slopes slopesBeside(Sampler& sampler, const Bracket& b, double away) {
  Slopes slopes;
  slopes.left = slopeBeside(sampler, b.left.x, -away).value_or(slopeOf(b.left));
  slopes.right = slopeBeside(sampler, b.right.x, away).value_or(slopeOf(b.right));
  return slopes;
}

// Whether the derivative jumps: the gap must not shrink as the points move in.
std::optional<Slopes> slopeJump(Sampler& sampler, const Bracket& b) {
  Slopes far = slopesBeside(sampler, b, kBeside * sampler.width());
  double size = 1 + std::abs(far.left) + std::abs(far.right);
  if (!(std::abs(far.gap()) > kJumpOfSlope * size)) return std::nullopt;
  Slopes near = slopesBeside(sampler, b, kBeside * sampler.width() / 16);
  if (!(std::abs(near.gap()) > std::abs(far.gap()) / 2)) return std::nullopt;
  // At a cusp they grow without bound.
  auto limit = [](double beside, double away) {
    return std::abs(beside) > 3 * std::abs(away) + 1 ? std::copysign(std::numeric_limits<double>::infinity(), beside) : beside;
  };
  return Slopes{limit(near.left, far.left), limit(near.right, far.right)};
}

// The value goes up from a to b while it falls at both, or the reverse: between them it comes back
// from the other end.
bool comesBack(const At& a, const At& b) {
  double change = valueOf(b) - valueOf(a);
  return change * slopeOf(a) < 0 && change * slopeOf(b) < 0;
}

void classify(Sampler& sampler, const Bracket& b, double spread, Curve& curve) {
  double step = b.right.x - b.left.x;
  double jump = valueOf(b.right) - valueOf(b.left);
  double slope = std::max(std::abs(slopeOf(b.left)), std::abs(slopeOf(b.right)));
  double x = roundest(b.left.x + step / 2, kMerge * sampler.width());
  if (std::abs(jump) > 1e-7 * spread && (std::abs(jump) > 16 * slope * step || comesBack(b.left, b.right))) {
    Slopes slopes = slopesBeside(sampler, b, kBeside * sampler.width());
    bool pole = std::abs(jump) > 1e4 * spread;
    curve.jumps.push_back({x, valueOf(b.left), valueOf(b.right), slopes.left, slopes.right, pole});
    return;
  }
  std::optional<Slopes> slopes = slopeJump(sampler, b);
  At tie = sampler.quietly(x);
  bool met = tie.sample && tie.sample->tied;
  if (!slopes && met) {  // kinks that cancel, but not in the derivative that is computed at the tie
    Slopes beside = slopesBeside(sampler, b, kBeside * sampler.width() / 16);
    double size = 1 + std::abs(beside.left) + std::abs(beside.right);
    bool strays = std::abs(slopeOf(tie) - beside.left) > kStray * size && std::abs(slopeOf(tie) - beside.right) > kStray * size;
    if (strays) slopes = beside;
  }
  if (!slopes) return;
  double value = tie.sample ? valueOf(tie) : valueOf(b.left);
  curve.kinks.push_back({x, value, slopes->left, slopes->right, met ? slopeOf(tie) : kNaN});
}

// The range that most values have: steep ends and poles do not stretch it.
double spreadOf(const std::vector<At>& samples) {
  std::vector<double> values;
  for (const At& a : samples)
    if (a.sample) values.push_back(valueOf(a));
  if (values.size() < 2) return 1;
  std::sort(values.begin(), values.end());
  size_t cut = values.size() / 20;
  double spread = values[values.size() - 1 - cut] - values[cut];
  return spread > 0 ? spread : std::max(1e-300, std::abs(values[0]));
}

// Neighbours between which value or derivative change more than the samples around explain.
void searchChanges(Sampler& sampler, const std::vector<At>& samples, double spread,
                   std::vector<Bracket>& found) {
  for (size_t k = 0; k + 1 < samples.size(); ++k) {
    const At &a = samples[k], &b = samples[k + 1];
    if (!a.sample || !b.sample || found.size() >= kMostEvents) continue;
    double step = b.x - a.x, change = std::abs(valueOf(b) - valueOf(a));
    bool steep = change > 4 * step * (std::abs(slopeOf(a)) + std::abs(slopeOf(b)));
    if (change > 1e-6 * spread && (steep || comesBack(a, b))) {
      sampler.byChange(a, b, valueOf, found);
      continue;
    }
    auto slopeChange = [&](size_t j) {
      bool there = j + 1 < samples.size() && samples[j].sample && samples[j + 1].sample;
      return there ? std::abs(slopeOf(samples[j + 1]) - slopeOf(samples[j])) : 0.0;
    };
    double around = (k > 0 ? slopeChange(k - 1) : 0) + slopeChange(k + 1);
    bool switched = a.sample->switches != b.sample->switches;
    if (!switched && slopeChange(k) * sampler.width() > 1e-4 * spread && slopeChange(k) > 4 * around)
      sampler.byChange(a, b, slopeOf, found);
  }
}

// Adds a point to both lines.
void add(Curve& curve, double x, double value, double slope) {
  curve.value.push_back({x, value});
  curve.derivative.push_back({x, slope});
}

void drawLines(Sampler& sampler, const std::vector<At>& samples, Curve& curve) {
  size_t kink = 0, jump = 0;
  auto events = [&](double until) {
    while (true) {
      bool is_kink = kink < curve.kinks.size() && curve.kinks[kink].x <= until &&
                     (jump == curve.jumps.size() || curve.kinks[kink].x <= curve.jumps[jump].x);
      if (is_kink) {
        const Kink& k = curve.kinks[kink++];
        add(curve, k.x, k.value, k.left);
        curve.derivative.push_back({k.x, kNaN});
        add(curve, k.x, k.value, k.right);
      } else if (jump < curve.jumps.size() && curve.jumps[jump].x <= until) {
        const Jump& j = curve.jumps[jump++];
        if (!j.pole) add(curve, j.x, j.left, j.left_slope);
        add(curve, j.x, kNaN, kNaN);
        if (!j.pole) add(curve, j.x, j.right, j.right_slope);
      } else {
        return;
      }
    }
  };
  auto isEvent = [&](double x) {
    auto here = [&](const auto& e) { return std::abs(e.x - x) <= kMerge * sampler.width(); };
    return std::any_of(curve.kinks.begin(), curve.kinks.end(), here) ||
           std::any_of(curve.jumps.begin(), curve.jumps.end(), here);
  };
  for (size_t k = 0; k < samples.size(); ++k) {
    const At& a = samples[k];
    events(a.x);
    if (a.sample && !isEvent(a.x)) add(curve, a.x, valueOf(a), slopeOf(a));
    if (k + 1 == samples.size() || samples[k + 1].sample.has_value() == a.sample.has_value()) continue;
    const At& b = samples[k + 1];
    At edge = a.sample ? sampler.edge(a, b) : sampler.edge(b, a);
    if (!a.sample) add(curve, edge.x, kNaN, kNaN);
    add(curve, edge.x, valueOf(edge), slopeOf(edge));
    if (a.sample) add(curve, edge.x, kNaN, kNaN);
  }
}

}  // namespace

double roundest(double x, double tolerance) {
  for (int digits = 0; digits <= 6; ++digits) {
    double candidate = std::strtod(fmt::format("{:.{}f}", x, digits).c_str(), nullptr);
    if (std::abs(candidate - x) <= tolerance) return candidate == 0 ? 0.0 : candidate;
  }
  return x;
}

Curve sampleCurve(const std::string& name, const Function& function, Interval over, size_t points) {
  Curve curve;
  curve.name = name;
  Sampler sampler(function, over, curve.failures);
  std::vector<At> samples;
  for (size_t k = 0; k < points; ++k) {
    double t = static_cast<double>(k) / static_cast<double>(points - 1);
    // Weighted, not from + t * width: symmetric ranges then meet 0 exactly.
    samples.push_back(sampler.at((1 - t) * over.from + t * over.to));
  }
  double spread = spreadOf(samples);
  std::vector<Bracket> found;
  for (size_t k = 0; k + 1 < samples.size(); ++k)
    if (samples[k].sample && samples[k + 1].sample) sampler.bySwitches(samples[k], samples[k + 1], found);
  searchChanges(sampler, samples, spread, found);
  for (const Bracket& bracket : merged(std::move(found), kMerge * over.width()))
    classify(sampler, bracket, spread, curve);
  drawLines(sampler, samples, curve);
  return curve;
}

}  // namespace dini::plot
