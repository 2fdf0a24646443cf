// E0806: a try block
[[clang::annotate("dini")]] double f(double x) {
  try { x += 1; } catch (...) { x = 0; }
  return x;
}
