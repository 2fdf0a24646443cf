// E0803: the template `f` has no instance on double
template <int N>
[[clang::annotate("dini")]] double f(double x) {
  return N * x;
}
