// E0806: which outlives the call and may change
double gain = 2;
[[clang::annotate("dini")]] double f(double x) { return gain * x; }
