// E0806: a case that goes on into the next
[[clang::annotate("dini")]] double f(double x, int k) {
  switch (k) {
    case 0: x += 1;
    case 1: x += 2; break;
  }
  return x;
}
