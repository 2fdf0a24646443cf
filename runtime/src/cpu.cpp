// The CPU's feature bits and what the environment asks for.
#include "cpu.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace dini::cpu {
namespace {

int widest() {
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return DINI_CPU_SSE2;
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                 __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")
             ? DINI_CPU_AVX512
             : DINI_CPU_AVX2;
}

int asked() {
  const char* word = std::getenv("DINI_CPU_LEVEL");
  const std::string_view name = word != nullptr ? word : "";
  if (name == "sse2") return DINI_CPU_SSE2;
  if (name == "avx2") return DINI_CPU_AVX2;
  if (!name.empty() && name != "avx512")
    std::fprintf(stderr, "dini: DINI_CPU_LEVEL is not one of sse2, avx2, avx512\n");
  return DINI_CPU_AVX512;
}

}  // namespace

constinit std::atomic<int> known_level{0};

// Threads that come here together find the same.
int findLevel() {
  const int found = std::min(widest(), asked());
  known_level.store(found, std::memory_order_relaxed);
  return found;
}

}  // namespace dini::cpu

int dini_cpu_level(void) { return dini::cpu::level(); }
