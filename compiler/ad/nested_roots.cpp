#include "ad/nested_roots.h"

#include <algorithm>
#include <limits>
#include <unordered_set>

#include "ad/tied_equations.h"
#include "analysis/activity.h"
#include "analysis/kinks.h"
#include "ir/walk.h"

namespace dini::ad {

using ir::OpCode;
using ir::Value;
using Values = std::vector<Value*>;

namespace {

constexpr size_t kNewton = 2, kStructure = 3, kVerified = 5, kBlocks = 7;  // of a root's attrs.ints
constexpr double kAnything = std::numeric_limits<double>::infinity();  // as a tolerance

bool isStaticallySized(const ir::Op& root) {
  auto known = [](const Value* value) { return value->type.isStatic(); };
  const ir::Region& equations = *root.regions[1];
  return std::all_of(equations.args.begin(), equations.args.end(), known) &&
         std::all_of(equations.yields().begin(), equations.yields().end(), known);
}

bool holds(const ir::Region& region, auto&& matches) {
  bool found = false;
  ir::walk(region, [&](const ir::Op& op) { found = found || matches(op); });
  return found;
}

bool isKink(const ir::Op& op) {
  return op.code == OpCode::Choose || op.code == OpCode::ChooseTie || analysis::isComparisonIf(op);
}

bool isJoined(const ir::Op& op) {
  return op.code == OpCode::Root && isImplicitRoot(op) && isStaticallySized(op) &&
         holds(*op.regions[1], isKink);
}

int64_t elements(const std::vector<Value*>& values) {
  int64_t total = 0;
  for (const Value* value : values) total += value->type.elementCount();
  return total;
}

// An inner root; it runs once for each iteration of the loops around it.
struct Inner {
  const ir::Op* op;
  std::vector<int64_t> trips;
  size_t end = 0;  // behind those inside it, in the list of all
  int64_t own() const { return elements(op->regions[1]->args); }
  ir::Type unknown() const {
    std::vector<int64_t> dims = trips;
    dims.push_back(own());
    return ir::f64(dims);
  }
};

using Roots = std::unordered_set<const ir::Op*>;

// Roots that others only start from: what depends on these does not depend on them.
Roots idleRoots(const ir::Region& equations) {
  std::vector<const ir::Op*> roots;
  ir::walk(equations, [&](const ir::Op& op) {
    if (op.code == OpCode::Root) roots.push_back(&op);
  });
  Roots idle;
  auto starts = [&](const ir::Op& user) {
    return user.code == OpCode::Root && (isJoined(user) || idle.contains(&user));
  };
  auto inSolver = [&](const ir::Op& user) {
    return std::any_of(roots.begin(), roots.end(), [&](const ir::Op* root) {
      return starts(*root) && ir::isInside(user.parent, root->regions[0].get());
    });
  };
  for (auto root = roots.rbegin(); root != roots.rend(); ++root) {
    bool read = holds(equations, [&](const ir::Op& user) {
      return std::any_of(user.operands.begin(), user.operands.end(),
                         [&](const Value* value) { return value->def == *root; }) &&
             !starts(user) && !inSolver(user);
    });
    if (!read) idle.insert(*root);
  }
  return idle;
}

void findInner(const ir::Region& region, const Roots& idle, std::vector<int64_t>& trips,
               std::vector<Inner>& found) {
  for (const auto& op : region.ops) {
    if (isJoined(*op) && !idle.contains(op.get())) {
      size_t at = found.size();
      found.push_back({op.get(), trips});
      findInner(*op->regions[1], idle, trips, found);
      found[at].end = found.size();
    } else if (op->code == OpCode::Loop && ir::constantInt(op->operand(0))) {
      trips.push_back(*ir::constantInt(op->operand(0)));
      findInner(*op->regions[0], idle, trips, found);
      trips.pop_back();
    } else if (op->code == OpCode::If && !analysis::isComparisonIf(*op)) {
      for (const auto& side : op->regions) findInner(*side, idle, trips, found);
    }
  }
}

// Copies equations, inner ones included, with what is gathered of each inner root: its solution and
// whether that is multiple; or, with the unknowns given, both sides of its equations.
class JoinedCopy {
 public:
  JoinedCopy(const std::vector<Inner>& inner, const Roots& idle, ir::ValueMap map, Values unknowns)
      : inner_(inner),
        idle_(idle),
        map_(std::move(map)),
        unknowns_(std::move(unknowns)),
        gathered_(inner.size()) {}

  Values copy(ir::Builder& b, const ir::Region& region) {
    for (const auto& op : region.ops)
      if (op->code != OpCode::Yield) visit(b, *op);
    Values yields;
    for (Value* value : region.yields()) yields.push_back(ir::mapped(map_, value));
    return yields;
  }
  using Pair = std::pair<Value*, Value*>;
  const std::vector<Pair>& gathered() const { return gathered_; }

 private:
  bool solves() const { return unknowns_.empty(); }

  std::vector<size_t> inside(const ir::Region& region) const {
    std::vector<size_t> found;
    for (size_t k = 0; k < inner_.size(); ++k)
      if (ir::isInside(inner_[k].op->parent, &region)) found.push_back(k);
    return found;
  }

  void visit(ir::Builder& b, const ir::Op& op) {
    b.setSpan(op.span);
    for (size_t k = 0; k < inner_.size(); ++k)
      if (inner_[k].op == &op) return solves() ? solve(b, k) : equate(b, k);
    if (!solves() && idle_.contains(&op)) return;
    bool around = false;
    for (const auto& region : op.regions) around = around || !inside(*region).empty();
    if (around && op.code == OpCode::Loop) return loop(b, op);
    if (around && op.code == OpCode::If) return branches(b, op);
    ir::cloneOp(b, op, map_);
  }

  // The root itself, run once more.
  void solve(ir::Builder& b, size_t k) {
    const ir::Op& op = *inner_[k].op;
    ir::Op& made = ir::cloneOp(b, op, map_);
    made.attrs.f = kAnything;
    Values parts;
    for (size_t j = 0; j < op.regions[1]->args.size(); ++j) {
      map_[op.regions[1]->args[j]] = made.results[j];
      parts.push_back(flat(b, made.results[j]));
    }
    gathered_[k] = {joined(b, parts), made.results.back()};
    if (inner_[k].end > k + 1) copy(b, *op.regions[1]);
  }

  // Unknowns in place of the root.
  void equate(ir::Builder& b, size_t k) {
    const ir::Op& op = *inner_[k].op;
    const ir::Region& equations = *op.regions[1];
    std::vector<ir::Type> types;
    for (const Value* unknown : equations.args) types.push_back(unknown->type);
    Values parts = unflattened(b, here(b, k), types);
    for (size_t j = 0; j < parts.size(); ++j)
      map_[op.results[j]] = map_[equations.args[j]] = parts[j];
    map_[op.results[parts.size()]] = b.integer(0);
    map_[op.results[parts.size() + 1]] = b.boolean(false);
    Values sides = copy(b, equations), left, right;
    for (size_t j = 0; j < sides.size(); j += 2) {
      left.push_back(flat(b, sides[j]));
      right.push_back(flat(b, sides[j + 1]));
    }
    gathered_[k] = {joined(b, left), joined(b, right)};
  }

  // The part of the unknowns that belongs to the iterations around.
  Value* here(ir::Builder& b, size_t k) {
    return indices_.empty() ? unknowns_[k] : b.index(unknowns_[k], indices_);
  }

  void loop(ir::Builder& b, const ir::Op& op) {
    const ir::Region& body = *op.regions[0];
    std::vector<size_t> within = inside(body);
    Values operands;
    for (size_t k = 1; k < op.operands.size(); ++k)
      operands.push_back(ir::mapped(map_, op.operand(k)));
    Values made = b.loop(ir::mapped(map_, op.operand(0)), operands, [&](ir::Builder& in, auto args) {
      for (size_t k = 0; k < args.size(); ++k) map_[body.args[k]] = args[k];
      indices_.push_back(args[0]);
      Values yields = copy(in, body);
      indices_.pop_back();
      append(yields, within);
      return yields;
    });
    made[0]->def->attrs = op.attrs;
    take(op, made, within);
  }

  // On the side that is not taken the unknowns are 0.
  void branches(ir::Builder& b, const ir::Op& op) {
    std::vector<size_t> within = inside(*op.regions[0]), other = inside(*op.regions[1]);
    size_t split = within.size();
    within.insert(within.end(), other.begin(), other.end());
    auto side = [&](size_t s) {
      return [&, s](ir::Builder& in, std::span<Value* const>) {
        Values yields = copy(in, *op.regions[s]);
        for (size_t k = 0; k < within.size(); ++k)
          if ((k < split) != (s == 0)) gathered_[within[k]] = absent(in, within[k]);
        append(yields, within);
        return yields;
      };
    };
    take(op, b.ifElse(ir::mapped(map_, op.operand(0)), side(0), side(1), op.attrs), within);
  }

  Pair absent(ir::Builder& b, size_t k) {
    std::vector<int64_t> dims = inner_[k].unknown().dims;
    dims.erase(dims.begin(), dims.begin() + static_cast<ptrdiff_t>(indices_.size()));
    Values sizes;
    for (int64_t dim : dims) sizes.push_back(b.integer(dim));
    Value* zeros = b.fill(b.real(0), sizes);
    if (!solves()) return {here(b, k), zeros};
    sizes.pop_back();
    Value* single = b.boolean(false);
    return {zeros, sizes.empty() ? single : b.fill(single, sizes)};
  }

  void append(Values& yields, const std::vector<size_t>& within) {
    for (size_t k : within) {
      yields.push_back(gathered_[k].first);
      yields.push_back(gathered_[k].second);
    }
  }
  void take(const ir::Op& op, const Values& made, const std::vector<size_t>& within) {
    size_t at = 0;
    for (const Value* result : op.results) map_[result] = made[at++];
    for (size_t k : within) {
      gathered_[k] = {made[at], made[at + 1]};
      at += 2;
    }
  }

  const std::vector<Inner>& inner_;
  const Roots& idle_;
  ir::ValueMap map_;
  Values unknowns_;
  Values indices_;  // of the loops around
  std::vector<Pair> gathered_;
};

Value* anyOf(ir::Builder& b, Value* truth) {
  std::vector<int64_t> axes;
  for (size_t k = 0; k < truth->type.rank(); ++k) axes.push_back(static_cast<int64_t>(k));
  return axes.empty() ? truth : b.reduce("any", truth, axes);
}

ir::Attrs joinedAttrs(const ir::Op& root, const std::vector<Inner>& inner) {
  ir::Attrs attrs = root.attrs;
  attrs.f = kAnything;
  attrs.ints.resize(kBlocks, 0);
  attrs.ints[kStructure] = 0;
  attrs.ints[kVerified] = 1;
  std::vector<int64_t> ends{elements(root.regions[1]->args)};
  for (const Inner& one : inner) ends.push_back(ends.back() + one.unknown().elementCount());
  for (size_t k = 0; k < inner.size(); ++k) {
    attrs.ints.push_back(ends[k]);
    attrs.ints.push_back(ends[inner[k].end] - ends[k]);
  }
  return attrs;
}

// Emits the joined root where the builder stands, behind `root`; gives its results for those of `root`.
Values joinedRoot(ir::Builder& b, const ir::Op& root, const std::vector<Inner>& inner,
                  const Roots& idle) {
  const ir::Region& equations = *root.regions[1];
  size_t own = equations.args.size();
  ir::ValueMap at_solution;
  Values starts;
  for (size_t k = 0; k < own; ++k) {
    at_solution[equations.args[k]] = root.results[k];
    starts.push_back(root.results[k]);
  }
  JoinedCopy solutions(inner, idle, at_solution, {});
  solutions.copy(b, equations);
  Value* multiple = root.results[own + 1];
  b.setSpan(root.span);
  for (const auto& [solution, also] : solutions.gathered()) {
    starts.push_back(solution);
    multiple = b.op(OpCode::Or, {multiple, anyOf(b, also)});
  }
  ir::Function& function = b.function();
  ir::Op& made = b.emitUnchecked(OpCode::Root, starts, joinedAttrs(root, inner));
  for (size_t side = 0; side < 2; ++side) {
    ir::Region& region = *made.regions[side];
    Values arguments;
    for (const Value* start : starts) arguments.push_back(function.addArgument(region, start->type));
    ir::Builder in(function, region);
    in.setSpan(root.span);
    if (side == 0) {
      arguments.insert(arguments.end(), {root.results[own], in.integer(0), multiple});
      in.yield(std::move(arguments));
      continue;
    }
    ir::ValueMap map;
    for (size_t k = 0; k < own; ++k) map[equations.args[k]] = arguments[k];
    arguments.erase(arguments.begin(), arguments.begin() + static_cast<ptrdiff_t>(own));
    JoinedCopy all(inner, idle, map, arguments);
    Values sides = all.copy(in, equations);
    for (const auto& [left, right] : all.gathered()) sides.insert(sides.end(), {left, right});
    in.yield(std::move(sides));
  }
  for (const Value* start : starts) function.addResult(made, start->type);
  Values results(made.results.begin(), made.results.begin() + static_cast<ptrdiff_t>(own));
  results.push_back(function.addResult(made, ir::i64()));
  results.push_back(function.addResult(made, ir::i1()));
  return results;
}

struct Use {
  ir::Op* op;
  size_t operand;
  size_t result;
};

void joinIn(ir::Function& function, ir::Region& region, const analysis::Activity& activity) {
  for (size_t at = 0; at < region.ops.size(); ++at) {
    ir::Op& op = *region.ops[at];
    if (op.code != OpCode::Root) {
      for (const auto& nested : op.regions) joinIn(function, *nested, activity);
      continue;
    }
    std::vector<Inner> inner;
    std::vector<int64_t> trips;
    Roots idle = idleRoots(*op.regions[1]);
    if (isImplicitRoot(op) && isStaticallySized(op) && activity.active(op))
      findInner(*op.regions[1], idle, trips, inner);
    bool prints = holds(*op.regions[1], [](const ir::Op& one) { return one.code == OpCode::Print; });
    if (inner.empty() || prints) continue;
    std::vector<Use> uses;
    ir::walk(function.body, [&](const ir::Op& user) {
      for (size_t k = 0; k < user.operands.size(); ++k)
        for (size_t r = 0; r < op.results.size(); ++r)
          if (user.operands[k] == op.results[r]) uses.push_back({const_cast<ir::Op*>(&user), k, r});
    });
    ir::Builder b(function, region);
    size_t before = region.ops.size();
    b.insertAt(at + 1);
    Values results = joinedRoot(b, op, inner, idle);
    for (const Use& use : uses) use.op->operands[use.operand] = results[use.result];
    at += region.ops.size() - before;
  }
}

}  // namespace

bool isImplicitRoot(const ir::Op& root) {
  bool newton = root.attrs.ints.size() > kNewton && root.attrs.ints[kNewton] != 0;
  return root.attrs.str.empty() || root.attrs.str.starts_with("implicit") ||
         (root.attrs.str == "one_step" && newton);
}

std::vector<RootBlock> blocksOf(const ir::Op& root) {
  std::vector<RootBlock> blocks;
  for (size_t k = kBlocks; k + 1 < root.attrs.ints.size(); k += 2)
    blocks.push_back({root.attrs.ints[k], root.attrs.ints[k + 1]});
  return blocks;
}

void joinNestedRoots(ir::Function& function) {
  bool any = holds(function.body, [](const ir::Op& op) { return op.code == OpCode::Root; });
  if (!any) return;
  std::vector<bool> all;
  for (const Value* parameter : function.body.args) all.push_back(parameter->type.isReal());
  joinIn(function, function.body, analysis::Activity(function, all));
}

}  // namespace dini::ad
