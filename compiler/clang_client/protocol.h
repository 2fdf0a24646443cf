// What `dini` and `dini-clang` tell each other, one JSON document each way. Clang lives in a program of
// its own, so that `dini` neither links nor loads it (docs/design/cpp-import.md).
// Not here: who starts the process (client.h), who answers (clang_frontend/).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "diag/diagnostic.h"

namespace dini::clang_client {

// Half-open bytes of one of the files of an answer.
struct Place {
  int32_t file = -1;
  uint32_t begin = 0;
  uint32_t end = 0;
  bool valid() const { return file >= 0; }
};

struct Finding {
  struct Mark {
    Place place;
    std::string text;
  };
  DiagCode code = DiagCode::CppUnsupported;
  std::string message;
  std::vector<Mark> marks;  // the first is the primary one
  std::vector<std::string> notes;
  std::string help;
};

// Bytes of the Dini text, and what they come from. Sorted by begin, enclosing ones first.
struct Region {
  uint32_t begin = 0;
  uint32_t end = 0;
  Place place;
};

struct ImportRequest {
  std::string path;
  std::vector<std::string> functions;  // besides the annotated ones
  std::vector<std::string> flags;      // of the C++ compiler: -I, -D, -std
};

struct ImportAnswer {
  std::vector<std::string> files;     // paths; the first is the imported file
  std::string text;                   // a Dini program; empty after an error
  std::vector<Region> regions;
  std::vector<std::string> exported;  // functions that importers see
  std::vector<Finding> findings;
};

struct FormatAnswer {
  std::string text;  // formatted
  struct Problem {
    uint32_t line = 0;  // from 1, of the text as given
    std::string message;
  };
  std::vector<Problem> problems;  // what the compiler says of it, warnings included
};

std::string toJson(const ImportAnswer& answer);
std::string toJson(const FormatAnswer& answer);
// Null: it is not such a document.
std::optional<ImportAnswer> importAnswer(const std::string& json);
std::optional<FormatAnswer> formatAnswer(const std::string& json);

}  // namespace dini::clang_client
