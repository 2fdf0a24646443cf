// E0802: array index 3 is past the end
[[clang::annotate("dini")]] double f(double x) {
  double a[3] = {x, x, x};
  return a[3];
}
