// The objective of an `argmin` block as it is written: a sum of terms, of which some are norms and
// the like, nonsmooth but known, of expressions in the unknowns; the rest is smooth.
// `let`s of the block are seen through. norm(e)^2 is smooth, and so are squares of relu and abs.
// Not here: values (argmin.cpp), the degree of what is smooth (analysis/polynomial_degree.h).
#pragma once

#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "syntax/ast.h"

namespace dini::lower {

// sign * product of factors (divisors divide) * expression; the factors do not depend on unknowns.
struct Scaled {
  const ast::Expr* expression = nullptr;
  bool negative = false;
  struct Factor {
    const ast::Expr* expression;
    bool divides;
  };
  std::vector<Factor> factors;
};

enum class Nonsmooth { Abs, Relu, Norm, Largest, Nuclear };

// weight * sum of g over what `argument` gives; of Norm and Largest one value, per iteration where
// there is an iterator. Weights are nonnegative scalars, for Abs and Relu also arrays.
struct NonsmoothTerm {
  Nonsmooth kind = Nonsmooth::Abs;
  Scaled weight;                            // its expression: the array of weights, or null
  const ast::Expr* argument = nullptr;
  const ast::Iterator* iterator = nullptr;  // of sum(... for i in a..b)
  std::vector<Scaled::Factor> inner;        // factors inside that sum, which may read i
  Span span;
};

class ObjectiveTerms {
 public:
  // Reads the block; reports nothing.
  explicit ObjectiveTerms(const ast::ArgminExpr& block);

  const std::vector<Scaled>& smooth() const { return smooth_; }
  const std::vector<NonsmoothTerm>& nonsmooth() const { return nonsmooth_; }
  // A nonsmooth function of unknowns that is none of the known terms; null: there is none.
  const ast::Expr* unknownKink() const { return kink_; }
  bool dependsOnUnknowns(const ast::Expr& e) const;
  // Number of the unknown that the expression is, as written or by way of a `let`.
  std::optional<size_t> unknownOf(const ast::Expr& e) const;
  // The first nonsmooth function of unknowns in an expression, or null.
  const ast::Expr* kinkIn(const ast::Expr& e) const;

 private:
  void split(Scaled term);
  bool splitProduct(const Scaled& term);
  bool matchNonsmooth(const Scaled& term);
  bool matchBody(const ast::Expr& e, NonsmoothTerm made);
  bool matchSummed(const ast::Expr& e, NonsmoothTerm made);
  const ast::Expr& resolved(const ast::Expr& e) const;
  const ast::Expr* kinkInCall(const ast::CallExpr& call) const;

  const ast::ArgminExpr& block_;
  std::unordered_map<const ast::Binding*, const ast::Expr*> lets_;  // of single names
  std::unordered_set<const ast::Binding*> dependent_;               // unknowns, and lets that read them
  std::vector<Scaled> smooth_;
  std::vector<NonsmoothTerm> nonsmooth_;
  const ast::Expr* kink_ = nullptr;
};

}  // namespace dini::lower
