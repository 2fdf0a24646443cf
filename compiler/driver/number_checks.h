// Checks of numbers that options take: what is wrong with the text, or nothing. What is no number at all is told by the
// conversion that follows.
#pragma once

#include <cmath>
#include <cstdlib>
#include <string>

namespace dini::driver {

inline std::string checkPositive(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  const bool right = *end != '\0' || (std::isfinite(value) && value > 0);
  return right ? "" : "a positive number is meant, not " + text;
}

inline std::string checkNonNegative(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  const bool right = *end != '\0' || (std::isfinite(value) && value >= 0);
  return right ? "" : "0 or a positive number is meant, not " + text;
}

}  // namespace dini::driver
