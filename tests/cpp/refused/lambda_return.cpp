// E0806: a lambda that returns anywhere but in its last line
[[clang::annotate("dini")]] double f(double x) {
  const auto ramp = [](double t) {
    if (t < 0) return 0.0;
    return t;
  };
  return ramp(x);
}
