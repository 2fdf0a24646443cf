// A call as a smooth function of its real arguments x, the unknowns u of its solves, and one w = |z| for
// each class of kinks: an IR function (u, x, w) -> [F, z, y] of three vectors.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ir/interpreter.h"

namespace dini::abs_normal {

struct CutFunction {
  std::unique_ptr<ir::Function> function;
  size_t equations = 0, switches = 0, results = 0;
  std::vector<double> u0, x0, w0, z0, y0;
  std::vector<Span> places;
  size_t comparisons = 0;
  std::string obstacle;
  Span obstacle_span;
};

CutFunction cutAtKinks(const ir::Module& module, const ir::Function& function,
                       std::span<const ir::Tensor> arguments, const ir::InterpretOptions& options);

}  // namespace dini::abs_normal
