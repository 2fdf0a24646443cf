// Differentiation of IR functions. Forward mode is `jvp`; reverse mode is jvp, then `split`, then
// `transpose`; each is a pass of its own whose result can be dumped and differentiated again.
// The rules of single operations are the rows of the op table (ops/) and, for arrays, control and
// solves, the files array_rules, control_rules and solve_rules here.
// Names: primal x, tangent x_dot, cotangent x_bar.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "ir/ir.h"

namespace dini::ad {

// A known limitation: an operation without a derivative rule for what is asked. Lowering reports it
// (E0903) at the operation's span. The functions below throw nothing else but InternalError.
class Unsupported : public std::runtime_error {
 public:
  Unsupported(const std::string& what, Span where) : std::runtime_error(what), span(where) {}
  Span span;
};

// How a tie (a choose at p == q, and the irreducible kinks) is weighted: nonsmooth.md in docs/.
struct TieOptions {
  enum class Policy { Locked, Weight, Torch, Jax };
  // Of `locked`: Fast gives every tie the weight 0 and sets the run's tie flag where that mattered;
  // Probe carries a probe beside the value, which decides the weights, and reports every tie.
  enum class Variant { Fast, Probe };
  Policy policy = Policy::Locked;
  double weight = 0.5;  // of branch a, in the orientation of the class's first kink
  bool unify = true;    // switches equal up to sign and positive scale share their weight
  Variant variant = Variant::Fast;
  bool report = false;   // report ties under every policy (Probe always does for `locked`)
  double tolerance = 0;  // switches of at most this magnitude are tied
  // Inside equations, where the probe does not go: a kink of `locked` without a weight whose switch
  // is at most this is a tie, and undecided. 0: not inside.
  double undecided = 0;
  // The probe's direction on the flattened selected inputs: `direction` first, then the counter-based
  // hash under `key`.
  int64_t key = 0;
  std::vector<double> direction = {};
  bool operator==(const TieOptions&) const = default;
};

struct Request {
  std::vector<bool> active;  // one per parameter; only f64 parameters may be active
  TieOptions ties;
};

// (params..., x_dot of each active param) -> (results..., y_dot of each f64 result).
// Functions that f calls get tangent versions in the module.
std::unique_ptr<ir::Function> jvp(ir::Module& module, const ir::Function& f, const Request& request);

// f with the weight of every kink of policy `locked` as an operand: a sweep along the probe's
// direction stands beside the value (probe.h). The results are those of f. Nothing to do: f's copy.
std::unique_ptr<ir::Function> probed(ir::Module& module, const ir::Function& f,
                                     const Request& request);

// One-sided directional derivative: (params..., x_dot of each active param) -> (results..., y_dot of
// each f64 result), every tie decided by the tangents themselves.
std::unique_ptr<ir::Function> directional(ir::Module& module, const ir::Function& f,
                                          const Request& request);

// The same before it is closed: tangents carry the linear flag. What split works on.
std::unique_ptr<ir::Function> linearise(ir::Module& module, const ir::Function& f,
                                        const Request& request);

// Separates a linearised function in place: its operations become a primal part followed by a part in
// which every operation with a linear operand stands, control operations included.
void split(ir::Module& module, ir::Function& function);

// Of a split function that linearise() made for the request, whose last `outs` results are linear:
// (params..., y_bar of each f64 result) -> (primal results..., x_bar of each active param).
std::unique_ptr<ir::Function> transpose(ir::Module& module, const ir::Function& function,
                                        const Request& request, size_t outs);

// (params..., y_bar...) -> (results..., x_bar...), flags erased, dead code removed.
std::unique_ptr<ir::Function> vjp(ir::Module& module, const ir::Function& f, const Request& request);

// Both maps of one linearisation, f_jvp and f_vjp in one: (params..., x_dot of each active param, y_bar
// of each f64 result) -> (results..., y_dot of each f64 result, x_bar of each active param). Matrices of
// solves are factored in what does not depend on a tangent or cotangent. parts.h takes it apart.
std::unique_ptr<ir::Function> bothMaps(ir::Module& module, const ir::Function& f,
                                       const Request& request);

// f has one f64 scalar result. (params...) -> (value, gradient of each active param).
std::unique_ptr<ir::Function> valueAndGrad(ir::Module& module, const ir::Function& f,
                                           const Request& request);
// (params...) -> for each f64 result (outer) and each active param (inner) an array of
// dims(result) ++ dims(param). Columns by jvp or rows by vjp, whichever are fewer.
std::unique_ptr<ir::Function> jacobian(ir::Module& module, const ir::Function& f,
                                       const Request& request);

}  // namespace dini::ad
