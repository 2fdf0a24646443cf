// Functions, statements, control and equations of the Dini writer.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "emit/dini_writer.h"
#include "ir/walk.h"

namespace dini::emit {

using ir::Op;
using ir::OpCode;
using ir::Value;

namespace {

// Keywords, and the names of what emitted text calls.
const std::set<std::string, std::less<>>& reservedWords() {
  static const std::set<std::string, std::less<>> words{
      "fn", "let", "var", "if", "else", "for", "in", "while", "break", "return", "solve", "argmin", "minimize", "maximize", "subject", "to", "using",
      "differentiate", "with", "test", "assert", "print", "import", "type", "try", "and", "or", "not", "true", "false", "by", "load", "save", "plot",
      "real", "int", "bool", "sparse", "inf", "nan", "pi", "eps", "exp", "log", "log1p", "expm1", "sqrt", "cbrt", "sin", "cos", "tan", "asin",
      "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc", "lgamma", "digamma", "sigmoid", "softplus", "pow",
      "abs", "max", "min", "relu", "norm", "floor", "ceil", "round", "sign", "zeros", "ones", "dot", "outer", "reshape", "concat", "stack", "flip",
      "argsort", "argmax", "len", "sum", "any", "all", "cholesky", "eigh", "svd", "qr", "lstsq", "proj_simplex", "proj_soc", "isnan", "isfinite",
      "div", "mod", "stop", "newton", "given", "where", "at_extreme", "to_extreme", "sorted_like"};
  return words;
}

bool inlinable(const Op& op, const Op& reader) {
  if (!ir::isElementwise(op.code) && op.code != OpCode::Dim && op.code != OpCode::Index) return false;
  if (op.code == OpCode::Index && (op.operands.size() == 1 || !op.result()->type.isScalar())) return false;
  bool array = !op.result()->type.isScalar();
  // Where a text would stand twice, or an `if` inside an expression.
  if (reader.code == OpCode::Pick || reader.code == OpCode::PickTie || reader.code == OpCode::ChooseTie || reader.code == OpCode::TieSide || reader.code == OpCode::SafeDiv || reader.code == OpCode::SafeMul || reader.code == OpCode::Fill) return false;
  if (op.code == OpCode::TieSide || op.code == OpCode::PickTie || op.code == OpCode::ChooseTie || op.code == OpCode::Pick || op.code == OpCode::SafeDiv || op.code == OpCode::SafeMul) return false;
  if (op.code == OpCode::NoteTie || op.code == OpCode::ReportTie || (op.code == OpCode::Choose && !hasWholeSpelling(op))) return false;
  if (ir::isElementwise(reader.code)) {
    if (reader.code == OpCode::Choose) return op.code == OpCode::Neg;
    if (reader.result()->type.isScalar() == array) return false;
    return !array || hasWholeSpelling(op) || !hasWholeSpelling(reader);
  }
  return !array && reader.code != OpCode::Loop && reader.code != OpCode::While && reader.code != OpCode::Root && reader.code != OpCode::Slice &&
         reader.code != OpCode::UpdateSlice && reader.code != OpCode::AddSlice && reader.code != OpCode::ReducePick && reader.code != OpCode::ReducePickT;
}

// Checks that the language makes by itself, or cannot ask for, and prints leave no text of theirs.
bool isWritten(const Uses& uses, const Op& op, size_t k) {
  auto status = static_cast<ir::Status>(op.attrs.i);
  if (op.code == OpCode::Print) return false;
  if (op.code == OpCode::Check && (status == ir::Status::Bounds || status == ir::Status::MultipleRoot)) return false;
  return isShown(uses, op, k);
}

std::string joined(const std::vector<std::string>& parts) {
  return parts.size() == 1 ? parts[0] : fmt::format("({})", fmt::join(parts, ", "));
}

}  // namespace

DiniWriter::DiniWriter(const Request& request)
    : request_(request), names_(reservedWords()), uses_(request.function, inlinable, isWritten), lines_("#") {
  names_.fresh(request.name);
}

std::string DiniWriter::bound(const std::vector<const Value*>& values) {
  std::vector<std::string> parts;
  for (const Value* value : values) parts.push_back(names_.of(value));
  return joined(parts);
}

std::vector<const Value*> DiniWriter::readResults(const Op& op) {
  std::vector<const Value*> read;
  for (const Value* result : op.results)
    if (!uses_.unused(result)) read.push_back(result);
  return read;
}

std::string DiniWriter::yielded(const ir::Region& region, const Op& op) {
  std::vector<std::string> parts;
  for (size_t k = 0; k < op.results.size(); ++k)
    if (!uses_.unused(op.result(k))) parts.push_back(text(region.yields()[k]));
  return joined(parts);
}

void DiniWriter::region(const ir::Region& region) {
  for (const auto& op : region.ops)
    if (op->code != OpCode::Yield) statement(*op);
}

void DiniWriter::statement(const Op& op) {
  if (op.results.size() == 1 && isLiteral(op.result())) return;
  if (uses_.isInlined(op) || uses_.isDead(op)) return;
  lines_.place(request_.place(op.span));
  if (!ir::isElementwise(op.code)) {
    if (!arrayStatement(op)) control(op);
    return;
  }
  const Value* result = op.result();
  bool whole = result->type.isScalar() || hasWholeSpelling(op);
  std::string value = whole ? elementwise(op, nullptr).text : comprehension(result->type, "", [&](const Indices& at) { return elementwise(op, &at).text; });
  lines_.line(fmt::format("let {} = {}", names_.of(result), value));
}

void DiniWriter::control(const Op& op) {
  switch (op.code) {
    case OpCode::Loop: return loop(op);
    case OpCode::While: return whileLoop(op);
    case OpCode::If:
    case OpCode::Try: return branches(op);
    case OpCode::Root: return root(op);
    case OpCode::Print: return lines_.line("# printed there: " + op.attrs.str);
    case OpCode::Check:
      if (!check(op)) refuse(op, "a check of a solve's status");
      return;
    case OpCode::Call: refuse(op, op.attrs.str.find(".inv") != std::string::npos ? "a linear system without a matrix" : "a recursive call");
    default: refuse(op, fmt::format("the operation `{}`", ir::shape(op.code).mnemonic));
  }
}

// Bounds are checked again where the element is read; whether a root is multiple, nothing can ask.
bool DiniWriter::check(const Op& op) {
  auto status = static_cast<ir::Status>(op.attrs.i);
  if (status == ir::Status::Bounds) return true;
  if (status == ir::Status::MultipleRoot) {
    lines_.line("# a multiple root would be the status of the call here");
    return true;
  }
  lines_.line(fmt::format("assert {}", text(op.operand(0))));
  return true;
}

std::vector<std::string> DiniWriter::declareCarries(const Op& op, size_t first, std::span<Value* const> args) {
  std::vector<std::string> names;
  for (size_t k = 0; k < args.size(); ++k) {
    std::string initial = text(op.operand(first + k));
    names.push_back(names_.of(args[k]));
    names_.set(op.result(k), names.back());
    if (op.code == OpCode::While) names_.set(op.regions[0]->args[k], names.back());
    lines_.line(fmt::format("var {} = {}", names.back(), initial));
  }
  return names;
}

// All at once, as in the C++ writer.
void DiniWriter::nextCarries(const ir::Region& region, const std::vector<std::string>& carries, std::span<Value* const> args) {
  std::vector<std::pair<std::string, std::string>> assignments;
  for (const CarryMove& move : carryMoves(uses_, region, args)) {
    std::string value = text(move.next);
    if (move.aside) {
      std::string aside = names_.fresh(carries[move.carry] + "_next");
      lines_.line(fmt::format("let {} = {}", aside, value));
      value = aside;
    }
    assignments.emplace_back(carries[move.carry], value);
  }
  for (const auto& [name, value] : assignments) lines_.line(fmt::format("{} = {}", name, value));
}

// Without carries: a comprehension.
void DiniWriter::map(const Op& op) {
  const ir::Region& body = *op.regions[0];
  std::vector<const Value*> results = readResults(op);
  std::string range = fmt::format("for {} in 0..{}", names_.of(body.args[0]), text(op.operand(0)));
  if (results.empty()) {
    lines_.open(range + " {");
    region(body);
    return lines_.close();
  }
  lines_.open(fmt::format("let {} = [{{", bound(results)));
  region(body);
  lines_.line(yielded(body, op));
  lines_.close(fmt::format("}} {}]", range));
}

void DiniWriter::loop(const Op& op) {
  const ir::Region& body = *op.regions[0];
  if (body.args[0]->name.empty()) names_.set(body.args[0], names_.fresh("i"));
  std::span<Value* const> args = std::span(body.args).subspan(1);
  if (args.empty()) return map(op);
  std::string trip = text(op.operand(0));
  std::vector<std::string> carries = declareCarries(op, 1, args);
  for (size_t k = args.size(); k < op.results.size(); ++k)
    if (!uses_.unused(op.result(k))) lines_.line(fmt::format("var {} = {}", names_.of(op.result(k)), zeros(op.result(k)->type, trip)));
  const std::string& index = names_.of(body.args[0]);
  lines_.open(fmt::format("for {} in 0..{} {{", index, trip));
  region(body);
  for (size_t k = args.size(); k < op.results.size(); ++k)
    if (!uses_.unused(op.result(k))) lines_.line(fmt::format("{}[{}] = {}", names_.of(op.result(k)), index, text(body.yields()[k])));
  nextCarries(body, carries, args);
  lines_.close();
}

void DiniWriter::whileLoop(const Op& op) {
  const ir::Region &condition = *op.regions[0], &body = *op.regions[1];
  size_t count = op.operands.size();
  for (size_t k = count + 1; k < op.results.size(); ++k)
    if (!uses_.unused(op.result(k))) refuse(op, "values kept from each turn of a `while`, whose number is not known");
  std::vector<std::string> carries = declareCarries(op, 0, body.args);
  const Value* trips = op.result(count);
  bool counted = !uses_.unused(trips);
  if (counted) lines_.line(fmt::format("var {} = 0", names_.of(trips)));
  if (op.attrs.i > 0) lines_.line(fmt::format("@bound({})", op.attrs.i));
  bool plain = std::all_of(condition.ops.begin(), condition.ops.end() - 1, [&](const auto& inner) {
    return uses_.isInlined(*inner) || uses_.isDead(*inner) || (inner->results.size() == 1 && isLiteral(inner->result()));
  });
  if (!plain && op.attrs.i > 0) refuse(op, "a bounded `while` whose condition takes several statements");
  lines_.open(plain ? fmt::format("while {} {{", text(condition.yields()[0])) : "while true {");
  if (!plain) {
    region(condition);
    lines_.line(fmt::format("if not {} {{ break }}", atom(condition.yields()[0])));
  }
  region(body);
  nextCarries(body, carries, body.args);
  if (counted) lines_.line(fmt::format("{} += 1", names_.of(trips)));
  lines_.close();
}

void DiniWriter::branches(const Op& op) {
  std::vector<const Value*> results = readResults(op);
  std::string head = op.code == OpCode::If ? fmt::format("if {} {{", text(op.operand(0))) : "try {";
  if (results.empty() && op.code == OpCode::Try) refuse(op, "a `try` without a value");
  lines_.open(results.empty() ? head : fmt::format("let {} = {}", bound(results), head));
  region(*op.regions[0]);
  if (!results.empty()) lines_.line(yielded(*op.regions[0], op));
  lines_.next("} else {");
  region(*op.regions[1]);
  if (!results.empty()) lines_.line(yielded(*op.regions[1], op));
  lines_.close();
}

// solve x: real[2] = start, y: real = start { equations } using solver
void DiniWriter::solution(const Op& op, std::span<Value* const> starts, const std::string& solver) {
  const ir::Region& body = *op.regions[1];
  std::string unknowns;
  std::vector<const Value*> results;
  for (size_t k = 0; k < starts.size(); ++k) {
    results.push_back(op.result(k));
    names_.set(body.args[k], names_.fresh(body.args[k]->name.empty() ? "u" : body.args[k]->name));
    unknowns += fmt::format("{}{}: {} = {}", k > 0 ? ", " : "", names_.of(body.args[k]), typeText(body.args[k]->type), atom(starts[k]));
  }
  lines_.open(fmt::format("let {} = solve {} {{", bound(results), unknowns));
  region(body);
  for (size_t k = 0; k + 1 < body.yields().size(); k += 2)
    lines_.line(fmt::format("{} == {}", text(body.yields()[k]), text(body.yields()[k + 1])));
  std::string how = op.attrs.str == "one_step" ? " differentiate one_step" : op.attrs.str == "neumann" ? fmt::format(" differentiate neumann({})", op.attrs.ints.at(0)) : "";
  lines_.close(fmt::format("}} using {}{}", solver, how));
}

void DiniWriter::root(const Op& op) {
  size_t unknowns = op.operands.size();
  // The last flag: whether a root is multiple; read by checks that `check` leaves out, and their `not`.
  if (!uses_.unused(op.result(unknowns))) refuse(op, "the number of iterations of a solve");
  bool given = op.attrs.ints.size() > 1 && op.attrs.ints[1] == 1, newton = op.attrs.ints.size() > 2 && op.attrs.ints[2] == 1;
  const auto& yields = op.regions[0]->yields();
  const Value* at_run_time = yields.size() > unknowns + kYieldsBeforeTolerance ? yields.back() : nullptr;
  // A tolerance that the solver's own statements compute is known where they stand only.
  bool inside = at_run_time != nullptr && at_run_time->region == op.regions[0].get() && !isLiteral(at_run_time);
  newton = newton && !inside;
  std::string tol = at_run_time != nullptr && !inside ? text(at_run_time) : decimal(op.attrs.f);
  if (given && inside) refuse(op, "a tolerance that is computed beside the solution");
  if (newton && !given) return solution(op, op.operands, fmt::format("newton(tol = {})", tol));
  if (given && unknowns == 1) return solution(op, op.operands, fmt::format("given({}, tol = {})", text(op.operand(0)), tol));
  if (unknowns != 1) refuse(op, "a solver of several unknowns other than newton");
  // The solver's statements, then its result is tested as the block does.
  const ir::Region& solver = *op.regions[0];
  if (!uses_.unused(solver.args[0])) lines_.line(fmt::format("let {} = {}", names_.of(solver.args[0]), text(op.operand(0))));
  region(solver);
  if (inside) tol = text(at_run_time);
  std::string found = names_.fresh("found");
  lines_.line(fmt::format("let {} = {}", found, text(solver.yields()[0])));
  solution(op, op.operands, fmt::format("given({}, tol = {})", found, tol));
}

std::string DiniWriter::function() {
  const ir::Region& body = request_.function.body;
  std::vector<std::string> parameters, types, values;
  for (size_t k = 0; k < body.args.size(); ++k) {
    std::string name = names_.fresh(request_.parameters[k]);
    names_.set(body.args[k], name);
    parameters.push_back(fmt::format("{}: {}", name, typeText(body.args[k]->type)));
  }
  for (const Value* value : body.yields()) types.push_back(typeText(value->type));
  lines_.open(fmt::format("fn {}({}) -> {} = {{", request_.name, fmt::join(parameters, ", "), joined(types)));
  region(body);
  for (const Value* value : body.yields()) values.push_back(text(value));
  lines_.line(joined(values));
  lines_.close();
  return lines_.take();
}

std::vector<std::string> DiniWriter::helpers() const {
  std::vector<std::string> texts;
  for (const std::string& name : helpers_) texts.push_back(diniHelpers().at(name));
  return texts;
}

Text dini(const Request& request) {
  try {
    DiniWriter writer(request);
    std::string text = writer.function();
    return {std::move(text), writer.helpers(), "", {}};
  } catch (const Unspeakable& refused) {
    return {"", {}, refused.what, refused.span};
  }
}

}  // namespace dini::emit
