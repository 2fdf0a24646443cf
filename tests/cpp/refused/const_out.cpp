// E0803: `x` is annotated as an output
[[clang::annotate("dini")]] double f([[clang::annotate("dini: out")]] const double &x) { return x; }
