// What the tests of the front end share.
#pragma once

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "diag/render.h"
#include "syntax/formatter.h"
#include "syntax/parser.h"

namespace dini::test {

struct Parsed {
  SourceManager sources;
  DiagnosticSink sink;
  ast::File file;

  explicit Parsed(std::string text) {
    file = syntax::parseFile(sources, sources.add("test.dini", std::move(text)), sink);
  }
  std::string tree() const { return syntax::dumpTree(file); }
  std::string formatted() const { return syntax::format(sources, file); }
  std::string rendered() const {
    std::string all;
    for (const Diagnostic& d : sink.all()) all += render(sources, d, Colour::Off) + "\n";
    return all;
  }
  // "E0104:3" for each diagnostic: code and line.
  std::vector<std::string> codes() const {
    std::vector<std::string> list;
    for (const Diagnostic& d : sink.all()) {
      LineColumn at = sources.file(d.labels[0].span.file).lineColumn(d.labels[0].span.begin);
      list.push_back(std::string(diagInfo(d.code).code) + ":" + std::to_string(at.line));
    }
    return list;
  }
};

inline std::string readFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace dini::test
