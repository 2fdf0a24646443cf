// The Dini writer. Values become `let`s, what loops carry `var`s; an elementwise operation is
// written on whole arrays where the language has it there, and as a comprehension otherwise. Places in an
// array are then names of indices: expression(value, indices) is the element. What derivatives need and the
// language has no form for are functions of the prelude: runtime/prelude/derivative_parts.dini.
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

 private:
  using Indices = std::vector<std::string>;

  // --- dini_function.cpp
  void region(const ir::Region& region);
  void statement(const ir::Op& op);
  void control(const ir::Op& op);
  void loop(const ir::Op& op);
  void map(const ir::Op& op);
  void whileLoop(const ir::Op& op);
  void turns(const ir::Op& op, const std::vector<std::string>& carries, const std::string& counter, bool keeps);
  void branches(const ir::Op& op);
  void root(const ir::Op& op);
  std::vector<std::string> declareCarries(const ir::Op& op, size_t first, std::span<ir::Value* const> args);
  void nextCarries(const ir::Region& region, const std::vector<std::string>& carries, std::span<ir::Value* const> args);
  void solution(const ir::Op& op, std::span<ir::Value* const> starts, const std::string& solver);
  std::vector<std::string> searched(const ir::Op& op, const std::string& tol);
  std::vector<std::string> writtenOut(const ir::Op& op);
  void sides(const ir::Op& op);
  bool check(const ir::Op& op);

  // --- dini_expressions.cpp
  Piece expression(const ir::Value* value, const Indices* at = nullptr);
  Piece elementwise(const ir::Op& op, const Indices* at);
  Piece kink(const ir::Op& op, const std::vector<Piece>& x);
  std::string text(const ir::Value* value) { return expression(value).text; }
  std::string atom(const ir::Value* value) { return operand(expression(value)); }
  std::string comprehension(const std::vector<std::string>& sizes, const std::function<std::string(const Indices&)>& body);
  std::string comprehension(const ir::Type& type, const std::function<std::string(const Indices&)>& body);
  std::string size(const ir::Value* value, size_t axis);
  std::string parameterType(const std::string& name, const ir::Type& type);
  std::string statedSize(const ir::Value* value, size_t axis);
  std::vector<std::string> sizes(const ir::Value* value);
  std::vector<std::string> sizes(const ir::Type& type, const ir::Op& op, size_t first);
  const ir::Value* arrayLike(const ir::Op& op);
  std::string typeText(const ir::Type& type) const;

  // --- dini_arrays.cpp
  bool arrayStatement(const ir::Op& op);
  std::string arrayExpression(const ir::Op& op);
  std::string system(const ir::Op& op);
  std::string spectral(const ir::Op& op);
  std::string decisions(const ir::Op& op, size_t first, size_t stride);
  std::string einsum(const ir::Op& op);
  std::string reduce(const ir::Op& op);
  std::string element(const std::string& name, const Indices& at) const;
  std::string zeros(const ir::Type& type, const std::string& rows);
  void update(const ir::Op& op);

  std::string bound(const std::vector<const ir::Value*>& values);  // "x" or "(x, y)"
  std::string yielded(const ir::Region& region, const ir::Op& op);
  std::vector<const ir::Value*> readResults(const ir::Op& op);
  [[noreturn]] void refuse(const ir::Op& op, const std::string& what) { throw Unspeakable{what, op.span}; }

  const Request& request_;
  Names names_;
  Uses uses_;
  Lines lines_;
};

// Whether the operation has a spelling for whole arrays.
bool hasWholeSpelling(const ir::Op& op);

}  // namespace dini::emit
