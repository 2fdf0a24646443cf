#include "lower/poison.h"

#include <limits>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "ir/clone.h"
#include "ir/walk.h"

namespace dini::lower {
namespace {

using ir::OpCode;
using ir::Value;

// Where an array is read: the leading indices of an `index`, as far as they follow from ints outside.
using Place = std::vector<Value*>;

class Poison {
 public:
  Poison(ir::Builder& b, const ir::Region& solve) : b_(b), solve_(solve) {
    const auto add = [&](const ir::Region& region) {
      inside_.insert(region.args.begin(), region.args.end());
    };
    add(solve);
    ir::walk(solve, [&](const ir::Op& op) {
      inside_.insert(op.results.begin(), op.results.end());
      for (const auto& nested : op.regions) add(*nested);
    });
  }

  // sum over what is read of NaN * read
  Value* value() {
    Value* nan = b_.real(std::numeric_limits<double>::quiet_NaN());
    Value* total = nan;
    for (Value* read : ir::captures(solve_))
      if (read->type.isReal())
        for (Value* part : partsRead(read)) total = b_.add(total, b_.mul(nan, b_.sumAll(part)));
    return total;
  }

 private:
  std::vector<Value*> partsRead(Value* read) {
    std::set<std::string> names;
    std::vector<Place> places;
    bool everywhere = read->type.isScalar();
    ir::walk(solve_, [&](const ir::Op& op) {
      if (op.code == OpCode::Stop) return;  // nothing is differentiated through it
      for (size_t k = 0; k < op.operands.size(); ++k) {
        if (op.operands[k] != read) continue;
        const auto [name, place] = op.code == OpCode::Index && k == 0 ? placeOf(op) : NamedPlace{};
        everywhere = everywhere || place.empty();
        if (names.insert(name).second) places.push_back(place);
      }
    });
    if (everywhere) return {read};
    std::vector<Value*> parts;
    for (const Place& place : places) parts.push_back(partAt(read, place));
    return parts;
  }

  using NamedPlace = std::pair<std::string, Place>;

  NamedPlace placeOf(const ir::Op& index) const {
    NamedPlace found;
    for (size_t k = 1; k < index.operands.size(); ++k) {
      const auto name = nameOf(index.operands[k]);
      if (!name) break;
      found.first += *name + ",";
      found.second.push_back(index.operands[k]);
    }
    return found;
  }

  // Of an int that can be computed before the solve; equal names are equal ints.
  std::optional<std::string> nameOf(const Value* value) const {
    if (const auto constant = ir::constantInt(value)) return fmt::format("{}", *constant);
    if (!inside_.contains(value)) return fmt::format("{}", static_cast<const void*>(value));
    if (value->def == nullptr || !isArithmetic(*value->def)) return std::nullopt;
    std::string text = fmt::format("({}", static_cast<int>(value->def->code));
    for (const Value* operand : value->def->operands) {
      const auto name = nameOf(operand);
      if (!name) return std::nullopt;
      text += " " + *name;
    }
    return text + ")";
  }

  static bool isArithmetic(const ir::Op& op) {
    return op.code == OpCode::IAdd || op.code == OpCode::ISub || op.code == OpCode::IMul;
  }

  Value* outside(Value* value) {
    if (!inside_.contains(value)) return value;
    if (const auto constant = ir::constantInt(value)) return b_.integer(*constant);
    std::vector<Value*> operands;
    for (Value* operand : value->def->operands) operands.push_back(outside(operand));
    return b_.op(value->def->code, operands);
  }

  // What the array has there; 0 outside of it, where an index that is out of bounds was what failed.
  Value* partAt(Value* read, const Place& place) {
    Place at;
    Value* valid = b_.boolean(true);
    for (size_t axis = 0; axis < place.size(); ++axis) {
      at.push_back(outside(place[axis]));
      Value* from = b_.op(OpCode::ILe, {b_.integer(0), at.back()});
      Value* below = b_.op(OpCode::ILt, {at.back(), b_.dim(read, axis)});
      valid = b_.op(OpCode::And, {valid, b_.op(OpCode::And, {from, below})});
    }
    return b_.ifElse(
        valid,
        [&](ir::Builder& in, auto) { return std::vector{in.sumAll(in.index(read, at))}; },
        [](ir::Builder& in, auto) { return std::vector{in.real(0.0)}; })[0];
  }

  ir::Builder& b_;
  const ir::Region& solve_;
  std::set<const Value*> inside_;
};

}  // namespace

Value* poisonOf(ir::Builder& b, const ir::Region& solve) { return Poison(b, solve).value(); }

}  // namespace dini::lower
