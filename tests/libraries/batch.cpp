// build: batch.dini --derivative grad,jvp,vjp,split --on-failure=nan
// build: batch.dini --derivative grad,jvp,vjp,split --on-failure=nan --dims n=128
// build: batch.dini --derivative grad,jvp,vjp,split
// compile: -std=c++20
// compile: -std=c++20 -fsanitize=address,undefined
// Batches with members that fail: how many, which, and why; the others' values and derivatives are
// unharmed. In a library without --on-failure=nan the first of them ends the call.
#include <string.h>

#include <vector>

#include "batch.hpp"
#include "check.h"

namespace {
constexpr int64_t kMembers = 128;
using Numbers = std::vector<double>;

struct Told {
  std::vector<int> statuses = std::vector<int>(kMembers, -1);
  dini_info info{};
  Told() {
    info.member_status = statuses.data();
    info.members = kMembers;
  }
};

bool isBad(int64_t k) { return k == 5 || k == 77 || k == 127; }

Numbers parameters() {
  Numbers p;
  for (int64_t k = 0; k < kMembers; ++k)
    p.push_back(isBad(k) ? -1.0 : 1 + static_cast<double>(k));
  return p;
}

void checkTold(const dini::status& ended, const std::vector<int>& statuses) {
  CHECK(ended && ended.failed() == 3);
  for (int64_t k = 0; k < kMembers; ++k)
    CHECK((statuses[static_cast<size_t>(k)] != DINI_OK) == isBad(k));
  CHECK(statuses[77] == DINI_NOT_CONVERGED && ended.info().batch_index == 5);
  CHECK(strstr(ended.info().file, "batch.dini") != nullptr && ended.info().residual > 0.1);
}

// Results that are NaN in bad members, `expected` in the others.
template <class Expected>
void checkNumbers(const Numbers& p, const Numbers& results, const Expected& expected) {
  for (int64_t k = 0; k < kMembers; ++k) {
    const auto at = static_cast<size_t>(k);
    if (isBad(k))
      CHECK(isnan(results[at]));
    else
      CHECK(near(results[at], expected(p[at]), 1e-9));
  }
}

double slope(double p) { return 0.5 / sqrt(p); }

void checkValues(dini::workspace& work, const Numbers& p) {
  Numbers z(kMembers);
  Told told;
  checkTold(batch::roots(work, p, z, told.info), told.statuses);
  checkNumbers(p, z, [](double q) { return sqrt(q); });
  // Without the array each solve counts; with it a member counts once.
  Told chained;
  checkTold(batch::chains(work, p, z, chained.info), chained.statuses);
  checkNumbers(p, z, [](double q) { return sqrt(sqrt(q)) + 2 * sqrt(q); });
  CHECK(batch::chains(work, p, z).failed() == 6);
  Told within;
  checkTold(batch::called(work, p, 3, z, within.info), within.statuses);
  checkNumbers(p, z, [](double q) { return sqrt(q) / 8; });
  // Fewer elements than members: those without one are counted all the same.
  Told few;
  few.info.members = 6;
  CHECK(batch::roots(work, p, z, few.info).failed() == 3);
  CHECK(few.statuses[5] == DINI_NOT_CONVERGED && few.statuses[6] == -1);
}

void checkDerivatives(dini::workspace& work, const Numbers& p) {
  Numbers z(kMembers), tangent(kMembers), bar(kMembers);
  const Numbers ones(kMembers, 1.0);
  Told gradient, forward, reverse, stepped;
  checkTold(batch::total_grad(work, p, bar, gradient.info), gradient.statuses);
  checkNumbers(p, bar, slope);
  checkTold(batch::roots_jvp(work, p, ones, z, tangent, forward.info), forward.statuses);
  checkNumbers(p, tangent, slope);
  checkTold(batch::roots_vjp(work, p, ones, bar, reverse.info), reverse.statuses);
  checkNumbers(p, bar, slope);
  dini::tape tape;
  checkTold(batch::roots_fwd(work, tape, p, z, stepped.info), stepped.statuses);
  const dini::status back = batch::roots_bwd(work, tape, ones, bar);
  CHECK(back && back.failed() == 0);
  checkNumbers(p, bar, slope);
  // Only the derivative fails: a multiple root.
  Numbers q = parameters();
  for (int64_t k = 0; k < kMembers; ++k)
    if (isBad(k)) q[static_cast<size_t>(k)] = 0;
  Told multiple;
  const dini::status ended = batch::roots_vjp(work, q, ones, bar, multiple.info);
  CHECK(ended && ended.failed() == 3 && multiple.statuses[77] == DINI_MULTIPLE_ROOT);
  checkNumbers(q, bar, slope);
}

void checkEnding(dini::workspace& work, const Numbers& p) {
  Numbers z(kMembers);
  Told told;
  const dini::status ended = batch::roots(work, p, z, told.info);
  CHECK(!ended && ended.code() == DINI_NOT_CONVERGED && ended.failed() == 1);
  CHECK(ended.info().batch_index == 5);
  for (int64_t k = 0; k < kMembers; ++k)
    CHECK(told.statuses[static_cast<size_t>(k)] == (k == 5 ? DINI_NOT_CONVERGED : DINI_OK));
  Told good;
  CHECK(batch::roots(work, Numbers(kMembers, 2.0), z, good.info).failed() == 0);
  for (const int status : good.statuses) CHECK(status == DINI_OK);
}
}  // namespace

int main() {
  dini::workspace work;
  const Numbers p = parameters();
  Numbers z(kMembers);
  if (!batch::roots(work, p, z)) {
    checkEnding(work, p);
  } else {
    checkValues(work, p);
    checkDerivatives(work, p);
  }
}
