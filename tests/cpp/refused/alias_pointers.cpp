// E0804: `y` and `x` may be the same memory
[[clang::annotate("dini")]] void f([[clang::annotate("dini: size 3")]] const double *x, [[clang::annotate("dini: size 3")]] double *y) {
  for (int i = 0; i < 3; ++i) y[i] = 2 * x[i];
}
