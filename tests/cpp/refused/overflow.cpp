// E0802: overflow in expression
[[clang::annotate("dini")]] int f(int k) { return k + 2147483647 * 2; }
