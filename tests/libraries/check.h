/* Of the programs in this folder: a failing CHECK says where and ends the program with status 1. */
#ifndef CHECK_H
#define CHECK_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                  \
  do {                                                                    \
    if (!(condition)) {                                                   \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);     \
      exit(1);                                                            \
    }                                                                     \
  } while (0)

static inline int near(double value, double expected, double tolerance) {
  return fabs(value - expected) <= tolerance * (1 + fabs(expected));
}

#endif
