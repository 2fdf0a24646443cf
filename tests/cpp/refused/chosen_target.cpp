// E0806: a change of what this expression chooses
[[clang::annotate("dini")]] double f(double x) {
  double y = 1;
  (x > 0 ? x : y) += 3;
  return x + y;
}
