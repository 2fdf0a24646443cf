// Linear algebra, through the runtime that compiled code uses.
#include "base/check.h"
#include "dini/complementarity.h"
#include "dini/linalg.h"
#include "dini/sparse.h"
#include "ir/interp_machine.h"

namespace dini::ir::interp {
namespace {

double* scratch(std::vector<double>& storage, int64_t count) {
  storage.resize(static_cast<size_t>(count));
  return storage.data();
}

int64_t rowsOf(const Slot& x) { return x.dims()[0]; }
int64_t columnsOf(const Slot& x) { return x.dims().size() > 1 ? x.dims()[1] : 1; }
bool isTransposed(const Op& op) { return !op.attrs.ints.empty() && op.attrs.ints[0] == 1; }

bool failed(Machine& machine, const Step& step, int status, double rcond = -1) {
  StatusInfo info;
  info.status = static_cast<Status>(status);
  info.span = step.op->span;
  info.rcond = rcond;
  if (step.op->code == OpCode::LinearSolve || step.op->code == OpCode::Factor)
    info.text = step.op->attrs.str;
  return machine.fail(std::move(info));
}

void note(Machine& machine, const Step& step, double rcond) {
  RunNotes* notes = machine.notes();
  if (notes == nullptr || !(rcond < notes->rcond)) return;
  notes->rcond = rcond;
  notes->system_span = step.op->span;
}

bool linearSolve(Machine& machine, const Step& step, Slot* frame) {
  const Slot a = step.in(frame, 0), b = step.in(frame, 1);
  int64_t n = rowsOf(a), m = columnsOf(b);
  check(columnsOf(a) == n && rowsOf(b) == n, "the sizes of a linear system do not fit");
  machine.charge(n * n * (n + m));
  Slot x = Slot::make(Elem::F64, b.dims());
  std::vector<double> work;
  double rcond = 0;
  int status = dini_linear_solve(step.op->attrs.i, isTransposed(*step.op) ? 1 : 0, n, m, a.reals(),
                                 b.reals(), x.ownReals(), &rcond,
                                 scratch(work, dini_linear_solve_work(n)));
  if (status != 0) return failed(machine, step, status, rcond);
  note(machine, step, rcond);
  step.out(frame) = std::move(x);
  return true;
}

bool sparseSolve(Machine& machine, const Step& step, Slot* frame) {
  const Slot values = step.in(frame, 0), rows = step.in(frame, 1), columns = step.in(frame, 2),
             b = step.in(frame, 3);
  int64_t n = rowsOf(b), m = columnsOf(b), count = rowsOf(values);
  check(rowsOf(rows) == count && rowsOf(columns) == count, "the entries of a sparse matrix do not fit");
  machine.charge(100 * (count + n) * (1 + m));  // fill-in is known to the factorisation only
  Slot x = Slot::make(Elem::F64, b.dims());
  double rcond = 0;
  int status = dini_sparse_solve(isTransposed(*step.op) ? 1 : 0, n, m, count, values.reals(),
                                 rows.integers(), columns.integers(), b.reals(), x.ownReals(), &rcond);
  if (status != 0) return failed(machine, step, status, rcond);
  note(machine, step, rcond);
  step.out(frame) = std::move(x);
  return true;
}

bool factor(Machine& machine, const Step& step, Slot* frame) {
  const Slot a = step.in(frame, 0);
  int64_t n = rowsOf(a);
  check(columnsOf(a) == n, "a factorisation needs a square matrix");
  machine.charge(n * n * n);
  Slot factors = Slot::make(Elem::F64, a.dims());
  Slot pivots = Slot::make(Elem::I64, a.dims().first(1));
  std::vector<double> work;
  double rcond = 0;
  int status = dini_factor(step.op->attrs.i, n, a.reals(), factors.ownReals(),
                           static_cast<int64_t*>(pivots.own()), &rcond,
                           scratch(work, dini_factor_work(n)));
  if (status != 0) return failed(machine, step, status, rcond);
  note(machine, step, rcond);
  step.out(frame, 0) = std::move(factors);
  step.out(frame, 1) = std::move(pivots);
  step.out(frame, 2) = Slot::real(rcond);
  return true;
}

bool solveFactored(Machine& machine, const Step& step, Slot* frame) {
  const Slot factors = step.in(frame, 0), pivots = step.in(frame, 1), b = step.in(frame, 2);
  int64_t n = rowsOf(factors), m = columnsOf(b);
  check(rowsOf(b) == n, "the sizes of a linear system do not fit");
  machine.charge(n * n * m);
  Slot x = Slot::make(Elem::F64, b.dims());
  dini_solve_factored(step.op->attrs.i, isTransposed(*step.op) ? 1 : 0, n, m, factors.reals(),
                      pivots.integers(), b.reals(), x.ownReals());
  step.out(frame) = std::move(x);
  return true;
}

bool leastSquares(Machine& machine, const Step& step, Slot* frame) {
  const Slot a = step.in(frame, 0), b = step.in(frame, 1);
  int64_t m = rowsOf(a), n = columnsOf(a), k = columnsOf(b);
  check(rowsOf(b) == m, "the sizes of a least-squares problem do not fit");
  machine.charge(m * n * (n + k));
  std::vector<int64_t> sizes(b.dims().begin(), b.dims().end());
  sizes[0] = n;
  Slot x = Slot::make(Elem::F64, sizes);
  std::vector<double> work;
  int status = dini_lstsq(m, n, k, a.reals(), b.reals(), x.ownReals(),
                          scratch(work, dini_lstsq_work(m, n, k)));
  if (status != 0) return failed(machine, step, status);
  step.out(frame) = std::move(x);
  return true;
}

bool cholesky(Machine& machine, const Step& step, Slot* frame) {
  const Slot a = step.in(frame, 0);
  int64_t n = rowsOf(a);
  check(columnsOf(a) == n, "a factorisation needs a square matrix");
  machine.charge(n * n * n);
  Slot l = Slot::make(Elem::F64, a.dims());
  if (int status = dini_cholesky(n, a.reals(), l.ownReals())) return failed(machine, step, status);
  step.out(frame) = std::move(l);
  return true;
}

bool eigh(Machine& machine, const Step& step, Slot* frame) {
  const Slot a = step.in(frame, 0);
  int64_t n = rowsOf(a);
  check(columnsOf(a) == n, "eigenvalues need a square matrix");
  machine.charge(10 * n * n * n);
  Slot values = Slot::make(Elem::F64, a.dims().first(1));
  Slot vectors = Slot::make(Elem::F64, a.dims());
  std::vector<double> work;
  int status = dini_eigh(n, a.reals(), values.ownReals(), vectors.ownReals(),
                         scratch(work, dini_eigh_work(n)));
  if (status != 0) return failed(machine, step, status);
  step.out(frame, 0) = std::move(values);
  step.out(frame, 1) = std::move(vectors);
  return true;
}

bool svd(Machine& machine, const Step& step, Slot* frame) {
  const Slot a = step.in(frame, 0);
  int64_t m = rowsOf(a), n = columnsOf(a), k = std::min(m, n);
  machine.charge(10 * m * n * k);
  Slot u = Slot::make(Elem::F64, std::vector<int64_t>{m, k});
  Slot s = Slot::make(Elem::F64, std::vector<int64_t>{k});
  Slot v = Slot::make(Elem::F64, std::vector<int64_t>{n, k});
  std::vector<double> work;
  int status = dini_svd(m, n, a.reals(), u.ownReals(), s.ownReals(), v.ownReals(),
                        scratch(work, dini_svd_work(m, n)));
  if (status != 0) return failed(machine, step, status);
  step.out(frame, 0) = std::move(u);
  step.out(frame, 1) = std::move(s);
  step.out(frame, 2) = std::move(v);
  return true;
}

bool qr(Machine& machine, const Step& step, Slot* frame) {
  const Slot a = step.in(frame, 0);
  int64_t m = rowsOf(a), n = columnsOf(a), k = std::min(m, n);
  machine.charge(4 * m * n * k);
  Slot q = Slot::make(Elem::F64, std::vector<int64_t>{m, k});
  Slot r = Slot::make(Elem::F64, std::vector<int64_t>{k, n});
  std::vector<double> work;
  int status = dini_qr(m, n, a.reals(), q.ownReals(), r.ownReals(),
                       scratch(work, dini_qr_work(m, n)));
  if (status != 0) return failed(machine, step, status);
  step.out(frame, 0) = std::move(q);
  step.out(frame, 1) = std::move(r);
  return true;
}

bool rootTies(Machine& machine, const Step& step, Slot* frame) {
  const Slot jacobian = step.in(frame, 0), tied = step.in(frame, 1), held = step.in(frame, 2);
  int64_t k = rowsOf(tied), n = columnsOf(jacobian) - k;
  machine.charge((n + k) * (n + k) * (n + k));
  Slot weights = Slot::make(Elem::F64, held.dims());
  Slot z_dot = Slot::make(Elem::F64, std::vector<int64_t>{n});
  Slot verdict = Slot::make(Elem::F64, std::vector<int64_t>{2});
  dini_root_ties(n, k, jacobian.reals(), tied.booleans(), held.reals(), weights.ownReals(),
                 z_dot.ownReals(), verdict.ownReals());
  step.out(frame, 0) = std::move(weights);
  step.out(frame, 1) = std::move(z_dot);
  step.out(frame, 2) = std::move(verdict);
  return true;
}

constexpr HandlerEntry kHandlers[] = {
    {OpCode::LinearSolve, linearSolve},
    {OpCode::SparseSolve, sparseSolve},
    {OpCode::Factor, factor},
    {OpCode::SolveFactored, solveFactored},
    {OpCode::LeastSquares, leastSquares},
    {OpCode::Cholesky, cholesky},
    {OpCode::Eigh, eigh},
    {OpCode::Svd, svd},
    {OpCode::Qr, qr},
    {OpCode::RootTies, rootTies},
};

}  // namespace

std::span<const HandlerEntry> solveHandlers() { return kHandlers; }

}  // namespace dini::ir::interp
