// build: steps.dini --derivative split,vjp,jvp
// build: steps.dini --derivative split,vjp,jvp --dims n=3
// compile: -std=c++20 -DCOUNT_ALLOCATIONS
// compile: -std=c++20 -fsanitize=thread
// compile: -std=c++20 -fsanitize=address,undefined
// Value and derivatives in steps around a tape: the numbers of the calls in one on a
// tape that was moved, with workspaces and tapes of exactly the stated size between guard pages.
// Several threads read one tape. What is no tape of the function is a status.
#include <string.h>

#include <thread>
#include <vector>

#include "allocations.h"
#include "calls.h"
#include "guarded.h"
#include "steps.hpp"

namespace {

struct Functions {
  Call value, vjp, jvp;
  Forward fwd;
  Linear bwd, tan;
  Bytes value_bytes, vjp_bytes, jvp_bytes, fwd_bytes, bwd_bytes, tan_bytes, tape_bytes;
};
#define FUNCTIONS(f)                                                                              \
  Functions {                                                                                     \
    f, f##_vjp, f##_jvp, f##_fwd, f##_bwd, f##_tan, f##_work_bytes, f##_vjp_work_bytes,           \
        f##_jvp_work_bytes, f##_fwd_work_bytes, f##_bwd_work_bytes, f##_tan_work_bytes,           \
        f##_tape_bytes                                                                            \
  }

// Words of leaves; ints are held as their bits.
using Words = std::vector<double>;
using Leaves = std::vector<Words>;

Words number(int64_t value) {
  Words made(1);
  memcpy(made.data(), &value, sizeof value);
  return made;
}

std::vector<const void*> reading(const Leaves& leaves) {
  std::vector<const void*> all;
  for (const Words& leaf : leaves) all.push_back(leaf.data());
  return all;
}

std::vector<void*> writing(Leaves& leaves) {
  std::vector<void*> all;
  for (Words& leaf : leaves) all.push_back(leaf.data());
  return all;
}

// To the last bit; but a derivative that is zero may have either sign, since where ties of `locked` can
// occur the first step has the probe, and the call in one has it at ties only.
bool same(const Words& a, const Words& b) {
  for (size_t k = 0; k < a.size(); ++k)
    if (memcmp(&a[k], &b[k], 8) != 0 && !(a[k] == 0 && b[k] == 0)) return false;
  return a.size() == b.size();
}

bool same(const Leaves& a, const Leaves& b) {
  for (size_t k = 0; k < a.size(); ++k)
    if (!same(a[k], b[k])) return false;
  return a.size() == b.size();
}

Leaves like(const Leaves& leaves, double shift) {
  Leaves made = leaves;
  double at = shift;
  for (Words& leaf : made)
    for (double& x : leaf) x = std::sin(at += 1.7);
  return made;
}

Leaves joined(const Leaves& a, const Leaves& b) {
  Leaves all = a;
  all.insert(all.end(), b.begin(), b.end());
  return all;
}

// `in`: the arguments but sizes; `real`: those with tangents; `out`: of the shapes of the results.
struct Problem {
  Functions f;
  std::vector<int64_t> sizes;
  Leaves in, real, out;
  size_t more = 0;  // bytes beyond what is a minimum only

  const int64_t* n() const { return sizes.data(); }

  // Of `rounds` seeds; the tape is moved between the calls.
  void check(int rounds) const {
    dini_info info{};
    const auto memory = [&](Bytes bytes) {
      const size_t all = bytes(n()) + more;
      info.work_bytes = more > 0 && (info.work_bytes == 0 || all < info.work_bytes) ? all : info.work_bytes;
      return guarded(all);
    };
    char* work = memory(f.value_bytes);
    char* vjp_work = memory(f.vjp_bytes);
    char* jvp_work = memory(f.jvp_bytes);
    char* fwd_work = memory(f.fwd_bytes);
    char* bwd_work = memory(f.bwd_bytes);
    char* tan_work = memory(f.tan_bytes);
    const size_t tape_bytes = f.tape_bytes(n()) + more;
    info.tape_bytes = tape_bytes;
    char* tape = guarded(tape_bytes);
    Leaves value = out, first = out, bars = real, bars_first = real, both = joined(out, out), dots = out;
    CHECK(f.value(reading(in).data(), writing(value).data(), n(), work, &info) == DINI_OK);
    CHECK(f.fwd(reading(in).data(), writing(first).data(), n(), tape, fwd_work, &info) == DINI_OK);
    CHECK(same(value, first));
    for (int round = 0; round < rounds; ++round) {
      char* moved = guarded(tape_bytes);
      memcpy(moved, tape, tape_bytes);
      memset(tape, 0xff, tape_bytes);
      tape = moved;
      const Leaves seeds = like(out, round), tangents = like(real, -round);
      CHECK(f.vjp(reading(joined(in, seeds)).data(), writing(bars).data(), n(), vjp_work, &info) == DINI_OK);
      CHECK(f.bwd(tape, reading(seeds).data(), writing(bars_first).data(), n(), bwd_work, &info) == DINI_OK);
      CHECK(same(bars, bars_first));
      CHECK(f.jvp(reading(joined(in, tangents)).data(), writing(both).data(), n(), jvp_work, &info) == DINI_OK);
      CHECK(f.tan(tape, reading(tangents).data(), writing(dots).data(), n(), tan_work, &info) == DINI_OK);
      for (size_t k = 0; k < out.size(); ++k)
        CHECK(same(both[out.size() + k], dots[k]));
    }
  }
};

const Words A = {2, .5, -1, .25, 3, .5, -.75, 1, 4}, B = {.5, -.25, .125}, ONE = {0}, THREE = {0, 0, 0};

Problem solvedAt(double shift) {
  Words b = B;
  b[0] += shift;
  return {FUNCTIONS(solved), {3}, {A, b}, {A, b}, {THREE}};
}

std::vector<Problem> problems() {
  const Words small = {.1, .2, 0, 0, .3, .1, .2, 0, .1}, large = {3, -2, 1.5};
  std::vector<Problem> all = {
      solvedAt(0),
      {FUNCTIONS(settled), {3}, {small, {.75}, number(7), B}, {small, {.75}, number(0), B}, {THREE, number(0)}, 1 << 16},
      {FUNCTIONS(bent), {3}, {small, B}, {small, B}, {THREE}},
      {FUNCTIONS(bent), {3}, {small, {0, 0, 0}}, {small, B}, {THREE}},  // at ties
      {FUNCTIONS(root), {}, {{2.5}}, {{0}}, {ONE}},
      {FUNCTIONS(roots), {3}, {large}, {large}, {THREE}},
      {FUNCTIONS(orbit), {3}, {large, number(9)}, {large}, {ONE}, 1 << 16},
      {FUNCTIONS(limited), {3}, {large}, {large}, {ONE}},
      {FUNCTIONS(chosen), {}, {{.5}, {.25}}, {{0}, {0}}, {ONE}},
      {FUNCTIONS(chosen), {}, {{.5}, {.5}}, {{0}, {0}}, {ONE}},  // at a tie
      {FUNCTIONS(chosen), {}, {{1.5}, {.25}}, {{0}, {0}}, {ONE}},
      {FUNCTIONS(power), {}, {{1.25}, number(6)}, {{0}}, {ONE}, 1 << 16},
  };
  return all;
}

// A tape whose length the data decide: what is asked for is a minimum, and the wrapper makes it grow.
void checkUnbounded() {
  dini::workspace work;
  dini::tape tape;
  const Words x = {3, -2, 1.5}, one = {1};
  double value = 0;
  Words bar(3), expected(3);
  Words memory(halved_tape_bytes(std::vector<int64_t>{3}.data()) / 8 + 1);
  dini_info info{};
  const void* in[] = {x.data()};
  void* out[] = {&value};
  const int64_t n[] = {3};
  std::vector<char> fwd_work(1 << 16);
  info.work_bytes = fwd_work.size();
  CHECK(halved_fwd(in, out, n, memory.data(), fwd_work.data(), &info) == DINI_MEMORY);
  CHECK(info.needed_bytes > halved_tape_bytes(n));
  work.reserve(1 << 16);
  CHECK(steps::halved_fwd(work, tape, x, value));
  CHECK(tape.size() >= info.needed_bytes);
  CHECK(steps::halved_bwd(work, tape, 1.0, bar));
  CHECK(steps::halved_vjp(work, x, 1.0, expected));
  CHECK(memcmp(bar.data(), expected.data(), 24) == 0);
}

void checkWrongTapes() {
  const Problem p = solvedAt(0), other = {FUNCTIONS(bent), {3}, {A, B}, {A, B}, {THREE}};
  std::vector<double> tape(p.f.tape_bytes(p.n()) / 8 + 1), good;
  std::vector<char> work(p.f.fwd_bytes(p.n()) + p.f.bwd_bytes(p.n()) + other.f.bwd_bytes(p.n()));
  Leaves out = p.out, bars = p.real;
  dini_info info{};
  const auto bwd = [&](Linear step, const void* from, const int64_t* sizes) {
    return step(from, reading(p.out).data(), writing(bars).data(), sizes, work.data(), &info);
  };
  CHECK(bwd(p.f.bwd, tape.data(), p.n()) == DINI_TAPE);  // never written
  CHECK(p.f.fwd(reading(p.in).data(), writing(out).data(), p.n(), tape.data(), work.data(), nullptr) == DINI_OK);
  CHECK(bwd(p.f.bwd, tape.data(), p.n()) == DINI_OK);
  CHECK(bwd(other.f.bwd, tape.data(), p.n()) == DINI_TAPE);  // another function's
  const int64_t two[] = {2};
  if (solved_tape_bytes(two) != solved_tape_bytes(p.n())) CHECK(bwd(p.f.bwd, tape.data(), two) == DINI_TAPE);
  CHECK(bwd(p.f.bwd, nullptr, p.n()) == DINI_TAPE);
  CHECK(bwd(p.f.bwd, reinterpret_cast<char*>(tape.data()) + 1, p.n()) == DINI_TAPE);
  for (size_t word = 0; word < 4; ++word) {  // function, CPU, size, checksum
    good = tape;
    reinterpret_cast<int64_t*>(good.data())[word] ^= 8;
    CHECK(bwd(p.f.bwd, good.data(), p.n()) == DINI_TAPE);
  }
  info.tape_bytes = 8;  // cut off
  CHECK(bwd(p.f.bwd, tape.data(), p.n()) == DINI_TAPE);
  info.tape_bytes = 0;
  // A step that failed leaves no tape.
  Leaves singular = p.in;
  for (double& x : singular[0]) x = 1;
  CHECK(p.f.fwd(reading(singular).data(), writing(out).data(), p.n(), tape.data(), work.data(), &info) == DINI_SINGULAR);
  CHECK(info.line == 4 && bwd(p.f.bwd, tape.data(), p.n()) == DINI_TAPE);
  info.tape_bytes = 16;
  CHECK(p.f.fwd(reading(p.in).data(), writing(out).data(), p.n(), tape.data(), work.data(), &info) == DINI_MEMORY);
  CHECK(info.needed_bytes == p.f.tape_bytes(p.n()));
}

void checkTies() {
  dini::workspace work;
  dini::tape tape;
  double value = 0;
  dini::status ended = steps::chosen_fwd(work, tape, 0.5, 0.5, value);
  CHECK(ended && ended.info().tie == 1 && ended.info().ties == 1);
  ended = steps::chosen_fwd(work, tape, 0.5, 0.25, value);
  CHECK(ended && ended.info().tie == 0 && ended.info().ties == 0);
}

// Every thread has its own workspace and seeds; the tape is one.
void checkThreads() {
  const Problem p = solvedAt(0.5);
  std::vector<double> tape(p.f.tape_bytes(p.n()) / 8 + 1);
  std::vector<char> work(p.f.fwd_bytes(p.n()));
  Leaves out = p.out;
  CHECK(p.f.fwd(reading(p.in).data(), writing(out).data(), p.n(), tape.data(), work.data(), nullptr) == DINI_OK);
  const auto run = [&](double shift) {
    std::vector<char> own(p.f.bwd_bytes(p.n()) + p.f.tan_bytes(p.n()));
    Leaves bars = p.real, dots = p.out;
    for (int k = 0; k < 3000; ++k) {
      const Leaves seed = like(p.out, shift), tangent = like(p.real, shift);
      CHECK(p.f.bwd(tape.data(), reading(seed).data(), writing(bars).data(), p.n(), own.data(), nullptr) == DINI_OK);
      CHECK(p.f.tan(tape.data(), reading(tangent).data(), writing(dots).data(), p.n(), own.data(), nullptr) == DINI_OK);
      double forward = 0, backward = 0;  // <y_bar, y_dot> = <x_bar, x_dot>
      for (size_t j = 0; j < 3; ++j) forward += seed[0][j] * dots[0][j];
      for (size_t leaf = 0; leaf < 2; ++leaf)
        for (size_t j = 0; j < bars[leaf].size(); ++j) backward += bars[leaf][j] * tangent[leaf][j];
      CHECK(near(forward, backward, 1e-12));
    }
  };
  std::thread first(run, 1.0), second(run, 2.0);
  first.join();
  second.join();
}
}  // namespace

#ifdef COUNT_ALLOCATIONS
// The calls alone, on memory that is there before.
void checkAllocations() {
  const Problem p = solvedAt(0);
  std::vector<double> tape(p.f.tape_bytes(p.n()) / 8 + 1);
  std::vector<char> work(p.f.fwd_bytes(p.n()) + p.f.bwd_bytes(p.n()));
  Leaves out = p.out, bars = p.real;
  const auto in = reading(p.in), seeds = reading(p.out);
  const auto to = writing(out), bars_to = writing(bars);
  for (int round = 0; round < 3; ++round) {  // libraries of the system may allocate at first
    const long before = allocations;
    CHECK(p.f.fwd(in.data(), to.data(), p.n(), tape.data(), work.data(), nullptr) == DINI_OK);
    CHECK(p.f.bwd(tape.data(), seeds.data(), bars_to.data(), p.n(), work.data(), nullptr) == DINI_OK);
    CHECK(round == 0 || allocations == before);
  }
}
#else
void checkAllocations() {}
#endif

int main() {
  dini_init();
  for (const Problem& problem : problems()) problem.check(3);
  checkUnbounded();
  checkWrongTapes();
  checkTies();
  checkThreads();
  checkAllocations();
  return 0;
}
