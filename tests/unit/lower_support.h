// Programs as text for the tests of lowering: checked with the prelude, lowered, interpreted.
#pragma once

#include <string>
#include <vector>

#include "diag/diagnostic.h"
#include "ir/tensor.h"
#include "lower/lower.h"
#include "sema/sema.h"

namespace dini::lower_test {

// A checked program with the prelude. Fails the test that makes it if the text has errors.
class Program {
 public:
  explicit Program(const std::string& text, lower::Options options = {});

  // Runs every test block; the messages of those that fail.
  std::vector<std::string> failures();
  // The IR of a function for the given argument types, after lowering only.
  std::string ir(const std::string& function, const std::vector<types::TypePtr>& arguments);
  // The status that ends the only test block, Ok if none.
  ir::StatusInfo status();
  // The source text that a status points at.
  std::string at(const ir::StatusInfo& status) const;
  // Code and message of the first error of lowering the only test block, "" if none.
  std::string loweringError();

 private:
  SourceManager sources_;
  DiagnosticSink sink_;
  sema::Program program_;
  lower::Lowerer lowerer_;
  ast::File* file_ = nullptr;
};

// Every test block of the text passes.
void passes(const std::string& text);

}  // namespace dini::lower_test
