// Control, statuses and equations.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "ir/interp_machine.h"
#include "ir/text.h"

namespace dini::ir::interp {
namespace {

Slot takeYield(const RegionPlan& region, Slot* frame, size_t k) {
  Slot& slot = frame[region.yields[k]];
  return region.yield_is_last[k] ? std::move(slot) : slot;
}

// Yields of a region without arguments to the operation's results.
void yieldToResults(const RegionPlan& region, const Step& step, Slot* frame) {
  std::vector<Slot> values;
  for (size_t k = 0; k < region.yields.size(); ++k) values.push_back(takeYield(region, frame, k));
  for (size_t k = 0; k < values.size(); ++k) step.out(frame, k) = std::move(values[k]);
}

// Values stacked along a new axis 0, one per iteration; the number of iterations may be unknown.
class Stack {
 public:
  Stack(Type type, int64_t expected) : type_(std::move(type)), capacity_(expected) {}

  void push(const Slot& element) {
    size_t row = static_cast<size_t>(element.count()) * elementSize(type_.elem);
    if (size_ == 0) {
      dims_.assign(element.dims().begin(), element.dims().end());
      capacity_ = std::max<int64_t>(capacity_, 4);
      stacked_ = make(capacity_);
    }
    check(std::ranges::equal(element.dims(), dims_), "stacked values differ in shape");
    if (size_ == capacity_) {
      Slot larger = make(2 * capacity_);
      if (row > 0) std::memcpy(larger.own(), stacked_.data(), static_cast<size_t>(size_) * row);
      stacked_ = std::move(larger);
      capacity_ *= 2;
    }
    if (row > 0)
      std::memcpy(static_cast<char*>(stacked_.own()) + static_cast<size_t>(size_) * row,
                  element.data(), row);
    ++size_;
  }

  Slot take() {
    if (size_ == 0)
      for (size_t k = 1; k < type_.dims.size(); ++k)
        dims_.push_back(std::max<int64_t>(type_.dims[k], 0));
    if (size_ == capacity_ && size_ > 0) return std::move(stacked_);
    Slot exact = make(size_);
    size_t bytes = static_cast<size_t>(exact.count()) * elementSize(type_.elem);
    if (bytes > 0) std::memcpy(exact.own(), stacked_.data(), bytes);
    return exact;
  }

 private:
  Slot make(int64_t rows) const {
    std::vector<int64_t> dims = dims_;
    dims.insert(dims.begin(), rows);
    return Slot::make(type_.elem, dims);
  }
  Type type_;  // of the stack
  int64_t capacity_;
  int64_t size_ = 0;
  std::vector<int64_t> dims_;  // of an element
  Slot stacked_;
};

bool loop(Machine& machine, const Step& step, Slot* frame) {
  const RegionPlan& body = step.regions[0];
  int64_t trip = std::max<int64_t>(step.in(frame, 0).integer(), 0);
  size_t carries = step.operands.size() - 1;
  std::vector<Slot> carried(carries);
  for (size_t k = 0; k < carries; ++k) carried[k] = step.take(frame, k + 1);
  std::vector<Stack> outs;
  for (size_t k = carries; k < body.yields.size(); ++k)
    outs.emplace_back(step.op->results[k]->type, trip);
  for (int64_t i = 0; i < trip; ++i) {
    if (machine.interrupted(*step.op)) return false;
    frame[body.args[0]] = Slot::integer(i);
    for (size_t k = 0; k < carries; ++k) frame[body.args[k + 1]] = std::move(carried[k]);
    if (!machine.run(body, frame)) {
      bool map = carries == 0 && machine.status().batch_index < 0;
      if (map) machine.status().batch_index = i;
      return false;
    }
    for (size_t k = 0; k < outs.size(); ++k) {
      const Slot& out = frame[body.yields[carries + k]];
      machine.charge(out.count());
      outs[k].push(out);
    }
    for (size_t k = 0; k < carries; ++k) carried[k] = takeYield(body, frame, k);
  }
  for (size_t k = 0; k < carries; ++k) step.out(frame, k) = std::move(carried[k]);
  for (size_t k = 0; k < outs.size(); ++k) step.out(frame, carries + k) = outs[k].take();
  return true;
}

bool whileLoop(Machine& machine, const Step& step, Slot* frame) {
  const RegionPlan& condition = step.regions[0];
  const RegionPlan& body = step.regions[1];
  size_t carries = step.operands.size();
  std::vector<Slot> carried(carries);
  for (size_t k = 0; k < carries; ++k) carried[k] = step.take(frame, k);
  std::vector<Stack> outs;
  for (size_t k = carries; k < body.yields.size(); ++k)
    outs.emplace_back(step.op->results[k + 1]->type, 0);
  int64_t trips = 0;
  for (;; ++trips) {
    if (machine.interrupted(*step.op)) return false;
    for (size_t k = 0; k < carries; ++k) frame[condition.args[k]] = carried[k];
    if (!machine.run(condition, frame)) return false;
    bool goes_on = frame[condition.yields[0]].boolean();
    for (size_t k = 0; k < carries; ++k) frame[condition.args[k]] = Slot();
    if (!goes_on) break;
    if (step.op->attrs.i > 0 && trips >= step.op->attrs.i)
      return machine.fail(Status::Bound, *step.op);
    for (size_t k = 0; k < carries; ++k) frame[body.args[k]] = std::move(carried[k]);
    if (!machine.run(body, frame)) return false;
    for (size_t k = 0; k < outs.size(); ++k) outs[k].push(frame[body.yields[carries + k]]);
    for (size_t k = 0; k < carries; ++k) carried[k] = takeYield(body, frame, k);
  }
  for (size_t k = 0; k < carries; ++k) step.out(frame, k) = std::move(carried[k]);
  step.out(frame, carries) = Slot::integer(trips);
  for (size_t k = 0; k < outs.size(); ++k) step.out(frame, carries + 1 + k) = outs[k].take();
  return true;
}

bool branch(Machine& machine, const Step& step, Slot* frame) {
  const RegionPlan& taken = step.regions[step.in(frame, 0).boolean() ? 0 : 1];
  if (!machine.run(taken, frame)) return false;
  yieldToResults(taken, step, frame);
  return true;
}

bool call(Machine& machine, const Step& step, Slot* frame) {
  const Function* callee = machine.module().find(step.op->attrs.str);
  check(callee != nullptr, "a call of a function that the module does not have");
  std::vector<Slot> arguments, results;
  for (size_t k = 0; k < step.operands.size(); ++k) arguments.push_back(step.take(frame, k));
  if (!machine.call(machine.plan(*callee), arguments, results)) {
    if (machine.status().status == Status::Bound && !machine.status().span.valid())
      machine.status().span = step.op->span;
    return false;
  }
  for (size_t k = 0; k < step.results.size(); ++k) step.out(frame, k) = std::move(results[k]);
  return true;
}

bool checkOk(Machine& machine, const Step& step, Slot* frame) {
  if (step.in(frame, 0).boolean()) return true;
  StatusInfo info;
  info.status = static_cast<Status>(step.op->attrs.i);
  info.span = step.op->span;
  info.text = step.op->attrs.str;
  double* extras[] = {&info.residual, &info.scale, &info.rcond};
  for (size_t k = 1; k < step.operands.size() && k <= std::size(extras); ++k)
    *extras[k - 1] = step.in(frame, k).real();
  return machine.fail(std::move(info));
}

bool tryElse(Machine& machine, const Step& step, Slot* frame) {
  if (machine.run(step.regions[0], frame)) {
    yieldToResults(step.regions[0], step, frame);
    return true;
  }
  if (machine.status().status == Status::Interrupted) return false;
  machine.status() = {};  // caught, also where the budget ended with it
  if (machine.budgetSpent()) return false;
  if (!machine.run(step.regions[1], frame)) return false;
  yieldToResults(step.regions[1], step, frame);
  return true;
}

bool print(Machine& machine, const Step& step, Slot* frame) {
  if (!machine.options().print) return true;
  std::vector<Tensor> operands;
  for (size_t k = 0; k < step.operands.size(); ++k)
    operands.push_back(toTensor(step.in(frame, k), step.op->operand(k)->type.elem));
  machine.options().print(formatLine(step.op->attrs.str, operands));
  return true;
}

bool inspect(Machine& machine, const Step& step, Slot* frame) {
  const Function* callee = machine.module().find(step.op->attrs.str);
  check(callee != nullptr, "an inspection of a function that the module does not have");
  check(machine.options().inspect != nullptr, "an inspection without a host that makes it");
  std::vector<Tensor> arguments;
  for (size_t k = 0; k < step.operands.size(); ++k)
    arguments.push_back(toTensor(step.in(frame, k), step.op->operand(k)->type.elem));
  Outcome outcome = machine.options().inspect(*callee, static_cast<Inspection>(step.op->attrs.i),
                                              std::move(arguments));
  if (auto* status = std::get_if<StatusInfo>(&outcome)) return machine.fail(std::move(*status));
  auto& told = std::get<std::vector<Tensor>>(outcome);
  check(told.size() == step.results.size(), "an inspection tells another number of values");
  for (size_t k = 0; k < told.size(); ++k) step.out(frame, k) = fromTensor(told[k]);
  return true;
}

// --- root
struct Residual {
  double difference = 0;  // max |lhs - rhs|
  double scale = 0;       // max |lhs|, |rhs|
  bool finite = true;
};

// Runs region 1 at the unknowns.
bool evaluateResidual(Machine& machine, const RegionPlan& region, std::span<const Slot> unknowns,
                      Slot* frame, Residual& residual) {
  for (size_t k = 0; k < unknowns.size(); ++k) frame[region.args[k]] = unknowns[k];
  if (!machine.run(region, frame)) return false;
  for (size_t k = 0; k < region.yields.size(); k += 2) {
    const Slot& lhs = frame[region.yields[k]];
    const Slot& rhs = frame[region.yields[k + 1]];
    check(lhs.count() == rhs.count(), "the sides of an equation differ in shape");
    for (int64_t j = 0; j < lhs.count(); ++j) {
      double a = lhs.reals()[j], b = rhs.reals()[j];
      if (!std::isfinite(a) || !std::isfinite(b)) residual.finite = false;
      residual.difference = std::max(residual.difference, std::fabs(a - b));
      residual.scale = std::max({residual.scale, std::fabs(a), std::fabs(b)});
    }
  }
  return true;
}

bool root(Machine& machine, const Step& step, Slot* frame) {
  const RegionPlan& solver = step.regions[0];
  const RegionPlan& equations = step.regions[1];
  size_t unknowns = step.operands.size();
  StatusInfo info;
  info.span = step.op->span;
  info.tolerance = step.op->attrs.f;
  info.residual = std::numeric_limits<double>::quiet_NaN();
  auto fail = [&](Status status) {
    info.status = status;
    return machine.fail(info);
  };

  std::vector<Slot> values;
  for (size_t k = 0; k < unknowns; ++k) values.push_back(step.in(frame, k));
  Residual at_start;
  if (!evaluateResidual(machine, equations, values, frame, at_start)) return false;
  if (!at_start.finite) return fail(Status::StartOutOfDomain);

  for (size_t k = 0; k < unknowns; ++k) frame[solver.args[k]] = values[k];
  if (!machine.runSolver(solver, frame)) return false;
  for (size_t k = 0; k < unknowns; ++k) values[k] = frame[solver.yields[k]];
  Slot multiple = frame[solver.yields[unknowns + 2]];
  info.iterations = frame[solver.yields[unknowns]].integer();
  int64_t reason = frame[solver.yields[unknowns + 1]].integer();
  if (solver.yields.size() > unknowns + 3) info.rcond = frame[solver.yields[unknowns + 3]].real();
  if (solver.yields.size() > unknowns + 4)
    info.tolerance = frame[solver.yields[unknowns + 4]].real();

  Residual at_end;
  if (!evaluateResidual(machine, equations, values, frame, at_end)) return false;
  if (!at_end.finite) return fail(Status::NonFinite);
  info.residual = at_end.difference;
  info.scale = at_end.scale;
  if (!(at_end.difference <= info.tolerance * (1 + at_end.scale))) {
    info.text = solverReason(reason);
    return fail(Status::NotConverged);
  }
  if (RunNotes* notes = machine.notes(); notes != nullptr && std::isfinite(info.tolerance))
    notes->residual = std::max(notes->residual, info.residual / (1 + info.scale));
  if (machine.options().solved) {
    for (size_t k = 0; k < unknowns; ++k) frame[equations.args[k]] = values[k];
    machine.options().solved({machine, step, frame});
  }
  for (size_t k = 0; k < unknowns; ++k) step.out(frame, k) = std::move(values[k]);
  step.out(frame, unknowns) = Slot::integer(info.iterations);
  step.out(frame, unknowns + 1) = multiple;
  return true;
}

constexpr HandlerEntry kHandlers[] = {
    {OpCode::Loop, loop},     {OpCode::While, whileLoop}, {OpCode::If, branch},
    {OpCode::Call, call},     {OpCode::Check, checkOk},   {OpCode::Try, tryElse},
    {OpCode::Print, print},   {OpCode::Root, root},       {OpCode::Inspect, inspect},
};

}  // namespace

std::span<const HandlerEntry> controlHandlers() { return kHandlers; }

}  // namespace dini::ir::interp
