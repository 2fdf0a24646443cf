#include "ad/calls.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "batch/vmap.h"
#include "ad/extremes.h"
#include "ad/forward.h"
#include "ad/inverses.h"
#include "ad/linear.h"
#include "ad/nested_roots.h"
#include "ad/split.h"
#include "analysis/kinks.h"
#include "base/check.h"
#include "ir/walk.h"
#include "opt/opt.h"

namespace dini::ad::calls {

using ir::Value;

namespace {

constexpr std::string_view kJvp = ".jvp.", kTan = ".tan.", kPull = ".pull.";
constexpr std::string_view kProbes[] = {".probe1.", ".probe2.", ".probe."};  // by ProbeStage

struct Name {
  std::string base, kind, key;  // kind with its dots; empty: not a derivative
};

Name parse(const std::string& text) {
  Name best{text, "", ""};
  size_t best_at = 0;
  for (std::string_view kind : {kJvp, kTan, kPull, kProbes[0], kProbes[1], kProbes[2]}) {
    size_t at = text.rfind(kind);
    if (at == std::string::npos || (!best.kind.empty() && at < best_at)) continue;
    best = {text.substr(0, at), std::string(kind), text.substr(at + kind.size())};
    best_at = at;
  }
  return best;
}

std::string withKind(const std::string& text, std::string_view from, std::string_view to) {
  Name name = parse(text);
  check(name.kind == from, "not the name of a derivative of this kind");
  return name.base + std::string(to) + name.key;
}

std::string keyOf(const Request& request) {
  std::string key;
  for (bool active : request.active) key += active ? '1' : '0';
  const TieOptions& ties = request.ties;
  const char policy[] = {'l', 'w', 't', 'j'};
  return key + fmt::format("_{}{}_{}_{}_{}{}{}", policy[static_cast<int>(ties.policy)], ties.weight,
                           ties.tolerance, ties.undecided, ties.unify ? 'u' : 'n',
                           ties.variant == TieOptions::Variant::Fast ? 'f' : 'p',
                           ties.report ? 'r' : 's');
}

Request requestOf(const std::string& key) {
  using Policy = TieOptions::Policy;
  Request request;
  size_t at = 0;
  for (; key[at] != '_'; ++at) request.active.push_back(key[at] == '1');
  char policy = key[++at];
  request.ties.policy = policy == 'l'   ? Policy::Locked
                        : policy == 'w' ? Policy::Weight
                        : policy == 't' ? Policy::Torch
                                        : Policy::Jax;
  char* end = nullptr;
  request.ties.weight = std::strtod(key.c_str() + at + 1, &end);
  request.ties.tolerance = std::strtod(end + 1, &end);
  request.ties.undecided = std::strtod(end + 1, &end);
  request.ties.unify = end[1] == 'u';
  request.ties.variant = end[2] == 'f' ? TieOptions::Variant::Fast : TieOptions::Variant::Probe;
  request.ties.report = end[3] == 'r';
  return request;
}

size_t countActive(const Request& request) {
  size_t count = 0;
  for (bool active : request.active) count += active ? 1 : 0;
  return count;
}

// Keeps the last `count` results only.
void keepLastResults(ir::Function& function, size_t count) {
  auto& results = function.body.terminator().operands;
  results.erase(results.begin(), results.end() - static_cast<ptrdiff_t>(count));
  ir::eraseDead(function);
}

// Results that are differentiated: those of a probed function without its probe.
size_t ownResults(const ir::Module& module, const std::string& text) {
  Name name = parse(text);
  bool is_probe = std::find(std::begin(kProbes), std::end(kProbes), name.kind) != std::end(kProbes);
  return is_probe ? ownResults(module, name.base) : module.find(text)->body.yields().size();
}

std::unique_ptr<ir::Function> make(ir::Module& module, const Name& name) {
  std::string full = name.base + name.kind + name.key;
  const ir::Function* primal = module.find(name.base);
  check(primal != nullptr, "a call of a function that is not in the module");
  Request request = requestOf(name.key);
  auto copy = prepared(module, *primal, request.ties);
  size_t own = ownResults(module, name.base);
  for (size_t stage = 0; stage < std::size(kProbes); ++stage) {
    if (name.kind != kProbes[stage]) continue;
    Forward probe(module, *copy, request, analysis::Caller::MayDropResults, own,
                  static_cast<ProbeStage>(stage));
    return probe.runProbe(full, ProbeSeeds::Parameters);
  }
  auto made = forward(module, *copy, request, full, analysis::Caller::MayDropResults, own);
  size_t outs = 0;
  for (const ir::Type& type : primal->resultTypes()) outs += type.isReal() ? 1 : 0;
  if (name.kind == kJvp) {
    splitTries(module, *made);
  } else if (name.kind == kTan) {
    splitTries(module, *made);
    keepLastResults(*made, outs);
  } else {
    size_t active = countActive(request);
    split(module, *made);
    made = transpose(module, *made, request, outs);
    made->name = full;
    keepLastResults(*made, active);
  }
  eraseLinearFlags(*made);
  return made;
}

}  // namespace

void ensure(ir::Module& module, const std::string& text) {
  if (module.find(text) != nullptr) return;
  Name name = parse(text);
  const bool inverse = inverses::isInverse(text);
  check(inverse || !name.kind.empty(), "a call of a function that is not in the module");
  ir::Function& made = module.add(inverse ? inverses::make(module, text) : make(module, name));
  complete(module, made);
  opt::simplify(module, made);
}

std::unique_ptr<ir::Function> prepared(ir::Module& module, const ir::Function& f,
                                       const TieOptions& ties) {
  auto copy = ir::clone(f, f.name);
  opt::simplify(module, *copy);
  batch::batchMaps(*copy, batch::Comparisons::Keep);
  opt::simplify(module, *copy);
  extremesAsChoices(*copy, ties);
  joinNestedRoots(*copy);
  analysis::unifyKinks(*copy);
  return copy;
}

std::string tangentName(const std::string& callee, const Request& request) {
  return callee + std::string(kJvp) + keyOf(request);
}
std::string probeName(const std::string& callee, const Request& request, ProbeStage stage) {
  return callee + std::string(kProbes[static_cast<size_t>(stage)]) + keyOf(request);
}
std::string linearName(const std::string& text) { return withKind(text, kJvp, kTan); }
std::string pullName(const std::string& text) { return withKind(text, kTan, kPull); }
std::string primalName(const std::string& text) { return parse(text).base; }

std::vector<Value*> emitCall(ir::Builder& b, const std::string& callee,
                             std::vector<Value*> operands, std::vector<ir::Type> results) {
  ir::Attrs attrs;
  attrs.str = callee;
  return b.emit(ir::OpCode::Call, std::move(operands), std::move(attrs), std::move(results)).results;
}

void complete(ir::Module& module, const ir::Function& function) {
  std::vector<std::string> names;
  ir::walk(function.body, [&](const ir::Op& op) {
    if (op.code == ir::OpCode::Call) names.push_back(op.attrs.str);
  });
  for (const std::string& name : names) ensure(module, name);
}

}  // namespace dini::ad::calls
