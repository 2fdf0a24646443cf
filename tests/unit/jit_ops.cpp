// Every elementwise operation, array operation, loop and status in every engine: the interpreter is
// the reference, compiled code at each level must give the same bits.
#include "tests/unit/jit_support.h"

#include <fmt/format.h>

#include "ir/builder.h"
#include "ops/signature.h"
#include "ops/table.h"

using namespace dini;
using namespace dini::test;
using ir::Builder;
using ir::OpCode;
using ir::Value;

namespace {

// One function that applies `code` to operands of the given sizes ({} is a scalar).
void checkElementwise(OpCode code, const std::vector<int64_t>& dims, bool mixed, uint64_t seed) {
  const std::string signature(ops::signature(code));
  const size_t arity = signature.size() - 2;
  ir::Module module;
  auto owned = std::make_unique<ir::Function>("f");
  std::vector<Value*> operands;
  std::vector<ir::Tensor> arguments;
  for (size_t k = 0; k < arity; ++k) {
    const char c = signature[k];
    const ir::Elem elem = c == 'i' ? ir::Elem::I64 : c == 'b' ? ir::Elem::I1 : ir::Elem::F64;
    const ir::Type type{elem, mixed && k == 0 ? std::vector<int64_t>{} : dims};
    operands.push_back(owned->addParameter(type));
    arguments.push_back(randomTensor(type, seed + k, true));
  }
  Builder builder(*owned, owned->body);
  ir::Attrs attrs;
  attrs.i = code == OpCode::PowI ? 5 : code == OpCode::Pick ? static_cast<int64_t>(seed % 2) : 1;
  attrs.f = code == OpCode::Pick ? 0.25 : 1;
  builder.yield({builder.op(code, operands, attrs)});
  agree(module, module.add(std::move(owned)), arguments);
}

}  // namespace

TEST_CASE(
    "jit: every elementwise operation, scalar, vector with a tail, and with a repeated scalar") {
  uint64_t seed = 1;
  for (OpCode code : ops::elementwiseOps()) {
    CAPTURE(ir::shape(code).mnemonic);
    for (uint64_t round = 0; round < 3; ++round) checkElementwise(code, {}, false, seed += 17);
    checkElementwise(code, {43}, false, seed += 17);
    checkElementwise(code, {3, 8}, true, seed += 17);
  }
}

TEST_CASE("jit: sums in the documented order for every length and shape") {
  for (int64_t n : {0, 1, 2, 7, 8, 9, 15, 16, 17, 63, 64, 65, 200}) {
    agree(fmt::format("func @f(%0: f64[{0}]) {{\n  %1 = reduce(%0) <str=\"sum\", ints=[0]> : f64\n "
                      " yield(%1)\n}}",
                      n),
          {randomTensor(ir::f64({n}), static_cast<uint64_t>(n))});
  }
}

TEST_CASE("jit: a loop with a carry and stacked outs") {
  agree(R"(func @f(%0.x: f64[3], %1: i64) {
  %2 = const() <f=0.1> : f64
  %3, %4 = loop(%1, %2) : f64, f64[?] {(%5: i64, %6.sum: f64)
    %7 = index(%0.x, %5) : f64
    %8 = add(%6.sum, %7) : f64
    yield(%8, %6.sum)
  }
  yield(%3, %4)
})",
        {randomTensor(ir::f64({3}), 3), ir::Tensor::integer(3)});
}
