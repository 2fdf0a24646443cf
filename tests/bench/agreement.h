// Whether two answers are the same: |a - b| <= tolerance * max |b| over each array.
#pragma once

#include <span>
#include <string>

namespace dini::bench {

class Agreement {
 public:
  // Prints a line on stderr for what does not agree.
  void expect(const std::string& what, std::span<const double> got, std::span<const double> wanted,
              double tolerance);
  void expect(const std::string& what, double got, double wanted, double tolerance) {
    expect(what, std::span(&got, 1), std::span(&wanted, 1), tolerance);
  }
  void expect(const std::string& what, bool holds);
  bool good() const { return failures_ == 0; }

 private:
  int failures_ = 0;
};

// The hand-written versions against closed forms, each other, and differences.
void checkHand(Agreement& agreement);

}  // namespace dini::bench
