// E0806: a lambda that keeps a copy of `y`
[[clang::annotate("dini")]] double f(double x) {
  double y = x;
  const auto scaled = [y](double t) { return y * t; };
  y = 2 * x;
  return scaled(x) + y;
}
