// E0806: an operation on bits
[[clang::annotate("dini")]] int f(int k) { return k << 2; }
