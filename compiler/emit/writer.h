// What the two writers share: lines with indentation, comments with source lines, and the way a
// limitation ends the writing.
#pragma once

#include <initializer_list>
#include <set>
#include <string>
#include <string_view>

#include "emit/emit.h"
#include "emit/names.h"
#include "emit/uses.h"

namespace dini::emit {

// Thrown inside a writer and caught by cpp() and dini() only.
struct Unspeakable {
  std::string what;
  Span span;
};

// A piece of an expression: `atom` needs no parentheses as an operand.
struct Piece {
  std::string text;
  bool atom = true;
};
inline std::string operand(const Piece& piece) { return piece.atom ? piece.text : "(" + piece.text + ")"; }

// A spelling such as "%0 + %1" with operands put in; those of a call stand without parentheses.
Piece spelled(std::string_view spelling, const std::vector<Piece>& operands, int64_t attribute);
// The shortest decimal that reads back exactly, with a point or an exponent; "inf".
std::string decimal(double number);

// Of a solver's yields, behind its solutions: iterations, reason, multiple, rcond; then perhaps the
// tolerance, where it is known only when the program runs.
inline constexpr size_t kYieldsBeforeTolerance = 4;

// What both writers show of an operation's operands (Uses::Shown): nothing of what only tells the run
// of ties, of a comparison `if` the condition, of a branch's yields those whose result is read, of a solver's the solution and what is read.
bool isShown(const Uses& uses, const ir::Op& op, size_t k);

// Functions of the module that a function calls, itself or through others: by name, and what their texts call them.
std::set<std::string, std::less<>> calleesOf(const ir::Module& module, const ir::Function& function);
std::string calleeName(const std::string& name);

class Lines {
 public:
  explicit Lines(std::string_view comment) : comment_(comment) {}
  void line(std::string_view text);
  // A line that opens a block ends in "{"; close() ends it.
  void open(std::string_view text);
  void close(std::string_view text = "}");
  void next(std::string_view text);  // "} else {"
  // "// model.dini:3: text", unless the statement before came from the same line.
  void place(const std::optional<Place>& place);
  std::string take() { return std::move(text_); }
  size_t mark() const { return text_.size(); }
  // Whether a line since `from`, at the depth of now, begins with none of the words.
  bool hasOther(size_t from, std::initializer_list<std::string_view> words) const;
  // What was written since `from`, as a block.
  void enclose(size_t from, std::string_view head, std::string_view end);
  size_t depth() const { return depth_; }

 private:
  std::string comment_, text_, last_place_;
  size_t depth_ = 0;
};

}  // namespace dini::emit
