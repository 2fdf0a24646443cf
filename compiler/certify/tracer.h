// The tracer's state and its parts: trace.cpp walks regions, trace_arrays.cpp does operations that
// compute on arrays.
#pragma once

#include <map>
#include <set>
#include <unordered_set>

#include "certify/graph.h"
#include "certify/trace.h"
#include "ir/interp_machine.h"

namespace dini::certify {

// Thrown where the trace cannot go on; caught by traceRoot.
struct Obstacle {
  std::string what;
  Span span;
};

// Values and node ids of one function call. A slot without ids holds reals that do not depend on
// unknowns or parameters.
struct Frame {
  ir::interp::Slot* values = nullptr;
  std::vector<ir::interp::Slot> ids;
  std::vector<char> has_ids;
};

inline Frame makeFrame(ir::interp::Slot* values, uint32_t slots) {
  Frame frame;
  frame.values = values;
  frame.ids.resize(slots);
  frame.has_ids.resize(slots, 0);
  return frame;
}

class Tracer {
 public:
  Tracer(ir::interp::Machine& machine, System& system, Sides sides = Sides::Taken)
      : machine_(machine), system_(system), sides_(sides) {}

  // The residual of a root, its unknowns new; `captures` are made parameters.
  void root(const ir::interp::Step& step, ir::interp::Slot* values);
  // A whole call: the elements of its real arguments are parameters, those of its real results
  // are appended to `results`.
  void program(const ir::interp::FunctionPlan& plan, std::span<const ir::Tensor> arguments,
               std::vector<NodeId>& results);

 private:
  using Slot = ir::interp::Slot;
  using Step = ir::interp::Step;
  using RegionPlan = ir::interp::RegionPlan;

  // trace.cpp
  void region(const RegionPlan& plan, Frame& frame);
  void step(const Step& step, Frame& frame);
  void execute(const Step& step, Frame& frame);  // values only
  void elementwise(const Step& step, Frame& frame);
  void comparison(const Step& step, Frame& frame);
  void loop(const Step& step, Frame& frame);
  void whileLoop(const Step& step, Frame& frame);
  void branch(const Step& step, Frame& frame);
  void bothBranches(const Step& step, Frame& frame, bool then_is_first);
  void call(const Step& step, Frame& frame);
  void tryElse(const Step& step, Frame& frame);
  void nestedRoot(const Step& step, Frame& frame);
  void equations(const RegionPlan& plan, Frame& frame);
  void seedCaptures(const Step& step, Frame& frame);
  void noteSwitches(const RegionPlan& plan);

  // trace_arrays.cpp
  bool arrays(const Step& step, Frame& frame);  // false: not an operation of arrays
  void move(const Step& step, Frame& frame, ir::OpCode as);
  void addInto(const Step& step, Frame& frame, ir::OpCode as);
  void scatterAdd(const Step& step, Frame& frame);
  void reduce(const Step& step, Frame& frame);
  void einsum(const Step& step, Frame& frame);
  void gather(const Step& step, Frame& frame);
  void norm(const Step& step, Frame& frame);
  void order(const Step& step, Frame& frame);
  void linearSolve(const Step& step, Frame& frame);

  // trace_projections.cpp
  void projSimplex(const Step& step, Frame& frame);
  void projSoc(const Step& step, Frame& frame);
  void sparseSolve(const Step& step, Frame& frame);

  // trace_blocks.cpp
  Block blockOf(const Step& step, const Slot& ids, const double* at);
  Slot addBlock(Block block, const Slot& values);
  bool nearZero(const Slot& ids) const;
  Slot normAtZero(const Step& step, const Slot& x, const Slot& values, const Slot& out);
  Slot coneAtApex(const Step& step, const Slot& v, const Slot& values, const Slot& out);
  void eigen(const Step& step, Frame& frame);
  void positivePart(const Step& step, Frame& frame);
  void tiedOrder(const Step& step, const Slot& x, const Slot& values, const Slot& positions);
  void sortGroup(const Step& step, const Slot& x, const Slot& values, std::span<const int64_t> group, int64_t* to);

  // trace_decompositions.cpp
  NodeId effectiveEntry(const Slot& a, ir::Structure structure, int64_t i, int64_t k);
  void cholesky(const Step& step, Frame& frame);
  void guardSigns(const Slot& vectors, const Slot& ids, Span span);
  void eigenvalues(const Step& step, Frame& frame);
  void singularValues(const Step& step, Frame& frame);
  void orthogonal(const Step& step, Frame& frame);

  // Ids of operand k of a real type, constants where it has none.
  Slot idsOf(const Step& step, Frame& frame, size_t k);
  bool anyIds(const Step& step, const Frame& frame) const;
  bool captureHasIds(const Step& step, const Frame& frame) const;
  Slot constants(const Slot& values);
  void setIds(Frame& frame, uint32_t slot, Slot ids);
  void clearIds(Frame& frame, uint32_t slot) { frame.has_ids[slot] = 0; }
  // Moves ids of one slot to another, or their absence.
  void copyIds(const Frame& from, uint32_t source, Frame& to, uint32_t target);
  Slot newUnknowns(const Slot& values);
  static NodeId idAt(const Slot& ids, int64_t k) {
    return static_cast<NodeId>(ids.integers()[ids.isTensor() ? k : 0]);
  }
  static int64_t* writable(Slot& ids) { return static_cast<int64_t*>(ids.own()); }
  [[noreturn]] static void stop(const Step& step, std::string what) {
    throw Obstacle{std::move(what), step.op->span};
  }
  void bounded(const Step& step);

  ir::interp::Machine& machine_;
  System& system_;
  Sides sides_;
  std::unordered_set<const ir::Value*> switches_;  // comparisons read only by their `if`
  std::map<const ir::Value*, Slot> sorted_;        // positions that are not strict: what they sort
  int speculation_ = 0;                            // depth of sides that were not taken
};

inline constexpr size_t kNodeLimit = 2'000'000;

}  // namespace dini::certify
