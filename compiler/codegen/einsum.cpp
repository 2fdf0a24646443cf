// Products of two arrays summed over shared letters: the documented order in loops of our own,
// the runtime's matrix products for large ones.
#include <algorithm>
#include <map>
#include <optional>

#include "base/check.h"
#include "codegen/emitter.h"
#include "ir/type_rules.h"

namespace dini::codegen {

using ir::Op;

namespace {

constexpr int64_t kMemberVolume = 256;  // multiplications of each call

// Where an array's letters are found in memory: steps in elements.
using Steps = std::map<char, int64_t>;

// Letters that act as one: rows, columns or what is summed. The steps are those of the innermost.
struct Group {
  int64_t size = 1;
  int64_t x_step = 0, y_step = 0;

  // Takes the next letter outwards if it continues the group in both arrays.
  bool take(int64_t letter_size, int64_t x, int64_t y) {
    if (size == 1)
      x_step = x, y_step = y;
    else if (x != size * x_step || y != size * y_step)
      return false;
    size *= letter_size;
    return true;
  }
};

bool has(const std::string& letters, char letter) {
  return letters.find(letter) != std::string::npos;
}

// An einsum as matrix products C = A B, one for each position of the letters in `loops`.
struct ProductPlan {
  Group rows, columns, inner;  // (A, C), (B, C), (A, B)
  std::string loops;
  Steps a, b, c, size;
  bool swapped = false;  // A is the second operand
};

// No value where it has no such form. `a` and `b`: the steps of the operands.
std::optional<ProductPlan> planProduct(const ir::EinsumSpec& spec, const Steps& a, const Steps& b,
                                       const Steps& c, const Steps& size) {
  if (spec.result.empty() || spec.contracted.empty()) return std::nullopt;
  ProductPlan plan;
  plan.a = a, plan.b = b, plan.c = c, plan.size = size;
  std::string left = spec.a, right = spec.b;
  const char last = spec.result.back();
  if (has(left, last)) {
    if (has(right, last)) return std::nullopt;
    plan.swapped = true;
    std::swap(left, right);
    std::swap(plan.a, plan.b);
  }
  for (auto letter = spec.result.rbegin(); letter != spec.result.rend(); ++letter) {
    const bool in_left = has(left, *letter), in_right = has(right, *letter);
    const int64_t n = size.at(*letter), in_c = c.at(*letter);
    const bool taken =
        in_left != in_right && (in_left ? plan.rows.take(n, plan.a.at(*letter), in_c)
                                        : plan.columns.take(n, plan.b.at(*letter), in_c));
    if (!taken) plan.loops += *letter;
  }
  for (auto letter = spec.contracted.rbegin(); letter != spec.contracted.rend(); ++letter)
    if (!has(left, *letter) || !has(right, *letter) ||
        !plan.inner.take(size.at(*letter), plan.a.at(*letter), plan.b.at(*letter)))
      return std::nullopt;
  const int64_t m = plan.rows.size, n = plan.columns.size, k = plan.inner.size;
  if (m < 2 || n < 2 || k < 2 || m * n * k < kMemberVolume) return std::nullopt;
  return plan;
}

}  // namespace

// An array in memory, perhaps through views: element (i, j, ...) at ptr + sum of index times step.
struct FunctionEmitter::StridedView {
  llvm::Value* ptr = nullptr;
  std::vector<int64_t> steps;
};

FunctionEmitter::StridedView FunctionEmitter::stridedView(const ir::Value* value) {
  const Val held = val(value);
  StridedView view;
  if (held.kind == Val::Kind::Virtual && value->def->operand(0)->type.isStatic()) {
    const Op& op = *value->def;
    const auto advance = [&](StridedView& inner, size_t axis, llvm::Value* by) {
      inner.ptr = b_.CreateGEP(m_.f64, inner.ptr, b_.CreateMul(by, i64c(inner.steps[axis])));
    };
    switch (op.code) {
      case ir::OpCode::Transpose: {
        StridedView inner = stridedView(op.operand(0));
        view.ptr = inner.ptr;
        for (int64_t axis : op.attrs.ints)
          view.steps.push_back(inner.steps[static_cast<size_t>(axis)]);
        return view;
      }
      case ir::OpCode::Slice:
        view = stridedView(op.operand(0));
        for (size_t axis = 0; axis < view.steps.size(); ++axis)
          advance(view, axis, scalar(op.operand(1 + axis)));
        return view;
      case ir::OpCode::Index: {
        view = stridedView(op.operand(0));
        const size_t fixed_axes = op.operands.size() - 1;
        for (size_t axis = 0; axis < fixed_axes; ++axis)
          advance(view, axis, scalar(op.operand(1 + axis)));
        view.steps.erase(view.steps.begin(), view.steps.begin() + static_cast<long>(fixed_axes));
        return view;
      }
      default:
        break;
    }
  }
  view.ptr = inMemory(value).ptr;
  int64_t step = 1;
  for (auto dim = value->type.dims.rbegin(); dim != value->type.dims.rend(); step *= *dim++)
    view.steps.insert(view.steps.begin(), step);
  return view;
}

// Writes to `ptr` the elements of `value` where the axes named in `at` have its positions, in
// row-major order of the other axes.
void FunctionEmitter::packMember(const ir::Value* value, const std::string& letters,
                                 const std::map<char, llvm::Value*>& at, llvm::Value* ptr) {
  const Values all = dimsOf(value);
  Values dims;
  for (size_t k = 0; k < letters.size(); ++k)
    if (!at.contains(letters[k])) dims.push_back(all[k]);
  const Dest dest = contiguousDest(*this, ptr, dims, ir::Elem::F64, false);
  llvm::SmallVector<Index, 4> none;
  nest(dims, 0, none, [&](llvm::ArrayRef<Index> rest) {
    llvm::SmallVector<Index, 4> place;
    const auto* next = rest.begin();
    for (char letter : letters)
      place.push_back(at.contains(letter) ? fixed(at.at(letter)) : *next++);
    store(dest, positionOf(rest), element(value, positionOf(place)));
  });
  fresh();
}

// An operand of a product: in memory, or computed for one member of the batch at a time, which is
// still in near memory when it is used.
struct FunctionEmitter::ProductOperand {
  const ir::Value* value = nullptr;
  std::string letters;
  llvm::Value* ptr = nullptr;
  bool by_member = false;
  Steps steps;
  int64_t member_size = 1;

  // `batch`: the letters of the batch, if it may be computed by members.
  ProductOperand(FunctionEmitter& emitter, const ir::Value* operand, const std::string& names,
                 const std::string& batch)
      : value(operand), letters(names) {
    by_member = !batch.empty() && emitter.val(value).kind == Val::Kind::Virtual &&
                (ir::isElementwise(value->def->code) || isOuterProduct(*value->def));
    for (size_t k = letters.size(); k-- > 0;) {
      const bool outside = by_member && has(batch, letters[k]);
      steps[letters[k]] = outside ? 0 : member_size;
      if (!outside) member_size *= value->type.dims[k];
    }
  }
  void place(FunctionEmitter& emitter) {
    if (by_member) {
      ptr = emitter.temporaryDoubles(emitter.i64c(member_size));
      return;
    }
    const StridedView view = emitter.stridedView(value);
    ptr = view.ptr;
    for (size_t k = 0; k < letters.size(); ++k) steps[letters[k]] = view.steps[k];
  }
};

// Large products of static sizes go to dini_matmul.
bool FunctionEmitter::emitMatrixProducts(const Op& op) {
  const ir::Value* result = op.result();
  if (inLanes() || !result->type.isStatic() || !ir::isLargeProduct(op)) return false;
  const ir::EinsumSpec spec = ir::parseEinsum(op.attrs.str);
  Steps size, c;
  for (size_t k = 0; k < spec.a.size(); ++k) size[spec.a[k]] = op.operand(0)->type.dims[k];
  for (size_t k = 0; k < spec.b.size(); ++k) size[spec.b[k]] = op.operand(1)->type.dims[k];
  std::string batch;
  int64_t step = 1;
  for (auto letter = spec.result.rbegin(); letter != spec.result.rend(); step *= size[*letter++]) {
    c[*letter] = step;
    if (has(spec.a, *letter) && has(spec.b, *letter)) batch += *letter;
  }
  ProductOperand a(*this, op.operand(0), spec.a, batch), b(*this, op.operand(1), spec.b, batch);
  // Whether it has the form, before anything is put into memory.
  auto plan = planProduct(spec, a.steps, b.steps, c, size);
  if (!plan) return false;
  if (plan->loops != batch) {
    a = ProductOperand(*this, a.value, spec.a, "");
    b = ProductOperand(*this, b.value, spec.b, "");
  }
  a.place(*this);
  b.place(*this);
  plan = planProduct(spec, a.steps, b.steps, c, size);
  if (!plan) return false;

  Values dims;
  for (int64_t dim : result->type.dims) dims.push_back(i64c(dim));
  const Buffer buffer = allocate(result, dims);
  std::map<char, llvm::Value*> at;
  const auto address = [&](llvm::Value* ptr, const Steps& steps) {
    for (const auto& [letter, i] : at)
      if (const auto found = steps.find(letter); found != steps.end())
        ptr = b_.CreateGEP(m_.f64, ptr, b_.CreateMul(i, i64c(found->second)));
    return ptr;
  };
  const std::function<void(size_t)> emitFrom = [&](size_t depth) {
    if (depth < plan->loops.size()) {
      const char letter = plan->loops[depth];
      return countedLoop(i64c(0), i64c(size[letter]), 1, [&](llvm::Value* i) {
        at[letter] = i;
        emitFrom(depth + 1);
        at.erase(letter);
      });
    }
    for (const ProductOperand* operand : {&a, &b})
      if (operand->by_member) packMember(operand->value, operand->letters, at, operand->ptr);
    const Group &rows = plan->rows, &columns = plan->columns, &inner = plan->inner;
    const int64_t numbers[] = {rows.size,    columns.size, inner.size,     rows.x_step,
                               inner.x_step, inner.y_step, columns.x_step, rows.y_step};
    emitProduct(numbers, address(plan->swapped ? b.ptr : a.ptr, plan->a),
                address(plan->swapped ? a.ptr : b.ptr, plan->b), address(buffer.dest.ptr, plan->c));
  };
  emitFrom(0);
  setBuffer(result, buffer.dest, buffer.storage);
  return true;
}

bool FunctionEmitter::emitMatrixProduct(const Op& op, const Dest& result,
                                        const std::function<void()>& small) {
  const ir::EinsumSpec spec = ir::parseEinsum(op.attrs.str);
  const bool swapped = !spec.result.empty() && !has(spec.a, spec.result[0]);
  const std::string &left = swapped ? spec.b : spec.a, &right = swapped ? spec.a : spec.b;
  if (inLanes() || op.result()->type.isStatic() || spec.result.size() != 2 || left.size() != 2 ||
      right.size() != 2 || spec.contracted.size() != 1 || !has(left, spec.result[0]) ||
      !has(right, spec.result[1]))
    return false;
  const ir::Value *a = op.operand(swapped ? 1 : 0), *b = op.operand(swapped ? 0 : 1);
  const Values a_dims = dimsOf(a), b_dims = dimsOf(b);
  const bool a_plain = left[0] == spec.result[0], b_plain = right[1] == spec.result[1];
  llvm::Value *m = a_dims[a_plain ? 0 : 1], *k = a_dims[a_plain ? 1 : 0], *n = b_dims[b_plain ? 1 : 0];
  llvm::Value *a_ptr = inMemory(a).ptr, *b_ptr = inMemory(b).ptr, *one = i64c(1);
  constexpr int64_t kLarge = 32 * 32 * 32;  // docs/ir.md, "Order of evaluation"
  llvm::Value* volume = b_.CreateMul(b_.CreateMul(m, n), k);
  llvm::Value* large = b_.CreateICmpSGE(volume, i64c(kLarge));
  ifThen(large, [&] {
    const llvm::FunctionCallee product = m_.runtime(
        "dini_matmul", llvm::Type::getVoidTy(m_.context),
        {m_.i64, m_.i64, m_.i64, m_.ptr, m_.i64, m_.i64, m_.ptr, m_.i64, m_.i64, m_.ptr, m_.i64});
    b_.CreateCall(product, {m, n, k, a_ptr, a_plain ? a_dims[1] : one, a_plain ? one : a_dims[1], b_ptr,
                            b_plain ? b_dims[1] : one, b_plain ? one : b_dims[1], result.ptr, n});
  });
  ifThen(b_.CreateNot(large), small);
  return true;
}

// The numbers are m, n, k, and the strides as dini_matmul takes them.
void FunctionEmitter::emitProduct(llvm::ArrayRef<int64_t> numbers, llvm::Value* a, llvm::Value* b,
                                  llvm::Value* c) {
  const llvm::FunctionCallee product = m_.runtime(
      "dini_matmul", llvm::Type::getVoidTy(m_.context),
      {m_.i64, m_.i64, m_.i64, m_.ptr, m_.i64, m_.i64, m_.ptr, m_.i64, m_.i64, m_.ptr, m_.i64});
  const auto number = [&](size_t k) { return i64c(numbers[k]); };
  b_.CreateCall(product, {number(0), number(1), number(2), a, number(3), number(4), b, number(5),
                          number(6), c, number(7)});
}

void FunctionEmitter::emitEinsum(const Op& op) {
  if (emitMatrixProducts(op)) return;
  const ir::EinsumSpec spec = ir::parseEinsum(op.attrs.str);
  const ir::Value* a = op.operand(0);
  const ir::Value* b = op.operand(1);
  const ir::Value* result = op.result();
  std::map<char, llvm::Value*> sizes;
  for (size_t k = 0; k < spec.a.size(); ++k) sizes[spec.a[k]] = dimsOf(a)[k];
  for (size_t k = 0; k < spec.b.size(); ++k)
    if (auto& size = sizes[spec.b[k]]; size == nullptr || !constantOf(size)) size = dimsOf(b)[k];
  const bool linear =
      spec.result.empty() && spec.a == spec.b && linearReadable(a) && linearReadable(b);
  Values outer, contracted;
  for (char letter : spec.result) outer.push_back(sizes[letter]);
  for (char letter : spec.contracted) contracted.push_back(sizes[letter]);

  // The product at a position of the result and one of the contracted letters.
  const auto productAt = [&](llvm::ArrayRef<Index> at, llvm::ArrayRef<Index> inner) {
    const auto factor = [&](const std::string& letters, const ir::Value* operand) {
      llvm::SmallVector<Index, 4> place;
      for (char letter : letters) {
        const auto in_result = spec.result.find(letter);
        place.push_back(in_result != std::string::npos ? at[in_result]
                                                       : inner[spec.contracted.find(letter)]);
      }
      return element(operand, positionOf(place));
    };
    llvm::Value* x = factor(spec.a, a);
    llvm::Value* y = factor(spec.b, b);
    if (isLanes(x) != isLanes(y)) x = splat(x), y = splat(y);
    return b_.CreateFMul(x, y);
  };
  const bool unroll = treeSize(a, 12) + treeSize(b, 12) < 12;
  const auto summed = [&](llvm::ArrayRef<Index> at, bool along, bool wide) -> llvm::Value* {
    if (linear) {
      const ElementFn read = [&](Index i) {
        const Position position = linearPosition(i);
        llvm::Value* x = element(a, position);
        llvm::Value* y = element(b, position);
        if (isLanes(x) != isLanes(y)) x = splat(x), y = splat(y);
        return b_.CreateFMul(x, y);
      };
      return along ? sumAlong(product(contracted), read)
                   : sumAcross(product(contracted), wide, unroll, read);
    }
    if (contracted.size() == 1) {
      const ElementFn read = [&](Index i) { return productAt(at, {i}); };
      return along ? sumAlong(contracted[0], read) : sumAcross(contracted[0], wide, unroll, read);
    }
    // Several letters: one loop over their row-major number.
    const ElementFn read = [&](Index i) { return productAt(at, delinearised(i, contracted).at); };
    return sumAcross(contracted.empty() ? i64c(1) : product(contracted), wide, false, read);
  };

  const auto isLast = [](const std::string& letters, char letter) {
    return letters.empty() || letters.find(letter) == std::string::npos || letters.back() == letter;
  };
  const bool single = contracted.size() == 1;
  const bool contiguous = linear || (single && isLast(spec.a, spec.contracted[0]) &&
                                     isLast(spec.b, spec.contracted[0]));
  const bool along = !inLanes() && (contiguous || (single && spec.result.empty()));
  if (result->type.isScalar())
    return setScalar(result, summed({}, along, inLanes() && varies(result)));
  const Buffer buffer = allocate(result, outer);
  const auto body = [&](llvm::ArrayRef<Index> at) {
    const bool wide = inLanes() ? varies(result) : !at.back().uniform();
    llvm::Value* value = summed(at, along, wide);
    store(buffer.dest, positionOf(at), value);
  };
  const auto loops = [&] {
    llvm::SmallVector<Index, 4> at;
    if (along)
      scalarNest(outer, body);
    else
      nest(outer, 0, at, body);
    fresh();
  };
  if (!emitMatrixProduct(op, buffer.dest, loops)) loops();
  setBuffer(result, buffer.dest, buffer.storage);
}

}  // namespace dini::codegen
