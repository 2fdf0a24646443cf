// E0806: arithmetic in `float`
[[clang::annotate("dini")]] float f(float x, float y) { return x * y; }
