// Derivatives through equations whose switches are tied at the solution. Random piecewise-linear
// systems with every switch tied at 0, nested kinks, kinks that share a class, branches and loops.
// The oracle knows only the coefficients: it takes the Jacobian of each sign pattern, finds the
// patterns that hold at a point x near 0, and their determinants.
#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "ir/builder.h"
#include "ir/printer.h"
#include "tests/unit/ad_support.h"

using namespace dini;
using namespace dini::test;

namespace {

using Row = std::vector<double>;
using ir::Value;
using Values = std::vector<Value*>;
using Policy = ad::TieOptions::Policy;
using Variant = ad::TieOptions::Variant;

enum class Kind { Relu, Abs, Max, Min, If, NegativeRelu, DoubleRelu };
constexpr int kKinds = 7;

// A row has n coefficients of z, m of x, then those of the kinks before it.
struct Kink {
  Kind kind;
  size_t of;  // the switch: its own number, or that of an earlier kink of the same class
  Row s, level;
};
struct System {
  size_t n, m;
  std::vector<Kink> kinks;
  std::vector<Row> equations;
  size_t switches() const {
    size_t count = 0;
    for (size_t j = 0; j < kinks.size(); ++j) count += kinks[j].of == j ? 1 : 0;
    return count;
  }
};

std::mt19937_64 bits{4711};
double integer(int64_t bound) {
  return static_cast<double>(static_cast<int64_t>(bits() % static_cast<uint64_t>(2 * bound + 1)) - bound);
}
Row randomRow(size_t size, int64_t bound) {
  Row row(size);
  for (double& x : row) x = integer(bound);
  return row;
}

bool proportional(Row a, Row b) {
  a.resize(std::max(a.size(), b.size()));
  b.resize(a.size());
  for (size_t i = 0; i < a.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (a[i] * b[j] != a[j] * b[i]) return false;
  return true;
}

// No two switches are multiples of one another but those that are meant to be.
Row freshSwitch(const System& system, size_t inputs) {
  for (;;) {
    Row row = randomRow(inputs + system.kinks.size(), 1);
    row[bits() % inputs] = 2;
    bool fresh = true;
    for (const Kink& kink : system.kinks) fresh = fresh && !proportional(row, kink.s);
    if (fresh) return row;
  }
}

System randomSystem() {
  System system{1 + bits() % 3, 1 + bits() % 3, {}, {}};
  size_t inputs = system.n + system.m, kinks = 1 + bits() % 5;
  for (size_t j = 0; j < kinks; ++j) {
    Kink kink{static_cast<Kind>(bits() % kKinds), j, freshSwitch(system, inputs),
              randomRow(inputs, 1)};
    bool second = kink.kind == Kind::NegativeRelu || kink.kind == Kind::DoubleRelu;
    if (second && j == 0) kink.kind = Kind::Relu;
    if (second && j > 0) {
      kink.of = system.kinks[bits() % j].of;
      kink.s = system.kinks[kink.of].s;
    }
    system.kinks.push_back(kink);
  }
  for (size_t i = 0; i < system.n; ++i) {
    Row row = randomRow(inputs + kinks, 1);
    row[i] += 3;
    // Every kink matters, so that the first of a class orients it.
    for (size_t j = 0; i == 0 && j < kinks; ++j)
      if (row[inputs + j] == 0) row[inputs + j] = 1;
    system.equations.push_back(row);
  }
  return system;
}

// --- the system as a program: f(x) is the solution at which the solver starts, 0

Value* combination(ir::Builder& b, const Values& inputs, const Row& row) {
  Value* sum = nullptr;
  for (size_t k = 0; k < row.size(); ++k) {
    if (row[k] == 0) continue;
    Value* term = row[k] == 1 ? inputs[k] : b.mul(b.real(row[k]), inputs[k]);
    sum = sum == nullptr ? term : b.add(sum, term);
  }
  return sum != nullptr ? sum : b.real(0.0);
}

Value* choose(ir::Builder& b, Value* p, Value* q, Value* a, Value* c, double gap, const char* name) {
  ir::Attrs attrs;
  attrs.f = gap;
  attrs.str = name;
  return b.op(ir::OpCode::Choose, {p, q, a, c}, std::move(attrs));
}

// s is the switch, w its kink: slope d on s, see slopeOf().
Value* emitKink(ir::Builder& b, const Kink& kink, Value* s, const Values& inputs) {
  Value* zero = b.real(0.0);
  switch (kink.kind) {
    case Kind::Relu: return choose(b, s, zero, s, zero, 1, "relu");
    case Kind::Abs: return choose(b, s, zero, s, b.neg(s), 2, "abs");
    case Kind::NegativeRelu: {
      Value* t = b.neg(s);
      return choose(b, t, zero, t, zero, 1, "relu");
    }
    case Kind::DoubleRelu: {
      Value* t = b.mul(b.real(2.0), s);
      return choose(b, t, zero, t, zero, 1, "relu");
    }
    case Kind::Max:
    case Kind::Min: {
      Value* q = combination(b, inputs, kink.level);
      Value* p = b.add(q, s);
      return kink.kind == Kind::Max ? choose(b, p, q, p, q, 1, "max") : choose(b, p, q, q, p, -1, "min");
    }
    case Kind::If: break;
  }
  ir::Attrs attrs;
  attrs.str = "gt";
  return b.ifElse(b.op(ir::OpCode::FLt, {zero, s}),
                  [&](ir::Builder& in, auto) { return Values{in.mul(in.real(3.0), s)}; },
                  [&](ir::Builder&, auto) { return Values{s}; }, attrs, {s, zero})[0];
}

std::string programOf(const System& system) {
  ir::Function f("f");
  Value* x = f.addParameter(ir::f64({static_cast<int64_t>(system.m)}), "x");
  ir::Builder b(f, f.body);
  auto n = static_cast<int64_t>(system.n);
  Value* start = b.fill(b.real(0.0), Values{b.integer(n)});
  ir::Attrs attrs;
  attrs.f = 1e-10;
  attrs.str = "implicit";
  attrs.ints = {0, 1, 0};
  ir::Op& root = b.emitUnchecked(ir::OpCode::Root, {start}, attrs);
  Value* still = f.addArgument(*root.regions[0], start->type);
  ir::Builder solver(f, *root.regions[0]);
  solver.yield({still, solver.integer(0), solver.integer(0), solver.boolean(false)});
  Value* z = f.addArgument(*root.regions[1], start->type, "z");
  ir::Builder in(f, *root.regions[1]);
  Values inputs;
  for (size_t i = 0; i < system.n; ++i) inputs.push_back(in.index(z, {in.integer(static_cast<int64_t>(i))}));
  for (size_t i = 0; i < system.m; ++i) inputs.push_back(in.index(x, {in.integer(static_cast<int64_t>(i))}));
  Values levels = inputs, switches;
  for (const Kink& kink : system.kinks) {
    bool own = kink.of == switches.size();
    switches.push_back(own ? combination(in, inputs, kink.s) : switches[kink.of]);
    inputs.push_back(emitKink(in, kink, switches.back(), levels));
  }
  Values left;
  for (const Row& row : system.equations) left.push_back(combination(in, inputs, row));
  in.yield({in.pack(left), in.fill(in.real(0.0), Values{in.integer(n)})});
  Value* solution = f.addResult(root, start->type);
  f.addResult(root, ir::i64());
  f.addResult(root, ir::i1());
  b.yield({solution});
  return ir::print(f);
}

// --- the oracle

struct Linear {
  std::vector<Row> s, f;  // rows by (z, x) of the switches and the equations
};

// Row j of kinks[j] at weight d of its switch: value = slope * s + level.
Row kinkRow(const Kink& kink, const Row& s, double d, size_t inputs) {
  Row row(inputs);
  double slope = 0;
  switch (kink.kind) {
    case Kind::Relu: slope = d; break;
    case Kind::Abs: slope = 2 * d - 1; break;
    case Kind::NegativeRelu: slope = d - 1; break;
    case Kind::DoubleRelu: slope = 2 * d; break;
    case Kind::Max: slope = d; break;
    case Kind::Min: slope = 1 - d; break;
    case Kind::If: slope = 1 + 2 * d; break;
  }
  bool levelled = kink.kind == Kind::Max || kink.kind == Kind::Min;
  for (size_t k = 0; k < inputs; ++k) row[k] = slope * s[k] + (levelled ? kink.level[k] : 0);
  return row;
}

Linear linearAt(const System& system, const Row& d) {
  size_t inputs = system.n + system.m;
  std::vector<Row> w;
  Linear made;
  auto expand = [&](const Row& row) {
    Row total(row.begin(), row.begin() + static_cast<ptrdiff_t>(inputs));
    for (size_t j = inputs; j < row.size(); ++j)
      for (size_t k = 0; k < inputs; ++k) total[k] += row[j] * w[j - inputs][k];
    return total;
  };
  for (size_t j = 0; j < system.kinks.size(); ++j) {
    const Kink& kink = system.kinks[j];
    made.s.push_back(kink.of == j ? expand(kink.s) : made.s[kink.of]);
    w.push_back(kinkRow(kink, made.s[j], d[kink.of], inputs));
  }
  for (const Row& row : system.equations) made.f.push_back(expand(row));
  return made;
}

// [A | B] by elimination: determinant of A, and -A^-1 B (n rows, m columns).
double eliminate(std::vector<Row> a, size_t n, std::vector<Row>* solution) {
  double determinant = 1;
  for (size_t k = 0; k < n; ++k) {
    size_t best = k;
    for (size_t i = k + 1; i < n; ++i)
      if (std::fabs(a[i][k]) > std::fabs(a[best][k])) best = i;
    if (std::fabs(a[best][k]) < 1e-12) return 0;
    if (best != k) determinant = -determinant;
    std::swap(a[k], a[best]);
    determinant *= a[k][k];
    for (size_t i = 0; i < n; ++i) {
      if (i == k) continue;
      double factor = a[i][k] / a[k][k];
      for (size_t j = k; j < a[i].size(); ++j) a[i][j] -= factor * a[k][j];
    }
  }
  if (solution == nullptr) return determinant;
  solution->assign(n, Row());
  for (size_t i = 0; i < n; ++i)
    for (size_t j = n; j < a[i].size(); ++j) (*solution)[i].push_back(-a[i][j] / a[i][i]);
  return determinant;
}

// Weights of all kinks from a bit per switch.
Row weightsOf(const System& system, uint32_t set) {
  Row d(system.kinks.size());
  size_t bit = 0;
  for (size_t j = 0; j < d.size(); ++j)
    if (system.kinks[j].of == j) d[j] = set >> bit++ & 1u ? 1 : 0;
  return d;
}

bool allOfOneSign(const System& system) {
  double first = 0;
  for (uint32_t set = 0; set < (1u << system.switches()); ++set) {
    double determinant = eliminate(linearAt(system, weightsOf(system, set)).f, system.n, nullptr);
    if (set == 0) first = determinant;
    if (first * determinant < 1e-9) return false;
  }
  return true;
}

// The Jacobian of the solution at the point x, off all kinks; empty where a switch vanishes there.
std::vector<Row> jacobianAt(const System& system, const Row& x) {
  for (uint32_t set = 0; set < (1u << system.switches()); ++set) {
    Row d = weightsOf(system, set);
    Linear linear = linearAt(system, d);
    std::vector<Row> jacobian;
    if (eliminate(linear.f, system.n, &jacobian) == 0) continue;
    Row point(system.n);
    for (size_t i = 0; i < system.n; ++i)
      for (size_t j = 0; j < system.m; ++j) point[i] += jacobian[i][j] * x[j];
    point.insert(point.end(), x.begin(), x.end());
    bool consistent = true, strict = true;
    for (size_t j = 0; j < system.kinks.size(); ++j) {
      if (system.kinks[j].of != j) continue;
      double s = 0;
      for (size_t k = 0; k < point.size(); ++k) s += linear.s[j][k] * point[k];
      consistent = consistent && (d[j] > 0 ? s > -1e-9 : s < 1e-9);
      strict = strict && std::fabs(s) > 1e-7;
    }
    if (consistent) return strict ? jacobian : std::vector<Row>{};
  }
  FAIL("a regular system without a solution");
  return {};
}

Row flattened(const std::vector<Row>& rows) {
  Row all;
  for (const Row& row : rows) all.insert(all.end(), row.begin(), row.end());
  return all;
}

// Both modes give the matrix: columns by jvp, rows by vjp.
void checkBothModes(Program& program, const System& system, const Row& wanted) {
  std::string jvp = program.derive("jvp", "f"), vjp = program.derive("vjp", "f");
  Tensor at = vec(Row(system.m, 0.0));
  for (size_t j = 0; j < system.m; ++j) {
    Row unit(system.m);
    unit[j] = 1;
    Tensors results = program.run(jvp, {at, vec(unit)});
    for (size_t i = 0; i < system.n; ++i) CHECK(near(value(results, 1, i), wanted[i * system.m + j], 1e-9));
  }
  for (size_t i = 0; i < system.n; ++i) {
    Row unit(system.n);
    unit[i] = 1;
    Tensors results = program.run(vjp, {at, vec(unit)});
    for (size_t j = 0; j < system.m; ++j) CHECK(near(value(results, 1, j), wanted[i * system.m + j], 1e-9));
  }
}

}  // namespace

TEST_CASE("ties of equations: locked is the Jacobian beside the tie, in the probe's direction") {
  int regular = 0, irregular = 0, compared = 0;
  for (int round = 0; round < 1000; ++round) {
    System system = randomSystem();
    Program program(programOf(system));
    program.ties.policy = Policy::Locked;
    program.ties.variant = Variant::Probe;
    program.ties.direction = {1};
    for (size_t j = 1; j < system.m; ++j)
      program.ties.direction.push_back(0.25 * integer(3) + 0.1234 * static_cast<double>(j));
    INFO(round, "\n", programOf(system));
    std::string jac = program.derive("jac", "f");
    Tensors at{vec(Row(system.m, 0.0))};
    if (!allOfOneSign(system)) {
      ++irregular;
      CHECK(program.status(jac, at) == ir::Status::Irregular);
      continue;
    }
    ++regular;
    std::vector<Row> jacobian = jacobianAt(system, program.ties.direction);
    if (jacobian.empty()) continue;
    ++compared;
    Row wanted = flattened(jacobian);
    REQUIRE(program.status(jac, at) == ir::Status::Ok);
    Tensors results = program.run(jac, at);
    for (size_t k = 0; k < wanted.size(); ++k) CHECK(near(value(results, 0, k), wanted[k], 1e-9));
    if (round % 10 == 0) checkBothModes(program, system, wanted);
  }
  MESSAGE("regular " << regular << ", compared " << compared << ", irregular " << irregular);
  CHECK(compared > 400);
  CHECK(irregular > 200);
}

TEST_CASE("ties of equations: constant weights, the same in F_z and F_x") {
  int compared = 0;
  for (int round = 0; round < 300; ++round) {
    System system = randomSystem();
    if (!allOfOneSign(system)) continue;
    ++compared;
    Program program(programOf(system));
    program.ties.policy = Policy::Weight;
    program.ties.weight = 0.25 * static_cast<double>(bits() % 5);
    program.ties.variant = round % 2 == 0 ? Variant::Probe : Variant::Fast;
    std::vector<Row> jacobian;
    eliminate(linearAt(system, Row(system.kinks.size(), program.ties.weight)).f, system.n, &jacobian);
    INFO(round, " weight ", program.ties.weight, "\n", programOf(system));
    checkBothModes(program, system, flattened(jacobian));
  }
  CHECK(compared > 100);
}

TEST_CASE("ties of equations: the fast variant notes every tie, near ones too, and no others") {
  // z == abs(x) - 0.5 relu(x - z), with the solution given.
  const std::string text = R"(func @f(%0.x: f64, %1.start: f64) {
  %2, %3, %4 = root(%1.start) <f=1, str="implicit", ints=[0, 1, 0]> : f64, i64, i1 {(%5: f64)
    %6 = const() : i64
    %7 = const() : i1
    yield(%5, %6, %6, %7)
  } {(%8.z: f64)
    %9 = const() <f=0> : f64
    %10 = neg(%0.x) : f64
    %11 = choose(%0.x, %9, %0.x, %10) <f=2, str="abs"> : f64
    %12 = sub(%0.x, %8.z) : f64
    %13 = choose(%12, %9, %12, %9) <f=1, str="relu"> : f64
    %14 = const() <f=0.5> : f64
    %15 = mul(%14, %13) : f64
    %16 = sub(%11, %15) : f64
    yield(%8.z, %16)
  }
  yield(%2)
}
)";
  auto notes = [&](double x, double z, ad::TieOptions ties) {
    Program program(text);
    program.ties = ties;
    std::string jvp = program.deriveWrt("jvp", "f", {true, false});
    ir::RunNotes notes;
    ir::InterpretOptions options;
    options.notes = &notes;
    auto outcome = ir::interpret(program.module(), *program.module().find(jvp),
                                 Tensors{scalar(x), scalar(z), scalar(1)}, options);
    REQUIRE(std::holds_alternative<Tensors>(*outcome));
    return std::make_pair(notes.tie, value(std::get<Tensors>(*outcome), 1));
  };
  ad::TieOptions fast, probe;
  fast.policy = probe.policy = Policy::Locked;
  probe.variant = Variant::Probe;
  ad::TieOptions average = fast;
  average.policy = Policy::Weight;
  for (const ad::TieOptions& ties : {fast, average}) {
    CHECK(notes(0, 0, ties).first);
    CHECK(notes(0, 1e-13, ties).first);
    CHECK(notes(0, -1e-13, ties).first);
    CHECK(notes(1, 1, ties).first);  // x = z: a tie of the relu
    CHECK_FALSE(notes(-1, 1, ties).first);
  }
  // Off by 1e-13 the weights are still those of the tie, under every policy: never -3.
  for (double z : {0.0, 1e-13, -1e-13, 1e-10}) {
    CHECK(near(notes(0, z, probe).second, 1, 1e-12));
    for (double weight : {0.0, 0.5, 1.0}) {
      ad::TieOptions ties = probe;
      ties.policy = Policy::Weight;
      ties.weight = weight;
      double slope = notes(0, z, ties).second;
      CHECK(slope >= -1);
      CHECK(slope <= 1);
      CHECK(near(slope, (2 * weight - 1 - 0.5 * weight) / (1 - 0.5 * weight), 1e-12));
    }
  }
}
