#include "ir/builder.h"
#include "opt/passes.h"

namespace dini::opt {

using ir::Op;
using ir::OpCode;

bool mayFail(const Op& op) {
  switch (op.code) {
    case OpCode::Call:
    case OpCode::Check:
    case OpCode::Print:
    case OpCode::Inspect:
    case OpCode::Root:
    case OpCode::While:
    case OpCode::LinearSolve:
    case OpCode::SparseSolve:
    case OpCode::Factor:
    case OpCode::LeastSquares:
    case OpCode::Cholesky:
    case OpCode::Eigh:
    case OpCode::Svd:
    case OpCode::Qr:
    case OpCode::Spectral:
    case OpCode::SpectralMap: return true;
    default: break;
  }
  for (const auto& region : op.regions)
    for (const auto& nested : region->ops)
      if (mayFail(*nested)) return true;
  return false;
}

namespace {

// Leading indices, constant and inside constant sizes.
bool indicesInside(const Op& op, size_t first) {
  for (size_t k = first; k < op.operands.size(); ++k) {
    auto index = ir::constantInt(op.operand(k));
    int64_t size = op.operand(0)->type.dims[k - first];
    if (!index || size == ir::kDynamic || *index < 0 || *index >= size) return false;
  }
  return true;
}

}  // namespace

bool isSpeculable(const Op& op) {
  if (!op.regions.empty() || mayFail(op) || op.code == OpCode::ReportTie) return false;
  if (ir::isElementwise(op.code)) {
    // Shapes that only a check has shown to agree.
    for (const ir::Value* operand : op.operands)
      if (!operand->type.isStatic()) return op.operands.size() == 1;
    return true;
  }
  switch (op.code) {
    case OpCode::Const:
    case OpCode::Dim:
    case OpCode::Transpose:
    case OpCode::Flip:
    case OpCode::Reduce:
    case OpCode::ArgSort:
    case OpCode::ArgExtreme:
    case OpCode::Norm:
    case OpCode::Normalize: return true;
    case OpCode::Index: return indicesInside(op, 1);
    case OpCode::Fill:
    case OpCode::Iota:
    case OpCode::Pack:
    case OpCode::Concat:
    case OpCode::Reshape:
    case OpCode::Broadcast:
    case OpCode::Einsum:
    case OpCode::ReducePick:
    case OpCode::ReducePickT:
    case OpCode::SortPick:
    case OpCode::SortPickT:
    case OpCode::ProjSimplex:
    case OpCode::SimplexWeights:
    case OpCode::ProjSoc:
    case OpCode::SocMap: break;
    default: return false;
  }
  for (const ir::Value* operand : op.operands)
    if (!operand->type.isStatic()) return false;
  return op.result()->type.isStatic();
}

}  // namespace dini::opt
