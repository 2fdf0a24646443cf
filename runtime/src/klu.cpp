#include "klu.h"

#ifdef DINI_WITH_KLU
#include <dlfcn.h>
#include <pthread.h>

namespace dini::klu {
namespace {

Table loaded;
bool complete = false;
pthread_once_t once = PTHREAD_ONCE_INIT;

template <class Function>
bool bind(void* library, Function& function, const char* name) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

void load() {
  void* library = dlopen("libklu.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) library = dlopen("libklu.so", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return;
  complete = bind(library, loaded.defaults, "klu_l_defaults") &&
             bind(library, loaded.analyze, "klu_l_analyze") &&
             bind(library, loaded.factor, "klu_l_factor") &&
             bind(library, loaded.solve, "klu_l_solve") &&
             bind(library, loaded.solve_transposed, "klu_l_tsolve") &&
             bind(library, loaded.estimate, "klu_l_condest") &&
             bind(library, loaded.free_symbolic, "klu_l_free_symbolic") &&
             bind(library, loaded.free_numeric, "klu_l_free_numeric");
}

}  // namespace

const Table* table() {
  pthread_once(&once, load);
  return complete ? &loaded : nullptr;
}

}  // namespace dini::klu
#endif
