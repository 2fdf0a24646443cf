// What a call's own record of a failure (dini_run, dini_info) says with the same names in all of them.
#pragma once

#include "ir/tensor.h"

namespace dini::jit {

template <class Record>
ir::StatusInfo statusFrom(const Record& record) {
  ir::StatusInfo status;
  status.status = static_cast<ir::Status>(record.status);
  status.batch_index = record.batch_index;
  status.residual = record.residual;
  status.scale = record.scale;
  status.iterations = record.iterations;
  status.rcond = record.rcond;
  status.tolerance = record.tolerance;
  return status;
}

}  // namespace dini::jit
