// The memory of compiled code: one large range of addresses, reserved but not committed, so that
// compiled code itself allocates nothing; and a stack deep enough for the program's recursion.
#pragma once

#include <cstddef>
#include <functional>

namespace dini::jit {

class Workspace {
 public:
  Workspace();
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  char* begin() const { return begin_; }
  char* end() const { return begin_ + size_; }
  // Gives pages beyond the first 64 MB back to the system.
  void trim();

 private:
  char* begin_ = nullptr;
  size_t size_ = 0;
};

void runOnLargeStack(const std::function<void()>& work);

}  // namespace dini::jit
