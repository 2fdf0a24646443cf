// E0804: `r` is another name for memory
[[clang::annotate("dini")]] double f(double x) {
  double a = x;
  const double &r = a;
  a *= 2;
  return r;
}
