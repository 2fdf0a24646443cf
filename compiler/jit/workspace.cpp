#include "jit/workspace.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"

namespace dini::jit {
namespace {

constexpr size_t kKept = size_t{64} << 20;

}  // namespace

// Three quarters of the machine's memory: beyond that a program gets Status::Memory.
Workspace::Workspace() {
  const auto physical =
      static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
  size_ = physical / 4 * 3 / (size_t{1} << 20) * (size_t{1} << 20);
  void* memory = mmap(nullptr, size_, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  while (memory == MAP_FAILED && size_ > kKept) {
    size_ /= 2;
    memory = mmap(nullptr, size_, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  }
  check(memory != MAP_FAILED, "no address space for the workspace");
  begin_ = static_cast<char*>(memory);
}

Workspace::~Workspace() { munmap(begin_, size_); }

void Workspace::trim() {
  if (size_ > kKept) madvise(begin_ + kKept, size_ - kKept, MADV_DONTNEED);
}

}  // namespace dini::jit
