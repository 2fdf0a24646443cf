// E0805: may call itself without a bound
[[clang::annotate("dini")]] double f(double x, int n) { return n == 0 ? x : f(x / 2, n - 1); }
