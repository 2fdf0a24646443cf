// E0806: which has virtual functions
struct Law { virtual double force(double x) const { return x; } };
[[clang::annotate("dini")]] double f(double x) {
  Law law;
  return law.force(x);
}
