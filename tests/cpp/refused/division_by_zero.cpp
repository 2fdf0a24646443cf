// E0802: division by zero
[[clang::annotate("dini")]] int f(int k) { return k / 0; }
