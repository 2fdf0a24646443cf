// The operations that partial derivatives are written in. A Real is a number, a value of the IR or
// a text; a Condition compares two of them. Booleans and conditions never mix with reals.
#pragma once

#include <concepts>
#include <initializer_list>

#include "ops/opcode.h"

namespace dini::ops {

struct Parameters;

template <class A>
concept Algebra = requires(A& a, typename A::Real x, typename A::Condition c, ir::OpCode op,
                           std::initializer_list<typename A::Real> xs, Parameters& p) {
  { a.constant(0.5) } -> std::same_as<typename A::Real>;
  { a.add(x, x) } -> std::same_as<typename A::Real>;
  { a.sub(x, x) } -> std::same_as<typename A::Real>;
  { a.mul(x, x) } -> std::same_as<typename A::Real>;
  { a.div(x, x) } -> std::same_as<typename A::Real>;
  { a.neg(x) } -> std::same_as<typename A::Real>;
  // Any other operation of reals, by its code; with attributes where it has some.
  { a.call(op, xs) } -> std::same_as<typename A::Real>;
  { a.call(op, xs, p) } -> std::same_as<typename A::Real>;
  { a.equal(x, x) } -> std::same_as<typename A::Condition>;
  { a.less(x, x) } -> std::same_as<typename A::Condition>;
  { a.both(c, c) } -> std::same_as<typename A::Condition>;
  { a.select(c, x, x) } -> std::same_as<typename A::Real>;
};

}  // namespace dini::ops
