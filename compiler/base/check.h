// Internal consistency checks. A failed check is a bug in the compiler, never in the user's
// program: it throws InternalError, which only the driver catches (exit code 70, reproducer).
#pragma once

#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>

namespace dini {

class InternalError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

[[noreturn]] void failCheck(std::string_view what,
                            std::source_location where = std::source_location::current());

inline void check(bool holds, std::string_view what,
                  std::source_location where = std::source_location::current()) {
  if (!holds) [[unlikely]] failCheck(what, where);
}

}  // namespace dini
