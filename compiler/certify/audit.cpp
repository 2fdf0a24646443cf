#include "certify/audit.h"

#include <algorithm>
#include <cmath>

#include "certify/trace.h"
#include "ir/interp_machine.h"
#include "ir/walk.h"

namespace dini::certify {

using namespace ir::interp;
using ir::Elem;
using ir::OpCode;

namespace {

constexpr double kLeap = 1e-9;       // of the parameters, relative: a jump that persists here is one
constexpr double kJump = 1e-5;       // of the solution there, relative
constexpr double kSolverSlack = 1e-8;  // by which converged solutions may differ
constexpr int kBudget = 400;         // points between, for one step

double largest(const std::vector<double>& x) {
  double size = 0;
  for (double value : x) size = std::max(size, std::abs(value));
  return size;
}
double distance(const std::vector<double>& a, const std::vector<double>& b) {
  double size = 0;
  for (size_t k = 0; k < a.size(); ++k) size = std::max(size, std::abs(a[k] - b[k]));
  return size;
}

// Slots of the reals that a root reads from outside: of the solver's code and of the equations.
std::vector<uint32_t> capturedSlots(const Step& step) {
  std::vector<uint32_t> slots;
  auto see = [&](const ir::Value* value, uint32_t slot) {
    bool inside = false;
    for (const auto& region : step.op->regions)
      inside = inside || ir::isInside(value->isArgument() ? value->region : value->def->parent, region.get());
    if (!inside && value->type.elem == Elem::F64) slots.push_back(slot);
  };
  auto walk = [&](auto&& self, const RegionPlan& plan, const ir::Region& region) -> void {
    for (const Step& one : plan.steps) {
      for (size_t k = 0; k < one.operands.size(); ++k) see(one.op->operand(k), one.operands[k]);
      for (size_t k = 0; k < one.regions.size(); ++k) self(self, one.regions[k], *one.op->regions[k]);
    }
    for (size_t k = 0; k < plan.yields.size(); ++k) see(region.yields()[k], plan.yields[k]);
  };
  for (size_t k = 0; k < step.regions.size(); ++k) walk(walk, step.regions[k], *step.op->regions[k]);
  std::sort(slots.begin(), slots.end());
  slots.erase(std::unique(slots.begin(), slots.end()), slots.end());
  return slots;
}

bool isMemberOfBatch(const ir::Op& op) {
  for (const ir::Region* region = op.parent; region && region->parent; region = region->parent->parent)
    if (region->parent->code == OpCode::Loop && region->parent->operands.size() == 1) return true;
  return false;
}

bool sameShapes(const std::vector<Slot>& a, const std::vector<Slot>& b) {
  return std::ranges::equal(a, b, [](const Slot& x, const Slot& y) { return std::ranges::equal(x.dims(), y.dims()); });
}

Slot between(const Slot& a, const Slot& b, double t) {
  Slot result = Slot::make(Elem::F64, b.dims());
  auto* to = static_cast<double*>(result.own());
  for (int64_t k = 0; k < result.count(); ++k) {
    double x = a.reals()[k], y = b.reals()[k];
    to[k] = x == y ? x : x + t * (y - x);
  }
  return result;
}

}  // namespace

struct Audit::Sample {
  System system;
  std::vector<double> parameters, solution;
  std::vector<Slot> captured, unknowns;
};

struct Audit::Site {
  AuditedSolve told;
  std::optional<Sample> last;
};

struct Audit::Segment {
  Sample a, b;
};

Audit::Audit(CertifyOptions options) : options_(options) {}
Audit::~Audit() = default;

std::vector<AuditedSolve> Audit::solves() const {
  std::vector<AuditedSolve> all;
  for (const Site* site : order_) all.push_back(site->told);
  return all;
}

Audit::Site& Audit::siteOf(const ir::SolvedRoot& root, size_t parameters) {
  Span span = root.step.op->span;
  auto& site = sites_[{{span.file.index, span.begin, span.end}, parameters}];
  if (!site) {
    site = std::make_unique<Site>();
    site->told.span = span;
    order_.push_back(site.get());
  }
  return *site;
}

Audit::Sample Audit::sampleHere(const ir::SolvedRoot& root) {
  Sample sample;
  busy_ = true;
  for (uint32_t slot : capturedSlots(root.step)) sample.captured.push_back(root.frame[slot]);
  for (uint32_t slot : root.step.regions[1].args) sample.unknowns.push_back(root.frame[slot]);
  sample.system = traceRoot(root);
  busy_ = false;
  const Graph& graph = sample.system.graph;
  for (NodeId id : graph.parameters()) sample.parameters.push_back(graph.node(id).value);
  for (size_t k = 0; k < sample.system.own_unknowns; ++k)
    sample.solution.push_back(graph.node(graph.unknowns()[k]).value);
  return sample;
}

// The root at the parameters a + t (b - a).
std::optional<Audit::Sample> Audit::solveBetween(const ir::SolvedRoot& root, const Sample& a, const Sample& b,
                                                 double t) {
  if (--budget_ < 0) return std::nullopt;
  std::vector<uint32_t> slots = capturedSlots(root.step);
  std::vector<Slot> kept;
  for (uint32_t slot : slots) kept.push_back(root.frame[slot]);
  for (size_t k = 0; k < slots.size(); ++k) root.frame[slots[k]] = between(a.captured[k], b.captured[k], t);
  std::optional<Sample> found;
  awaited_ = root.step.op;
  caught_ = &found;
  bool solved = root.step.handler(root.machine, root.step, root.frame);
  awaited_ = nullptr;
  bool interrupted = root.machine.status().status == ir::Status::Interrupted;
  if (!interrupted) root.machine.status() = {};
  if (!solved || !found) found.reset();
  for (const Sample* end : {&a, &b}) {
    if (found || interrupted) break;
    for (size_t k = 0; k < end->unknowns.size(); ++k) root.frame[root.step.regions[1].args[k]] = end->unknowns[k];
    Sample candidate = sampleHere(root);
    CertifyOptions options = options_;
    options.radius = kLeap;
    if (certify(candidate.system, options).verdict == Verdict::Proved) found = std::move(candidate);
  }
  for (size_t k = 0; k < slots.size(); ++k) root.frame[slots[k]] = kept[k];
  return found;
}

// A certified box around a holds b, and the root moved by no more than its Lipschitz constant allows.
bool Audit::reaches(Sample& a, const Sample& b) {
  double dx = distance(a.parameters, b.parameters);
  CertifyOptions options = options_;
  options.radius = std::max(roundUp(dx * (1 + 1e-12)), 1e-300);
  Certificate c = certify(a.system, options);
  if (c.verdict != Verdict::Proved || c.radius < dx || c.lipschitz < 0) return false;
  return distance(a.solution, b.solution) <= c.lipschitz * dx + kSolverSlack * (1 + largest(b.solution));
}

bool Audit::covered(Sample& a, Sample& b) { return reaches(a, b) || reaches(b, a); }

// The halves whose solutions differ more come first: where there is a jump, it is there. True: decided.
bool Audit::decide(const ir::SolvedRoot& root, std::vector<Segment>& open, AuditedStep& step) {
  Segment segment = std::move(open.back());
  open.pop_back();
  Sample &a = segment.a, &b = segment.b;
  if (covered(a, b)) return false;
  double dx = distance(a.parameters, b.parameters), dz = distance(a.solution, b.solution);
  step.from = a.parameters;
  step.to = b.parameters;
  step.before = a.solution;
  step.after = b.solution;
  step.width = dx;
  step.kind = StepKind::Unknown;
  if (dx <= kLeap * (1 + largest(b.parameters))) {
    if (dz > kJump * (1 + largest(b.solution))) step.kind = StepKind::Leap;
    return true;
  }
  std::optional<Sample> middle;
  for (double t : {0.5, 0.375, 0.625})
    if (middle = solveBetween(root, a, b, t); middle || budget_ < 0) break;
  if (!middle) return true;
  bool second = distance(middle->solution, b.solution) >= distance(a.solution, middle->solution);
  Segment first{std::move(a), *middle}, last{std::move(*middle), std::move(b)};
  if (second) std::swap(first, last);
  open.push_back(std::move(last));
  open.push_back(std::move(first));
  return false;
}

void Audit::follow(const ir::SolvedRoot& root, Site& site, Sample& a, Sample& b) {
  if (distance(a.parameters, b.parameters) == 0 && distance(a.solution, b.solution) == 0) return;
  if (covered(a, b)) return;
  ++site.told.suspect;
  budget_ = kBudget;
  AuditedStep step;
  step.span = site.told.span;
  step.number = site.told.executions;
  std::vector<Segment> open{{a, b}};
  while (!open.empty()) {
    if (!decide(root, open, step)) continue;
    ++(step.kind == StepKind::Leap ? site.told.leaps : site.told.unknown);
    steps_.push_back(std::move(step));
    return;
  }
}

void Audit::solved(const ir::SolvedRoot& root) {
  if (busy_) return;  // roots of the trace's own runs are not told again
  if (awaited_) {
    if (awaited_ == root.step.op) *caught_ = sampleHere(root);
    return;
  }
  if (isPartOfRoot(root) || isMemberOfBatch(*root.step.op)) return;
  Sample here = sampleHere(root);
  Site& site = siteOf(root, here.parameters.size() + here.solution.size());
  ++site.told.executions;
  if (site.last && sameShapes(site.last->captured, here.captured) && here.system.obstacle.empty())
    follow(root, site, *site.last, here);
  site.last = std::move(here);
}

}  // namespace dini::certify
