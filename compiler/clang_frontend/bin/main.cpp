// dini-clang: what `dini` asks of Clang, in a program of its own. `import FILE [--fn=NAME]... [-- FLAG...]`
// gives functions of a C++ file as a Dini program, `format` lays out and checks C++ from standard input. The
// answer is one JSON document (clang_client/protocol.h). Not meant to be called by hand.
#include <cstdio>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "clang_frontend/frontend.h"

namespace {

void answer(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  if (words.size() >= 2 && words[0] == "import") {
    dini::clang_client::ImportRequest request;
    request.path = words[1];
    bool flags = false;
    for (std::string_view word : std::vector<std::string_view>(words.begin() + 2, words.end())) {
      if (!flags && word == "--") flags = true;
      else if (!flags && word.starts_with("--fn=")) request.functions.emplace_back(word.substr(5));
      else request.flags.emplace_back(word);
    }
    answer(toJson(dini::clang_frontend::importFile(request)));
    return 0;
  }
  if (words.size() == 1 && words[0] == "format") {
    const std::string text{std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
    answer(toJson(dini::clang_frontend::formatText(text)));
    return 0;
  }
  std::fputs("dini-clang is called by dini\n", stderr);
  return 1;
}
