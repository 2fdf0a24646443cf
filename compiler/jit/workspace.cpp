#include "jit/workspace.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <exception>

#include "base/check.h"

namespace dini::jit {
namespace {

constexpr size_t kKept = size_t{64} << 20;
constexpr size_t kStack = size_t{1} << 30;

struct Task {
  const std::function<void()>* work;
  std::exception_ptr error;
};

void* runTask(void* argument) {
  auto* task = static_cast<Task*>(argument);
  try {
    (*task->work)();
  } catch (...) {
    task->error = std::current_exception();
  }
  return nullptr;
}

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

void runOnLargeStack(const std::function<void()>& work) {
  Task task{&work, nullptr};
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  const bool started = pthread_attr_setstacksize(&attributes, kStack) == 0 &&
                       pthread_create(&thread, &attributes, runTask, &task) == 0;
  pthread_attr_destroy(&attributes);
  if (!started) return work();
  pthread_join(thread, nullptr);
  if (task.error) std::rethrow_exception(task.error);
}

}  // namespace dini::jit
