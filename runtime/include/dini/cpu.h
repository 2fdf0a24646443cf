/* Which of its instruction sets the runtime uses, and compiled code with it: the widest that the
 * CPU has, or, if the environment variable DINI_CPU_LEVEL names a narrower one (sse2, avx2,
 * avx512), that one. The environment is read once, at the first call. */
#ifndef DINI_CPU_H
#define DINI_CPU_H

#ifdef __cplusplus
extern "C" {
#endif

enum {
  DINI_CPU_SSE2 = 1,
  DINI_CPU_AVX2 = 2,  /* with FMA */
  DINI_CPU_AVX512 = 3 /* F, DQ, BW and VL */
};
int dini_cpu_level(void);

#ifdef __cplusplus
}
#endif
#endif
