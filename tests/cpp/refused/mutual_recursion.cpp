// E0805: may call itself without a bound
double g(double x);
[[clang::annotate("dini")]] double f(double x) { return x < 1 ? x : g(x - 1); }
double g(double x) { return f(x / 2); }
