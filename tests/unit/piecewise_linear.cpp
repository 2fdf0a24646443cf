#include "tests/unit/piecewise_linear.h"

#include <algorithm>

#include "ir/builder.h"

namespace dini::test {
namespace {

using Kind = PlNode::Kind;

int64_t pick(std::mt19937_64& random, int64_t low, int64_t high) {
  return std::uniform_int_distribution<int64_t>(low, high)(random);
}

}  // namespace

PlProgram randomPl(std::mt19937_64& random, int inputs, int size) {
  PlProgram program;
  program.inputs = inputs;
  for (int k = 0; k < inputs; ++k) program.nodes.push_back({Kind::Input, k});
  for (int k = 0; k < size; ++k) {
    int last = static_cast<int>(program.nodes.size()) - 1;
    PlNode node;
    node.kind = static_cast<Kind>(pick(random, 1, 5));
    // Near the end of the list more often: deep programs.
    auto operand = [&] {
      int64_t reach = pick(random, 0, 1) == 0 ? last : std::min<int64_t>(last, 3);
      return last - static_cast<int>(pick(random, 0, reach));
    };
    node.a = operand();
    node.b = operand();
    node.s = pick(random, 0, 1) == 0 ? pick(random, 1, 2) : -1;
    node.t = pick(random, -2, 2);
    node.c = pick(random, 0, 9) == 0 ? pick(random, -1, 1) : 0;
    program.nodes.push_back(node);
  }
  // Everything flows into the result.
  int count = static_cast<int>(program.nodes.size());
  for (int k = inputs; k < count; ++k) {
    int last = static_cast<int>(program.nodes.size()) - 1;
    program.nodes.push_back({Kind::Affine, k == inputs ? k : last, k == inputs ? 0 : k, 1, k == inputs ? 0 : 1, 0});
  }
  return program;
}

std::unique_ptr<ir::Function> asFunction(const PlProgram& program) {
  auto f = std::make_unique<ir::Function>("f");
  std::vector<ir::Value*> values;
  ir::Builder b(*f, f->body);
  auto choose = [&](ir::Value* p, ir::Value* q, ir::Value* first, ir::Value* second, double gap) {
    ir::Attrs attrs;
    attrs.f = gap;
    return b.op(ir::OpCode::Choose, {p, q, first, second}, attrs);
  };
  for (int k = 0; k < program.inputs; ++k) values.push_back(f->addParameter(ir::f64()));
  for (size_t k = values.size(); k < program.nodes.size(); ++k) {
    const PlNode& node = program.nodes[k];
    ir::Value *x = values[static_cast<size_t>(node.a)], *y = values[static_cast<size_t>(node.b)];
    switch (node.kind) {
      case Kind::Relu: values.push_back(choose(x, b.real(0), x, b.real(0), 1)); break;
      case Kind::Abs: values.push_back(choose(x, b.real(0), x, b.neg(x), 2)); break;
      case Kind::Max: values.push_back(choose(x, y, x, y, 1)); break;
      case Kind::Min: values.push_back(choose(x, y, y, x, -1)); break;
      default: {
        ir::Value* sum = b.mul(b.real(static_cast<double>(node.s)), x);
        if (node.t != 0) sum = b.add(sum, b.mul(b.real(static_cast<double>(node.t)), y));
        if (node.c != 0) sum = b.add(sum, b.real(static_cast<double>(node.c)));
        values.push_back(sum);
      }
    }
  }
  b.yield({values.back()});
  return f;
}

namespace {

using Wide = __int128;
using Vector = std::array<Wide, 3>;

Vector cross(const Vector& a, const Vector& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}
Wide dot(const Vector& a, const Vector& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }
bool isZero(const Vector& v) { return v[0] == 0 && v[1] == 0 && v[2] == 0; }

// Divided by the greatest common divisor.
Vector primitive(Vector v) {
  Wide divisor = 0;
  for (Wide x : v) {
    Wide a = x < 0 ? -x : x;
    while (a != 0) {
      Wide rest = divisor % a;
      divisor = a;
      a = rest;
    }
  }
  if (divisor > 1)
    for (Wide& x : v) x /= divisor;
  return v;
}

// A direction r + eps u + eps^2 v: decides every nonzero form, since r, u, v span the space.
struct Flag {
  Vector r, u, v;
  int sign(const Vector& form) const {
    for (const Vector* d : {&r, &u, &v}) {
      Wide value = dot(form, *d);
      if (value != 0) return value > 0 ? 1 : -1;
    }
    return 0;
  }
};

// The gradient of the piece at the origin that the flag points into, and the forms of its switches.
Vector gradientAlong(const PlProgram& program, const Flag& flag, std::set<Vector>& forms) {
  std::vector<Wide> value;
  std::vector<Vector> slope;
  auto combine = [](Wide s, const Vector& a, Wide t, const Vector& b) {
    return Vector{s * a[0] + t * b[0], s * a[1] + t * b[1], s * a[2] + t * b[2]};
  };
  auto isFirst = [&](Wide difference, const Vector& form) {
    if (difference != 0) return difference > 0;
    if (!isZero(form)) forms.insert(primitive(form));
    return flag.sign(form) > 0;
  };
  for (const PlNode& node : program.nodes) {
    if (node.kind == Kind::Input) {
      Vector unit{};
      unit[static_cast<size_t>(node.a)] = 1;
      value.push_back(0);
      slope.push_back(unit);
      continue;
    }
    auto a = static_cast<size_t>(node.a), b = static_cast<size_t>(node.b);
    Wide s = node.s, t = node.t, c = node.c;
    if (node.kind != Kind::Affine) {
      bool binary = node.kind == Kind::Max || node.kind == Kind::Min;
      bool first = isFirst(value[a] - (binary ? value[b] : 0),
                           combine(1, slope[a], binary ? -1 : 0, slope[b]));
      c = 0;
      if (node.kind == Kind::Relu) s = first ? 1 : 0, t = 0;
      if (node.kind == Kind::Abs) s = first ? 1 : -1, t = 0;
      if (node.kind == Kind::Max) s = first ? 1 : 0, t = 1 - s;
      if (node.kind == Kind::Min) s = first ? 0 : 1, t = 1 - s;
    }
    value.push_back(s * value[a] + t * value[b] + c);
    slope.push_back(combine(s, slope[a], t, slope[b]));
  }
  return slope.back();
}

Vector scaled(const Vector& v, int sign) { return {v[0] * sign, v[1] * sign, v[2] * sign}; }

// Every cell of a central arrangement that holds the coordinate planes touches a ray where two of
// its planes meet, and beside that ray a plane through it: one flag for each at least.
std::vector<Flag> flagsOf(const std::set<Vector>& forms) {
  std::set<Vector> rays;
  for (const Vector& a : forms)
    for (const Vector& b : forms) {
      Vector ray = primitive(cross(a, b));
      if (!isZero(ray)) rays.insert(ray);
    }
  std::vector<Flag> flags;
  for (const Vector& r : rays)
    for (const Vector& form : forms) {
      if (dot(form, r) != 0) continue;
      Vector u = primitive(cross(r, form));
      for (int sign_u : {1, -1})
        for (int sign_v : {1, -1}) flags.push_back({r, scaled(u, sign_u), scaled(form, sign_v)});
    }
  return flags;
}

}  // namespace

std::set<Gradient> gradientsAtOrigin(const PlProgram& program) {
  constexpr size_t kMaxForms = 16;
  std::set<Vector> forms{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
  // Until the cells that the known forms make show no new one.
  for (;;) {
    std::set<Vector> found = forms;
    std::set<Gradient> gradients;
    for (const Flag& flag : flagsOf(forms)) {
      Vector g = gradientAlong(program, flag, found);
      gradients.insert({static_cast<int64_t>(g[0]), static_cast<int64_t>(g[1]), static_cast<int64_t>(g[2])});
      if (found.size() > kMaxForms) return {};
    }
    if (found == forms) return gradients;
    forms = std::move(found);
  }
}

std::vector<double> gradientBeside(const PlProgram& program, const std::vector<double>& direction) {
  constexpr double kStep = 0x1p-20;
  std::vector<double> value;
  std::vector<std::vector<double>> slope;
  for (const PlNode& node : program.nodes) {
    std::vector<double> g(direction.size(), 0.0);
    if (node.kind == Kind::Input) {
      g[static_cast<size_t>(node.a)] = 1;
      value.push_back(kStep * direction[static_cast<size_t>(node.a)]);
      slope.push_back(g);
      continue;
    }
    auto a = static_cast<size_t>(node.a), b = static_cast<size_t>(node.b);
    double s = static_cast<double>(node.s), t = static_cast<double>(node.t), c = static_cast<double>(node.c);
    if (node.kind != Kind::Affine) c = 0;
    if (node.kind == Kind::Relu) s = value[a] > 0 ? 1 : 0, t = 0;
    if (node.kind == Kind::Abs) s = value[a] > 0 ? 1 : -1, t = 0;
    if (node.kind == Kind::Max) s = value[a] > value[b] ? 1 : 0, t = 1 - s;
    if (node.kind == Kind::Min) s = value[a] > value[b] ? 0 : 1, t = 1 - s;
    value.push_back(s * value[a] + t * value[b] + c);
    for (size_t k = 0; k < g.size(); ++k) g[k] = s * slope[a][k] + t * slope[b][k];
    slope.push_back(g);
  }
  return slope.back();
}

bool outsideHull(const std::vector<double>& point, const std::set<Gradient>& hull,
                 std::mt19937_64& random) {
  std::normal_distribution<> normal;
  for (int draw = 0; draw < 200; ++draw) {
    std::vector<double> d(point.size());
    for (double& entry : d) entry = normal(random);
    double at = 0, most = -1e300;
    for (size_t k = 0; k < d.size(); ++k) at += d[k] * point[k];
    for (const Gradient& g : hull) {
      double here = 0;
      for (size_t k = 0; k < d.size(); ++k) here += d[k] * static_cast<double>(g[k]);
      most = std::max(most, here);
    }
    if (at > most + 1e-9 * (1 + std::abs(most))) return true;
  }
  return false;
}

}  // namespace dini::test
