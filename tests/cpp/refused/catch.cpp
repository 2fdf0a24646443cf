// E0806: a try block
[[clang::annotate("dini")]] double f(double x) {
  try { x = 2 * x; } catch (int) { x = 0; }
  return x;
}
