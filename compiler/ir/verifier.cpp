#include "ir/verifier.h"

#include <unordered_set>

#include <fmt/format.h>

#include "base/check.h"
#include "ir/builder.h"
#include "ir/printer.h"
#include "ir/type_rules.h"
#include "ops/linearity.h"

namespace dini::ir {
namespace {

// A value that stands for zero tangents without being flagged.
bool isZero(const Value* value) {
  if (value->def == nullptr) return false;
  const Op& op = *value->def;
  if (op.code == OpCode::Fill) return isZero(op.operand(0));
  if (op.code == OpCode::Broadcast || op.code == OpCode::Reshape) return isZero(op.operand(0));
  if (op.code != OpCode::Const) return false;
  if (!op.attrs.data) return op.attrs.f == 0;
  for (double element : *op.attrs.data)
    if (element != 0) return false;
  return true;
}

class Verifier {
 public:
  Verifier(const Function& function, const Module* module) : function_(function), module_(module) {}

  std::vector<std::string> run() {
    if (function_.body.parent != nullptr) report(nullptr, "the body has a parent");
    verifyRegion(function_.body);
    return std::move(errors_);
  }

 private:
  void report(const Op* op, std::string_view text) {
    errors_.push_back(op ? fmt::format("{}: {}", shape(op->code).mnemonic, text)
                         : std::string(text));
  }
  bool require(const Op* op, bool holds, std::string_view text) {
    if (!holds) report(op, text);
    return holds;
  }

  // Values are visible from their definition to the end of their region.
  void verifyRegion(const Region& region) {
    const Op* parent = region.parent;
    std::vector<const Value*> defined;
    auto define = [&](const Value* value, const Op* def, size_t index) {
      require(parent, value->def == def && value->region == &region && value->index == index,
              "a value does not know where it is defined");
      visible_.insert(value);
      defined.push_back(value);
    };
    for (size_t k = 0; k < region.args.size(); ++k) define(region.args[k], nullptr, k);
    if (!require(parent, !region.ops.empty() && region.terminator().code == OpCode::Yield,
                 "a region does not end with yield"))
      return;
    for (const auto& owned : region.ops) {
      const Op& op = *owned;
      require(&op, op.parent == &region, "wrong parent region");
      require(&op, op.code != OpCode::Yield || &op == &region.terminator(),
              "yield before the end of a region");
      for (const Value* operand : op.operands) {
        if (!require(&op, operand != nullptr, "a null operand")) return;
        require(&op, visible_.contains(operand), "an operand is not defined before its use");
      }
      for (const auto& nested : op.regions) {
        require(&op, nested->parent == &op, "a region has the wrong parent");
        verifyRegion(*nested);
      }
      for (size_t k = 0; k < op.results.size(); ++k) define(op.results[k], &op, k);
      verifyTypes(op);
      verifyLinear(op);
    }
    for (const Value* value : defined) visible_.erase(value);
  }

  // --- types
  void verifyTypes(const Op& op) {
    const OpShape& expected = shape(op.code);
    if (!require(&op, op.regions.size() == static_cast<size_t>(expected.regions),
                 "wrong number of regions"))
      return;
    require(&op, expected.operands < 0 || op.operands.size() == static_cast<size_t>(expected.operands),
            "wrong number of operands");
    std::vector<Type> given;
    for (const Value* result : op.results) given.push_back(result->type);
    TypeAnswer answer = resultTypes({op.code, op.operands, op.attrs, given});
    if (!require(&op, answer.error.empty(), answer.error)) return;
    if (!require(&op, answer.results.size() == given.size(), "wrong number of results")) return;
    for (size_t k = 0; k < given.size(); ++k)
      require(&op, compatible(given[k], answer.results[k]),
              fmt::format("result {} has type {}, expected {}", k, str(given[k]),
                          str(answer.results[k])));
    for (const auto& region : op.regions)
      if (region->ops.empty() || region->terminator().code != OpCode::Yield) return;
    verifyControl(op);
  }

  void verifyControl(const Op& op) {
    if (op.code == OpCode::Loop) verifyLoop(op);
    else if (op.code == OpCode::While) verifyWhile(op);
    else if (op.code == OpCode::If || op.code == OpCode::Try) verifyBranches(op);
    else if (op.code == OpCode::Root) verifyRoot(op);
    else if (op.code == OpCode::Call && module_ != nullptr) verifyCall(op);
    else if (op.code == OpCode::Inspect && module_ != nullptr) verifyInspect(op);
  }

  bool sameType(const Op& op, const Value* a, const Value* b, std::string_view what) {
    return require(&op, compatible(a->type, b->type),
                   fmt::format("{}: {} and {}", what, str(a->type), str(b->type)));
  }

  bool stacked(const Op& op, const Value* out, const Value* element) {
    Type type = element->type;
    type.dims.insert(type.dims.begin(), kDynamic);
    return require(&op, compatible(out->type, type), "a stacked out has the wrong type");
  }

  void verifyLoop(const Op& op) {
    const Region& body = *op.regions[0];
    size_t carries = op.operands.size() - 1;
    if (!require(&op, body.args.size() == carries + 1 && body.yields().size() >= carries &&
                          op.results.size() == body.yields().size(),
                 "carries, arguments, yields and results do not correspond"))
      return;
    require(&op, body.args[0]->type == i64(), "the first argument is the index");
    for (size_t k = 0; k < carries; ++k) {
      sameType(op, op.operands[k + 1], body.args[k + 1], "a carry and its argument");
      sameType(op, op.operands[k + 1], body.yields()[k], "a carry and what is yielded for it");
      sameType(op, op.operands[k + 1], op.results[k], "a carry and its result");
    }
    for (size_t k = carries; k < op.results.size(); ++k) stacked(op, op.results[k], body.yields()[k]);
  }

  void verifyWhile(const Op& op) {
    const Region& cond = *op.regions[0];
    const Region& body = *op.regions[1];
    size_t carries = op.operands.size();
    if (!require(&op, cond.args.size() == carries && body.args.size() == carries &&
                          body.yields().size() >= carries &&
                          op.results.size() == body.yields().size() + 1,
                 "carries, arguments, yields and results do not correspond"))
      return;
    require(&op, cond.yields().size() == 1 && cond.yields()[0]->type == i1(),
            "the condition yields one i1");
    for (size_t k = 0; k < carries; ++k) {
      sameType(op, op.operands[k], cond.args[k], "a carry and its argument");
      sameType(op, op.operands[k], body.args[k], "a carry and its argument");
      sameType(op, op.operands[k], body.yields()[k], "a carry and what is yielded for it");
      sameType(op, op.operands[k], op.results[k], "a carry and its result");
    }
    require(&op, op.results[carries]->type == i64(), "the trip count is an i64");
    for (size_t k = carries; k < body.yields().size(); ++k)
      stacked(op, op.results[k + 1], body.yields()[k]);
  }

  void verifyBranches(const Op& op) {
    for (const auto& region : op.regions) {
      require(&op, region->args.empty(), "a branch has arguments");
      if (!require(&op, region->yields().size() == op.results.size(), "a branch yields another number"))
        return;
      for (size_t k = 0; k < op.results.size(); ++k)
        sameType(op, op.results[k], region->yields()[k], "a result and what a branch yields");
    }
    if (op.code != OpCode::If) return;
    require(&op, op.operands.size() == 1 || ((op.operands.size() == 3 || op.operands.size() == 4) && !op.attrs.str.empty()),
            "expected the condition, or the condition and the two compared reals");
  }

  void verifyRoot(const Op& op) {
    const Region& solver = *op.regions[0];
    const Region& residual = *op.regions[1];
    size_t unknowns = op.operands.size();
    if (!require(&op, solver.args.size() == unknowns && residual.args.size() == unknowns &&
                          solver.yields().size() >= unknowns + 3 &&
                          solver.yields().size() <= unknowns + 5 &&
                          residual.yields().size() % 2 == 0 && !residual.yields().empty(),
                 "unknowns, arguments and yields do not correspond"))
      return;
    for (size_t k = 0; k < unknowns; ++k) {
      sameType(op, op.operands[k], solver.args[k], "a start and the solver's argument");
      sameType(op, op.operands[k], residual.args[k], "a start and the residual's argument");
      sameType(op, op.operands[k], solver.yields()[k], "a start and its solution");
    }
    require(&op, solver.yields()[unknowns]->type == i64() &&
                     solver.yields()[unknowns + 1]->type == i64() &&
                     solver.yields()[unknowns + 2]->type == i1(),
            "the solver yields iterations, reason and multiple after its solutions");
    for (size_t k = unknowns + 3; k < solver.yields().size(); ++k)
      require(&op, solver.yields()[k]->type == f64(), "rcond and tol of a solver are reals");
    for (size_t k = 0; k < residual.yields().size(); k += 2)
      sameType(op, residual.yields()[k], residual.yields()[k + 1], "the sides of an equation");
  }

  void verifyCall(const Op& op) {
    const Function* callee = module_->find(op.attrs.str);
    if (!require(&op, callee != nullptr, "the module has no function " + op.attrs.str)) return;
    // A callee under construction has no yield yet.
    bool complete = !callee->body.ops.empty() && callee->body.terminator().code == OpCode::Yield;
    if (!require(&op, callee->body.args.size() == op.operands.size() &&
                          (!complete || callee->body.yields().size() == op.results.size()),
                 "arguments or results do not match " + op.attrs.str))
      return;
    for (size_t k = 0; k < op.operands.size(); ++k)
      sameType(op, op.operands[k], callee->body.args[k], "an argument and its parameter");
    for (size_t k = 0; complete && k < op.results.size(); ++k)
      sameType(op, op.results[k], callee->body.yields()[k], "a result and what is returned");
  }

  void verifyInspect(const Op& op) {
    const Function* callee = module_->find(op.attrs.str);
    if (!require(&op, callee != nullptr, "the module has no function " + op.attrs.str)) return;
    if (!require(&op, callee->body.args.size() == op.operands.size(), "arguments do not match " + op.attrs.str))
      return;
    for (size_t k = 0; k < op.operands.size(); ++k)
      sameType(op, op.operands[k], callee->body.args[k], "an argument and its parameter");
  }

  // --- linear values
  void verifyLinear(const Op& op) {
    for (const Value* result : op.results)
      require(&op, !result->linear || result->type.isReal(), "a linear value is real");
    ops::LinearRule rule = ops::linearRule(op.code);
    if (rule.kind == ops::Linearity::Control) return verifyLinearControl(op);
    if (op.code == OpCode::Dim) return;  // reads a size, which is not a tangent
    size_t linear = 0;
    for (size_t k = 0; k < op.operands.size(); ++k) {
      if (!op.operands[k]->linear) continue;
      ++linear;
      require(&op, rule.at(k) && rule.kind != ops::Linearity::Never,
              "a linear value in an operand in which the operation is not linear");
    }
    if (op.code == OpCode::Reduce)
      require(&op, linear == 0 || op.attrs.str == "sum", "only the sum is linear");
    if (rule.kind == ops::Linearity::Either) require(&op, linear <= 1, "two linear operands");
    if (rule.kind == ops::Linearity::Joint && linear > 0)
      for (size_t k = 0; k < op.operands.size(); ++k)
        require(&op, !rule.at(k) || !op.operands[k]->type.isReal() || op.operands[k]->linear ||
                         isZero(op.operands[k]),
                "a linear and another value in operands that are jointly linear");
    for (const Value* result : op.results) {
      if (rule.kind == ops::Linearity::Zero)
        require(&op, !result->linear || isZero(result), "a linear constant is zero");
      else if (op.code != OpCode::Fill || linear > 0 || !isZero(result))
        require(&op, result->linear == (linear > 0), "the linear flag of a result is wrong");
    }
  }

  void notLinear(const Op& op, const Value* value, std::string_view what) {
    require(&op, !value->linear, what);
  }
  // A linear value may enter only a place that is linear.
  void flows(const Op& op, const Value* from, const Value* to, std::string_view what) {
    require(&op, !from->linear || to->linear, what);
  }

  void verifyLinearControl(const Op& op) {
    size_t first = op.code == OpCode::Loop ? 1 : 0;  // of the carries among the operands
    if (op.code == OpCode::Loop) notLinear(op, op.operands[0], "a linear trip count");
    if (op.code == OpCode::If)
      for (const Value* operand : op.operands) notLinear(op, operand, "a linear condition");
    if (op.code == OpCode::Loop || op.code == OpCode::While) {
      const Region& body = *op.regions.back();
      size_t carries = op.operands.size() - first;
      if (body.args.size() != carries + first || body.yields().size() < carries) return;
      for (size_t k = 0; k < carries; ++k) {
        flows(op, op.operands[first + k], body.args[first + k], "a linear start of another carry");
        flows(op, body.yields()[k], body.args[first + k], "a linear value yielded to another carry");
        flows(op, body.args[first + k], op.results[k], "a linear carry and another result");
      }
      size_t shift = op.code == OpCode::While ? 1 : 0;  // the trip count's result
      for (size_t k = carries; k < body.yields().size(); ++k)
        flows(op, body.yields()[k], op.results[k + shift], "a linear out and another result");
      if (op.code == OpCode::While)
        for (const Value* value : op.regions[0]->yields()) notLinear(op, value, "a linear condition");
    }
    if (op.code == OpCode::If || op.code == OpCode::Try)
      for (const auto& region : op.regions)
        for (size_t k = 0; k < op.results.size() && k < region->yields().size(); ++k)
          flows(op, region->yields()[k], op.results[k], "a linear value yielded to another result");
  }

  const Function& function_;
  const Module* module_;
  std::unordered_set<const Value*> visible_;
  std::vector<std::string> errors_;
};

}  // namespace

std::vector<std::string> verify(const Function& function, const Module* module) {
  return Verifier(function, module).run();
}

void verifyOrFail(const Function& function, std::string_view after, const Module* module) {
  std::vector<std::string> errors = verify(function, module);
  if (errors.empty()) return;
  failCheck(fmt::format("after {}: @{} is not well-formed: {}\n{}", after, function.name,
                        fmt::join(errors, "; "), print(function)));
}

}  // namespace dini::ir
