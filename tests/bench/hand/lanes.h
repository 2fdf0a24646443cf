// Eight doubles at a time for the hand-written versions: clang's vectors, with the functions that
// glibc's libmvec has (the same that Dini's compiled code calls).
#pragma once

#include <cstdint>
#include <cstring>

#include "dini/math.h"

namespace dini::bench {

inline constexpr int64_t kLanes = 8;
using Lanes = double __attribute__((vector_size(64)));
using Mask = long __attribute__((vector_size(64)));

#ifdef __AVX512F__
extern "C" Lanes _ZGVeN8v_tanh(Lanes);
extern "C" Lanes _ZGVeN8v_exp(Lanes);
extern "C" Lanes _ZGVeN8v_log(Lanes);
inline Lanes tanhLanes(Lanes x) { return _ZGVeN8v_tanh(x); }
inline Lanes expLanes(Lanes x) { return _ZGVeN8v_exp(x); }
inline Lanes logLanes(Lanes x) { return _ZGVeN8v_log(x); }
#else
// Through memory, in the widest variant that the CPU has.
inline Lanes throughMemory(void (*function)(const double*, double*), Lanes x) {
  double in[8], out[8];
  std::memcpy(in, &x, sizeof x);
  function(in, out);
  std::memcpy(&x, out, sizeof x);
  return x;
}
inline Lanes tanhLanes(Lanes x) { return throughMemory(dini_v8_tanh, x); }
inline Lanes expLanes(Lanes x) { return throughMemory(dini_v8_exp, x); }
inline Lanes logLanes(Lanes x) { return throughMemory(dini_v8_log, x); }
#endif

inline Lanes load(const double* p) {
  Lanes v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
inline void store(double* p, Lanes v) { std::memcpy(p, &v, sizeof v); }
inline Lanes splat(double x) { return Lanes{x, x, x, x, x, x, x, x}; }
inline Lanes maxLanes(Lanes a, Lanes b) { return a > b ? a : b; }
inline Lanes absLanes(Lanes a) { return maxLanes(a, -a); }
inline bool all(Mask mask) { return __builtin_reduce_and(mask) != 0; }
inline double sumLanes(Lanes v) {
  return ((v[0] + v[1]) + (v[2] + v[3])) + ((v[4] + v[5]) + (v[6] + v[7]));
}

}  // namespace dini::bench
