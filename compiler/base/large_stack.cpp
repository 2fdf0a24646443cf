#include "base/large_stack.h"

#include <pthread.h>

#include <exception>

namespace dini {
namespace {

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

void runOnLargeStack(size_t bytes, const std::function<void()>& work) {
  Task task{&work, nullptr};
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  bool started = pthread_attr_setstacksize(&attributes, bytes) == 0 &&
                 pthread_create(&thread, &attributes, runTask, &task) == 0;
  pthread_attr_destroy(&attributes);
  if (!started) return work();
  pthread_join(thread, nullptr);
  if (task.error) std::rethrow_exception(task.error);
}

}  // namespace dini
