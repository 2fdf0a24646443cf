#include "tests/unit/ad_support.h"

#include <doctest/doctest.h>

#include <cmath>

#include "base/check.h"
#include "batch/vmap.h"
#include "ir/clone.h"
#include "ir/printer.h"
#include "ir/verifier.h"

namespace dini::test {

Program::Program(const std::string& text) {
  auto parsed = ir::parseModule(text);
  if (auto* error = std::get_if<std::string>(&parsed)) throw InternalError(*error);
  module_ = std::move(std::get<std::unique_ptr<ir::Module>>(parsed));
  for (const auto& [name, function] : module_->functions)
    ir::verifyOrFail(*function, "parsing", module_.get());
}

Tensors Program::run(const std::string& name, const Tensors& arguments) {
  auto outcome = ir::interpret(*module_, *module_->find(name), arguments);
  if (auto* info = std::get_if<ir::StatusInfo>(&*outcome))
    throw InternalError("status " + std::to_string(static_cast<int>(info->status)) + " of " + name);
  return std::get<Tensors>(*outcome);
}

ir::Status Program::status(const std::string& name, const Tensors& arguments) {
  auto outcome = ir::interpret(*module_, *module_->find(name), arguments);
  auto* info = std::get_if<ir::StatusInfo>(&*outcome);
  return info ? info->status : ir::Status::Ok;
}

std::string Program::derive(const std::string& how, const std::string& from) {
  std::vector<bool> active;
  for (const ir::Type& type : module_->find(from)->parameterTypes())
    active.push_back(type.isReal());
  return deriveWrt(how, from, std::move(active));
}

std::string Program::deriveWrt(const std::string& how, const std::string& from,
                               std::vector<bool> active) {
  const ir::Function& f = *module_->find(from);
  ad::Request request{std::move(active), ties};
  auto made = how == "vmap"  ? ir::clone(f, from)
              : how == "jvp" ? ad::jvp(*module_, f, request)
              : how == "vjp" ? ad::vjp(*module_, f, request)
              : how == "jac" ? ad::jacobian(*module_, f, request)
                             : ad::valueAndGrad(*module_, f, request);
  if (how == "vmap") batch::vmap(*module_, *made);
  made->name = "derived" + std::to_string(made_++);
  ir::Function& added = module_->add(std::move(made));
  for (const auto& [name, function] : module_->functions)
    ir::verifyOrFail(*function, how, module_.get());
  return added.name;
}

Tensor scalar(double value) { return Tensor::real(value); }
Tensor vec(std::vector<double> values) {
  Tensor tensor = Tensor::zeros(ir::f64({static_cast<int64_t>(values.size())}));
  tensor.reals = std::move(values);
  return tensor;
}
Tensor mat(int64_t rows, int64_t columns, std::vector<double> values) {
  Tensor tensor = Tensor::zeros(ir::f64({rows, columns}));
  tensor.reals = std::move(values);
  return tensor;
}

double value(const Tensors& results, size_t which, size_t element) {
  return results.at(which).reals.at(element);
}

bool near(double a, double b, double tolerance) {
  return std::abs(a - b) <= tolerance * std::max(1.0, std::abs(b));
}

bool near(const std::vector<double>& a, const std::vector<double>& b, double tolerance) {
  if (a.size() != b.size()) return false;
  for (size_t k = 0; k < a.size(); ++k)
    if (!near(a[k], b[k], tolerance)) return false;
  return true;
}

namespace {

// A fixed sequence in [-1, 1], the same on every machine.
class Directions {
 public:
  Tensor like(const ir::Tensor& t) {
    Tensor tensor = Tensor::zeros(t.type);
    for (double& x : tensor.reals) x = next();
    return tensor;
  }
  double next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(static_cast<int64_t>(state_ >> 11)) / (1ull << 52) - 1;
  }

 private:
  uint64_t state_ = 42;
};

Tensors realsOf(const Tensors& all) {
  Tensors found;
  for (const Tensor& t : all)
    if (t.type.isReal()) found.push_back(t);
  return found;
}

Tensors moved(const Tensors& arguments, const Tensors& direction, double step) {
  Tensors result = arguments;
  size_t at = 0;
  for (Tensor& t : result) {
    if (!t.type.isReal()) continue;
    for (size_t k = 0; k < t.reals.size(); ++k) t.reals[k] += step * direction[at].reals[k];
    ++at;
  }
  return result;
}

double dot(const Tensors& a, const Tensors& b) {
  double sum = 0;
  REQUIRE(a.size() == b.size());
  for (size_t k = 0; k < a.size(); ++k) {
    REQUIRE(a[k].reals.size() == b[k].reals.size());
    for (size_t i = 0; i < a[k].reals.size(); ++i) sum += a[k].reals[i] * b[k].reals[i];
  }
  return sum;
}

Tensors joined(Tensors a, const Tensors& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Tensors tail(const Tensors& all, size_t count) {
  return {all.end() - static_cast<ptrdiff_t>(count), all.end()};
}

void checkDifferences(Program& program, const std::string& name, const Tensors& arguments,
                      const Tensors& direction, const Tensors& tangents, double tolerance) {
  double h = 1e-5;
  Tensors up = realsOf(program.run(name, moved(arguments, direction, h)));
  Tensors down = realsOf(program.run(name, moved(arguments, direction, -h)));
  for (size_t r = 0; r < tangents.size(); ++r)
    for (size_t k = 0; k < tangents[r].reals.size(); ++k) {
      double slope = (up[r].reals[k] - down[r].reals[k]) / (2 * h);
      INFO(name, " result ", r, " element ", k);
      CHECK(tangents[r].reals[k] == doctest::Approx(slope).epsilon(tolerance * 10));
    }
}

// The batched form of a function gives the same bits.
void checkBatched(Program& program, const std::string& name, const Tensors& arguments,
                  const Tensors& expected) {
  Tensors batched = program.run(program.derive("vmap", name), arguments);
  for (size_t k = 0; k < expected.size(); ++k) {
    INFO("batched ", name, " result ", k);
    CHECK(ir::identical(batched[k], expected[k]));
  }
}

// J v from the Jacobian's blocks [result][param].
double throughJacobian(const Tensors& blocks, const Tensors& w, const Tensors& v) {
  double sum = 0;
  for (size_t r = 0; r < w.size(); ++r)
    for (size_t p = 0; p < v.size(); ++p) {
      const Tensor& block = blocks[r * v.size() + p];
      size_t n = v[p].reals.size();
      REQUIRE(block.reals.size() == n * w[r].reals.size());
      for (size_t i = 0; i < w[r].reals.size(); ++i)
        for (size_t k = 0; k < n; ++k)
          sum += w[r].reals[i] * block.reals[i * n + k] * v[p].reals[k];
    }
  return sum;
}

}  // namespace

void checkLaws(Program& program, const std::string& name, const Tensors& arguments, int orders,
               double tolerance) {
  std::string jvp = program.derive("jvp", name), vjp = program.derive("vjp", name);
  std::string jac = program.derive("jac", name);
  Directions directions;
  Tensors v, w;
  for (const Tensor& t : realsOf(arguments)) v.push_back(directions.like(t));
  Tensors results = program.run(name, arguments);
  for (const Tensor& t : realsOf(results)) w.push_back(directions.like(t));

  Tensors forward = program.run(jvp, joined(arguments, v));
  for (size_t k = 0; k < results.size(); ++k) CHECK(ir::identical(forward[k], results[k]));
  checkBatched(program, name, arguments, results);
  checkBatched(program, jvp, joined(arguments, v), forward);
  Tensors tangents = tail(forward, w.size());
  checkDifferences(program, name, arguments, v, tangents, tolerance);

  Tensors reverse = program.run(vjp, joined(arguments, w));
  for (size_t k = 0; k < results.size(); ++k) CHECK(ir::identical(reverse[k], results[k]));
  checkBatched(program, vjp, joined(arguments, w), reverse);
  double along = dot(w, tangents);
  INFO(name);
  CHECK(dot(tail(reverse, v.size()), v) == doctest::Approx(along).epsilon(1e-10));
  CHECK(throughJacobian(program.run(jac, arguments), w, v) == doctest::Approx(along).epsilon(1e-10));
  if (orders > 1) {
    checkLaws(program, vjp, joined(arguments, w), orders - 1, tolerance);
    checkLaws(program, jvp, joined(arguments, v), orders - 1, tolerance);
  }
}

void checkForwardIsReverse(Program& program, const std::string& name, const Tensors& arguments) {
  std::string jvp = program.derive("jvp", name), vjp = program.derive("vjp", name);
  Directions directions;
  Tensors v, w;
  for (const Tensor& t : realsOf(arguments)) v.push_back(directions.like(t));
  for (const Tensor& t : realsOf(program.run(name, arguments))) w.push_back(directions.like(t));
  Tensors tangents = tail(program.run(jvp, joined(arguments, v)), w.size());
  Tensors cotangents = tail(program.run(vjp, joined(arguments, w)), v.size());
  CHECK(dot(cotangents, v) == doctest::Approx(dot(w, tangents)).epsilon(1e-12));
}

}  // namespace dini::test
