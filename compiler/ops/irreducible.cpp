#include "ops/irreducible.h"

#include <fmt/format.h>

namespace dini::ops {
namespace {

using ir::OpCode;

constexpr IrreducibleKink kKinks[] = {
    {OpCode::Norm, "`norm`", "v = 0", "u' with norm(u) <= 1", "0", "0", "0", "h / norm(h)"},
    {OpCode::Reduce, "`max`, `min` of an array, `maxpool`, `norminf`", "several entries are extreme",
     "convex combinations of their unit vectors", "lowest index", "highest index", "all equally",
     "the largest (smallest) tangent"},
    {OpCode::ArgSort, "`sort`, `median`", "equal entries",
     "convex combinations of their permutations", "stable", "stable from the right",
     "mean of the block", "the order of the tangents"},
    {OpCode::ProjSimplex, "`proj_simplex`, `proj_l1`", "entries on the threshold",
     "any part of them joins the support; convex combinations", "all join", "none",
     "each with weight 1/2", "those whose tangents exceed the threshold's"},
    {OpCode::ProjSoc, "`proj_soc`", "boundary of the cone, of its polar",
     "between the Jacobians of the two sides", "the side towards the cone", "the other side",
     "their mean", "the side that h points to"},
    {OpCode::ProjSoc, "`proj_soc`", "apex", "Jacobians at all directions; their hull", "I", "0",
     "I/2", "the Jacobian at h"},
    {OpCode::Spectral, "`proj_psd`", "zero eigenvalues",
     "on the null block, Jacobians of the positive part at all symmetric matrices; their hull", "I",
     "0", "I/2", "the Jacobian at the null block of h"},
    {OpCode::Spectral, "`normnuc`", "singular values 0",
     "U V' + W, W in the null blocks, of spectral norm at most 1", "W = 0", "W = 0", "W = 0",
     "W the orthogonal factor of the null block of h"},
};

}  // namespace

std::span<const IrreducibleKink> irreducibleKinks() { return kKinks; }

std::string irreducibleTable() {
  std::string table =
      "| function | kink | Jacobians that it allows | first | second | average | locked |\n"
      "| --- | --- | --- | --- | --- | --- | --- |\n";
  for (const IrreducibleKink& kink : kKinks)
    table += fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", kink.dini, kink.where, kink.allows,
                         kink.first, kink.second, kink.average, kink.locked);
  return table;
}

}  // namespace dini::ops
