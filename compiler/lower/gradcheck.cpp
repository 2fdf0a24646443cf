// gradcheck(f)(x): the Jacobian against central differences.
#include "base/check.h"
#include "ir/clone.h"
#include "lower/scopes.h"

namespace dini::lower {

using ir::OpCode;

// The largest |J - D| / max(1, |D|), where column e of D is (f(x + h e) - f(x - h e)) / (2 h) with
// h = cbrt(machine epsilon) max(1, |x_e|), which balances truncation against rounding.
Val Emitter::gradientError(Differentiation& d) {
  std::vector<ir::Value*> exact =
      differentiated(d, {}, [&](ir::Module& module, const ir::Function& f) {
        return ad::jacobian(module, f, d.request);
      });
  const bool large = !isSmall(*d.base.function);
  if (large) shared_.module.add(ir::clone(*d.base.function, d.base.function->name));
  auto called = [&](const std::vector<ir::Value*>& operands) {
    return large ? b().call(*d.base.function, operands)
                 : ir::inlineCall(b(), *d.base.function, operands);
  };
  ir::Value* worst = b().real(0.0);
  ir::Value* one = b().real(1.0);
  size_t columns = 0, column = 0;
  for (bool active : d.request.active) columns += active ? 1 : 0;
  for (size_t p = 0; p < d.request.active.size(); ++p) {
    if (!d.request.active[p]) continue;
    ir::Value* x = d.base.operands[p];
    ir::Value* count = integer(1);
    for (size_t k = 0; k < x->type.rank(); ++k) count = imul(count, sizeOf(x, k));
    ir::Value* flat = b().reshape(x, {count});
    auto differences = [&](ir::Builder& inner, std::span<ir::Value* const> args) {
      BuilderScope scope(*this, inner);
      ir::Value* at = b().index(flat, {args[0]});
      ir::Value* size = absolute(at);
      ir::Value* h = b().mul(b().real(6e-6), choose(size, one, size, one, 1.0, "max"));
      // Both sides in one loop: f is expanded once for them.
      auto shifted = [&](ir::Builder& side, std::span<ir::Value* const> sides) {
        BuilderScope side_scope(*this, side);
        ir::Value* up = intOp(OpCode::IEq, sides[0], integer(0));
        ir::Value* by = b().select(up, h, b().neg(h));
        std::vector<ir::Value*> operands = d.base.operands, values;
        operands[p] = b().reshape(b().addAt(flat, by, {args[0]}), b().dims(x));
        for (ir::Value* value : called(operands))
          if (value->type.isReal()) values.push_back(value);
        return values;
      };
      std::vector<ir::Value*> slopes;
      for (ir::Value* values : b().loop(integer(2), {}, shifted)) {
        ir::Value *up = b().index(values, {integer(0)}), *down = b().index(values, {integer(1)});
        slopes.push_back(b().div(b().sub(up, down), b().mul(b().real(2.0), h)));
      }
      return slopes;
    };
    std::vector<ir::Value*> slopes = b().loop(count, {}, differences);
    for (size_t k = 0; k < slopes.size(); ++k) {
      // exact: out ++ in; slopes: [count] ++ out
      ir::Value* jacobian = exact[k * columns + column];
      std::vector<ir::Value*> rows{integer(-1), count};
      std::vector<int64_t> permutation;
      ir::Value* out_count = integer(1);
      for (size_t axis = 1; axis < slopes[k]->type.rank(); ++axis) {
        permutation.push_back(static_cast<int64_t>(axis));
        out_count = imul(out_count, sizeOf(slopes[k], axis));
      }
      permutation.push_back(0);
      rows[0] = out_count;
      ir::Value* differenced = b().reshape(b().transpose(slopes[k], permutation), rows);
      ir::Value* size = absolute(differenced);
      ir::Value* error = b().div(absolute(b().sub(b().reshape(jacobian, rows), differenced)),
                                 choose(size, one, size, one, 1.0, "max"));
      ir::Value* largest = b().reduce("max", error, {0, 1});
      worst = choose(worst, largest, worst, largest, 1.0, "max");
    }
    ++column;
  }
  return Val::leaf(worst);
}

}  // namespace dini::lower
