// E0801: expected expression
[[clang::annotate("dini")]] double f(double x) { return x + ; }
