// E0806: which keeps its value from call to call
[[clang::annotate("dini")]] double f(double x) {
  static double last = 0;
  last += x;
  return last;
}
