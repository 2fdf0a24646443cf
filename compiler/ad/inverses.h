// Linear systems whose matrix is a function: `linear = cg | minres | gmres | bicgstab`. The matrix A is a
// function F(c..., v) = A(c) v of the module, linear in its last parameter. Its inverse is a function too, which
// exists by name only until a transform is finished, like the derivatives of calls.h:
//   F.inv.KEY (c..., b) -> A^-1 b
//   F.invt.KEY (c..., b) -> A^-T b
// and is then made: a Krylov method of the prelude (krylov.dini), lowered as a template of the module, with its
// calls of kLinearMap replaced by A or A'. So neither engines nor libraries know of it, and a derivative never
// sees the iteration:  x = A^-1 b:  x_dot = A^-1 (b_dot - A_dot x);  b_bar = A^-T x_bar.
#pragma once

#include <string>

#include "ad/ad.h"
#include "ir/builder.h"

namespace dini::ad::inverses {

// A template's calls of A are calls of this function, of any type.
inline constexpr const char* kLinearMap = "linear_map";
// attrs.str of a root that is differentiated by a template: this, then the template's name.
inline constexpr std::string_view kIterative = "implicit:linear.";

// The template of a root, or empty: by a factorisation.
std::string templateOf(const ir::Op& root);
// ... whose answer is refined with residuals.
inline constexpr const char* kRefined = "implicit:refine";
// ... of the whole matrix, though it may be sparse.
inline constexpr const char* kDense = "implicit:lu";
bool isInverse(const std::string& callee);
// The inverse of F by the template; `poisons`: NaN instead of a status.
std::string nameOf(const std::string& f, const std::string& method, bool poisons);
std::string transposedName(const std::string& inverse);
// F of its inverse.
std::string mapOf(const std::string& inverse);
bool isTransposed(const std::string& inverse);
// The function of that name; F is in the module.
std::unique_ptr<ir::Function> make(ir::Module& module, const std::string& inverse);

// Adds (matrix, v) -> matrix' v to the module; gives its name.
std::string addMatrixMap(ir::Module& module, const ir::Type& matrix, Span span);
// Adds (captured..., unknowns..., v) -> -(dF/dz) v for flat equations F(captured..., unknowns...), the last
// `unknowns` parameters; gives its name.
std::string addJacobianMap(ir::Module& module, const ir::Function& equations, size_t unknowns,
                           const TieOptions& ties);

}  // namespace dini::ad::inverses
