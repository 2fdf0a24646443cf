// What the host tells a program of a call: the operation `inspect`, and the command `certify`.
#pragma once

#include <atomic>
#include <span>
#include <vector>

#include "certify/certificate.h"
#include "ir/interpreter.h"
#include "source/source.h"

namespace dini::session {

struct InspectOptions {
  certify::CertifyOptions certification;
  const std::atomic<bool>* interrupt = nullptr;
  const SourceManager* sources = nullptr;  // for lines and columns
};

// The certificates of the solves that a call evaluates, in program order, solves within equations
// not apart; or the status that ended the call.
struct CertifiedCall {
  ir::StatusInfo status;
  std::vector<certify::Certificate> certificates;
};
CertifiedCall certifyCall(const ir::Module& module, const ir::Function& function,
                          std::span<const ir::Tensor> arguments, const InspectOptions& options);

// The results of an `inspect`.
ir::Outcome inspectCall(const ir::Module& module, const ir::Function& callee, ir::Inspection what,
                        std::span<const ir::Tensor> arguments, const InspectOptions& options);

}  // namespace dini::session
