#include "clang_client/client.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"

extern char** environ;

namespace dini::clang_client {
namespace {

// Two ends of a pipe or a file, closed at the end.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor() { reset(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }
  void reset(int number = -1) {
    if (number_ >= 0) close(number_);
    number_ = number;
  }

 private:
  int number_;
};

std::string program() {
  std::error_code failure;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", failure);
  return (self.parent_path() / "dini-clang").string();
}

std::string readAll(int from) {
  std::string text;
  char part[65536];
  for (;;) {
    const ssize_t count = read(from, part, sizeof part);
    if (count > 0) text.append(part, static_cast<size_t>(count));
    else if (count == 0 || errno != EINTR) return text;
  }
}

// What the text of a question is read from: a file without a name, so that no pipe can fill up while the
// answer is written.
int unnamedFile(const std::string& text) {
  const std::string folder = std::filesystem::temp_directory_path().string();
  const int made = open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (made < 0) return -1;
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = write(made, text.data() + done, text.size() - done);
    if (count < 0 && errno != EINTR) break;
    if (count > 0) done += static_cast<size_t>(count);
  }
  if (done == text.size() && lseek(made, 0, SEEK_SET) == 0) return made;
  close(made);
  return -1;
}

// Runs dini-clang; what it says on standard output.
Failure ask(std::vector<std::string> words, const std::string& input, std::string& answer) {
  words.insert(words.begin(), program());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  int ends[2];
  Descriptor source(unnamedFile(input));
  if (source.get() < 0 || pipe2(ends, O_CLOEXEC) != 0) return {"no temporary file or pipe could be made"};
  Descriptor reading(ends[0]), writing(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, source.get(), 0);
  posix_spawn_file_actions_adddup2(&actions, writing.get(), 1);
  pid_t child = 0;
  const int failure = posix_spawn(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) return {fmt::format("`{}`, which reads C++, cannot be started", words[0])};
  writing.reset();
  answer = readAll(reading.get());
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
    return {fmt::format("`{}`, which reads C++, cannot be started", words[0])};
  check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "dini-clang ended without an answer");
  return {};
}

}  // namespace

Failure importCpp(const ImportRequest& request, ImportAnswer& answer) {
  std::vector<std::string> words = {"import", request.path};
  for (const std::string& function : request.functions) words.push_back("--fn=" + function);
  words.emplace_back("--");
  words.insert(words.end(), request.flags.begin(), request.flags.end());
  if (const char* given = std::getenv("DINI_CXXFLAGS")) {
    std::istringstream flags(given);
    for (std::string flag; flags >> flag;) words.push_back(flag);
  }
  std::string text;
  if (Failure failure = ask(std::move(words), "", text); !failure.message.empty()) return failure;
  std::optional<ImportAnswer> read = importAnswer(text);
  check(read.has_value(), "dini-clang gave an answer that cannot be read");
  answer = std::move(*read);
  return {};
}

Failure formatCpp(const std::string& text, FormatAnswer& answer) {
  std::string made;
  if (Failure failure = ask({"format"}, text, made); !failure.message.empty()) return failure;
  std::optional<FormatAnswer> read = formatAnswer(made);
  check(read.has_value(), "dini-clang gave an answer that cannot be read");
  answer = std::move(*read);
  return {};
}

}  // namespace dini::clang_client
