// E0804: writes to memory that another argument shows
static void add(const double *x, double *y) { for (int i = 0; i < 2; ++i) y[i] += x[1 - i]; }
[[clang::annotate("dini")]] double f(double x) {
  double a[2] = {x, 1};
  add(a, a);
  return a[0];
}
