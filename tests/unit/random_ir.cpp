#include "tests/unit/random_ir.h"

#include <random>

#include "ir/builder.h"

namespace dini::testing {
namespace {

class RandomIr {
 public:
  explicit RandomIr(const RandomOptions& options) : options_(options), random_(options.seed) {}

  RandomProgram make() {
    RandomProgram program;
    program.module = std::make_unique<ir::Module>();
    program.function = &program.module->add(std::make_unique<ir::Function>("f"));
    n_ = 2 + below(3);
    left_ = options_.operations;
    std::vector<ir::Type> types = {ir::f64(), ir::f64(), ir::f64({n_}), ir::f64({n_, n_})};
    Pool pool;
    for (const ir::Type& type : types) {
      pool.push_back(program.function->addParameter(type));
      ir::Tensor argument = ir::Tensor::zeros(type);
      for (double& x : argument.reals) x = std::uniform_real_distribution<>(-1.5, 1.5)(random_);
      program.arguments.push_back(std::move(argument));
    }
    ir::Builder b(*program.function, program.function->body);
    grow(b, pool, options_.depth, options_.operations);
    std::vector<ir::Value*> results;
    for (int k = 0; k < 3; ++k) results.push_back(pool[pool.size() - 1 - static_cast<size_t>(below(4))]);
    results.push_back(scalar(b, pool));
    b.yield(results);
    return program;
  }

 private:
  using Pool = std::vector<ir::Value*>;  // reals that may be read
  using Value = ir::Value;
  using Builder = ir::Builder;
  using OpCode = ir::OpCode;

  int64_t below(int64_t n) { return static_cast<int64_t>(random_() % static_cast<uint64_t>(n)); }
  Value* any(const Pool& pool) { return pool[static_cast<size_t>(below(static_cast<int64_t>(pool.size())))]; }

  // Recent values of a type, or one made for it.
  Value* ofType(Builder& b, const Pool& pool, const ir::Type& type) {
    for (int attempt = 0; attempt < 12; ++attempt) {
      Value* value = any(pool);
      if (value->type == type) return value;
    }
    Value* x = b.sumAll(any(pool));
    x = bounded(b, x);
    std::vector<Value*> sizes;
    for (int64_t dim : type.dims) sizes.push_back(b.integer(dim));
    return type.isScalar() ? x : b.broadcast(x, {}, sizes);
  }
  Value* scalar(Builder& b, const Pool& pool) { return ofType(b, pool, ir::f64()); }
  Value* vector(Builder& b, const Pool& pool) { return ofType(b, pool, ir::f64({n_})); }
  Value* matrix(Builder& b, const Pool& pool) { return ofType(b, pool, ir::f64({n_, n_})); }

  Value* un(Builder& b, OpCode code, Value* x) { return b.op(code, {x}); }
  Value* bounded(Builder& b, Value* x) { return un(b, OpCode::Tanh, x); }
  Value* onePlusSquare(Builder& b, Value* x) { return b.add(b.real(1), b.mul(x, x)); }
  Value* choose(Builder& b, Value* p, Value* q, Value* x, Value* y, double gap) {
    ir::Attrs attrs;
    attrs.f = gap;
    return b.op(OpCode::Choose, {p, q, x, y}, attrs);
  }

  void grow(Builder& b, Pool& pool, int depth, int count) {
    for (int k = 0; k < count && left_ > 0; ++k, --left_) {
      switch (below(options_.control && depth > 0 ? 12 : 9)) {
        case 0:
        case 1:
        case 2: pool.push_back(unary(b, pool)); break;
        case 3:
        case 4: pool.push_back(binary(b, pool)); break;
        case 5:
        case 6: pool.push_back(arrays(b, pool)); break;
        case 7: pool.push_back(options_.nonsmooth ? kink(b, pool) : unary(b, pool)); break;
        case 8: pool.push_back(options_.solves ? solve(b, pool) : arrays(b, pool)); break;
        default: control(b, pool, depth); break;
      }
    }
  }

  Value* unary(Builder& b, const Pool& pool) {
    Value* x = any(pool);
    static constexpr OpCode kBounded[] = {OpCode::Sin,     OpCode::Cos,      OpCode::Tanh,
                                          OpCode::Atan,    OpCode::Erf,      OpCode::Erfc,
                                          OpCode::Sigmoid, OpCode::Softplus, OpCode::Asinh,
                                          OpCode::Neg};
    static constexpr OpCode kOfBounded[] = {OpCode::Exp,  OpCode::Expm1, OpCode::Sinh,
                                            OpCode::Cosh, OpCode::Tan};
    static constexpr OpCode kOfPositive[] = {OpCode::Sqrt, OpCode::Log, OpCode::Cbrt, OpCode::Log1p,
                                             OpCode::Lgamma};
    switch (below(4)) {
      case 0: return un(b, kOfBounded[below(std::size(kOfBounded))], bounded(b, x));
      case 1: return un(b, kOfPositive[below(std::size(kOfPositive))], onePlusSquare(b, x));
      case 2: {
        ir::Attrs attrs;
        attrs.i = 2 + below(3);
        return b.op(OpCode::PowI, {bounded(b, x)}, attrs);
      }
      default: return un(b, kBounded[below(std::size(kBounded))], x);
    }
  }

  Value* binary(Builder& b, const Pool& pool) {
    Value* x = any(pool);
    Value* y = below(3) == 0 ? scalar(b, pool) : ofType(b, pool, x->type);
    switch (below(6)) {
      case 0: return b.add(x, y);
      case 1: return b.sub(x, y);
      case 2: return b.mul(bounded(b, x), y);
      case 3: return b.div(x, onePlusSquare(b, y));
      case 4: return b.op(OpCode::Atan2, {x, onePlusSquare(b, y)});
      default: return b.op(OpCode::Pow, {onePlusSquare(b, bounded(b, x)), bounded(b, y)});
    }
  }

  Value* kink(Builder& b, const Pool& pool) {
    Value* x = any(pool);
    Value* y = ofType(b, pool, x->type);
    Value* zero = b.real(0);
    switch (below(options_.jumps ? 8 : 6)) {
      case 0: return choose(b, x, y, x, y, 1);            // max
      case 1: return choose(b, x, y, y, x, -1);           // min
      case 2: return choose(b, x, zero, x, b.neg(x), 2);  // abs
      case 3: return b.add(x, choose(b, x, zero, x, zero, 1));
      case 4: {
        Value* v = vector(b, pool);
        return b.gather(v, b.op(OpCode::ArgSort, {v}));
      }
      case 5: {
        Value* v = vector(b, pool);
        return below(2) == 0 ? b.reduce(below(2) == 0 ? "max" : "min", v, {0})
                             : b.op(OpCode::Norm, {b.add(v, b.real(3))});
      }
      case 6: return b.add(x, un(b, OpCode::Floor, y));
      default: return b.select(b.op(OpCode::FLt, {x, y}), x, y);
    }
  }

  Value* arrays(Builder& b, const Pool& pool) {
    Value* v = vector(b, pool);
    Value* m = matrix(b, pool);
    Value* at = b.integer(below(n_));
    Value* n = b.integer(n_);
    switch (below(16)) {
      case 0: return b.reduce("sum", m, {below(2)});
      case 1: return b.einsum("ij,j->i", bounded(b, m), v);
      case 2: return b.einsum("ij,jk->ik", bounded(b, m), matrix(b, pool));
      case 3: return b.einsum("i,j->ij", v, bounded(b, vector(b, pool)));
      case 4: return b.einsum("i,i->", v, bounded(b, vector(b, pool)));
      case 5: return b.transpose(m, {1, 0});
      case 6: return b.index(m, {at});
      case 7: return b.update(v, scalar(b, pool), {at});
      case 8: return b.addAt(m, v, {at});
      case 9: return b.broadcast(v, {below(2)}, {n, n});
      case 10: {
        Value* head = b.slice(v, {b.integer(0)}, {b.integer(1)});
        Value* tail = b.slice(v, {b.integer(1)}, {b.integer(n_ - 1)});
        return b.concat({tail, head}, 0);
      }
      case 11: {
        std::vector<int64_t> indices;
        for (int64_t k = 0; k < n_; ++k) indices.push_back(below(n_));
        Value* where = b.constantInts(ir::i64({n_}), indices);
        if (below(2) == 0) return b.gather(v, where);
        return b.op(OpCode::ScatterAdd, {v, where, vector(b, pool)});
      }
      case 12: return b.flip(v, 0);
      case 13: {
        Value* parts[] = {v, vector(b, pool)};
        Value* packed = b.pack({parts[0], parts[1]});
        return b.reshape(b.slice(packed, {b.integer(below(2)), b.integer(0)}, {b.integer(1), n}), {n});
      }
      case 14: {
        Value* x = b.slice(m, {b.integer(0), at}, {n, b.integer(1)});
        return b.updateSlice(m, b.neg(x), {b.integer(0), b.integer(below(n_))});
      }
      default: return b.op(OpCode::Normalize, {b.add(v, b.real(4))});
    }
  }

  // Systems that are far from singular: 4 I + tanh(M), and I + M M'.
  Value* solve(Builder& b, const Pool& pool) {
    Value* m = bounded(b, matrix(b, pool));
    std::vector<double> identity(static_cast<size_t>(n_ * n_), 0);
    for (int64_t k = 0; k < n_; ++k) identity[static_cast<size_t>(k * (n_ + 1))] = 1;
    Value* eye = b.constant(ir::f64({n_, n_}), identity);
    Value* rhs = below(3) == 0 ? matrix(b, pool) : vector(b, pool);
    switch (below(4)) {
      case 0: {
        Value* a = b.add(eye, b.einsum("ij,kj->ik", m, m));
        return b.linearSolve(a, rhs, ir::Structure::PositiveDefinite);
      }
      case 1: return root(b, pool);
      case 2: return b.op(OpCode::Cholesky, {b.add(eye, b.einsum("ij,kj->ik", m, m))});
      default: {
        Value* a = b.add(b.mul(b.real(6), eye), m);
        return b.linearSolve(a, rhs, ir::Structure::General, below(2) == 0);
      }
    }
  }

  // z + tanh(z) / 2 == p, by forty steps of a contraction.
  Value* root(Builder& b, const Pool& pool) {
    Value* p = below(2) == 0 ? scalar(b, pool) : vector(b, pool);
    Value* start = b.zerosLike(p);
    ir::Attrs attrs;
    attrs.f = 1e-9;
    attrs.str = "implicit";
    attrs.ints = {0, 0, 0};
    ir::Function& f = b.function();
    ir::Op& op = b.emit(OpCode::Root, {start}, attrs);
    auto half = [&](Builder& in, Value* z) { return in.mul(in.real(0.5), bounded(in, z)); };
    ir::Region& solver = *op.regions[0];
    Builder s(f, solver);
    Value* z = f.addArgument(solver, p->type);
    Value* steps = s.integer(40);
    std::vector<Value*> last = s.loop(steps, {z}, [&](Builder& in, std::span<Value* const> args) {
      return std::vector<Value*>{in.sub(p, half(in, args[1]))};
    });
    s.yield({last[0], steps, s.integer(0), s.boolean(false)});
    ir::Region& residual = *op.regions[1];
    Builder r(f, residual);
    Value* unknown = f.addArgument(residual, p->type);
    r.yield({r.add(unknown, half(r, unknown)), p});
    return op.result(0);
  }

  // Of an array whose length is known when the program runs: the first min(i + 1, n) elements of v.
  Value* partOf(Builder& b, Value* v, Value* i) {
    Value* length = b.op(OpCode::IMin, {b.op(OpCode::IAdd, {i, b.integer(1)}), b.integer(n_)});
    Value* part = bounded(b, b.slice(v, {b.integer(0)}, {length}));
    Value* scaled = b.mul(part, b.fill(b.sumAll(part), b.dims(part)));
    return b.einsum("i,i->", scaled, part);
  }

  void control(Builder& b, Pool& pool, int depth) {
    int count = 2 + static_cast<int>(below(4));
    switch (below(5)) {
      case 0: {  // a loop that carries and stacks
        std::vector<Value*> carries = {scalar(b, pool), vector(b, pool)};
        auto results = b.loop(b.integer(1 + below(4)), carries, [&](Builder& in, std::span<Value* const> args) {
          Pool inner = withArguments(pool, args.subspan(1));
          inner.push_back(in.op(OpCode::IntToReal, {args[0]}));
          if (options_.dynamic) inner.push_back(partOf(in, vector(in, inner), args[0]));
          grow(in, inner, depth - 1, count);
          Value* next = bounded(in, in.add(args[1], scalar(in, inner)));
          Value* moved = bounded(in, in.add(args[2], vector(in, inner)));
          return std::vector<Value*>{next, moved, scalar(in, inner)};
        });
        pool.push_back(results[0]);
        pool.push_back(results[1]);
        pool.push_back(b.sumAll(results[2]));
        break;
      }
      case 1: {  // a map
        Value* v = vector(b, pool);
        auto results = b.loop(b.integer(n_), {}, [&](Builder& in, std::span<Value* const> args) {
          Pool inner = pool;
          inner.push_back(in.index(v, {args[0]}));
          grow(in, inner, depth - 1, count);
          return std::vector<Value*>{scalar(in, inner), vector(in, inner)};
        });
        pool.push_back(results[0]);
        pool.push_back(results[1]);
        break;
      }
      case 2: {  // a while with a counter
        if (depth < options_.depth && !options_.nested_whiles) return;
        std::vector<Value*> carries = {b.integer(0), vector(b, pool)};
        int64_t limit = 1 + below(4);
        auto results = b.whileLoop(
            carries,
            [&](Builder& in, std::span<Value* const> args) {
              return std::vector<Value*>{in.op(OpCode::ILt, {args[0], in.integer(limit)})};
            },
            [&](Builder& in, std::span<Value* const> args) {
              Pool inner = withArguments(pool, args.subspan(1));
              grow(in, inner, depth - 1, count);
              Value* next = in.op(OpCode::IAdd, {args[0], in.integer(1)});
              Value* carry = bounded(in, in.add(args[1], vector(in, inner)));
              return std::vector<Value*>{next, carry, in.mul(carry, in.real(0.5))};
            });
        pool.push_back(results[1]);
        if (options_.dynamic) pool.push_back(b.reduce("sum", results[3], {0}));
        break;
      }
      case 3: {  // a branch
        Value* c = b.op(OpCode::FLt, {scalar(b, pool), scalar(b, pool)});
        auto branch = [&](Builder& in, std::span<Value* const>) {
          Pool inner = pool;
          grow(in, inner, depth - 1, count);
          return std::vector<Value*>{scalar(in, inner), vector(in, inner)};
        };
        for (Value* result : b.ifElse(c, branch, branch)) pool.push_back(result);
        break;
      }
      default: {  // a try whose first region may fail
        Value* x = scalar(b, pool);
        auto results = b.tryElse(
            [&](Builder& in, std::span<Value* const>) {
              in.check(in.op(OpCode::FLt, {x, in.real(0.5)}), ir::Status::Assertion, "x < 0.5");
              return std::vector<Value*>{in.mul(x, x)};
            },
            [&](Builder& in, std::span<Value* const>) {
              return std::vector<Value*>{bounded(in, x)};
            });
        pool.push_back(results[0]);
        break;
      }
    }
  }

  static Pool withArguments(const Pool& pool, std::span<Value* const> arguments) {
    Pool inner = pool;
    inner.insert(inner.end(), arguments.begin(), arguments.end());
    return inner;
  }

  RandomOptions options_;
  std::mt19937_64 random_;
  int64_t n_ = 3;
  int left_ = 0;
};

}  // namespace

RandomProgram randomProgram(const RandomOptions& options) { return RandomIr(options).make(); }

}  // namespace dini::testing
