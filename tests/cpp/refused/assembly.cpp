// E0806: inline assembly
[[clang::annotate("dini")]] double f(double x) {
  asm("nop");
  return x;
}
