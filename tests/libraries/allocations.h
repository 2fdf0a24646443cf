// Calls of malloc, counted where COUNT_ALLOCATIONS is defined (no sanitizer, which has its own). In one source file of
// a program.
#pragma once

#include <stddef.h>

#include <atomic>

[[maybe_unused]] inline std::atomic<long> allocations{0};

#ifdef COUNT_ALLOCATIONS
extern "C" void* __libc_malloc(size_t);
extern "C" void* malloc(size_t bytes) {
  ++allocations;
  return __libc_malloc(bytes);
}
#endif
