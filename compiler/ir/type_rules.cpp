#include "ir/type_rules.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "ops/signature.h"

namespace dini::ir {

bool compatible(const Type& a, const Type& b) {
  if (a.elem != b.elem || a.rank() != b.rank()) return false;
  for (size_t k = 0; k < a.rank(); ++k)
    if (a.dims[k] != b.dims[k] && a.dims[k] != kDynamic && b.dims[k] != kDynamic) return false;
  return true;
}

Type merged(const Type& a, const Type& b) {
  Type type = a;
  for (size_t k = 0; k < a.rank(); ++k)
    if (type.dims[k] == kDynamic) type.dims[k] = b.dims[k];
  return type;
}

Type joined(const Type& a, const Type& b) {
  Type type = a;
  for (size_t k = 0; k < a.rank(); ++k)
    if (a.dims[k] != b.dims[k]) type.dims[k] = kDynamic;
  return type;
}

EinsumSpec parseEinsum(const std::string& text) {
  EinsumSpec spec;
  size_t comma = text.find(','), arrow = text.find("->");
  if (comma == std::string::npos || arrow == std::string::npos || comma > arrow) {
    spec.error = "einsum: expected \"ab,bc->ac\", found \"" + text + "\"";
    return spec;
  }
  spec.a = text.substr(0, comma);
  spec.b = text.substr(comma + 1, arrow - comma - 1);
  spec.result = text.substr(arrow + 2);
  auto repeats = [](std::string letters) {
    std::sort(letters.begin(), letters.end());
    return std::adjacent_find(letters.begin(), letters.end()) != letters.end();
  };
  if (repeats(spec.a) || repeats(spec.b) || repeats(spec.result))
    spec.error = "einsum: a letter is repeated within one operand or the result";
  for (char letter : spec.a + spec.b) {
    bool in_both = spec.a.find(letter) != std::string::npos &&
                   spec.b.find(letter) != std::string::npos;
    bool in_result = spec.result.find(letter) != std::string::npos;
    if (!in_both && !in_result)
      spec.error = fmt::format("einsum: '{}' is in one operand only and not in the result", letter);
    if (!in_result && spec.contracted.find(letter) == std::string::npos) spec.contracted += letter;
  }
  for (char letter : spec.result)
    if ((spec.a + spec.b).find(letter) == std::string::npos)
      spec.error = fmt::format("einsum: '{}' of the result is in no operand", letter);
  return spec;
}

namespace {

// What a rule sees, and the words it is written in. The first violated requirement is kept.
class Rule {
 public:
  explicit Rule(const TypeQuery& query) : query_(query) {}
  const Attrs& attrs() const { return query_.attrs; }
  OpCode code() const { return query_.code; }
  size_t count() const { return query_.operands.size(); }
  const Type& type(size_t k) const {
    static const Type kNone;
    return k < count() ? query_.operands[k]->type : kNone;
  }
  bool ok() const { return answer_.error.empty(); }
  bool require(bool holds, std::string_view what) {
    if (!holds && ok()) answer_.error = fmt::format("{}: {}", shape(code()).mnemonic, what);
    return holds && ok();
  }
  bool atLeast(size_t k) { return require(count() >= k, "too few operands"); }
  // Operands from `first` on are i64 scalars.
  void integersFrom(size_t first) {
    for (size_t k = first; k < count(); ++k) require(type(k) == i64(), "expected an i64 scalar");
  }
  void give(Type type) { answer_.results.push_back(std::move(type)); }
  // The single result's type must be given; its dynamic sizes are operands from `first` on.
  const Type& givenWithSizes(size_t first) {
    static const Type kNone;
    if (!require(query_.given.size() == 1, "the result type must be given")) return kNone;
    const Type& type = query_.given[0];
    auto dynamic = std::count(type.dims.begin(), type.dims.end(), kDynamic);
    require(count() == first + static_cast<size_t>(dynamic),
            "expected one size operand per dynamic size of the result");
    integersFrom(first);
    give(type);
    return type;
  }
  void keepGiven() { answer_.results.assign(query_.given.begin(), query_.given.end()); }
  std::span<const Type> given() const { return query_.given; }
  TypeAnswer take() { return std::move(answer_); }

 private:
  const TypeQuery& query_;
  TypeAnswer answer_;
};

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

// The common shape of operands that are of one shape or scalars.
std::vector<int64_t> commonShape(Rule& rule) {
  Type shape_type;
  for (size_t k = 0; k < rule.count(); ++k) {
    Type type{Elem::F64, rule.type(k).dims};
    if (type.isScalar()) continue;
    if (shape_type.isScalar()) {
      shape_type = type;
    } else if (rule.require(compatible(shape_type, type),
                            fmt::format("shapes of {} and {} differ", str(shape_type), str(type)))) {
      shape_type = merged(shape_type, type);
    }
  }
  return shape_type.dims;
}

void elementwiseRule(Rule& rule) {
  std::string_view signature = ops::signature(rule.code());
  size_t arity = signature.size() - 2;  // "ab:c"
  if (!rule.require(rule.count() == arity, "wrong number of operands")) return;
  Elem any = Elem::F64;
  auto elemOf = [&](char c) {
    return c == 'r' ? Elem::F64 : c == 'i' ? Elem::I64 : c == 'b' ? Elem::I1 : any;
  };
  size_t first_any = signature.find('t');
  if (first_any < arity) any = rule.type(first_any).elem;
  for (size_t k = 0; k < arity; ++k)
    rule.require(rule.type(k).elem == elemOf(signature[k]),
                 fmt::format("operand {} has type {}", k, str(rule.type(k))));
  rule.give(Type{elemOf(signature.back()), commonShape(rule)});
}

// --- arrays
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

// --- control: the verifier looks into the regions
void givenRule(Rule& rule) { rule.keepGiven(); }
void nothingRule(Rule&) {}
void checkRule(Rule& rule) {
  if (!rule.atLeast(1)) return;
  rule.require(rule.type(0) == i1(), "expected an i1 scalar");
  for (size_t k = 1; k < rule.count(); ++k)
    rule.require(rule.type(k) == f64(), "extra values are f64 scalars");
}
void loopRule(Rule& rule) {
  if (rule.atLeast(1)) rule.require(rule.type(0) == i64(), "the trip count is an i64 scalar");
  rule.keepGiven();
}
void ifRule(Rule& rule) {
  if (rule.atLeast(1)) rule.require(rule.type(0) == i1(), "the condition is an i1 scalar");
  rule.keepGiven();
}

// --- solves
bool realMatrix(Rule& rule, bool square) {
  if (!rule.atLeast(1)) return false;
  const Type& a = rule.type(0);
  if (!rule.require(a.isReal() && a.rank() == 2, "expected a matrix")) return false;
  bool differ = square && a.dims[0] != a.dims[1] && a.dims[0] != kDynamic && a.dims[1] != kDynamic;
  return rule.require(!differ, "expected a square matrix");
}
// The type of x in A x = b, where A has `rows` rows and x `columns`.
void solutionType(Rule& rule, const Type& b, int64_t rows, int64_t columns) {
  if (!rule.require(b.isReal() && (b.rank() == 1 || b.rank() == 2), "the right-hand side is a vector or a matrix"))
    return;
  rule.require(b.dims[0] == rows || b.dims[0] == kDynamic || rows == kDynamic, "sizes differ");
  Type type = b;
  type.dims[0] = columns;
  rule.give(type);
}
void linearSolveRule(Rule& rule) {
  if (!realMatrix(rule, true) || !rule.require(rule.count() == 2, "expected (A, b)")) return;
  int64_t n = merged(f64({rule.type(0).dims[0]}), f64({rule.type(0).dims[1]})).dims[0];
  if (n == kDynamic && rule.type(1).rank() > 0) n = rule.type(1).dims[0];
  solutionType(rule, rule.type(1), n, n);
}
void factorRule(Rule& rule) {
  if (!realMatrix(rule, true)) return;
  rule.give(rule.type(0));
  rule.give(i64({rule.type(0).dims[0]}));
  rule.give(f64());
}
void solveFactoredRule(Rule& rule) {
  if (!realMatrix(rule, true) || !rule.require(rule.count() == 3, "expected (factors, pivots, b)"))
    return;
  rule.require(compatible(rule.type(1), i64({rule.type(0).dims[0]})), "the pivots are i64[n]");
  solutionType(rule, rule.type(2), rule.type(0).dims[0], rule.type(0).dims[0]);
}
void leastSquaresRule(Rule& rule) {
  if (!realMatrix(rule, false) || !rule.require(rule.count() == 2, "expected (A, b)")) return;
  solutionType(rule, rule.type(1), rule.type(0).dims[0], rule.type(0).dims[1]);
}
void choleskyRule(Rule& rule) {
  if (realMatrix(rule, true)) rule.give(rule.type(0));
}
void eighRule(Rule& rule) {
  if (!realMatrix(rule, true)) return;
  rule.give(f64({rule.type(0).dims[0]}));
  rule.give(rule.type(0));
}
int64_t thinSize(const Type& a) {
  return a.isStatic() ? std::min(a.dims[0], a.dims[1]) : kDynamic;
}
void svdRule(Rule& rule) {
  if (!realMatrix(rule, false)) return;
  const Type& a = rule.type(0);
  int64_t k = thinSize(a);
  rule.give(f64({a.dims[0], k}));
  rule.give(f64({k}));
  rule.give(f64({a.dims[1], k}));
}
void qrRule(Rule& rule) {
  if (!realMatrix(rule, false)) return;
  const Type& a = rule.type(0);
  int64_t k = thinSize(a);
  rule.give(f64({a.dims[0], k}));
  rule.give(f64({k, a.dims[1]}));
}
void rootRule(Rule& rule) {
  for (size_t k = 0; k < rule.count(); ++k) {
    rule.require(rule.type(k).isReal(), "unknowns are reals");
    rule.give(rule.type(k));
  }
  rule.give(i64());
  rule.give(i1());
}

using RuleFn = void (*)(Rule&);
struct RuleEntry {
  OpCode code;
  RuleFn rule;
};
constexpr RuleEntry kRules[] = {
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
    {OpCode::Yield, nothingRule},
    {OpCode::Loop, loopRule},
    {OpCode::While, givenRule},
    {OpCode::If, ifRule},
    {OpCode::Call, givenRule},
    {OpCode::Check, checkRule},
    {OpCode::Try, givenRule},
    {OpCode::Print, nothingRule},
    {OpCode::Root, rootRule},
    {OpCode::LinearSolve, linearSolveRule},
    {OpCode::Factor, factorRule},
    {OpCode::SolveFactored, solveFactoredRule},
    {OpCode::LeastSquares, leastSquaresRule},
    {OpCode::Cholesky, choleskyRule},
    {OpCode::Eigh, eighRule},
    {OpCode::Svd, svdRule},
    {OpCode::Qr, qrRule},
};

}  // namespace

TypeAnswer resultTypes(const TypeQuery& query) {
  Rule rule(query);
  if (isElementwise(query.code)) {
    elementwiseRule(rule);
    return rule.take();
  }
  auto entry = std::find_if(std::begin(kRules), std::end(kRules),
                            [&](const RuleEntry& e) { return e.code == query.code; });
  if (rule.require(entry != std::end(kRules), "has no type rule")) entry->rule(rule);
  return rule.take();
}

}  // namespace dini::ir
