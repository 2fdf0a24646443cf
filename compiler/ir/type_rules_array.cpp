// Type rules of array operations.
#include <array>

#include "ir/type_rule.h"

namespace dini::ir {
namespace {

Type dropAxes(const Type& type, size_t count) {
  return Type{type.elem, {type.dims.begin() + static_cast<ptrdiff_t>(count), type.dims.end()}};
}

Type reducedType(const Type& type, const std::vector<int64_t>& axes) {
  Type result{type.elem, {}};
  for (size_t k = 0; k < type.rank(); ++k)
    if (std::find(axes.begin(), axes.end(), static_cast<int64_t>(k)) == axes.end())
      result.dims.push_back(type.dims[k]);
  return result;
}

void constRule(Rule& rule) {
  if (!rule.require(rule.given().size() == 1, "the result type must be given")) return;
  const Type& type = rule.given()[0];
  rule.require(type.isStatic(), "a constant has constant sizes");
  if (type.isStatic() && !type.isScalar()) {
    auto count = static_cast<size_t>(type.elementCount());
    if (type.isReal())
      rule.require(rule.attrs().data && rule.attrs().data->size() == count, "wrong element count");
    else
      rule.require(rule.attrs().ints.size() == count, "wrong element count");
  }
  rule.give(type);
}
void fillRule(Rule& rule) {
  if (!rule.atLeast(1)) return;
  rule.require(rule.type(0).isScalar(), "expected a scalar");
  const Type& type = rule.givenWithSizes(1);
  rule.require(type.elem == rule.type(0).elem, "element types differ");
}
void iotaRule(Rule& rule) {
  const Type& type = rule.givenWithSizes(0);
  rule.require(type.elem == Elem::I64 && type.rank() == 1, "the result is i64[n]");
}
void dimRule(Rule& rule) {
  if (!rule.atLeast(1)) return;
  rule.require(rule.attrs().i >= 0 && static_cast<size_t>(rule.attrs().i) < rule.type(0).rank(),
               "no such axis");
  rule.give(i64());
}
void packRule(Rule& rule) {
  if (!rule.atLeast(1)) return;
  Type element = rule.type(0);
  for (size_t k = 1; k < rule.count(); ++k)
    if (rule.require(compatible(element, rule.type(k)), "operands of different types"))
      element = merged(element, rule.type(k));
  element.dims.insert(element.dims.begin(), static_cast<int64_t>(rule.count()));
  rule.give(element);
}
void indexRule(Rule& rule) {
  if (!rule.atLeast(1)) return;
  rule.integersFrom(1);
  if (rule.require(rule.count() - 1 <= rule.type(0).rank(), "more indices than axes"))
    rule.give(dropAxes(rule.type(0), rule.count() - 1));
}
void updateRule(Rule& rule) {
  if (!rule.atLeast(2)) return;
  rule.integersFrom(2);
  if (!rule.require(rule.count() - 2 <= rule.type(0).rank(), "more indices than axes")) return;
  rule.require(compatible(dropAxes(rule.type(0), rule.count() - 2), rule.type(1)),
               "the value does not have the type of the element");
  rule.give(rule.type(0));
}
void sliceRule(Rule& rule) {
  if (!rule.atLeast(1)) return;
  const Type& type = rule.givenWithSizes(1 + rule.type(0).rank());
  rule.require(type.elem == rule.type(0).elem && type.rank() == rule.type(0).rank(),
               "the result has another rank or element type");
  rule.integersFrom(1);
}
void updateSliceRule(Rule& rule) {
  if (!rule.atLeast(2)) return;
  rule.require(rule.count() == 2 + rule.type(0).rank(), "expected one start per axis");
  rule.integersFrom(2);
  rule.require(rule.type(0).elem == rule.type(1).elem && rule.type(0).rank() == rule.type(1).rank(),
               "the value has another rank or element type");
  rule.give(rule.type(0));
}
void gatherRule(Rule& rule) {
  if (!rule.require(rule.count() == 2 && rule.type(0).rank() >= 1, "expected (x, indices)")) return;
  if (!rule.require(rule.type(1).elem == Elem::I64 && rule.type(1).rank() == 1,
                    "the indices are i64[k]"))
    return;
  Type type = rule.type(0);
  type.dims[0] = rule.type(1).dims[0];
  rule.give(type);
}
void scatterAddRule(Rule& rule) {
  if (!rule.require(rule.count() == 3 && rule.type(0).rank() >= 1, "expected (x, indices, v)"))
    return;
  if (!rule.require(rule.type(1).elem == Elem::I64 && rule.type(1).rank() == 1,
                    "the indices are i64[k]"))
    return;
  Type rows = rule.type(0);
  rows.dims[0] = rule.type(1).dims[0];
  rule.require(compatible(rows, rule.type(2)), "the rows added have another type");
  rule.give(rule.type(0));
}
void concatRule(Rule& rule) {
  if (!rule.atLeast(1)) return;
  auto axis = static_cast<size_t>(rule.attrs().i);
  Type result = rule.type(0);
  if (!rule.require(rule.attrs().i >= 0 && axis < result.rank(), "no such axis")) return;
  int64_t total = 0;
  for (size_t k = 0; k < rule.count(); ++k) {
    Type part = rule.type(k);
    if (!rule.require(part.rank() == result.rank(), "operands of different ranks")) return;
    total = total == kDynamic || part.dims[axis] == kDynamic ? kDynamic : total + part.dims[axis];
    part.dims[axis] = result.dims[axis] = kDynamic;
    if (!rule.require(compatible(part, result), "operands of different types")) return;
    result = merged(result, part);
  }
  result.dims[axis] = total;
  rule.give(result);
}
void reshapeRule(Rule& rule) {
  if (!rule.atLeast(1)) return;
  const Type& type = rule.givenWithSizes(1);
  rule.require(type.elem == rule.type(0).elem, "element types differ");
  if (rule.ok() && type.isStatic() && rule.type(0).isStatic())
    rule.require(type.elementCount() == rule.type(0).elementCount(), "element counts differ");
}
void transposeRule(Rule& rule) {
  if (!rule.atLeast(1)) return;
  std::vector<int64_t> sorted = rule.attrs().ints;
  std::sort(sorted.begin(), sorted.end());
  bool permutation = sorted.size() == rule.type(0).rank();
  for (size_t k = 0; permutation && k < sorted.size(); ++k)
    permutation = sorted[k] == static_cast<int64_t>(k);
  if (!rule.require(permutation, "not a permutation of the axes")) return;
  Type type{rule.type(0).elem, {}};
  for (int64_t axis : rule.attrs().ints)
    type.dims.push_back(rule.type(0).dims[static_cast<size_t>(axis)]);
  rule.give(type);
}
void broadcastRule(Rule& rule) {
  if (!rule.atLeast(1)) return;
  const Type& type = rule.givenWithSizes(1);
  const Type& x = rule.type(0);
  const auto& axes = rule.attrs().ints;
  rule.require(type.elem == x.elem, "element types differ");
  if (!rule.require(axes.size() == x.rank(), "expected one result axis per axis")) return;
  for (size_t k = 0; k < axes.size(); ++k) {
    bool valid = axes[k] >= 0 && static_cast<size_t>(axes[k]) < type.rank() &&
                 (k == 0 || axes[k - 1] < axes[k]);
    if (!rule.require(valid, "result axes must increase and exist")) return;
    int64_t size = type.dims[static_cast<size_t>(axes[k])];
    rule.require(size == x.dims[k] || size == kDynamic || x.dims[k] == kDynamic,
                 "the size of an axis changes");
  }
}
void flipRule(Rule& rule) {
  if (!rule.atLeast(1)) return;
  rule.require(rule.attrs().i >= 0 && static_cast<size_t>(rule.attrs().i) < rule.type(0).rank(),
               "no such axis");
  rule.give(rule.type(0));
}
bool axesValid(Rule& rule) {
  const auto& axes = rule.attrs().ints;
  bool valid = true;
  for (size_t k = 0; k < axes.size(); ++k)
    valid = valid && axes[k] >= 0 && static_cast<size_t>(axes[k]) < rule.type(0).rank() &&
            (k == 0 || axes[k - 1] < axes[k]);
  return rule.require(valid, "axes must increase and exist");
}
void reduceRule(Rule& rule) {
  if (!rule.atLeast(1) || !axesValid(rule)) return;
  const std::string& how = rule.attrs().str;
  bool logical = how == "any" || how == "all";
  rule.require(logical || how == "sum" || how == "max" || how == "min", "unknown reduction " + how);
  rule.require(logical == (rule.type(0).elem == Elem::I1), "the element type does not fit " + how);
  rule.give(reducedType(rule.type(0), rule.attrs().ints));
}
void reducePickRule(Rule& rule) {
  if (!rule.atLeast(2) || !axesValid(rule)) return;
  rule.require(rule.attrs().str == "max" || rule.attrs().str == "min", "expected max or min");
  rule.require(rule.type(0).isReal() && compatible(rule.type(0), rule.type(1)), "shapes differ");
  rule.give(reducedType(rule.type(0), rule.attrs().ints));
}
void reducePickTransposedRule(Rule& rule) {
  if (!rule.atLeast(2) || !axesValid(rule)) return;
  rule.require(rule.attrs().str == "max" || rule.attrs().str == "min", "expected max or min");
  rule.require(compatible(reducedType(rule.type(0), rule.attrs().ints), rule.type(1)),
               "shapes differ");
  rule.give(rule.type(0));
}
void einsumRule(Rule& rule) {
  if (!rule.require(rule.count() == 2, "expected two operands")) return;
  EinsumSpec spec = parseEinsum(rule.attrs().str);
  if (!rule.require(spec.error.empty(), spec.error)) return;
  rule.require(rule.type(0).isReal() && rule.type(1).isReal(), "operands are f64");
  if (!rule.require(spec.a.size() == rule.type(0).rank() && spec.b.size() == rule.type(1).rank(),
                    "letters do not match the ranks"))
    return;
  std::array<int64_t, 256> sizes;
  sizes.fill(kDynamic);
  auto note = [&](const std::string& letters, const Type& type) {
    for (size_t k = 0; k < letters.size(); ++k) {
      int64_t& size = sizes[static_cast<unsigned char>(letters[k])];
      if (size == kDynamic) size = type.dims[k];
      else rule.require(type.dims[k] == kDynamic || size == type.dims[k], "sizes differ");
    }
  };
  note(spec.a, rule.type(0));
  note(spec.b, rule.type(1));
  Type type = f64();
  for (char letter : spec.result) type.dims.push_back(sizes[static_cast<unsigned char>(letter)]);
  rule.give(type);
}
bool realVector(Rule& rule) {
  return rule.atLeast(1) &&
         rule.require(rule.type(0).isReal() && rule.type(0).rank() == 1, "expected f64[n]");
}
void argSortRule(Rule& rule) {
  if (realVector(rule)) rule.give(rule.type(0).withElem(Elem::I64));
}
void sortPickRule(Rule& rule) {
  if (!realVector(rule)) return;
  rule.require(rule.count() == 2 && compatible(rule.type(0), rule.type(1)), "shapes differ");
  rule.give(rule.type(0));
}
void argExtremeRule(Rule& rule) {
  if (!realVector(rule)) return;
  rule.require(rule.attrs().str == "max" || rule.attrs().str == "min", "expected max or min");
  rule.give(i64());
}
void normRule(Rule& rule) {
  if (rule.atLeast(1) && rule.require(rule.type(0).isReal(), "expected reals")) rule.give(f64());
}
void normalizeRule(Rule& rule) {
  if (rule.atLeast(1) && rule.require(rule.type(0).isReal(), "expected reals"))
    rule.give(rule.type(0));
}

constexpr TypeRuleEntry kRules[] = {
    {OpCode::Const, constRule},
    {OpCode::Fill, fillRule},
    {OpCode::Iota, iotaRule},
    {OpCode::Dim, dimRule},
    {OpCode::Pack, packRule},
    {OpCode::Index, indexRule},
    {OpCode::Update, updateRule},
    {OpCode::AddAt, updateRule},
    {OpCode::Slice, sliceRule},
    {OpCode::UpdateSlice, updateSliceRule},
    {OpCode::AddSlice, updateSliceRule},
    {OpCode::Gather, gatherRule},
    {OpCode::ScatterAdd, scatterAddRule},
    {OpCode::Concat, concatRule},
    {OpCode::Reshape, reshapeRule},
    {OpCode::Transpose, transposeRule},
    {OpCode::Broadcast, broadcastRule},
    {OpCode::Flip, flipRule},
    {OpCode::Reduce, reduceRule},
    {OpCode::ReducePick, reducePickRule},
    {OpCode::ReducePickT, reducePickTransposedRule},
    {OpCode::Einsum, einsumRule},
    {OpCode::ArgSort, argSortRule},
    {OpCode::SortPick, sortPickRule},
    {OpCode::SortPickT, sortPickRule},
    {OpCode::ArgExtreme, argExtremeRule},
    {OpCode::Norm, normRule},
    {OpCode::Normalize, normalizeRule},
};

}  // namespace

std::span<const TypeRuleEntry> arrayTypeRules() { return kRules; }

}  // namespace dini::ir
