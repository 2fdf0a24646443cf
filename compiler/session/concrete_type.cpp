// Types of values: what the checker knew with the sizes that the run gave.
#include "base/check.h"
#include "session/session.h"

namespace dini::session {
namespace {

types::TypePtr concrete(const types::TypePtr& type, std::span<const ir::Tensor>& leaves) {
  switch (type->kind) {
    case types::Kind::Array:
    case types::Kind::Covector: {
      check(!leaves.empty(), "a value with fewer leaves than its type");
      types::Type made = *type;
      const std::vector<int64_t>& dims = leaves.front().type.dims;
      made.dims.assign(dims.begin(), dims.end());
      leaves = leaves.subspan(1);
      return std::make_shared<const types::Type>(std::move(made));
    }
    case types::Kind::Tuple: {
      types::Type made = *type;
      for (types::TypePtr& element : made.elements) element = concrete(element, leaves);
      return std::make_shared<const types::Type>(std::move(made));
    }
    case types::Kind::Record: {
      types::Type made = *type;
      for (types::Field& field : made.fields) field.type = concrete(field.type, leaves);
      return std::make_shared<const types::Type>(std::move(made));
    }
    case types::Kind::Unit:
    case types::Kind::Error:
    case types::Kind::Function: return type;
  }
  failCheck("a type of no kind");
}

}  // namespace

types::TypePtr concreteType(const types::TypePtr& type, std::span<const ir::Tensor> leaves) {
  return concrete(type, leaves);
}

size_t leafCount(const types::Type& type) {
  size_t count = 0;
  switch (type.kind) {
    case types::Kind::Array:
    case types::Kind::Covector: return 1;
    case types::Kind::Tuple:
      for (const types::TypePtr& element : type.elements) count += leafCount(*element);
      return count;
    case types::Kind::Record:
      for (const types::Field& field : type.fields) count += leafCount(*field.type);
      return count;
    case types::Kind::Unit:
    case types::Kind::Error:
    case types::Kind::Function: return 0;
  }
  failCheck("a type of no kind");
}

}  // namespace dini::session
