// E0803: is a word or a function of Dini
[[clang::annotate("dini")]] double solve(double x) { return x; }
