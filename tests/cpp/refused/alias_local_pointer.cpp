// E0804: `p` is another name for memory
[[clang::annotate("dini")]] double f(double x) {
  double a[2] = {x, 1};
  double *p = a + 1;
  *p = 3;
  return a[1];
}
