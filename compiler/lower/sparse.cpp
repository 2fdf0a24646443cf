// Operators on sparse matrices: products as gather, multiply, scatter-add over the entries, whose
// tangents and cotangents are operations of the same kind; systems as `sparse_solve`; the rest in Dini
// (runtime/prelude/sparse.dini). A product checks the columns that it reads and the rows that it adds to.
#include "base/check.h"
#include "lower/scopes.h"

namespace dini::lower {

using ir::OpCode;

namespace {

struct Entries {
  ir::Value *values, *rows, *cols, *row_start, *col_start;
  explicit Entries(const Val& a) {
    auto field = [&](const char* name) { return a.elements[static_cast<size_t>(a.field(name))].value; };
    values = field("values");
    rows = field("rows");
    cols = field("cols");
    row_start = field("row_start");
    col_start = field("col_start");
  }
};

}  // namespace

bool Emitter::isSparse(const Val& value) {
  return value.kind == Val::Kind::Record && value.record->name.text == "sparse";
}

Val Emitter::callPrelude(const char* name, std::vector<NamedVal> arguments) {
  const ast::FnDecl* fn = shared_.program.preludeFunction(name);
  check(fn != nullptr, std::string("the prelude lacks ") + name);
  return callUser(*fn, std::move(arguments));
}

// A x, or A' x; x a vector or a matrix.
ir::Value* Emitter::sparseTimes(const Val& matrix, ir::Value* x, bool transposed) {
  Entries a(matrix);
  if (transposed) {
    std::swap(a.rows, a.cols);
    std::swap(a.row_start, a.col_start);
  }
  ir::Value* columns = isub(sizeOf(a.col_start, 0), integer(1));
  if (knownDifference(columns, sizeOf(x, 0)) != 0)
    require(intOp(OpCode::IEq, columns, sizeOf(x, 0)), ir::Status::Shape,
            "the sizes that a product joins differ");
  std::vector<ir::Value*> sizes{isub(sizeOf(a.row_start, 0), integer(1))};
  checkIndices(a.cols, columns);
  checkIndices(a.rows, sizes[0]);
  ir::Value *read = b().gather(x, a.cols), *values = a.values;
  if (x->type.rank() == 2) {
    sizes.push_back(sizeOf(x, 1));
    values = b().broadcast(values, {0}, {sizeOf(values, 0), sizes[1]});
  }
  return b().op(OpCode::ScatterAdd, {b().fill(b().real(0.0), sizes), a.rows, b().mul(values, read)});
}

// One operand is sparse, the other a vector, a covector or a matrix.
Val Emitter::sparseProduct(const Val& a, const Val& b, bool a_transposed) {
  if (isSparse(a)) return Val::leaf(sparseTimes(a, toReal(b.value), a_transposed));
  ir::Value* x = toReal(a.value);
  if (a.covector) return Val::leaf(sparseTimes(b, x, true), true);
  // X S = (S' X')', with X as it is read.
  ir::Value* columns = a_transposed ? x : this->b().transpose(x, {1, 0});
  return Val::leaf(this->b().transpose(sparseTimes(b, columns, true), {1, 0}));
}

Val Emitter::sparseSystem(const Val& matrix, const Val& rhs, bool transposed) {
  Entries a(matrix);
  ir::Value* y = toReal(rhs.value);
  ir::Value* n = isub(sizeOf(a.row_start, 0), integer(1));
  for (ir::Value* other : {isub(sizeOf(a.col_start, 0), integer(1)), sizeOf(y, 0)})
    if (knownDifference(n, other) != 0)
      require(intOp(OpCode::IEq, n, other), ir::Status::Shape,
              "the sizes of a linear system do not fit");
  ir::Attrs attrs;
  attrs.ints = {transposed ? 1 : 0};
  return Val::leaf(b().op(OpCode::SparseSolve, {a.values, a.rows, a.cols, y}, std::move(attrs)));
}

Val Emitter::sparseIndex(const Val& matrix, const ast::IndexExpr& e) {
  using Kind = ast::Subscript::Kind;
  Entries a(matrix);
  auto size = [&](ir::Value* start) { return isub(sizeOf(start, 0), integer(1)); };
  const ast::Subscript& first = e.subscripts[0];
  SpanScope span(*this, first.span);
  if (e.subscripts.size() == 2 && e.subscripts[1].kind == Kind::Range) {
    Selection columns = rangeSelection(e.subscripts[1], size(a.col_start));
    return callPrelude("sparse_columns", {{"A", matrix},
                                          {"a", Val::leaf(columns.start)},
                                          {"b", Val::leaf(iadd(columns.start, columns.size))}});
  }
  if (first.kind == Kind::All) return matrix;
  ir::Value* rows = size(a.row_start);
  ir::Value* indices = nullptr;
  if (first.kind == Kind::Range) {
    Selection range = rangeSelection(first, rows);
    indices = intOp(OpCode::IAdd, b().iota(range.size), range.start);
  } else {
    indices = eval(*first.at).value;
    if (indices->type.isScalar()) {
      checkIndex(indices, rows);
      return callPrelude("sparse_row", {{"A", matrix}, {"i", Val::leaf(indices)}});
    }
  }
  checkIndices(indices, rows);
  return callPrelude("sparse_rows", {{"A", matrix}, {"idx", Val::leaf(indices)}});
}

// Sums go entry by entry: the patterns must be the same.
void Emitter::requireSamePattern(const Val& matrix, const Val& other) {
  Entries p(matrix), q(other);
  for (auto [x, y] : {std::pair{p.rows, q.rows}, {p.cols, q.cols}, {p.row_start, q.row_start},
                      {p.col_start, q.col_start}}) {
    if (x == y) continue;
    requireEqualShapes(x, y);
    require(allTrue(b().op(OpCode::IEq, {x, y})), ir::Status::Shape,
            "the patterns of two sparse matrices differ");
  }
}

}  // namespace dini::lower
