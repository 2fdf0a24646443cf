#include "analysis/jumps.h"

#include <algorithm>
#include <unordered_set>

#include "analysis/activity.h"
#include "ir/walk.h"

namespace dini::analysis {
namespace {

using ir::OpCode;

// Whether a bool is made from a comparison of active reals.
bool comparesActive(const ir::Value* value, const Activity& activity) {
  const ir::Op* op = value->def;
  if (op == nullptr) return false;
  switch (op->code) {
    case OpCode::FLt:
    case OpCode::FLe:
    case OpCode::FEq:
    case OpCode::FNe:
      return activity.depends(op->operand(0)) || activity.depends(op->operand(1));
    case OpCode::And:
    case OpCode::Or:
    case OpCode::Not:
      return std::any_of(op->operands.begin(), op->operands.end(), [&](const ir::Value* operand) {
        return comparesActive(operand, activity);
      });
    default: return false;
  }
}

bool isJump(const ir::Op& op, const Activity& activity) {
  switch (op.code) {
    case OpCode::Floor:
    case OpCode::Ceil:
    case OpCode::Round:
    case OpCode::Sign:
    case OpCode::RealToInt: return activity.depends(op.operand(0));
    case OpCode::BoolToReal: return comparesActive(op.operand(0), activity);
    default: return false;
  }
}

bool isStep(const ir::Op& op, const Activity& activity) {
  if (op.code != OpCode::If && op.code != OpCode::Select) return false;
  bool read = std::any_of(op.results.begin(), op.results.end(),
                          [&](const ir::Value* result) { return activity.useful(result); });
  return read && comparesActive(op.operand(0), activity);
}

}  // namespace

std::vector<const ir::Op*> jumps(const ir::Function& function, const std::vector<bool>& active, Steps steps) {
  Activity activity(function, active);
  const auto& results = function.body.yields();
  bool moves = std::any_of(results.begin(), results.end(),
                           [&](const ir::Value* result) { return activity.depends(result); });
  bool with_steps = steps == Steps::Listed && !moves;
  std::unordered_set<const ir::Value*> used;  // by more than a `stop`
  ir::walk(function.body, [&](const ir::Op& op) {
    if (op.code != OpCode::Stop) used.insert(op.operands.begin(), op.operands.end());
  });
  std::vector<const ir::Op*> found;
  ir::walk(function.body, [&](const ir::Op& op) {
    bool listed = isJump(op, activity) || (with_steps && isStep(op, activity));
    if (listed && used.contains(op.result())) found.push_back(&op);
  });
  return found;
}

}  // namespace dini::analysis
