// Projections and their derivatives, through the runtime that compiled code uses.
#include "dini/projections.h"

#include "ir/interp_machine.h"

namespace dini::ir::interp {
namespace {

// The tangents that decide, from operand `first` on, one in each `stride` operands.
struct DecisionOperands {
  int64_t count;
  Slot slots[2];
  DecisionOperands(const Step& step, Slot* frame, size_t first, size_t stride, size_t offset = 0)
      : count(static_cast<int64_t>((step.operands.size() - first) / stride)) {
    for (size_t k = 0; k < static_cast<size_t>(count); ++k)
      slots[k] = step.in(frame, first + k * stride + offset);
  }
  const double* operator[](size_t k) const {
    return static_cast<int64_t>(k) < count ? slots[k].reals() : nullptr;
  }
};

bool projSimplex(Machine& machine, const Step& step, Slot* frame) {
  const Slot v = step.in(frame, 0), radius = step.in(frame, 1);
  machine.charge(8 * v.count());
  Slot result = Slot::make(Elem::F64, v.dims());
  std::vector<double> work(static_cast<size_t>(v.count()));
  dini_proj_simplex(v.count(), v.reals(), *radius.reals(), result.ownReals(), work.data());
  step.out(frame) = std::move(result);
  return true;
}

bool simplexWeights(Machine& machine, const Step& step, Slot* frame) {
  const Slot v = step.in(frame, 0), radius = step.in(frame, 1);
  machine.charge(16 * v.count());
  Slot result = Slot::make(Elem::F64, v.dims());
  std::vector<double> work(3 * static_cast<size_t>(v.count()));
  DecisionOperands vs(step, frame, 2, 2), radii(step, frame, 2, 2, 1);
  auto radiusAt = [&](size_t k) { return radii[k] != nullptr ? *radii[k] : 0.0; };
  dini_simplex_weights(step.op->attrs.f, v.count(), v.reals(), *radius.reals(), vs.count, vs[0],
                       radiusAt(0), vs[1], radiusAt(1), result.ownReals(), work.data());
  step.out(frame) = std::move(result);
  return true;
}

bool projSoc(Machine& machine, const Step& step, Slot* frame) {
  const Slot v = step.in(frame, 0);
  machine.charge(2 * v.count());
  Slot result = Slot::make(Elem::F64, v.dims());
  dini_proj_soc(v.count(), v.reals(), result.ownReals());
  step.out(frame) = std::move(result);
  return true;
}

bool socMap(Machine& machine, const Step& step, Slot* frame) {
  const Slot v = step.in(frame, 0), c = step.in(frame, 1);
  machine.charge(4 * v.count());
  Slot result = Slot::make(Elem::F64, v.dims());
  DecisionOperands decisions(step, frame, 2, 1);
  dini_soc_map(step.op->attrs.f, v.count(), v.reals(), decisions.count, decisions[0], decisions[1],
               c.reals(), result.ownReals());
  step.out(frame) = std::move(result);
  return true;
}

int64_t kindOf(const Op& op) {
  const std::string& name = op.attrs.str;
  if (name == "project") return DINI_SPECTRAL_PROJECT;
  if (name == "projector") return DINI_SPECTRAL_PROJECTOR;
  return name == "tangent" ? DINI_SPECTRAL_TANGENT : DINI_SPECTRAL_GAP;
}

bool spectral(Machine& machine, const Step& step, Slot* frame) {
  const bool map = step.op->code == OpCode::SpectralMap;
  const Slot a = step.in(frame, 0), w = step.in(frame, 1), v = step.in(frame, 2);
  const Slot c = map ? step.in(frame, 3) : Slot();
  int64_t n = w.count();
  machine.charge(6 * n * n * n);
  Slot result = Slot::make(Elem::F64, a.dims());
  std::vector<double> work(static_cast<size_t>(dini_spectral_work(n)));
  DecisionOperands decisions(step, frame, map ? 4 : 3, 1);
  int status = dini_spectral(kindOf(*step.op), step.op->attrs.f, n, a.reals(), w.reals(), v.reals(),
                             map ? c.reals() : nullptr, decisions.count, decisions[0], decisions[1],
                             result.ownReals(), work.data());
  if (status != 0) return machine.fail(static_cast<Status>(status), *step.op);
  step.out(frame) = std::move(result);
  return true;
}

constexpr HandlerEntry kHandlers[] = {
    {OpCode::ProjSimplex, projSimplex}, {OpCode::SimplexWeights, simplexWeights},
    {OpCode::ProjSoc, projSoc},         {OpCode::SocMap, socMap},
    {OpCode::Spectral, spectral},       {OpCode::SpectralMap, spectral},
};

}  // namespace

std::span<const HandlerEntry> projectionHandlers() { return kHandlers; }

}  // namespace dini::ir::interp
