// OpenBLAS chooses its kernels and starts its threads in a constructor, from the environment. It
// misjudges CPUs newer than itself (59 GF/s instead of 98 on a Zen 5), so it is opened late, with
// OPENBLAS_CORETYPE and OPENBLAS_NUM_THREADS set for the moment of opening; values the user has set
// are respected.
#include "blas.h"

#include <dlfcn.h>
#include <pthread.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "cpu.h"
#include "dini/linalg.h"

namespace dini::blas {
namespace {

// Kernels by instruction set; null: OpenBLAS's own choice.
const char* coreType() {
  if (cpu::level() >= DINI_CPU_AVX512) return "SKYLAKEX";
  return cpu::level() >= DINI_CPU_AVX2 ? "HASWELL" : nullptr;
}

// Sets a variable that is not set, and takes it back.
class TemporaryVariable {
 public:
  TemporaryVariable(const char* name, const char* value) : name_(name) {
    set_ = value != nullptr && std::getenv(name) == nullptr;
    if (set_) setenv(name, value, 0);
  }
  ~TemporaryVariable() {
    if (set_) unsetenv(name_);
  }
  TemporaryVariable(const TemporaryVariable&) = delete;
  TemporaryVariable& operator=(const TemporaryVariable&) = delete;

 private:
  const char* name_;
  bool set_ = false;
};

void* openLibrary() {
  const TemporaryVariable core("OPENBLAS_CORETYPE", coreType());
  const TemporaryVariable threads("OPENBLAS_NUM_THREADS", "1");
  for (const char* name : {"libopenblas.so.0", "libopenblas.so", "liblapack.so.3"})
    if (void* library = dlopen(name, RTLD_NOW | RTLD_LOCAL)) return library;
  std::fprintf(stderr, "dini: OpenBLAS is not installed (libopenblas.so.0): %s\n", dlerror());
  std::abort();
}

Table load() {
  void* library = openLibrary();
  Table table;
  const auto bind = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
    if (function != nullptr) return;
    std::fprintf(stderr, "dini: %s is missing from OpenBLAS\n", name);
    std::abort();
  };
  bind(table.dgemm, "dgemm_");
  bind(table.dtrsm, "dtrsm_");
  bind(table.dgetrf, "dgetrf_");
  bind(table.dpotrf, "dpotrf_");
  bind(table.dsytrf, "dsytrf_");
  bind(table.dsyevd, "dsyevd_");
  bind(table.dgesdd, "dgesdd_");
  bind(table.dgeqrf, "dgeqrf_");
  bind(table.dorgqr, "dorgqr_");
  return table;
}

}  // namespace

namespace {
// Without a C++ runtime library, whose guards of static variables libraries for C would need.
Table loaded;
pthread_once_t once = PTHREAD_ONCE_INIT;
}  // namespace

const Table& table() {
  pthread_once(&once, [] { loaded = load(); });
  return loaded;
}

}  // namespace dini::blas

void dini_init(void) { dini::blas::table(); }
