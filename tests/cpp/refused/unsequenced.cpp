// E0802: multiple unsequenced modifications
[[clang::annotate("dini")]] int f(int k) {
  k = k++ + ++k;
  return k;
}
