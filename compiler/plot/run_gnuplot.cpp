// The process: gnuplot reads the script from a file of the temporary folder; what it says comes back.
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plot/gnuplot.h"

extern char** environ;

namespace dini::plot {
namespace {

// A fresh file, removed at the end.
class TemporaryFile {
 public:
  TemporaryFile() {
    std::error_code failure;
    path_ = (std::filesystem::temp_directory_path(failure) / "dini-plot-XXXXXX").string();
    int made = mkstemp(path_.data());
    if (made >= 0) close(made);
    else path_.clear();
  }
  ~TemporaryFile() {
    std::error_code failure;
    if (!path_.empty()) std::filesystem::remove(path_, failure);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string contents(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace

DrawResult draw(const std::string& script) {
  TemporaryFile source, said;
  if (source.path().empty() || said.path().empty()) return {Drawn::Failed, "no temporary file could be made"};
  std::ofstream(source.path()) << script;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, said.path().c_str(), O_WRONLY | O_APPEND, 0);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  std::string name = "gnuplot", path = source.path();
  char* arguments[] = {name.data(), path.data(), nullptr};
  pid_t child = 0;
  int failure = posix_spawnp(&child, "gnuplot", &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failure == ENOENT) return {Drawn::NoGnuplot, ""};
  if (failure != 0) return {Drawn::Failed, "gnuplot could not be started"};
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127) return {Drawn::NoGnuplot, ""};
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {Drawn::Done, ""};
  return {Drawn::Failed, contents(said.path())};
}

}  // namespace dini::plot
