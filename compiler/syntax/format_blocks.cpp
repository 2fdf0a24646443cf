// The layout of `solve` and `argmin` blocks.
#include <algorithm>

#include "syntax/format_state.h"

namespace dini::syntax {

using namespace ast;

Doc Formatter::unknowns(const std::vector<Unknown>& unknowns) {
  std::vector<Doc> parts;
  for (const Unknown& u : unknowns) {
    if (!parts.empty()) {
      parts.push_back(text(","));
      parts.push_back(commentsOr(u.name.span.begin, line()));
    }
    parts.push_back(text(u.name.text + ": "));
    parts.push_back(type(*u.type));
    if (!u.start) continue;
    parts.push_back(text(" = "));
    parts.push_back(expr(*u.start));
  }
  return group(indent(concat(std::move(parts)), 4));
}

Doc Formatter::equationBlock(std::vector<Piece> pieces, const std::vector<Unknown>& unknowns,
                             Span all) {
  std::sort(pieces.begin(), pieces.end(),
            [](const Piece& a, const Piece& b) { return a.span.begin < b.span.begin; });
  const Unknown& last = unknowns.back();
  uint32_t from = last.start ? last.start->span.end : last.type->span.end;
  Span block = bracesIn({all.file, from, all.end});
  return group(braces(pieces, block), breaksOf(block));
}

template <class Block>
Doc Formatter::clauses(const Block& block, const std::vector<Name>* with) {
  struct Clause {
    uint32_t begin;
    std::function<Doc()> doc;
  };
  std::vector<Clause> list;
  if (block.solver) {
    list.push_back({block.solver->span.begin, [&]() -> Doc {
                      const SolverClause& solver = *block.solver;
                      Doc head = text("using " + solver.name.text);
                      bool called = solver.span.end > solver.name.span.end;
                      if (!called) return head;
                      return Cat{std::move(head), arguments(solver.arguments, solver.span.end - 1)};
                    }});
  }
  if (block.differentiate) {
    list.push_back({block.differentiate->span.begin, [&]() -> Doc {
                      const DifferentiateClause& clause = *block.differentiate;
                      Doc head = text("differentiate " + clause.mode.text);
                      bool called = clause.span.end > clause.mode.span.end;
                      if (!called) return head;
                      return Cat{std::move(head), arguments(clause.arguments, clause.span.end - 1)};
                    }});
  }
  if (with && !with->empty()) {
    list.push_back({with->front().span.begin, [&]() -> Doc {
                      std::string names = "with ";
                      for (size_t i = 0; i < with->size(); ++i)
                        names += (i > 0 ? ", " : "") + (*with)[i].text;
                      return text(names);
                    }});
  }
  std::sort(list.begin(), list.end(),
            [](const Clause& a, const Clause& b) { return a.begin < b.begin; });
  std::vector<Doc> parts;
  for (const Clause& clause : list) parts.push_back(group(indent(Cat{line(), clause.doc()})));
  return concat(std::move(parts));
}

Doc Formatter::solve(const SolveExpr& solve) {
  Doc head = Cat{text("solve "), unknowns(solve.unknowns), text(" ")};
  std::vector<Piece> pieces;
  for (const StmtPtr& s : solve.lets) pieces.push_back(piece(*s));
  for (const ExprPtr& e : solve.equations) pieces.push_back(piece(*e));
  Doc body = equationBlock(std::move(pieces), solve.unknowns, solve.span);
  return Cat{std::move(head), std::move(body), clauses(solve, nullptr)};
}

// Constraints number begin..end, which stand one after the other: "subject to" and a column.
Doc Formatter::constraints(const ArgminExpr& argmin, size_t begin, size_t end) {
  std::vector<Doc> parts;
  for (size_t i = begin; i < end; ++i) {
    const ArgminConstraint& c = argmin.constraints[i];
    uint32_t at = c.label ? c.label->span.begin : c.relation->span.begin;
    if (i > begin) parts.push_back(commentsOr(at, lineOr("; ")));
    if (c.label) parts.push_back(text(c.label->text + ": "));
    parts.push_back(expr(*c.relation));
  }
  std::string words = "subject to ";
  auto columns = static_cast<uint32_t>(words.size());
  return Cat{text(words), indent(concat(std::move(parts)), columns)};
}

Doc Formatter::argmin(const ArgminExpr& argmin) {
  Doc head = Cat{text("argmin "), unknowns(argmin.unknowns), text(" ")};
  std::vector<Piece> pieces;
  for (const StmtPtr& s : argmin.lets) pieces.push_back(piece(*s));
  const Expr& objective = *argmin.objective;
  pieces.push_back({objective.span, [&]() -> Doc {
                      return Cat{text(argmin.maximize ? "maximize " : "minimize "),
                                 expr(objective)};
                    }});
  std::vector<uint32_t> others;  // where something else stands between constraints
  for (const Piece& p : pieces) others.push_back(p.span.begin);
  std::sort(others.begin(), others.end());
  const auto& all = argmin.constraints;
  for (size_t i = 0; i < all.size();) {
    auto next = std::upper_bound(others.begin(), others.end(), all[i].relation->span.begin);
    size_t end = i + 1;
    while (end < all.size() && (next == others.end() || all[end].relation->span.begin < *next))
      ++end;
    Span first = all[i].label ? all[i].label->span : all[i].relation->span;
    bool after_objective = next != others.begin() && *std::prev(next) == objective.span.begin;
    pieces.push_back({join(first, all[end - 1].relation->span),
                      [this, &argmin, i, end] { return constraints(argmin, i, end); },
                      after_objective ? " " : "; "});
    i = end;
  }
  Doc body = equationBlock(std::move(pieces), argmin.unknowns, argmin.span);
  return Cat{std::move(head), std::move(body), clauses(argmin, &argmin.with)};
}

}  // namespace dini::syntax
