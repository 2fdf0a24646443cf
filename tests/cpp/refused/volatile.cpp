// E0806: a volatile object
[[clang::annotate("dini")]] double f(double x) {
  volatile double y = x;
  return y;
}
