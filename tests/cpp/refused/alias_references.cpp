// E0804: `sum` and `x` may be the same memory
[[clang::annotate("dini")]] void f(const double &x, double &sum) { sum += x; }
