// E0802: non-void function does not return
[[clang::annotate("dini")]] double f(double x) {
  if (x > 0) return x;
}
