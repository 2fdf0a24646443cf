// E0806: a goto
[[clang::annotate("dini")]] double f(double x) {
again:
  x /= 2;
  if (x > 1) goto again;
  return x;
}
