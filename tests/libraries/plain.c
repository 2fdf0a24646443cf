// build: model.dini --derivative grad
// compile: -std=c11
// A C program: results, statuses with their places, sizes, ints and bools, cancellation.
#include "check.h"
#include "model.h"

#include <string.h>

int main(void) {
  double x = 0.5, z = -1, slope = -1;
  const void *in[] = {&x};
  void *out[] = {&z}, *slopes[] = {&slope};
  void *work = malloc(root_grad_work_bytes(NULL) + no_root_work_bytes(NULL) + 4096);
  CHECK(root(in, out, NULL, work, NULL) == DINI_OK);
  CHECK(near(z, atanh(0.5), 1e-12));
  CHECK(root_grad(in, slopes, NULL, work, NULL) == DINI_OK);
  CHECK(near(slope, 4.0 / 3.0, 1e-12));

  dini_info info = {0};
  x = -1;
  CHECK(no_root(in, out, NULL, work, &info) == DINI_NOT_CONVERGED);
  CHECK(info.line == 7 && strstr(info.file, "model.dini") != NULL);
  CHECK(near(info.residual, 1, 1e-6) && strlen(info.text) > 0);
  memset(&info, 0, sizeof info);
  x = -2;
  CHECK(checked(in, out, NULL, work, &info) == DINI_ASSERTION && info.line == 12);
  CHECK(strcmp(dini_status_text(info.status), "an assertion does not hold") == 0);

  int64_t sizes[] = {5};
  double h = 0.25, points[5];
  const void *grid_in[] = {&h};
  void *grid_out[] = {points};
  void *more = malloc(grid_work_bytes(sizes));
  fprintf(stderr,"%d %g\n",grid(grid_in, grid_out, sizes, more, NULL),points[4]);CHECK(grid(grid_in, grid_out, sizes, more, NULL) == DINI_OK && points[4] == 1.0);
  sizes[0] = -1;
  CHECK(grid(grid_in, grid_out, sizes, more, NULL) == DINI_SHAPE);

  int64_t k = 7, half = 0;
  uint8_t even = 0, odd = 0;
  const void *half_in[] = {&k, &even};
  void *half_out[] = {&half, &odd};
  CHECK(halves(half_in, half_out, NULL, work, NULL) == DINI_OK && half == 3 && odd == 1);

  /* At two kinks at once: a gradient that holds in some direction from there, and the tie is told. */
  double at = 0, slopes_of[2];
  const void *bent_in[] = {&at, &at};
  void *bent_out[] = {&slopes_of[0], &slopes_of[1]};
  void *bent_work = malloc(bent_grad_work_bytes(NULL));
  memset(&info, 0, sizeof info);
  CHECK(bent_grad(bent_in, bent_out, NULL, bent_work, &info) == DINI_OK && info.tie == 1);
  const double pieces[4][2] = {{2, -1}, {1, 1}, {0, 1}, {-1, 3}};
  int found = 0;
  for (int piece = 0; piece < 4; ++piece)
    found += slopes_of[0] == pieces[piece][0] && slopes_of[1] == pieces[piece][1];
  CHECK(found == 1);
  at = 1;
  CHECK(bent_grad(bent_in, bent_out, NULL, bent_work, &info) == DINI_OK && info.tie == 1);
  free(bent_work);

  const uint8_t stop = 1;
  memset(&info, 0, sizeof info);
  info.cancel = &stop;
  x = 0.5;
  CHECK(root(in, out, NULL, work, &info) == DINI_INTERRUPTED);
  memset(&info, 0, sizeof info);
  info.work_bytes = 1;
  CHECK(root(in, out, NULL, work, &info) == DINI_MEMORY);
  free(more);
  free(work);
  return 0;
}
