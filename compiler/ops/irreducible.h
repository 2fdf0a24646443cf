// Rows of the kinks that are no single switch: where each is, the Jacobians that it allows there, and
// what the tie policies choose among them. docs/nonsmooth.md holds the table (a test compares).
// Not here: kinks that lower to `choose` (rows/nonsmooth.h); the rules (ad/), the numbers
// (runtime/src/projections.cpp, spectral.cpp, ordering.cpp).
#pragma once

#include <span>
#include <string>

#include "ops/opcode.h"

namespace dini::ops {

struct IrreducibleKink {
  ir::OpCode code;
  const char* dini;    // the functions that have it
  const char* where;   // the kink
  const char* allows;  // the conservative set there
  const char* first;
  const char* second;
  const char* average;
  const char* locked;  // h: the probe's tangent
};

std::span<const IrreducibleKink> irreducibleKinks();
std::string irreducibleTable();  // Markdown

}  // namespace dini::ops
