// The workloads: the hand-written versions and Dini's, over the same inputs.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "dini_side.h"

namespace dini::bench {

// A hand-written version: `value` computes the function alone, `total` value and derivative.
struct Version {
  std::string name;
  std::function<void()> value, total;
};

struct Workload {
  std::string name, title;
  std::vector<Version> hand;
  std::function<std::vector<std::vector<double>>()> answers;  // of hand's last total, as Dini's
  std::string program;                                        // a file of this folder
  std::vector<Input> inputs;
  std::string value, total;  // Dini's expressions
};

// Inputs are made when asked for: they take memory.
struct WorkloadRow {
  const char* name;
  Workload (*make)();
};
const std::vector<WorkloadRow>& workloads();

}  // namespace dini::bench
