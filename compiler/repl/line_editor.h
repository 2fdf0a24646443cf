// Lines from a person at a terminal, with editing, history and completion by libedit; from a pipe
// or file, plain lines without prompts. libedit and not GNU readline: its licence is BSD.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace dini::repl {

class LineEditor {
 public:
  enum class Result { Line, End, Interrupted };
  // Words that begin with a prefix.
  using Completer = std::function<std::vector<std::string>(const std::string& prefix)>;

  explicit LineEditor(Completer completer);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  bool interactive() const { return terminal_ != nullptr; }
  // The next line without its newline.
  Result read(const std::string& prompt, std::string& line);

 private:
  struct Terminal;
  std::unique_ptr<Terminal> terminal_;  // null: not a terminal
};

}  // namespace dini::repl
