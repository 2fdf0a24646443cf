// E0802: variable 'y' is uninitialized
[[clang::annotate("dini")]] double f(double x) {
  double y;
  return x + y;
}
