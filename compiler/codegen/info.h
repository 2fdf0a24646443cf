// Fields of dini_run, in 8-byte steps (runtime/include/dini/status.h).
#pragma once

#include <cstddef>

#include "dini/status.h"

namespace dini::codegen {

enum InfoField : unsigned {
  kCancel,
  kWorkEnd,
  kDepthLeft,
  kContext,
  kPrint,
  kStatus,
  kSite,
  kBatchIndex,
  kIterations,
  kResidual,
  kScale,
  kRcond,
  kWorkTop,
  kReason,
  kTolerance,
  kNotes,
  kReport,
  kMember,
};
static_assert(offsetof(dini_run, work_end) == 8 * kWorkEnd);
static_assert(offsetof(dini_run, print) == 8 * kPrint);
static_assert(offsetof(dini_run, status) == 8 * kStatus);
static_assert(offsetof(dini_run, rcond) == 8 * kRcond);
static_assert(offsetof(dini_run, work_top) == 8 * kWorkTop);
static_assert(offsetof(dini_run, reason) == 8 * kReason);
static_assert(offsetof(dini_run, tolerance) == 8 * kTolerance);
static_assert(offsetof(dini_run, notes) == 8 * kNotes);
static_assert(offsetof(dini_run, report) == 8 * kReport);
static_assert(offsetof(dini_run, member) == 8 * kMember);
static_assert(offsetof(dini_notes, tie) == 0 && offsetof(dini_notes, rcond) == 8 &&
              offsetof(dini_notes, rcond_site) == 16 && offsetof(dini_notes, residual) == 24);

}  // namespace dini::codegen
