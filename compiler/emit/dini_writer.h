// The Dini writer. Values become `let`s, what loops carry `var`s; an elementwise operation is
// written on whole arrays where the language has it there, and as a comprehension otherwise. Places in an
// array are then names of indices: expression(value, indices) is the element.
#pragma once

#include <map>
#include <set>
#include <span>

#include "emit/writer.h"

namespace dini::emit {

class DiniWriter {
 public:
  explicit DiniWriter(const Request& request);
  std::string function();
  std::vector<std::string> helpers() const;  // after function(): what its text calls

 private:
  using Indices = std::vector<std::string>;

  // --- dini_function.cpp
  void region(const ir::Region& region);
  void statement(const ir::Op& op);
  void control(const ir::Op& op);
  void loop(const ir::Op& op);
  void map(const ir::Op& op);
  void whileLoop(const ir::Op& op);
  void branches(const ir::Op& op);
  void root(const ir::Op& op);
  void equations(const ir::Op& op);
  std::vector<std::string> declareCarries(const ir::Op& op, size_t first, std::span<ir::Value* const> args);
  void nextCarries(const ir::Region& region, const std::vector<std::string>& carries, std::span<ir::Value* const> args);
  void solution(const ir::Op& op, std::span<ir::Value* const> starts, const std::string& solver);
  bool check(const ir::Op& op);

  // --- dini_expressions.cpp
  Piece expression(const ir::Value* value, const Indices* at = nullptr);
  Piece elementwise(const ir::Op& op, const Indices* at);
  Piece kink(const ir::Op& op, const std::vector<Piece>& x);
  std::string text(const ir::Value* value) { return expression(value).text; }
  std::string atom(const ir::Value* value) { return operand(expression(value)); }
  std::string comprehension(const ir::Type& type, const std::string& name, const std::function<std::string(const Indices&)>& body);
  std::string size(const ir::Value* value, size_t axis);
  std::string typeText(const ir::Type& type) const;

  // --- dini_arrays.cpp
  bool arrayStatement(const ir::Op& op);
  std::string arrayExpression(const ir::Op& op);
  std::string system(const ir::Op& op);
  std::string einsum(const ir::Op& op);
  std::string reduce(const ir::Op& op);
  std::string element(const std::string& name, const Indices& at) const;
  std::string zeros(const ir::Type& type, const std::string& first);
  void update(const ir::Op& op);
  void helper(const std::string& name) { helpers_.insert(name); }

  std::string bound(const std::vector<const ir::Value*>& values);  // "x" or "(x, y)"
  std::string yielded(const ir::Region& region, const ir::Op& op);
  std::vector<const ir::Value*> readResults(const ir::Op& op);
  [[noreturn]] void refuse(const ir::Op& op, const std::string& what) { throw Unspeakable{what, op.span}; }

  const Request& request_;
  Names names_;
  Uses uses_;
  Lines lines_;
  std::set<std::string> helpers_;
};

// Functions that emitted programs call and Dini does not have, by name.
const std::map<std::string, std::string>& diniHelpers();
// Whether the operation has a spelling for whole arrays.
bool hasWholeSpelling(const ir::Op& op);

}  // namespace dini::emit
