// E0804: `r` is another name for memory
[[clang::annotate("dini")]] double f(double x) {
  double a[2] = {x, 1};
  double &r = a[0];
  r *= 2;
  return a[0] + a[1];
}
