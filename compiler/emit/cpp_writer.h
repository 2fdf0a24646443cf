// The C++ writer. Each operation is a statement that declares its results, or stands in the
// expression of its only reader (emit/uses.h); arrays that an operation overwrites are moved where
// nothing reads them afterwards. Inside the loop over the elements of an elementwise expression the
// index is k, or a name that the program does not have.
#pragma once

#include <map>
#include <span>

#include "emit/writer.h"

namespace dini::emit {

class CppWriter {
 public:
  explicit CppWriter(const Request& request);
  std::string function();
  bool usesRoutines() const { return uses_routines_; }  // after function()
  // Of several results; empty for one. Declared before the function.
  std::string resultStruct() const;

 private:
  enum class At { Whole, Element };  // the value, or its element k

  // --- cpp_function.cpp
  void parameters(std::string& signature);
  std::string resultType() const;
  void region(const ir::Region& region);
  void statement(const ir::Op& op);
  void control(const ir::Op& op);

  // --- cpp_expressions.cpp
  Piece expression(const ir::Value* value, At at = At::Whole);
  Piece literal(const ir::Value* value);
  Piece elementwise(const ir::Op& op, At at);
  std::optional<Piece> kink(const ir::Op& op, const std::vector<Piece>& x);
  std::string text(const ir::Value* value) { return expression(value).text; }
  std::string list(const ir::Op& op, size_t first, size_t last);
  static std::string typeName(const ir::Type& type);
  static std::string scalarName(const ir::Type& type);
  std::string sizes(const ir::Value* value, const ir::Op& op, size_t first_size);
  std::string dimension(const ir::Value* value, size_t axis);
  std::string place(const ir::Op& op);

  // --- cpp_arrays.cpp
  void elementwiseStatement(const ir::Op& op);
  bool arrayStatement(const ir::Op& op);
  std::string arrayExpression(const ir::Op& op);
  void update(const ir::Op& op);
  void einsum(const ir::Op& op);
  void constant(const ir::Op& op);
  void systems(const ir::Op& op);
  bool routine(const ir::Op& op);
  void parts(const ir::Op& op, const std::string& type, const std::string& call, std::initializer_list<const char*> fields);
  std::string decisions(const ir::Op& op, size_t first, size_t stride);

  // --- cpp_control.cpp
  struct Stacked {
    const ir::Value* result;
    std::string name;
    bool pushed;  // by ds::stack, because sizes are not known beforehand
  };
  void loop(const ir::Op& op);
  void whileLoop(const ir::Op& op);
  void branches(const ir::Op& op);
  void assignYields(const ir::Region& region, const std::vector<std::string>& targets);
  void root(const ir::Op& op);
  void residual(const ir::Op& op, const std::string& name);
  std::vector<std::string> declareCarries(const ir::Op& op, size_t first, std::span<ir::Value* const> args);
  std::vector<Stacked> declareStacks(const ir::Op& op, size_t first, const std::string& trip);
  void storeStacks(const std::vector<Stacked>& stacks, const ir::Region& region, size_t first, const std::string& index);
  void takeStacks(const std::vector<Stacked>& stacks);
  void nextCarries(const ir::Region& region, const std::vector<std::string>& carries, std::span<ir::Value* const> args);

  std::string declared(const ir::Value* value);  // "double name", marked where nothing reads it
  std::string moved(const ir::Value* value, const ir::Op& op);
  void declare(const ir::Value* value, const std::string& initial);
  [[noreturn]] void refuse(const ir::Op& op, const std::string& what);

  const Request& request_;
  Names names_;
  Uses uses_;
  Lines lines_;
  bool uses_routines_ = false;
  std::string index_;  // of the loops over elements
};

}  // namespace dini::emit
