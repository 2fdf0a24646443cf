#include "lower/values.h"

#include "base/check.h"

namespace dini::lower {

Val Val::leaf(ir::Value* value, bool covector) {
  Val result;
  result.kind = Kind::Leaf;
  result.value = value;
  result.covector = covector;
  return result;
}

Val Val::tuple(std::vector<Val> elements) {
  Val result;
  result.kind = Kind::Tuple;
  result.elements = std::move(elements);
  return result;
}

Val Val::recordOf(const ast::TypeDecl* decl, std::vector<Val> fields) {
  Val result;
  result.kind = Kind::Record;
  result.record = decl;
  result.elements = std::move(fields);
  return result;
}

Val Val::of(std::shared_ptr<const FunctionValue> function) {
  Val result;
  result.kind = Kind::Function;
  result.function = std::move(function);
  return result;
}

int Val::field(const std::string& name) const {
  if (kind != Kind::Record) return -1;
  for (size_t k = 0; k < record->fields.size(); ++k)
    if (record->fields[k].name.text == name) return static_cast<int>(k);
  return -1;
}

namespace {

void collect(const Val& value, std::vector<ir::Value*>& leaves) {
  if (value.isLeaf()) leaves.push_back(value.value);
  for (const Val& element : value.elements) collect(element, leaves);
}

Val rebuild(const Val& skeleton, std::span<ir::Value* const> leaves, size_t& at) {
  if (skeleton.isLeaf()) {
    check(at < leaves.size(), "too few leaves for a value");
    return Val::leaf(leaves[at++], skeleton.covector);
  }
  Val result = skeleton;
  for (Val& element : result.elements) element = rebuild(element, leaves, at);
  return result;
}

}  // namespace

std::vector<ir::Value*> leavesOf(const Val& value) {
  std::vector<ir::Value*> leaves;
  collect(value, leaves);
  return leaves;
}

Val withLeaves(const Val& skeleton, std::span<ir::Value* const> leaves) {
  size_t at = 0;
  Val result = rebuild(skeleton, leaves, at);
  check(at == leaves.size(), "too many leaves for a value");
  return result;
}

Val mapLeaves(const Val& value, const std::function<ir::Value*(ir::Value*)>& change) {
  Val result = value;
  if (value.isLeaf()) {
    result.value = change(value.value);
    result.structure = ir::Structure::General;
  }
  for (Val& element : result.elements) element = mapLeaves(element, change);
  return result;
}

bool holdsReals(const Val& value) {
  for (ir::Value* leaf : leavesOf(value))
    if (leaf->type.isReal()) return true;
  return false;
}

}  // namespace dini::lower
