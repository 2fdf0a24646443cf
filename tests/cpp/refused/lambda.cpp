// E0806: this call of a lambda
[[clang::annotate("dini")]] double f(double x) {
  const auto square = [](auto t) { return t * t; };
  return square(x);
}
