// E0806: a lambda
[[clang::annotate("dini")]] double f(double x) {
  const auto square = [](double t) { return t * t; };
  return square(x);
}
