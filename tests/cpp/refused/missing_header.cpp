// E0801: 'nowhere.h' file not found
#include "nowhere.h"
[[clang::annotate("dini")]] double f(double x) { return x; }
