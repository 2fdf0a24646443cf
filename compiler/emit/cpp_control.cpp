// Loops, branches and equations of the C++ writer.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "emit/cpp_writer.h"

namespace dini::emit {

using ir::Op;
using ir::OpCode;
using ir::Value;

namespace {

bool isStaticRow(const ir::Type& stacked) {
  return std::find(stacked.dims.begin() + 1, stacked.dims.end(), ir::kDynamic) == stacked.dims.end();
}

}  // namespace

// One variable for a carried value: the region's argument, and the result after the loop.
std::vector<std::string> CppWriter::declareCarries(const Op& op, size_t first, std::span<Value* const> args) {
  std::vector<std::string> names;
  for (size_t k = 0; k < args.size(); ++k) {
    names.push_back(names_.of(args[k]));
    names_.set(op.result(k), names.back());
    bool read = !uses_.unused(args[k]) || !uses_.unused(op.result(k));
    if (op.code == OpCode::While) {
      Value* in_condition = op.regions[0]->args[k];
      names_.set(in_condition, names.back());
      read = read || !uses_.unused(in_condition);
    }
    lines_.line(fmt::format("{}{} {} = {};", read ? "" : "[[maybe_unused]] ", typeName(args[k]->type), names.back(), moved(op.operand(first + k), op)));
  }
  return names;
}

std::vector<CppWriter::Stacked> CppWriter::declareStacks(const Op& op, size_t first, const std::string& trip) {
  std::vector<Stacked> stacks;
  for (size_t k = first; k < op.results.size(); ++k) {
    const Value* result = op.result(k);
    const std::string& name = names_.of(result);
    bool pushed = trip.empty() || !isStaticRow(result->type);
    stacks.push_back({result, pushed ? names_.fresh(name + "_rows") : name, pushed});
    if (pushed) {
      lines_.line(fmt::format("ds::stack<{}> {};", scalarName(result->type), stacks.back().name));
      continue;
    }
    std::string dims = trip;
    for (size_t j = 1; j < result->type.rank(); ++j) dims += fmt::format(", {}", result->type.dims[j]);
    lines_.line(fmt::format("{}({{{}}});", declared(result), dims));
  }
  return stacks;
}

void CppWriter::storeStacks(const std::vector<Stacked>& stacks, const ir::Region& region, size_t first, const std::string& index) {
  for (size_t k = 0; k < stacks.size(); ++k) {
    std::string value = text(region.yields()[first + k]);
    if (stacks[k].pushed) lines_.line(fmt::format("{}.push({});", stacks[k].name, value));
    else if (region.yields()[first + k]->type.isScalar()) lines_.line(fmt::format("{}({}) = {};", stacks[k].name, index, value));
    else lines_.line(fmt::format("ds::set_part({}, {}, {});", stacks[k].name, value, index));
  }
}

void CppWriter::takeStacks(const std::vector<Stacked>& stacks) {
  for (const Stacked& stack : stacks) {
    if (!stack.pushed) continue;
    std::string row;
    for (size_t j = 1; j < stack.result->type.rank(); ++j)
      row += (j > 1 ? ", " : "") + fmt::format("{}", std::max<int64_t>(stack.result->type.dims[j], 0));
    declare(stack.result, fmt::format("{}.take({{{}}})", stack.name, row));
  }
}

// carries = yields, all at once: what reads a carry that changes is put aside first.
void CppWriter::nextCarries(const ir::Region& region, const std::vector<std::string>& carries, std::span<Value* const> args) {
  std::vector<std::pair<std::string, std::string>> assignments;
  for (const CarryMove& move : carryMoves(uses_, region, args)) {
    const Value* next = move.next;
    std::string value = text(next);
    if (move.aside) {
      std::string aside = names_.fresh(carries[move.carry] + "_next");
      lines_.line(fmt::format("{} {} = {};", typeName(next->type), aside, value));
      value = next->type.isScalar() ? aside : fmt::format("std::move({})", aside);
    } else if (!move.reads_carries && !next->type.isScalar() && next->region == &region &&
               uses_.readers(next).size() > 0 && uses_.endsAt(next, region.terminator())) {
      value = fmt::format("std::move({})", value);
    }
    assignments.emplace_back(carries[move.carry], value);
  }
  for (const auto& [name, value] : assignments) lines_.line(fmt::format("{} = {};", name, value));
}

void CppWriter::loop(const Op& op) {
  const ir::Region& body = *op.regions[0];
  if (body.args[0]->name.empty()) names_.set(body.args[0], names_.fresh("i"));
  std::span<Value* const> args = std::span(body.args).subspan(1);
  std::string trip = text(op.operand(0));
  std::vector<std::string> carries = declareCarries(op, 1, args);
  std::string length = isLiteral(op.operand(0)) ? trip : fmt::format("std::max<std::int64_t>({}, 0)", trip);
  std::vector<Stacked> stacks = declareStacks(op, args.size(), length);
  const std::string& index = names_.of(body.args[0]);
  lines_.open(fmt::format("for (std::int64_t {0} = 0; {0} < {1}; ++{0}) {{", index, trip));
  region(body);
  storeStacks(stacks, body, args.size(), index);
  nextCarries(body, carries, args);
  lines_.close();
  takeStacks(stacks);
}

void CppWriter::whileLoop(const Op& op) {
  const ir::Region &condition = *op.regions[0], &body = *op.regions[1];
  size_t count = op.operands.size();
  std::vector<std::string> carries = declareCarries(op, 0, body.args);
  const Value* trips = op.result(count);
  bool counted = op.attrs.i > 0 || !uses_.unused(trips);
  if (counted) lines_.line(fmt::format("std::int64_t {} = 0;", names_.of(trips)));
  std::vector<Stacked> stacks = declareStacks(op, count + 1, "");
  bool plain = std::all_of(condition.ops.begin(), condition.ops.end() - 1, [&](const auto& inner) {
    return uses_.isInlined(*inner) || uses_.isDead(*inner) || (inner->results.size() == 1 && isLiteral(inner->result()));
  });
  if (plain) {
    lines_.open(fmt::format("while ({}) {{", text(condition.yields()[0])));
  } else {
    lines_.open("for (;;) {");
    region(condition);
    lines_.line(fmt::format("if (!{}) break;", operand(expression(condition.yields()[0]))));
  }
  if (op.attrs.i > 0) lines_.line(fmt::format("ds::check({} < {}, ds::status::bound, {});", names_.of(trips), op.attrs.i, place(op)));
  region(body);
  storeStacks(stacks, body, count, "");
  nextCarries(body, carries, body.args);
  if (counted) lines_.line(fmt::format("++{};", names_.of(trips)));
  lines_.close();
  takeStacks(stacks);
}

void CppWriter::assignYields(const ir::Region& region, const std::vector<std::string>& targets) {
  for (size_t k = 0; k < targets.size(); ++k)
    if (!targets[k].empty()) lines_.line(fmt::format("{} = {};", targets[k], moved(region.yields()[k], region.terminator())));
}

// if and try: the results are declared before, and assigned at the end of the side that runs.
void CppWriter::branches(const Op& op) {
  std::vector<std::string> targets;
  for (const Value* result : op.results) {
    bool used = !uses_.unused(result);
    targets.push_back(used ? names_.of(result) : "");
    if (used) lines_.line(fmt::format("[[maybe_unused]] {} {}{};", typeName(result->type), targets.back(), result->type.isScalar() ? "{}" : ""));
  }
  lines_.open(op.code == OpCode::If ? fmt::format("if ({}) {{", text(op.operand(0))) : "try {");
  region(*op.regions[0]);
  assignYields(*op.regions[0], targets);
  lines_.next(op.code == OpCode::If ? "} else {" : "} catch (const ds::error&) {");
  region(*op.regions[1]);
  assignYields(*op.regions[1], targets);
  lines_.close();
}

void CppWriter::residual(const Op& op, const std::string& name) {
  const ir::Region& equations = *op.regions[1];
  std::string parameters;
  for (const Value* unknown : equations.args)
    parameters += (parameters.empty() ? "" : ", ") +
                  fmt::format("{}{}{} {}", uses_.unused(unknown) ? "[[maybe_unused]] " : "", unknown->type.isScalar() ? "" : "const ",
                              typeName(unknown->type) + (unknown->type.isScalar() ? "" : "&"), names_.of(unknown));
  lines_.open(fmt::format("const auto {} = [&]({}) {{", name, parameters));
  std::string sides = names_.fresh("sides");
  lines_.line(fmt::format("ds::residual {};", sides));
  region(equations);
  const auto& yields = equations.yields();
  for (size_t k = 0; k + 1 < yields.size(); k += 2)
    lines_.line(fmt::format("{}.equation({}, {});", sides, text(yields[k]), text(yields[k + 1])));
  lines_.line(fmt::format("return {};", sides));
  lines_.close("};");
}

// The residual at the start, the solver, the residual at the solution: docs/ir.md, "Equations".
void CppWriter::root(const Op& op) {
  const ir::Region& solver = *op.regions[0];
  size_t unknowns = op.operands.size();
  std::string name = names_.fresh("equations");
  residual(op, name);
  std::string starts = list(op, 0, unknowns), solutions;
  lines_.line(fmt::format("{}({}).start({});", name, starts, place(op)));
  std::vector<std::string> targets;
  for (size_t k = 0; k < op.results.size(); ++k) {
    const Value* result = op.result(k);
    bool used = k < unknowns || !uses_.unused(result);
    size_t slot = k <= unknowns ? k : unknowns + 2;  // the yield between is the reason
    targets.resize(slot + 1);
    if (!used) continue;
    targets[slot] = names_.of(result);
    if (k < unknowns) solutions += (k > 0 ? ", " : "") + targets[slot];
    lines_.line(fmt::format("{} {}{};", typeName(result->type), targets[slot], result->type.isScalar() ? "{}" : ""));
  }
  // The last yield of several is the tolerance, where only the run knows it.
  std::string tolerance = std::isinf(op.attrs.f) ? "ds::inf" : decimal(op.attrs.f);
  if (solver.yields().size() > unknowns + kYieldsBeforeTolerance) {
    tolerance = names_.fresh("tolerance");
    targets.resize(solver.yields().size());
    targets.back() = tolerance;
    lines_.line(fmt::format("double {}{{}};", tolerance));
  }
  lines_.open("{");
  for (size_t k = 0; k < unknowns; ++k)
    if (!uses_.unused(solver.args[k])) declare(solver.args[k], text(op.operand(k)));
  region(solver);
  assignYields(solver, targets);
  lines_.close();
  lines_.line(fmt::format("{}({}).accept({}, {});", name, solutions, tolerance, place(op)));
}

}  // namespace dini::emit
