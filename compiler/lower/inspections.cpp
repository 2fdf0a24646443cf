// certificate(f)(x), certified(f)(x): f is lowered to a closed function of the module, as for a
// derivative; the op `inspect` asks the host about the call of it at these arguments. ties(f)(x): the
// same of its derivative with the probe.
#include "ad/ad.h"
#include "lower/scopes.h"
#include "opt/opt.h"

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

// The derivative is taken along a tangent that is a further argument: a constant might be folded.
Val Emitter::tiesMet(Differentiation& d) {
  d.request.ties.variant = ad::TieOptions::Variant::Probe;
  d.request.ties.report = true;
  std::vector<ir::Value*> operands = d.base.operands;
  for (size_t k = 0; k < d.request.active.size(); ++k) {
    if (!d.request.active[k]) continue;
    ir::Value* at = d.base.operands[k];
    ir::Value* one = b().real(1.0);
    operands.push_back(at->type.isScalar() ? one : b().fill(one, b().dims(at)));
  }
  std::unique_ptr<ir::Function> made;
  opt::simplify(shared_.module, *d.base.function);
  try {
    made = ad::jvp(shared_.module, *d.base.function, d.request);
  } catch (const ad::Unsupported& unsupported) {
    fail(DiagCode::NotDifferentiable, unsupported.span.valid() ? unsupported.span : span_,
         unsupported.what());
  }
  ir::Attrs attrs;
  attrs.i = static_cast<int64_t>(ir::Inspection::Ties);
  made->name = d.base.function->name + ".ties";
  attrs.str = shared_.module.add(std::move(made)).name;
  return Val::leaf(b().emit(OpCode::Inspect, operands, std::move(attrs), {ir::f64({ir::kDynamic, 5})}).result());
}

}  // namespace dini::lower
