// The compositions: jvp, vjp, both, value and gradient, Jacobian.
#include "ad/ad.h"
#include "batch/vmap.h"
#include "ad/calls.h"
#include "ad/forward.h"
#include "ad/linear.h"
#include "ad/linear_map.h"
#include "ad/reverse.h"
#include "ad/row_reads.h"
#include "ad/split.h"
#include "base/check.h"
#include "opt/opt.h"

namespace dini::ad {

using ir::Value;
using Values = std::vector<Value*>;

namespace {

size_t realResults(const ir::Function& f) {
  size_t count = 0;
  for (const Value* result : f.body.yields()) count += result->type.isReal() ? 1 : 0;
  return count;
}

std::unique_ptr<ir::Function> transposed(ir::Module& module, const ir::Function& f,
                                         const Request& request) {
  auto linear = linearise(module, f, request);
  split(module, *linear);
  batch::batchMaps(*linear, batch::Comparisons::Keep);
  return transpose(module, *linear, request, realResults(f));
}

// A function with the parameters of f, and the values of its parameters.
std::unique_ptr<ir::Function> sameParameters(const ir::Function& f, const std::string& suffix) {
  auto made = std::make_unique<ir::Function>(f.name + suffix);
  made->span = f.span;
  for (const Value* parameter : f.body.args) made->addParameter(parameter->type, parameter->name);
  return made;
}

}  // namespace

void closeLevel(ir::Module& module, ir::Function& function) {
  eraseLinearFlags(function);
  batch::batchBasisLoops(function);
  calls::complete(module, function);
  opt::simplify(module, function);
}

std::unique_ptr<ir::Function> linearise(ir::Module& module, const ir::Function& f,
                                        const Request& request) {
  check(request.active.size() == f.body.args.size(), "one activity flag per parameter");
  auto copy = calls::prepared(module, f, request.ties);
  if (request.ties.variant == TieOptions::Variant::Probe) copy = probed(module, *copy, request);
  auto made = forward(module, *copy, request, f.name + "_jvp");
  splitTries(module, *made);
  return made;
}

std::unique_ptr<ir::Function> jvp(ir::Module& module, const ir::Function& f,
                                  const Request& request) {
  auto made = linearise(module, f, request);
  closeLevel(module, *made);
  return made;
}

std::unique_ptr<ir::Function> vjp(ir::Module& module, const ir::Function& f,
                                  const Request& request) {
  auto made = transposed(module, f, request);
  made->name = f.name + "_vjp";
  closeLevel(module, *made);
  return made;
}

std::unique_ptr<ir::Function> bothMaps(ir::Module& module, const ir::Function& f,
                                       const Request& request) {
  auto linear = linearise(module, f, request);
  opt::shareFactorisations(*linear);
  split(module, *linear);
  batch::batchMaps(*linear, batch::Comparisons::Keep);
  hoistRowReads(*linear);
  size_t outs = realResults(f), primals = f.body.args.size();
  Reverse reverse(*linear, request, outs);
  auto pulled = reverse.run();

  auto made = sameParameters(f, "_maps");
  std::span<Value* const> parameters(linear->body.args), seeds(pulled->body.args);
  ir::ValueMap map, back;
  auto add = [&](const Value* like, ir::ValueMap& to) {
    to[like] = made->addParameter(like->type, like->name);
    made->body.args.back()->linear = true;
  };
  for (size_t k = 0; k < primals; ++k) map[parameters[k]] = back[seeds[k]] = made->body.args[k];
  for (const Value* tangent : parameters.subspan(primals)) add(tangent, map);
  for (const Value* seed : seeds.subspan(primals)) add(seed, back);
  ir::Builder b(*made, made->body);
  b.setSpan(f.span);
  const Values pulled_results = ir::inlineRegion(b, pulled->body, back);
  // Beside it the tangents, which read the same primal values.
  for (const auto& op : linear->body.ops) {
    if (op->code == ir::OpCode::Yield) continue;
    if (hasLinearResult(*op)) ir::cloneOp(b, *op, map);
    else
      for (const Value* value : op->results) map[value] = ir::mapped(back, reverse.copied(value));
  }
  Values results;
  for (Value* result : linear->body.yields()) results.push_back(ir::mapped(map, result));
  results.insert(results.end(), pulled_results.begin() + static_cast<ptrdiff_t>(results.size() - outs),
                 pulled_results.end());
  b.yield(std::move(results));
  closeLevel(module, *made);
  return made;
}

std::unique_ptr<ir::Function> valueAndGrad(ir::Module& module, const ir::Function& f,
                                           const Request& request) {
  check(f.resultTypes() == std::vector<ir::Type>{ir::f64()}, "a gradient is of one real result");
  auto pulled = transposed(module, f, request);
  auto made = sameParameters(f, "_grad");
  ir::Builder b(*made, made->body);
  b.setSpan(f.span);
  Values arguments = made->body.args;
  arguments.push_back(b.real(1.0));
  b.yield(ir::inlineCall(b, *pulled, arguments));
  closeLevel(module, *made);
  return made;
}

namespace {

// What jacobian() assembles from, columns or rows: images of basis vectors.
class JacobianBuilder {
 public:
  JacobianBuilder(ir::Builder& b, LinearMap& map, Values results)
      : b_(b), map_(map), results_(std::move(results)) {}

  // [result][param], from tangents of the params.
  std::vector<Values> byColumns(std::span<Value* const> params) {
    std::vector<Values> blocks(results_.size());
    for (size_t k = 0; k < map_.tangents(); ++k) {
      Values images = map_.basisImages(b_, k);
      for (size_t r = 0; r < results_.size(); ++r)
        blocks[r].push_back(params[k]->type.isScalar() ? images[r]
                                                        : lastAxis(images[r], params[k], results_[r]));
    }
    return blocks;
  }

  // [result][param], from cotangents of the results.
  std::vector<Values> byRows(std::span<Value* const> params) {
    std::vector<Values> blocks;
    for (size_t r = 0; r < results_.size(); ++r) {
      Values images = map_.basisImages(b_, r);
      for (size_t k = 0; k < images.size() && !results_[r]->type.isScalar(); ++k)
        images[k] = b_.reshape(images[k], sizes(results_[r], params[k]));
      blocks.push_back(std::move(images));
    }
    return blocks;
  }

 private:
  Values sizes(Value* result, Value* param) {
    Values all = b_.dims(result);
    for (Value* size : b_.dims(param)) all.push_back(size);
    return all;
  }
  // [n] ++ dims(result) to dims(result) ++ dims(param).
  Value* lastAxis(Value* image, Value* param, Value* result) {
    std::vector<int64_t> order;
    for (size_t axis = 1; axis <= result->type.rank(); ++axis)
      order.push_back(static_cast<int64_t>(axis));
    order.push_back(0);
    Value* turned = order.size() > 1 ? b_.transpose(image, std::move(order)) : image;
    return param->type.rank() == 1 ? turned : b_.reshape(turned, sizes(result, param));
  }

  ir::Builder& b_;
  LinearMap& map_;
  Values results_;
};

int64_t totalElements(std::span<Value* const> values) {
  int64_t total = 0;
  for (const Value* value : values)
    total += value->type.isStatic() ? value->type.elementCount() : INT32_MAX;
  return total;
}

}  // namespace

std::unique_ptr<ir::Function> jacobian(ir::Module& module, const ir::Function& f,
                                       const Request& request) {
  auto made = sameParameters(f, "_jac");
  ir::Builder b(*made, made->body);
  b.setSpan(f.span);
  Values params, reals;
  for (size_t k = 0; k < request.active.size(); ++k)
    if (request.active[k]) params.push_back(made->body.args[k]);
  for (Value* result : f.body.yields())
    if (result->type.isReal()) reals.push_back(result);
  bool by_rows = totalElements(reals) < totalElements(params);
  auto linear = linearise(module, f, request);
  split(module, *linear);
  batch::batchMaps(*linear, batch::Comparisons::Keep);
  size_t tangents = params.size(), outs = reals.size();
  if (by_rows) {
    linear = transpose(module, *linear, request, outs);
    std::swap(tangents, outs);
  }
  LinearMap map(std::move(linear), tangents, outs);
  Values primal = map.inlinePrimal(b, made->body.args);
  Values results;
  for (Value* result : primal)
    if (result->type.isReal()) results.push_back(result);
  map.setShapes(by_rows ? results : params);
  JacobianBuilder builder(b, map, results);
  Values all;
  for (const Values& blocks : by_rows ? builder.byRows(params) : builder.byColumns(params))
    all.insert(all.end(), blocks.begin(), blocks.end());
  b.yield(std::move(all));
  closeLevel(module, *made);
  return made;
}

}  // namespace dini::ad
