// Where in the C++ files something is, and what is to be said about it. Files are numbered in the order
// in which they are first named; the imported one is 0.
#pragma once

#include <map>

#include <clang/Basic/SourceManager.h>

#include "clang_client/protocol.h"

namespace clang {
class Decl;
class Stmt;
}

namespace dini::clang_frontend {

// Ends the lowering of a function after something was reported; never leaves this library.
struct Stop {};

class Reporter {
 public:
  Reporter(const clang::SourceManager& sources, const clang::LangOptions& language,
           clang_client::ImportAnswer& answer)
      : sources_(sources), language_(language), answer_(answer) {}

  clang_client::Place place(clang::SourceRange range);
  clang_client::Place place(const clang::Stmt& at);
  // Of a declaration its name.
  clang_client::Place place(const clang::Decl& at);

  clang_client::Finding& add(DiagCode code, clang_client::Place place, std::string message,
                             std::string help = "", std::string label = "");
  template <class Node>
  [[noreturn]] void stop(DiagCode code, const Node& at, std::string message, std::string help = "") {
    add(code, place(at), std::move(message), std::move(help));
    throw Stop{};
  }
  // "a goto" is not taken; `help` is what to write instead.
  template <class Node>
  [[noreturn]] void unsupported(const Node& at, const std::string& construct, std::string help) {
    stop(DiagCode::CppUnsupported, at, construct + " cannot be imported", std::move(help));
  }
  const clang::SourceManager& sources() const { return sources_; }

 private:
  int32_t fileNumber(clang::FileID id);

  const clang::SourceManager& sources_;
  const clang::LangOptions& language_;
  clang_client::ImportAnswer& answer_;
  std::map<unsigned, int32_t> numbers_;
};

}  // namespace dini::clang_frontend
