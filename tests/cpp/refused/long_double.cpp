// E0806: a `long double`
[[clang::annotate("dini")]] double f(double x) {
  long double y = x;
  return static_cast<double>(y * y);
}
