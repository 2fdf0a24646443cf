/* Molar volume and compressibility of carbon dioxide at 300 K, from a Dini model linked into a C
 * program. a, b: van der Waals constants of CO2 (bar l^2/mol^2, l/mol; CRC Handbook). */
#include <embed_c.h>
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  const double T = 300, a = 3.640, b = 0.04267;
  double p, v, slope[4];
  const void *in[] = {&p, &T, &a, &b};
  void *out[] = {&v}, *slopes[] = {&slope[0], &slope[1], &slope[2], &slope[3]};
  size_t bytes = volume_work_bytes(NULL);
  if (volume_grad_work_bytes(NULL) > bytes) bytes = volume_grad_work_bytes(NULL);
  void *work = malloc(bytes);
  printf("p [bar]   v [l/mol]   dv/dp      isothermal compressibility [1/bar]\n");
  for (p = 1; p <= 41; p += 10) {
    dini_info info = {0};
    if (volume(in, out, NULL, work, &info) || volume_grad(in, slopes, NULL, work, &info)) {
      fprintf(stderr, "%s:%ld: %s: %s\n", info.file ? info.file : "", (long)info.line,
              dini_status_text(info.status), info.text);
      return 1;
    }
    printf("%7.0f   %9.6f   %9.6f  %9.6f\n", p, v, slope[0], -slope[0] / v);
  }
  free(work);
  return 0;
}
