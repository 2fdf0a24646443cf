// E0806: a try block that may fail after it wrote to `x`
double half(double x) { return x / 2; }
[[clang::annotate("dini")]] double f(double x) {
  try {
    x += 1;
    x = half(x);
  } catch (...) {
  }
  return x;
}
