// The type rule of every operation: from operands and attributes to result types. The builder
// infers with it, the verifier checks with it. Sizes: kDynamic is compatible with every constant;
// where two sizes meet, the constant one is kept.
// Not here: what regions must hold (verifier.cpp).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "ir/ir.h"

namespace dini::ir {

struct TypeQuery {
  OpCode code;
  std::span<Value* const> operands;
  const Attrs& attrs;
  // Needed where operands do not determine the results (fill, slice, const, call, loop, ...).
  std::span<const Type> given = {};
};

struct TypeAnswer {
  std::vector<Type> results;
  std::string error;  // not empty: the rule is violated
};
TypeAnswer resultTypes(const TypeQuery& query);

// One element type, one rank, and no two different constant sizes.
bool compatible(const Type& a, const Type& b);
// The more precise of two compatible types.
Type merged(const Type& a, const Type& b);
// Compatible, with every size that the two do not share dynamic: a type for both.
Type joined(const Type& a, const Type& b);

// "ij,jk->ik" in parts. An ill-formed spec gives an error text.
struct EinsumSpec {
  std::string a, b, result;
  std::string contracted;  // in order of appearance in the first operand, then in the second
  std::string error;
};
EinsumSpec parseEinsum(const std::string& text);
// An einsum of static sizes whose terms may be added in any order (docs/ir.md): 32^3
// multiplications or more.
bool isLargeProduct(const Op& op);

}  // namespace dini::ir
