#include "ops/table.h"

#include <type_traits>

#include <fmt/format.h>

#include "ops/rows/all.h"
#include "ops/signature.h"

namespace dini::ops {
namespace {

using ir::Elem;

template <size_t... indices>
constexpr auto allFacts(std::index_sequence<indices...>) {
  return std::array{Row<static_cast<OpCode>(indices)>::facts...};
}
constexpr auto kFacts = allFacts(std::make_index_sequence<kElementwiseCount>());

// --- evaluation: a loop around the kernel for each row
template <class T>
using Stored = std::conditional_t<std::is_same_v<T, bool>, uint8_t, T>;

template <class T>
T element(const Elements& operand, int64_t at) {
  return static_cast<T>(static_cast<const Stored<T>*>(operand.data)[operand.scalar ? 0 : at]);
}

template <auto kernel, class Result, class... Args, size_t... positions>
void applyAt(Result (*)(const Parameters&, Args...), std::index_sequence<positions...>,
             const Parameters& parameters, const Elements* operands, void* result, int64_t count) {
  auto* out = static_cast<Stored<Result>*>(result);
  for (int64_t at = 0; at < count; ++at)
    out[at] = static_cast<Stored<Result>>(
        kernel(parameters, element<Args>(operands[positions], at)...));
}

template <auto kernel, class Result, class... Args>
void applyKernel(Result (*signature)(const Parameters&, Args...), const Parameters& parameters,
                 const Elements* operands, void* result, int64_t count) {
  applyAt<kernel>(signature, std::index_sequence_for<Args...>(), parameters, operands, result,
                  count);
}

template <auto kernel>
void apply(const Parameters& parameters, const Elements* operands, void* result, int64_t count) {
  applyKernel<kernel>(kernel, parameters, operands, result, count);
}

constexpr bool isGeneric(std::string_view signature) { return signature.find('t') < signature.size(); }

// The evaluators for element types f64, i64, i1; those of one type have the same three times.
template <OpCode code>
constexpr std::array<Evaluator, 3> evaluators() {
  using R = Row<code>;
  if constexpr (isGeneric(R::facts.signature.value))
    return {&apply<&R::template kernel<double>>, &apply<&R::template kernel<int64_t>>,
            &apply<&R::template kernel<bool>>};
  else
    return {&apply<&R::kernel>, &apply<&R::kernel>, &apply<&R::kernel>};
}

template <size_t... indices>
constexpr auto allEvaluators(std::index_sequence<indices...>) {
  return std::array{evaluators<static_cast<OpCode>(indices)>()...};
}
constexpr auto kEvaluators = allEvaluators(std::make_index_sequence<kElementwiseCount>());

// --- doubles as an algebra
struct RealAlgebra {
  using Real = double;
  using Condition = bool;
  double constant(double value) { return value; }
  double add(double a, double b) { return a + b; }
  double sub(double a, double b) { return a - b; }
  double mul(double a, double b) { return a * b; }
  double div(double a, double b) { return a / b; }
  double neg(double a) { return -a; }
  double call(OpCode code, std::initializer_list<double> operands, Parameters parameters = {}) {
    return evaluate(code, {operands.begin(), operands.size()}, parameters);
  }
  bool equal(double a, double b) { return a == b; }
  bool less(double a, double b) { return a < b; }
  bool both(bool a, bool b) { return a && b; }
  double select(bool c, double a, double b) { return c ? a : b; }
};

// --- text as an algebra
struct TextAlgebra {
  using Real = std::string;
  using Condition = std::string;
  std::string constant(double value) { return fmt::format("{}", value); }
  std::string add(const Real& a, const Real& b) { return fmt::format("({} + {})", a, b); }
  std::string sub(const Real& a, const Real& b) { return fmt::format("({} - {})", a, b); }
  std::string mul(const Real& a, const Real& b) { return fmt::format("({} * {})", a, b); }
  std::string div(const Real& a, const Real& b) { return fmt::format("({} / {})", a, b); }
  std::string neg(const Real& a) { return fmt::format("(-{})", a); }
  std::string call(OpCode code, std::initializer_list<Real> operands, Parameters parameters = {}) {
    std::string text = ir::shape(code).mnemonic;
    if (code == OpCode::PowI || code == OpCode::Polygamma) text += fmt::format("[{}]", parameters.i);
    text += "(";
    for (const Real& operand : operands) text += (text.back() == '(' ? "" : ", ") + operand;
    return text + ")";
  }
  std::string equal(const Real& a, const Real& b) { return a + " == " + b; }
  std::string less(const Real& a, const Real& b) { return a + " < " + b; }
  std::string both(const Condition& a, const Condition& b) { return a + " and " + b; }
  std::string select(const Condition& c, const Real& a, const Real& b) {
    return fmt::format("where({}, {}, {})", c, a, b);
  }
};

}  // namespace

const Facts& facts(OpCode code) {
  check(ir::isElementwise(code), "the op table has rows for elementwise operations only");
  return kFacts[static_cast<size_t>(code)];
}

std::vector<OpCode> elementwiseOps() {
  std::vector<OpCode> codes;
  for (size_t k = 0; k < kElementwiseCount; ++k) codes.push_back(static_cast<OpCode>(k));
  return codes;
}

int arity(OpCode code) { return static_cast<int>(signature(code).size()) - 2; }

std::string_view signature(OpCode code) { return facts(code).signature.value; }

Evaluator evaluator(OpCode code, Elem any) {
  check(ir::isElementwise(code), "only elementwise operations have evaluators");
  return kEvaluators[static_cast<size_t>(code)][static_cast<size_t>(any)];
}

double evaluate(OpCode code, std::span<const double> operands, const Parameters& parameters) {
  Elements elements[kMaxArity];
  for (size_t k = 0; k < operands.size(); ++k) elements[k] = {&operands[k], true};
  double result = 0;
  evaluator(code)(parameters, elements, &result, 1);
  return result;
}

double partial(OpCode code, size_t k, std::span<const double> operands,
               const Parameters& parameters) {
  RealAlgebra algebra;
  double y = evaluate(code, operands, parameters);
  return partialIn(algebra, code, parameters, k, operands.data(), y);
}

std::string partialText(OpCode code, size_t k, const Parameters& parameters) {
  TextAlgebra algebra;
  std::string operands[kMaxArity] = {"%0", "%1", "%2", "%3", "%4"};
  return partialIn(algebra, code, parameters, k, operands, std::string("y"));
}

}  // namespace dini::ops
