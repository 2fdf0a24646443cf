// Functions, statements, control and equations of the Dini writer.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ad/inverses.h"
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
      "div", "mod", "stop", "newton", "given", "where", "at_extreme", "to_extreme", "sorted_like", "simplex_weights", "soc_map",
      "positive_part", "spectral_projector", "spectral_tangent", "spectral_gap", "root_ties", "newton_scalar", "newton_system",
      "hash_bits", "unit_real"};
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

// Checks that the language makes by itself, and prints, leave no text of theirs.
bool isWritten(const Uses& uses, const Op& op, size_t k) {
  auto status = static_cast<ir::Status>(op.attrs.i);
  if (op.code == OpCode::Print) return false;
  if (op.code == OpCode::Check && status == ir::Status::Bounds) return false;
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
  auto body = [&](const Indices& at) { return elementwise(op, &at).text; };
  std::string value = whole ? elementwise(op, nullptr).text : result->type.isStatic() ? comprehension(result->type, body) : comprehension(sizes(arrayLike(op)), body);
  lines_.line(fmt::format("let {} = {}", names_.of(result), value));
}

// An operand of an elementwise operation, or of what stands in its expression, that has a name and the shape of the result.
const Value* DiniWriter::arrayLike(const Op& op) {
  for (const Value* value : op.operands) {
    if (value->type.isScalar()) continue;
    if (value->def == nullptr || !uses_.isInlined(*value->def)) return value;
    if (const Value* inner = arrayLike(*value->def)) return inner;
  }
  return nullptr;
}

void DiniWriter::control(const Op& op) {
  switch (op.code) {
    case OpCode::Loop: return loop(op);
    case OpCode::While: return whileLoop(op);
    case OpCode::If:
    case OpCode::Try: return branches(op);
    case OpCode::Root: return root(op);
    case OpCode::Print: return lines_.line("# printed there: " + op.attrs.str);
    case OpCode::Check:  // bounds are checked again where the element is read
      if (static_cast<ir::Status>(op.attrs.i) != ir::Status::Bounds) lines_.line(fmt::format("assert {}", text(op.operand(0))));
      return;
    case OpCode::Call: {
      std::vector<std::string> arguments;
      for (const Value* value : op.operands) arguments.push_back(text(value));
      std::vector<const Value*> all(op.results.begin(), op.results.end());
      return lines_.line(fmt::format("let {} = {}({})", bound(all), calleeName(op.attrs.str), fmt::join(arguments, ", ")));
    }
    default: refuse(op, fmt::format("the operation `{}`", ir::shape(op.code).mnemonic));
  }
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

// The loop itself; `keeps`: what the turns yield besides the carries is stored under the counter's number.
void DiniWriter::turns(const Op& op, const std::vector<std::string>& carries, const std::string& counter, bool keeps) {
  const ir::Region &condition = *op.regions[0], &body = *op.regions[1];
  size_t count = op.operands.size();
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
  for (size_t k = count + 1; keeps && k < op.results.size(); ++k)
    if (!uses_.unused(op.result(k))) lines_.line(fmt::format("{}[{}] = {}", names_.of(op.result(k)), counter, text(body.yields()[k - 1])));
  nextCarries(body, carries, body.args);
  if (!counter.empty()) lines_.line(fmt::format("{} += 1", counter));
  lines_.close();
}

// Values kept from each turn need an array, whose length only the turns tell: they are counted first.
void DiniWriter::whileLoop(const Op& op) {
  const ir::Region& body = *op.regions[1];
  size_t count = op.operands.size();
  const Value* trips = op.result(count);
  bool keeps = std::any_of(op.results.begin() + static_cast<std::ptrdiff_t>(count) + 1, op.results.end(), [&](const Value* kept) { return !uses_.unused(kept); });
  std::string counter = keeps || !uses_.unused(trips) ? names_.of(trips) : "";
  if (keeps) {
    std::string length = names_.fresh("turns");
    lines_.line("# the turns, counted for the arrays that keep values of each");
    lines_.open(fmt::format("let {} = {{", length));
    std::vector<std::string> carries = declareCarries(op, 0, body.args);
    lines_.line(fmt::format("var {} = 0", counter));
    turns(op, carries, counter, false);
    lines_.line(counter);
    lines_.close();
    for (size_t k = count + 1; k < op.results.size(); ++k)
      if (!uses_.unused(op.result(k))) lines_.line(fmt::format("var {} = {}", names_.of(op.result(k)), zeros(op.result(k)->type, length)));
  }
  std::vector<std::string> carries = declareCarries(op, 0, body.args);
  if (!counter.empty()) lines_.line(fmt::format("var {} = 0", counter));
  turns(op, carries, counter, keeps);
}

void DiniWriter::branches(const Op& op) {
  std::vector<const Value*> results = readResults(op);
  std::string head = op.code == OpCode::If ? fmt::format("if {} {{", text(op.operand(0))) : "try {";
  // A `try` has a value: of one without results, that it came to its end.
  bool ended = results.empty() && op.code == OpCode::Try;
  if (ended) head = fmt::format("let {} = try {{", names_.fresh("done"));
  lines_.open(results.empty() ? head : fmt::format("let {} = {}", bound(results), head));
  region(*op.regions[0]);
  if (!results.empty() || ended) lines_.line(ended ? "true" : yielded(*op.regions[0], op));
  lines_.next("} else {");
  region(*op.regions[1]);
  if (!results.empty() || ended) lines_.line(ended ? "false" : yielded(*op.regions[1], op));
  lines_.close();
}

namespace {

// The clause of a solve that says how it is differentiated; by a factorisation of its whole matrix: none. A Krylov
// method's name holds its word, the unknowns and the tolerance: linear.gmres.5.1e-12.
std::string differentiation(const Op& op) {
  const std::string& how = op.attrs.str;
  if (how == "one_step") return " differentiate one_step";
  if (how == "neumann") return fmt::format(" differentiate neumann({})", op.attrs.ints.at(0));
  if (how == ad::inverses::kRefined) return " differentiate implicit(linear = refine)";
  if (how.starts_with(ad::inverses::kIterative)) {
    std::string method = how.substr(ad::inverses::kIterative.size());
    size_t word = method.find('.'), size = method.find('.', word + 1);
    return fmt::format(" differentiate implicit(linear = {}, tol = {})", method.substr(0, word), method.substr(size + 1));
  }
  auto structure = op.attrs.ints.size() > 3 ? static_cast<ir::Structure>(op.attrs.ints[3]) : ir::Structure::General;
  if (structure == ir::Structure::PositiveDefinite) return " differentiate implicit(linear = cholesky)";
  return structure == ir::Structure::Symmetric ? " differentiate implicit(linear = ldl)" : "";
}

}  // namespace

// solve x: real[2] = start, y: real = start { equations } using solver
void DiniWriter::solution(const Op& op, std::span<Value* const> starts, const std::string& solver) {
  const ir::Region& body = *op.regions[1];
  std::string unknowns;
  std::vector<const Value*> results;
  for (size_t k = 0; k < starts.size(); ++k) {
    results.push_back(op.result(k));
    names_.set(body.args[k], names_.fresh(body.args[k]->name.empty() ? "u" : body.args[k]->name));
    std::string type = "real", sizes;
    for (size_t axis = 0; axis < body.args[k]->type.rank(); ++axis) {
      std::string length = size(starts[k], axis);
      if (body.args[k]->type.dims[axis] == ir::kDynamic) {
        std::string name = names_.fresh("size");
        lines_.line(fmt::format("let {} = {}", name, length));
        length = name;
      }
      sizes += (axis > 0 ? ", " : "") + length;
    }
    if (!sizes.empty()) type += fmt::format("[{}]", sizes);
    unknowns += fmt::format("{}{}: {} = {}", k > 0 ? ", " : "", names_.of(body.args[k]), type, atom(starts[k]));
  }
  lines_.open(fmt::format("let {} = solve {} {{", bound(results), unknowns));
  size_t begin = lines_.mark();
  region(body);
  std::vector<std::string> sides;
  for (const Value* side : body.yields()) sides.push_back(text(side));
  if (lines_.hasOther(begin, {"let ", "#", "}"})) {  // equations may follow `let`s only
    lines_.line(joined(sides));
    for (std::string& side : sides) side = names_.fresh("side");
    lines_.enclose(begin, fmt::format("let {} = {{", joined(sides)), "}");
  }
  for (size_t k = 0; k + 1 < sides.size(); k += 2) lines_.line(fmt::format("{} == {}", sides[k], sides[k + 1]));
  std::string how = differentiation(op);
  lines_.close(fmt::format("}} using {}{}", solver, how));
}

// Newton's method as a call, where its number of iterations is read, or whether it met a multiple root: the names of
// the solutions.
std::vector<std::string> DiniWriter::searched(const Op& op, const std::string& tol) {
  const ir::Region& body = *op.regions[1];
  size_t unknowns = op.operands.size();
  bool scalar = unknowns == 1 && body.args[0]->type.isScalar();
  std::vector<std::string> parts, starts, cuts;
  int64_t count = 0;
  std::string vector = names_.fresh("v");
  for (size_t k = 0; k < unknowns; ++k) {
    const ir::Type& type = body.args[k]->type;
    int64_t next = count + type.elementCount();
    std::string start = atom(op.operand(k));
    starts.push_back(type.isScalar() ? fmt::format("[{}]", start) : type.rank() == 1 ? start : fmt::format("reshape({}, {})", start, type.elementCount()));
    std::string part = type.isScalar() ? "{0}[" + fmt::format("{}]", count) : "{0}[" + fmt::format("{}..{}]", count, next);
    if (type.rank() > 1) part = "reshape(" + part + fmt::format(", {})", fmt::join(type.dims, ", "));
    cuts.push_back(scalar ? "{0}" : part);
    count = next;
  }
  auto at = [&](size_t k, const std::string& whole) { return fmt::format(fmt::runtime(cuts[k]), whole); };
  std::string found = names_.fresh("found"), iterations = names_.fresh("iterations"), reason = names_.fresh("reason");
  if (scalar) names_.set(body.args[0], vector);
  lines_.open(fmt::format("let ({}, {}, {}{}) = newton_{}(fn({}: {}) = {{", found, iterations, reason, scalar ? "" : ", " + names_.fresh("condition"),
                          scalar ? "scalar" : "system", vector, scalar ? "real" : fmt::format("real[{}]", count)));
  for (size_t k = 0; k < unknowns && !scalar; ++k) {
    names_.set(body.args[k], names_.fresh(body.args[k]->name.empty() ? "u" : body.args[k]->name));
    lines_.line(fmt::format("let {} = {}", names_.of(body.args[k]), at(k, vector)));
  }
  region(body);
  for (size_t k = 0; k + 1 < body.yields().size(); k += 2) {
    std::string difference = fmt::format("{} - {}", atom(body.yields()[k]), atom(body.yields()[k + 1]));
    const ir::Type& type = body.yields()[k]->type;
    parts.push_back(scalar || type.rank() == 1 ? difference : type.isScalar() ? fmt::format("[{}]", difference) : fmt::format("reshape({}, {})", difference, type.elementCount()));
  }
  auto joined_parts = [](const std::vector<std::string>& of) { return of.size() == 1 ? of[0] : fmt::format("concat({})", fmt::join(of, ", ")); };
  lines_.line(joined_parts(parts));
  lines_.close(fmt::format("}}, {}, {}, 100)", scalar ? atom(op.operand(0)) : joined_parts(starts), tol));
  if (!uses_.unused(op.result(unknowns))) names_.set(op.result(unknowns), iterations);
  if (!uses_.unused(op.result(unknowns + 1))) lines_.line(fmt::format("let {} = {} == 6  # the steps shrank as at a multiple root", names_.of(op.result(unknowns + 1)), reason));
  std::vector<std::string> solutions;
  for (size_t k = 0; k < unknowns; ++k) solutions.push_back(at(k, found));
  return solutions;
}

// Any other solver's statements; its solutions.
std::vector<std::string> DiniWriter::writtenOut(const Op& op) {
  const ir::Region& solver = *op.regions[0];
  for (size_t k = 0; k < op.operands.size(); ++k)
    if (!uses_.unused(solver.args[k])) lines_.line(fmt::format("let {} = {}", names_.of(solver.args[k]), text(op.operand(k))));
  region(solver);
  std::vector<std::string> solutions;
  for (size_t k = 0; k < op.operands.size(); ++k) {
    solutions.push_back(names_.fresh("found"));
    lines_.line(fmt::format("let {} = {}", solutions.back(), text(solver.yields()[k])));
  }
  return solutions;
}

// A solver other than newton is written out; the block tests what it found.
void DiniWriter::root(const Op& op) {
  size_t unknowns = op.operands.size();
  bool given = op.attrs.ints.size() > 1 && op.attrs.ints[1] == 1, newton = op.attrs.ints.size() > 2 && op.attrs.ints[2] == 1;
  const auto& yields = op.regions[0]->yields();
  const Value* at_run_time = yields.size() > unknowns + kYieldsBeforeTolerance ? yields.back() : nullptr;
  // A tolerance that the solver's own statements compute is known where they stand only.
  bool inside = at_run_time != nullptr && at_run_time->region == op.regions[0].get() && !isLiteral(at_run_time);
  bool asked = !uses_.unused(op.result(unknowns)) || !uses_.unused(op.result(unknowns + 1));
  auto tolerance = [&] { return at_run_time != nullptr ? text(at_run_time) : decimal(op.attrs.f); };
  // A root behind another one, of infinite tolerance, takes over what that one found.
  newton = newton && !inside && !given && !std::isinf(op.attrs.f);
  bool known = std::all_of(op.operands.begin(), op.operands.end(), [](const Value* start) { return start->type.isStatic(); });
  if (newton && !asked) return solution(op, op.operands, fmt::format("newton(tol = {})", tolerance()));
  newton = newton && known;
  std::vector<std::string> found;
  if (newton) found = searched(op, tolerance());
  else found = writtenOut(op);
  for (size_t k : {unknowns, unknowns + 1})
    if (!newton && !uses_.unused(op.result(k))) lines_.line(fmt::format("let {} = {}", names_.of(op.result(k)), text(yields[k == unknowns ? k : k + 1])));
  solution(op, op.operands, fmt::format("given({}, tol = {})", joined(found), tolerance()));
}

// Sizes that each call brings have names of their own.
std::string DiniWriter::parameterType(const std::string& name, const ir::Type& type) {
  if (type.isStatic()) return typeText(type);
  std::vector<std::string> sizes;
  for (int64_t known : type.dims) sizes.push_back(known == ir::kDynamic ? names_.fresh(name + "_size") : fmt::format("{}", known));
  ir::Type element = type;
  element.dims.clear();
  return fmt::format("{}[{}]", typeText(element), fmt::join(sizes, ", "));
}

std::string DiniWriter::function() {
  const ir::Region& body = request_.function.body;
  std::vector<std::string> parameters, types, values;
  for (size_t k = 0; k < body.args.size(); ++k) {
    std::string name = names_.fresh(request_.parameters[k]);
    names_.set(body.args[k], name);
    parameters.push_back(fmt::format("{}: {}", name, parameterType(name, body.args[k]->type)));
  }
  for (const Value* value : body.yields()) types.push_back(typeText(value->type));
  lines_.open(fmt::format("fn {}({}) -> {} = {{", request_.name, fmt::join(parameters, ", "), joined(types)));
  region(body);
  for (const Value* value : body.yields()) values.push_back(text(value));
  lines_.line(joined(values));
  lines_.close();
  return lines_.take();
}

Text dini(const Request& request) {
  try {
    std::vector<std::string> callees;
    for (const std::string& name : calleesOf(request.module, request.function)) {
      const ir::Function& callee = *request.module.find(name);
      Request inner{request.module, callee, calleeName(name), {}, {}, request.place};
      for (const Value* value : callee.body.args) inner.parameters.push_back(value->name.empty() ? "x" : value->name);
      callees.push_back(DiniWriter(inner).function());
    }
    return {DiniWriter(request).function(), std::move(callees), "", {}};
  } catch (const Unspeakable& refused) {
    return {"", {}, refused.what, refused.span};
  }
}

}  // namespace dini::emit
