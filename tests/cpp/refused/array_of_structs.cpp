// E0806: an array of structs
struct Point { double x, y; };
[[clang::annotate("dini")]] double f(double x) {
  Point p[2] = {{x, 1}, {2, 3}};
  return p[0].x + p[1].y;
}
