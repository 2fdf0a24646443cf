// The parts of a function that holds a value and both maps of its linearisation (bothMaps): one
// computes the value and what the maps need, the others read that any number of times. What is
// needed (residuals.h chooses) becomes arguments and results here; the tape that holds it between
// calls is the runtime's (library.h).
#pragma once

#include <memory>

#include "ir/ir.h"

namespace dini::ad {

// Leaves of such a function, at the end of its parameters, respectively at the start of its
// results.
struct PartCounts {
  size_t tangents = 0, cotangents = 0;    // parameters, in this order
  size_t values = 0, value_tangents = 0;  // results; the cotangents of the parameters follow
};

struct Parts {
  std::unique_ptr<ir::Function> forward;   // (params...) -> (values..., residuals...)
  std::unique_ptr<ir::Function> tangent;   // (residuals..., tangents...) -> tangents of the values
  std::unique_ptr<ir::Function> backward;  // (residuals..., cotangents...) -> cotangents of params
  size_t residuals = 0;
};

Parts partsOf(const ir::Function& both, const PartCounts& counts);

}  // namespace dini::ad
