// Memory that ends at a page which nothing may touch.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include "check.h"

inline char* guarded(size_t bytes) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t inside = (bytes + page - 1) / page * page;
  char* start = static_cast<char*>(mmap(nullptr, inside + 2 * page, PROT_NONE,
                                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  CHECK(mprotect(start + page, inside, PROT_READ | PROT_WRITE) == 0);
  return start + page + inside - bytes;
}
