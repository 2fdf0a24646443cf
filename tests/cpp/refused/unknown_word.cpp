// E0803: `length 3` is not an annotation
[[clang::annotate("dini")]] double f([[clang::annotate("dini: length 3")]] const double *x) { return x[0]; }
