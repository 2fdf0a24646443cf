// build: equilibrium.dini --dims n=3 --derivative vjp,jac
// compile: -std=c++20 -DCOUNT_ALLOCATIONS
// compile: -std=c++20 -fsanitize=thread
// compile: -std=c++20 -fsanitize=address,undefined
// Two threads at once; each workspace has exactly the stated size and ends at a guard page. Without
// a sanitizer a hook counts allocations during calls: there are none.

#include <thread>

#include "allocations.h"
#include "guarded.h"
#include "equilibrium.h"

namespace {

void run(double shift) {
  char* work = guarded(layer_vjp_work_bytes(nullptr));
  char* work_jac = guarded(layer_jac_work_bytes(nullptr));
  const double W[9] = {.1, .2, 0, 0, .3, .1, .2, 0, .1};
  for (int k = 0; k < 5000; ++k) {
    const double b[3] = {1 + k * 1e-4, -1, .5 + shift}, ybar[3] = {1, 2, 3};
    double bar_W[9], bar_b[3], jac_W[27], jac_b[9];
    const void* in[] = {W, b, ybar};
    void* out[] = {bar_W, bar_b};
    void* jac_out[] = {jac_W, jac_b};
    CHECK(layer_vjp(in, out, nullptr, work, nullptr) == DINI_OK);
    CHECK(layer_jac(in, jac_out, nullptr, work_jac, nullptr) == DINI_OK);
    for (int j = 0; j < 3; ++j)
      CHECK(near(bar_b[j], jac_b[j] + 2 * jac_b[3 + j] + 3 * jac_b[6 + j], 1e-12));
  }
}
}  // namespace

int main() {
  dini_init();
  run(0.0);  // libraries of the system may allocate at their first use
  const long before = allocations;
  run(0.5);
  CHECK(allocations == before);
  std::thread first(run, 1.0), second(run, 2.0);
  first.join();
  second.join();
  return 0;
}
