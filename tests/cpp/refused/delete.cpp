// E0806: new or delete
[[clang::annotate("dini")]] double f([[clang::annotate("dini: size 1")]] double *p) {
  const double x = *p;
  delete p;
  return x;
}
