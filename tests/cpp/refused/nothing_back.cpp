// E0806: which gives nothing back
[[clang::annotate("dini")]] void f(double x) { (void)x; }
