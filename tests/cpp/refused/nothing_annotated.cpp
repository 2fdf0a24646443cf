// E0803: has no function that is annotated
double f(double x) { return x; }
