// E0806: which has virtual functions
struct Law { virtual double force(double x) const { return x; } };
[[clang::annotate("dini")]] double f(const Law &law, double x) { return law.force(x); }
