// E0806: new or delete
[[clang::annotate("dini")]] double f(double x) { return *new double(x); }
