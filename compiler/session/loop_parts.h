// A top-level loop whose iterations the session counts: it can run some of them, look at the clock,
// keep a checkpoint, and go on. The statement becomes a `for` over the hidden variables below, which no
// program can write, so that checking and lowering see an ordinary loop and one compiled body serves all
// parts.
// Not here: when a part ends, and what is kept between parts (training.cpp).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "syntax/ast.h"

namespace dini::session {

inline constexpr const char* kLoopFrom = "loop from";  // int: the first index of a part,
inline constexpr const char* kLoopTo = "loop to";      // behind its last
inline constexpr const char* kLoopStep = "loop step";
inline constexpr const char* kLoopDone = "loop done";  // int: iterations that ran to their ends

// Where a loop starts and how often it may run: what its head said before its first iteration.
struct LoopRange {
  int64_t lo = 0;
  int64_t step = 1;
  int64_t count = 0;  // of a `while`: the largest int64
};
// As the language counts; null where the indices are not int64, or the step is 0: the loop itself says so.
std::optional<LoopRange> loopRange(int64_t lo, int64_t hi, int64_t step);

// `for` and `while` without a bound, which concerns the loop as a whole.
bool runsInParts(const ast::Stmt& statement);
// Takes the body out of `statement`. Each iteration ends by adding 1 to kLoopDone, so a part whose
// iterations are not all counted met a `break`; the condition of a `while` becomes one.
std::unique_ptr<ast::ForStmt> inParts(ast::Stmt& statement);

}  // namespace dini::session
