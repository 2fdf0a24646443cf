// certificate(f)(x), certified(f)(x): f is lowered to a closed function of the module, as for a
// derivative; the op `inspect` asks the host about the call of it at these arguments.
#include "lower/scopes.h"

namespace dini::lower {

using ir::OpCode;

Val Emitter::inspection(Differentiation& d) {
  closeBase(d);
  ir::Attrs attrs;
  attrs.i = static_cast<int64_t>(ir::Inspection::Certificate);
  attrs.str = shared_.module.add(std::move(d.base.function)).name;
  std::vector<ir::Value*> results =
      b().emit(OpCode::Inspect, d.base.operands, std::move(attrs), {ir::i64(), ir::f64(), ir::f64()})
          .results;
  if (d.f->form == Form::Certified) return Val::leaf(intOp(OpCode::IEq, results[0], integer(1)));
  std::vector<Val> fields;
  for (ir::Value* result : results) fields.push_back(Val::leaf(result));
  return Val::recordOf(recordNamed("Certificate"), std::move(fields));
}

}  // namespace dini::lower
