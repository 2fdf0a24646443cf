#include "ad/sparse_jacobian.h"

#include <algorithm>

#include "ad/split.h"
#include "analysis/sparsity.h"
#include "base/check.h"
#include "batch/vmap.h"

namespace dini::ad {

using ir::Value;
using Values = std::vector<Value*>;

namespace {

// Greedily, column by column: the first group none of whose columns meets it in a row.
void groupColumns(const analysis::Dependencies& pattern, SparsePlan& plan) {
  std::vector<std::vector<int32_t>> rows_of(static_cast<size_t>(plan.n));
  for (size_t e = 0; e < plan.rows.size(); ++e)
    rows_of[static_cast<size_t>(plan.cols[e])].push_back(static_cast<int32_t>(plan.rows[e]));
  std::vector<int64_t> taken_by(static_cast<size_t>(plan.n), -1);  // per group: the column that it was last refused
  plan.group.assign(static_cast<size_t>(plan.n), -1);
  for (int64_t j = 0; j < plan.n; ++j) {
    for (int32_t row : rows_of[static_cast<size_t>(j)])
      for (int32_t other : *pattern.rows[static_cast<size_t>(row)])
        if (int64_t group = plan.group[static_cast<size_t>(other)]; group >= 0) taken_by[static_cast<size_t>(group)] = j;
    int64_t group = 0;
    while (taken_by[static_cast<size_t>(group)] == j) ++group;
    plan.group[static_cast<size_t>(j)] = group;
    plan.groups = std::max(plan.groups, group + 1);
  }
}

}  // namespace

std::optional<SparsePlan> sparsePlan(const ir::Function& function, size_t first, size_t count,
                                     std::span<Value* const> outside) {
  const Value* result = function.body.yields()[0];
  if (!result->type.isStatic() || result->type.elementCount() < kSparseFrom) return std::nullopt;
  auto pattern = analysis::dependencies(function, first, count, outside);
  if (!pattern || static_cast<int64_t>(pattern->rows.size()) != pattern->columns) return std::nullopt;
  SparsePlan plan;
  plan.n = pattern->columns;
  size_t widest = 0, entries = 0;
  for (const analysis::DependencySet& row : pattern->rows) {
    widest = std::max(widest, row ? row->size() : 0);
    entries += row ? row->size() : 0;
  }
  const auto n = static_cast<size_t>(plan.n);
  if (10 * entries > n * n || 4 * widest > n) return std::nullopt;
  for (size_t i = 0; i < n; ++i)
    for (size_t k = 0; pattern->rows[i] != nullptr && k < pattern->rows[i]->size(); ++k) {
      plan.rows.push_back(static_cast<int64_t>(i));
      plan.cols.push_back((*pattern->rows[i])[k]);
    }
  groupColumns(*pattern, plan);
  if (plan.rows.empty() || 4 * plan.groups > plan.n) return std::nullopt;
  return plan;
}

Value* sparseEntries(ir::Builder& b, const LinearMap& map, size_t first, std::span<Value* const> like,
                     const SparsePlan& plan) {
  Value* group = b.constantInts(ir::i64({plan.n}), plan.group);
  Values images = b.loop(b.integer(plan.groups), {}, [&](ir::Builder& in, std::span<Value* const> args) {
    Value* members = in.op(ir::OpCode::IEq, {group, args[0]});
    Values tangents(map.tangents(), nullptr);
    Values parts = cutLike(in, in.op(ir::OpCode::BoolToReal, {members}), like);
    std::copy(parts.begin(), parts.end(), tangents.begin() + static_cast<ptrdiff_t>(first));
    return map.apply(in, tangents);
  });
  images[0]->def->attrs.str = batch::kBasisLoop;
  std::vector<int64_t> places;
  for (size_t e = 0; e < plan.rows.size(); ++e)
    places.push_back(plan.group[static_cast<size_t>(plan.cols[e])] * plan.n + plan.rows[e]);
  const auto count = static_cast<int64_t>(places.size());
  Value* flat = b.reshape(images[0], {b.integer(plan.groups * plan.n)});
  return b.gather(flat, b.constantInts(ir::i64({count}), std::move(places)));
}

std::unique_ptr<ir::Function> sparseJacobian(ir::Module& module, const ir::Function& f, const Request& request,
                                             const SparsePlan& plan) {
  auto made = std::make_unique<ir::Function>(f.name + "_entries");
  made->span = f.span;
  for (const Value* parameter : f.body.args) made->addParameter(parameter->type, parameter->name);
  ir::Builder b(*made, made->body);
  b.setSpan(f.span);
  auto linear = linearise(module, f, request);
  split(module, *linear);
  batch::batchMaps(*linear, batch::Comparisons::Keep);
  LinearMap map(std::move(linear), 1, 1);
  map.inlinePrimal(b, made->body.args);
  const auto active = static_cast<size_t>(std::find(request.active.begin(), request.active.end(), true) - request.active.begin());
  Value* unknowns = made->body.args[active];
  map.setShapes({unknowns});
  b.yield({sparseEntries(b, map, 0, Values{unknowns}, plan)});
  closeLevel(module, *made);
  return made;
}

}  // namespace dini::ad
