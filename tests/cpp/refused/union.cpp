// E0806: a union
union Bits { double x; long k; };
[[clang::annotate("dini")]] double f(double x) {
  Bits bits;
  bits.x = x;
  return static_cast<double>(bits.k);
}
