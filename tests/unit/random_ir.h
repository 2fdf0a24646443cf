// Random well-typed IR programs, for laws that hold for every program: print and parse, engines
// agree, passes keep every bit, <w, J v> = <J' w, v>. A seed gives the same program everywhere.
// Values stay of moderate size and away from poles; every program ends without a status.
#pragma once

#include <memory>
#include <vector>

#include "ir/ir.h"
#include "ir/tensor.h"

namespace dini::testing {

struct RandomOptions {
  uint64_t seed = 1;
  int operations = 25;    // about; those of regions count
  int depth = 2;          // of nested regions
  bool nonsmooth = true;  // choose, max, sort, norm
  bool jumps = true;      // select on comparisons, floor
  bool control = true;
  bool nested_whiles = true;  // whiles inside other regions
  bool solves = true;
  bool dynamic = true;    // arrays of sizes known when the program runs
};

struct RandomProgram {
  std::unique_ptr<ir::Module> module;
  ir::Function* function = nullptr;      // all parameters and results are f64
  std::vector<ir::Tensor> arguments;
};

RandomProgram randomProgram(const RandomOptions& options);

}  // namespace dini::testing
