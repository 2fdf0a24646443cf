#include "ad/inverses.h"

#include <limits>

#include <fmt/format.h>

#include "ad/calls.h"
#include "ad/forward.h"
#include "ad/linear.h"
#include "ad/linear_map.h"
#include "base/check.h"
#include "ir/clone.h"

namespace dini::ad::inverses {

using ir::OpCode;
using ir::Value;
using Values = std::vector<Value*>;

namespace {

constexpr std::string_view kInverse = ".inv.", kTransposed = ".invt.";

struct Name {
  std::string map;
  bool is_inverse = false, transposed = false, poisons = false;
  std::string method;
};

// The last of the two words decides; a derivative's name behind it makes it another's.
Name parse(const std::string& text) {
  size_t plain = text.rfind(kInverse), transposed = text.rfind(kTransposed);
  bool second = transposed != std::string::npos && (plain == std::string::npos || transposed > plain);
  size_t at = second ? transposed : plain;
  if (at == std::string::npos) return {};
  size_t key = at + (second ? kTransposed : kInverse).size();
  for (const char* kind : {".jvp.", ".tan.", ".pull.", ".probe"})
    if (text.find(kind, key) != std::string::npos) return {};
  return {text.substr(0, at), true, second, text[key] == 'p', text.substr(key + 2)};
}

std::string freeName(const ir::Module& module, const char* base) {
  for (int k = 0;; ++k)
    if (std::string name = fmt::format("{}.{}", base, k); module.find(name) == nullptr) return name;
}

// What the solver of a derivative's system says of its end. Reasons: krylov.dini.
void requireReason(ir::Builder& b, Value* reason, int64_t bad, ir::Status status, const char* text) {
  b.check(b.op(OpCode::INe, {reason, b.integer(bad)}), status, text);
}

void requireSuccess(ir::Builder& b, Value* reason) {
  requireReason(b, reason, 7, ir::Status::Domain,
                "the Jacobian of this solve is not symmetric, as its `linear` says");
  requireReason(b, reason, 8, ir::Status::Singular, "the Jacobian of this solve is not definite, as `cg` needs");
  requireReason(b, reason, 9, ir::Status::Singular, "its derivative has none or too large a solution");
  requireReason(b, reason, 3, ir::Status::NonFinite, "in the linear system of its derivative");
  requireReason(b, reason, 1, ir::Status::NotConverged, "too many iterations for its derivative");
  requireReason(b, reason, 2, ir::Status::NotConverged, "the iteration for its derivative stalled");
}

// Replaces the calls of kLinearMap.
void replaceMaps(ir::Function& function, ir::Region& region, const LinearMap& map) {
  for (size_t at = 0; at < region.ops.size(); ++at) {
    for (auto& inner : region.ops[at]->regions) replaceMaps(function, *inner, map);
    ir::Op* op = region.ops[at].get();
    if (op->code != OpCode::Call || op->attrs.str != kLinearMap) continue;
    ir::Builder b(function, region);
    b.insertAt(at);
    size_t before = region.ops.size();
    Value* image = map.apply(b, Values{op->operand(0)})[0];
    at += region.ops.size() - before;
    ir::replaceUses(function, op->result(), image);
    region.ops.erase(region.ops.begin() + static_cast<ptrdiff_t>(at));
    --at;
  }
}

}  // namespace

std::string templateOf(const ir::Op& root) {
  const std::string& text = root.attrs.str;
  return text.starts_with(kIterative) ? text.substr(text.find(':') + 1) : "";
}

bool isInverse(const std::string& callee) { return parse(callee).is_inverse; }
std::string mapOf(const std::string& inverse) { return parse(inverse).map; }
bool isTransposed(const std::string& inverse) { return parse(inverse).transposed; }

std::string nameOf(const std::string& f, const std::string& method, bool poisons) {
  return fmt::format("{}{}{}_{}", f, kInverse, poisons ? 'p' : 's', method);
}

std::string transposedName(const std::string& inverse) {
  Name name = parse(inverse);
  return fmt::format("{}{}{}_{}", name.map, name.transposed ? kInverse : kTransposed,
                     name.poisons ? 'p' : 's', name.method);
}

std::unique_ptr<ir::Function> make(ir::Module& module, const std::string& inverse) {
  Name name = parse(inverse);
  const ir::Function* map = module.find(name.map);
  const ir::Function* method = module.find(name.method);
  check(map != nullptr && method != nullptr, "an inverse of nothing, or by nothing");
  Request request{std::vector<bool>(map->body.args.size(), false), {}};
  request.active.back() = true;
  auto copy = calls::prepared(module, *map, request.ties);
  auto linear = forward(module, *copy, request, inverse, analysis::Caller::MayDropResults, 1);
  split(module, *linear);
  if (name.transposed) linear = transpose(module, *linear, request, 1);
  LinearMap applied(std::move(linear), 1, 1);

  auto made = std::make_unique<ir::Function>(inverse);
  made->span = map->span;
  for (const Value* parameter : map->body.args) made->addParameter(parameter->type, parameter->name);
  ir::Builder b(*made, made->body);
  b.setSpan(map->span);
  Value* rhs = made->body.args.back();
  applied.setShapes({rhs});
  applied.inlinePrimal(b, made->body.args);
  Values reached = ir::inlineCall(b, *method, Values{rhs});
  replaceMaps(*made, made->body, applied);
  Value *x = reached[0], *reason = reached[2];
  b.setSpan(map->span);
  if (name.poisons) {
    Value* fine = b.op(OpCode::IEq, {reason, b.integer(0)});
    Value* nan = b.real(std::numeric_limits<double>::quiet_NaN());
    x = b.mul(b.select(fine, b.real(1.0), nan), x);
  } else {
    requireSuccess(b, reason);
  }
  b.yield({x});
  eraseLinearFlags(*made);
  ir::eraseDead(*made);
  return made;
}

std::string addMatrixMap(ir::Module& module, const ir::Type& matrix, Span span) {
  auto made = std::make_unique<ir::Function>(freeName(module, "matrix_times"));
  made->span = span;
  Value* m = made->addParameter(matrix, "matrix");
  Value* v = made->addParameter(ir::f64({matrix.dims[0]}), "v");
  ir::Builder b(*made, made->body);
  b.setSpan(span);
  b.yield({b.einsum("ji,j->i", m, v)});
  return module.add(std::move(made)).name;
}

std::string addJacobianMap(ir::Module& module, const ir::Function& equations, size_t unknowns,
                           const TieOptions& ties) {
  std::span<Value* const> parameters(equations.body.args);
  size_t first = parameters.size() - unknowns;
  Request request{std::vector<bool>(parameters.size(), false), ties};
  for (size_t k = first; k < parameters.size(); ++k) request.active[k] = true;
  auto linear = forward(module, equations, request, "jacobian_times");
  split(module, *linear);
  LinearMap map(std::move(linear), unknowns, 1);

  auto made = std::make_unique<ir::Function>(freeName(module, "jacobian_times"));
  made->span = equations.span;
  std::vector<ir::Type> types;
  for (const Value* parameter : parameters) made->addParameter(parameter->type, parameter->name);
  for (const Value* unknown : parameters.subspan(first)) types.push_back(unknown->type);
  Values arguments = made->body.args;
  Value* v = made->addParameter(equations.resultTypes()[0], "v");
  ir::Builder b(*made, made->body);
  b.setSpan(equations.span);
  map.setShapes(Values(arguments.begin() + static_cast<ptrdiff_t>(first), arguments.end()));
  map.inlinePrimal(b, arguments);
  Value* image = map.apply(b, cutLike(b, v, std::span(arguments).subspan(first)))[0];
  b.yield({b.sub(b.real(0.0), image)});
  eraseLinearFlags(*made);
  ir::Function& added = module.add(std::move(made));
  calls::complete(module, added);
  return added.name;
}

}  // namespace dini::ad::inverses
