#include "repl/line_editor.h"

#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cwchar>
#include <filesystem>
#include <iostream>

#include <fmt/format.h>
#include <histedit.h>
#include <poll.h>
#include <unistd.h>

#include "session/session.h"

namespace dini::repl {
namespace {

// Where the history is kept between sessions; empty where no folder is known.
std::string historyPath() {
  namespace fs = std::filesystem;
  if (const char* path = std::getenv("DINI_HISTORY")) return path;
  fs::path folder;
  if (const char* state = std::getenv("XDG_STATE_HOME"); state && *state)
    folder = state;
  else if (const char* home = std::getenv("HOME"); home && *home)
    folder = fs::path(home) / ".local" / "state";
  else
    return "";
  folder /= "dini";
  std::error_code failure;
  fs::create_directories(folder, failure);
  return failure ? "" : (folder / "history").string();
}

bool isWordByte(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == ':' ||
         (static_cast<unsigned char>(c) & 0x80);
}

std::string commonPrefix(const std::vector<std::string>& words) {
  std::string prefix = words.front();
  for (const std::string& word : words)
    while (!word.starts_with(prefix)) prefix.pop_back();
  return prefix;
}

// Waits until there is something to read; false: Ctrl-C. SIGINT gets through only inside ppoll, so
// that one between looking at the flag and waiting is not lost until the next key.
bool waitForInput(int file) {
  sigset_t interrupt, before;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  pthread_sigmask(SIG_BLOCK, &interrupt, &before);
  pollfd input{file, POLLIN, 0};
  int ready = 0;
  while (!session::interruptFlag() && (ready = ppoll(&input, 1, nullptr, &before)) < 0 &&
         errno == EINTR) {
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return ready != 0;
}

// One character of the terminal. libedit's own reader tries again after a signal; here Ctrl-C ends
// the line.
int readCharacter(EditLine* el, wchar_t* out) {
  FILE* in = nullptr;
  el_get(el, EL_GETFP, 0, &in);
  std::mbstate_t state{};
  while (true) {
    if (!waitForInput(fileno(in)) || session::interruptFlag()) return -1;
    char byte;
    ssize_t count = ::read(fileno(in), &byte, 1);
    if (count == 0) return 0;
    if (count < 0) {
      if (errno == EINTR && !session::interruptFlag()) continue;
      return -1;
    }
    size_t used = std::mbrtowc(out, &byte, 1, &state);
    if (used == static_cast<size_t>(-2)) continue;  // more bytes to come
    if (used == static_cast<size_t>(-1)) *out = L'?';
    return 1;
  }
}

}  // namespace

struct LineEditor::Terminal {
  EditLine* line = nullptr;
  History* history = nullptr;
  std::string history_path = historyPath();
  std::string prompt;
  Completer completer;

  explicit Terminal(Completer given) : completer(std::move(given)) {
    std::setlocale(LC_CTYPE, "");
    line = el_init("dini", stdin, stdout, stderr);
    history = history_init();
    HistEvent event;
    ::history(history, &event, H_SETSIZE, 2000);
    ::history(history, &event, H_SETUNIQUE, 1);
    if (!history_path.empty()) ::history(history, &event, H_LOAD, history_path.c_str());
    el_set(line, EL_CLIENTDATA, this);
    el_set(line, EL_PROMPT, &Terminal::promptOf);
    el_set(line, EL_EDITOR, "emacs");
    el_set(line, EL_HIST, ::history, history);
    el_wset(line, EL_GETCFN, &readCharacter);
    el_set(line, EL_ADDFN, "dini-complete", "complete a name", &Terminal::complete);
    el_set(line, EL_BIND, "\t", "dini-complete", nullptr);
    el_set(line, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    el_source(line, nullptr);  // the user's ~/.editrc
  }
  ~Terminal() {
    HistEvent event;
    if (!history_path.empty()) ::history(history, &event, H_SAVE, history_path.c_str());
    history_end(history);
    el_end(line);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  static Terminal& of(EditLine* el) {
    Terminal* self = nullptr;
    el_get(el, EL_CLIENTDATA, &self);
    return *self;
  }
  static char* promptOf(EditLine* el) { return of(el).prompt.data(); }

  static unsigned char complete(EditLine* el, int) {
    const LineInfo* info = el_line(el);
    const char* begin = info->cursor;
    while (begin > info->buffer && isWordByte(begin[-1])) --begin;
    std::string prefix(begin, static_cast<size_t>(info->cursor - begin));
    std::vector<std::string> words = of(el).completer(prefix);
    if (words.empty()) return CC_ERROR;
    std::string common = commonPrefix(words);
    if (common.size() > prefix.size()) {
      el_insertstr(el, common.c_str() + prefix.size());
      return CC_REFRESH;
    }
    if (words.size() == 1) return CC_ERROR;
    std::fputc('\n', stdout);
    for (const std::string& word : words) fmt::print("{}  ", word);
    std::fputc('\n', stdout);
    return CC_REDISPLAY;
  }
};

LineEditor::LineEditor(Completer completer) {
  if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
    terminal_ = std::make_unique<Terminal>(std::move(completer));
}

LineEditor::~LineEditor() = default;

LineEditor::Result LineEditor::read(const std::string& prompt, std::string& line) {
  if (!terminal_) {
    if (std::getline(std::cin, line)) return Result::Line;
    return session::interruptFlag().exchange(false) ? Result::Interrupted : Result::End;
  }
  terminal_->prompt = prompt;
  int count = 0;
  errno = 0;
  const char* text = el_gets(terminal_->line, &count);
  if (!text || count <= 0) {
    std::fputc('\n', stdout);
    if (!session::interruptFlag().exchange(false)) return Result::End;
    el_reset(terminal_->line);
    return Result::Interrupted;
  }
  line.assign(text, static_cast<size_t>(count));
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
  HistEvent event;
  if (line.find_first_not_of(" \t") != std::string::npos)
    ::history(terminal_->history, &event, H_ENTER, (line + "\n").c_str());
  return Result::Line;
}

}  // namespace dini::repl
