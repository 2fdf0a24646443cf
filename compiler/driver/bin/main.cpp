// The process: the program runs in a thread with a large stack, because trees are walked by
// recursion and a chain of a hundred thousand operators is a deep tree; Ctrl-C is delivered to that
// thread, where a waiting prompt notices it; a crash ends with exit code 70 and a message.
#include <csignal>
#include <cstring>

#include <pthread.h>
#include <unistd.h>

#include "driver/commands.h"

namespace {

constexpr size_t kStackBytes = size_t{1} << 30;  // reserved, used as needed

struct Call {
  int argc;
  char** argv;
  int result = 0;
};

extern "C" void onCrash(int) {
  const char* text =
      "internal error: dini crashed; this is a bug in the compiler, not in your program\n";
  ssize_t ignored = write(STDERR_FILENO, text, std::strlen(text));
  (void)ignored;
  _exit(dini::driver::kCompilerBug);
}

// The handler needs a stack of its own: the crash may be the end of the other one.
void installCrashHandler() {
  static char stack[64 * 1024];
  stack_t alternate = {};
  alternate.ss_sp = stack;
  alternate.ss_size = sizeof stack;
  sigaltstack(&alternate, nullptr);
  struct sigaction action = {};
  action.sa_handler = onCrash;
  action.sa_flags = SA_ONSTACK | SA_RESETHAND;
  for (int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) sigaction(signal, &action, nullptr);
}

void maskInterrupt(int how) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  pthread_sigmask(how, &set, nullptr);
}

void* body(void* argument) {
  auto* call = static_cast<Call*>(argument);
  maskInterrupt(SIG_UNBLOCK);
  installCrashHandler();
  call->result = dini::driver::runDini(call->argc, call->argv);
  return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  Call call{argc, argv};
  maskInterrupt(SIG_BLOCK);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  pthread_t thread;
  if (pthread_create(&thread, &attributes, body, &call) == 0)
    pthread_join(thread, nullptr);
  else
    body(&call);
  return call.result;
}
