#include "analysis/polynomial_degree.h"

#include <algorithm>
#include <unordered_map>

#include "ops/linearity.h"

namespace dini::analysis {
namespace {

using ir::OpCode;

class Degrees {
 public:
  explicit Degrees(const ir::Function& function) : function_(function) {}

  std::vector<Degree> run(const std::vector<bool>& parameters) {
    for (size_t k = 0; k < parameters.size(); ++k)
      degrees_[function_.body.args[k]] = parameters[k] ? Degree::Affine : Degree::Constant;
    visit(function_.body);
    return of(function_.body.yields());
  }

 private:
  Degree of(const ir::Value* value) const {
    auto found = degrees_.find(value);
    return found == degrees_.end() ? Degree::Constant : found->second;
  }
  std::vector<Degree> of(const std::vector<ir::Value*>& values) const {
    std::vector<Degree> result;
    for (const ir::Value* value : values) result.push_back(of(value));
    return result;
  }
  // Degrees only grow, so that loops reach a fixed point.
  void raise(const ir::Value* value, Degree degree) {
    Degree& known = degrees_.emplace(value, Degree::Constant).first->second;
    if (degree <= known) return;
    known = degree;
    changed_ = true;
  }
  static Degree times(Degree a, Degree b) {
    return static_cast<Degree>(std::min(static_cast<int>(a) + static_cast<int>(b),
                                        static_cast<int>(Degree::Beyond)));
  }

  void visit(const ir::Region& region) {
    for (const auto& op : region.ops) visit(*op);
  }

  void visit(const ir::Op& op) {
    if (op.code == OpCode::Yield) return;
    if (op.code == OpCode::Loop) return visitLoop(op);
    if (op.code == OpCode::If || op.code == OpCode::Try) return visitSides(op);
    Degree degree = op.regions.empty() ? ofOperation(op) : ofOpaque(op);
    for (const ir::Value* result : op.results) raise(result, degree);
  }

  Degree ofOperation(const ir::Op& op) const {
    ops::LinearRule rule = ops::linearRule(op.code);
    if (op.code == OpCode::Reduce && op.attrs.str != "sum") rule = {};
    Degree sum = Degree::Constant, largest = Degree::Constant;
    for (size_t k = 0; k < op.operands.size(); ++k) {
      Degree degree = of(op.operand(k));
      if (degree == Degree::Constant) continue;
      bool counts = rule.at(k) && (rule.kind == ops::Linearity::Joint ||
                                   rule.kind == ops::Linearity::Either);
      if (!counts && op.code != OpCode::PowI) return Degree::Beyond;
      sum = times(sum, degree);
      largest = std::max(largest, degree);
    }
    if (largest == Degree::Constant) return largest;
    if (op.code == OpCode::PowI) {
      if (op.attrs.i == 1) return largest;
      return op.attrs.i == 2 ? times(largest, largest) : Degree::Beyond;
    }
    return rule.kind == ops::Linearity::Either ? sum : largest;
  }

  // Whatever it reads may come out in any way.
  Degree ofOpaque(const ir::Op& op) {
    bool reads = std::any_of(op.operands.begin(), op.operands.end(),
                             [&](const ir::Value* v) { return of(v) != Degree::Constant; });
    for (const auto& region : op.regions) {
      visit(*region);
      for (const auto& inner : region->ops)
        for (const ir::Value* operand : inner->operands)
          reads = reads || of(operand) != Degree::Constant;
    }
    return reads ? Degree::Beyond : Degree::Constant;
  }

  void visitSides(const ir::Op& op) {
    bool fixed = std::all_of(op.operands.begin(), op.operands.end(),
                             [&](const ir::Value* v) { return of(v) == Degree::Constant; });
    for (const auto& region : op.regions) visit(*region);
    for (size_t k = 0; k < op.results.size(); ++k) {
      Degree degree = std::max(of(op.regions[0]->yields()[k]), of(op.regions[1]->yields()[k]));
      raise(op.result(k), fixed ? degree : Degree::Beyond);
    }
  }

  void visitLoop(const ir::Op& op) {
    const ir::Region& body = *op.regions[0];
    size_t carries = op.operands.size() - 1;
    for (size_t k = 0; k < carries; ++k) raise(body.args[k + 1], of(op.operand(k + 1)));
    do {
      changed_ = false;
      visit(body);
      for (size_t k = 0; k < carries; ++k) raise(body.args[k + 1], of(body.yields()[k]));
    } while (changed_);
    for (size_t k = 0; k < op.results.size(); ++k)
      raise(op.result(k),
            std::max(of(body.yields()[k]), k < carries ? of(op.operand(k + 1)) : Degree::Constant));
  }

  const ir::Function& function_;
  std::unordered_map<const ir::Value*, Degree> degrees_;
  bool changed_ = false;
};

}  // namespace

std::vector<Degree> degreesOf(const ir::Function& function, const std::vector<bool>& parameters) {
  return Degrees(function).run(parameters);
}

}  // namespace dini::analysis
