// build: programs.dini --derivative vjp,split
// build: programs.dini --derivative vjp,split --no-blas
// compile: -std=c++20 -DCOUNT_ALLOCATIONS
// compile: -std=c++20 -fsanitize=thread
// compile: -std=c++20 -fsanitize=address,undefined
// `argmin` blocks and a reduced system in two threads at once, each in a workspace of exactly the stated size that ends at
// a guard page: the same numbers in one call and in steps, and no allocation.
#include <string.h>

#include <thread>
#include <vector>

#include "allocations.h"
#include "calls.h"
#include "guarded.h"
#include "programs.h"

namespace {

constexpr int kMost = 15;  // numbers in a leaf

struct Case {
  Call value, vjp;
  Forward fwd;
  Linear bwd;
  Bytes value_bytes, vjp_bytes, fwd_bytes, bwd_bytes, tape_bytes;
  int leaves;
  double in[3][kMost];
  int count;  // of the result
  double expected[4];
};
#define FUNCTIONS(f) \
  f, f##_vjp, f##_fwd, f##_bwd, f##_work_bytes, f##_vjp_work_bytes, f##_fwd_work_bytes, \
      f##_bwd_work_bytes, f##_tape_bytes

// Closed forms: the box holds x[3] = h, the cone scales c, the positive part has eigenvalue 3 alone.
const Case kCases[] = {
    {FUNCTIONS(boxed), 2, {{0, 0, 0, -4}, {.5}, {}}, 4, {2. / 14, 2. / 14, 3. / 14, .5}},
    {FUNCTIONS(pointed), 2, {{3, 4}, {2}, {}}, 2, {1.2, 1.6}},
    {FUNCTIONS(banana), 1, {{1.5}, {}, {}}, 2, {1.5, 2.25}},
    {FUNCTIONS(sparse_fit), 3, {{1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}, {3, -.5, -2, 0, 0}, {1}},
     3, {2, 0, -1}},
    {FUNCTIONS(resting), 1, {{1, -2, 1, 1}, {}, {}}, 4, {1, 0, 1.75, 1.5}},
    {FUNCTIONS(resting), 1, {{1, 1, 1, 1}, {}, {}}, 4, {2, 2, 2, 2}},
    {FUNCTIONS(positive), 1, {{1, 2, 2, 1}, {}, {}}, 4, {1.5, 1.5, 1.5, 1.5}},
};

struct Memory {
  char *value, *vjp, *fwd, *bwd, *tape;
  explicit Memory(const Case& c)
      : value(guarded(c.value_bytes(nullptr))),
        vjp(guarded(c.vjp_bytes(nullptr))),
        fwd(guarded(c.fwd_bytes(nullptr))),
        bwd(guarded(c.bwd_bytes(nullptr))),
        tape(guarded((c.tape_bytes(nullptr) + 7) / 8 * 8)) {}
};

void once(const Case& c, const Memory& memory) {
  const double seed[4] = {1, -2, .5, 3};
  double value[4], again[4], whole[3][kMost] = {}, steps[3][kMost] = {};
  const void* in[4];
  void *whole_out[3], *step_out[3], *value_out[] = {value}, *again_out[] = {again};
  for (int k = 0; k < c.leaves; ++k) {
    in[k] = c.in[k];
    whole_out[k] = whole[k];
    step_out[k] = steps[k];
  }
  const void* bar[] = {seed};
  CHECK(c.value(in, value_out, nullptr, memory.value, nullptr) == DINI_OK);
  in[c.leaves] = seed;
  CHECK(c.vjp(in, whole_out, nullptr, memory.vjp, nullptr) == DINI_OK);
  CHECK(c.fwd(in, again_out, nullptr, memory.tape, memory.fwd, nullptr) == DINI_OK);
  CHECK(c.bwd(memory.tape, bar, step_out, nullptr, memory.bwd, nullptr) == DINI_OK);
  for (int k = 0; k < c.count; ++k) CHECK(near(value[k], c.expected[k], 1e-8));
  CHECK(memcmp(value, again, static_cast<size_t>(c.count) * sizeof(double)) == 0);
  CHECK(memcmp(whole, steps, sizeof whole) == 0);
}

void run() {
  std::vector<Memory> memories;
  for (const Case& c : kCases) memories.emplace_back(c);
  for (size_t k = 0; k < std::size(kCases); ++k) once(kCases[k], memories[k]);
  const long before = allocations;
  for (int repeat = 0; repeat < 20; ++repeat)
    for (size_t k = 0; k < std::size(kCases); ++k) once(kCases[k], memories[k]);
  CHECK(allocations == before);
}
}  // namespace

int main() {
  dini_init();
#ifdef COUNT_ALLOCATIONS
  run();
#else
  std::thread other(run);
  run();
  other.join();
#endif
}
