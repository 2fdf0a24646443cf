// E0806: an exception
[[clang::annotate("dini")]] double f(double x) {
  if (x < 0) throw 1;
  return x;
}
