// The memory of compiled code: one large range of addresses, reserved but not committed, so that
// compiled code itself allocates nothing.
#pragma once

#include <cstddef>

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

}  // namespace dini::jit
