#include "certify/lifted.h"

#include <algorithm>
#include <cmath>

#include "certify/block.h"

#include "certify/interval_algebra.h"
#include "ops/table.h"

namespace dini::certify {

using ir::OpCode;

Box boxAround(const Graph& graph, double r, double delta) {
  Box box;
  auto around = [&](NodeId id, double radius) {
    double value = graph.node(id).value;
    return radius == 0 ? Interval(value) : Interval(roundDown(value - radius), roundUp(value + radius));
  };
  for (NodeId id : graph.unknowns()) box.unknowns.push_back(around(id, r));
  for (NodeId id : graph.parameters()) box.parameters.push_back(around(id, delta));
  return box;
}

namespace {

Matrix weighted(const Matrix& rows, const std::vector<Interval>& d, size_t n, bool add_identity) {
  Matrix a(rows.rows, rows.columns);
  for (size_t i = 0; i < rows.rows; ++i)
    for (size_t j = 0; j < rows.columns; ++j) {
      if (i < n) {
        a.at(i, j) = rows.at(i, j);
        continue;
      }
      Interval unit = add_identity && i == j ? 1.0 : 0.0;
      a.at(i, j) = unit - d[i - n] * rows.at(i, j);
    }
  return a;
}

// a -= feeds Theta reads
void subtractParts(const LiftedJacobian& j, const LiftedJacobian::Thetas& thetas, const Matrix& reads, Matrix& a) {
  for (size_t b = 0; b < thetas.size(); ++b) {
    const LiftedJacobian::Part& part = j.parts[b];
    for (size_t r = 0; r < part.rows; ++r) {
      std::vector<Interval> image(a.columns);
      for (size_t c = 0; c < part.columns; ++c)
        if (double theta = thetas[b][r * part.columns + c]; theta != 0)
          for (size_t l = 0; l < a.columns; ++l) image[l] = image[l] + Interval(theta) * reads.at(part.column + c, l);
      for (size_t i = 0; i < j.feeds.rows; ++i) {
        Interval feed = j.feeds.at(i, part.row + r);
        if (feed.lo == 0 && feed.hi == 0) continue;
        for (size_t l = 0; l < a.columns; ++l) a.at(i, l) = a.at(i, l) - feed * image[l];
      }
    }
  }
}

bool isNumber(const Block& block) {
  return block.set == BlockSet::Spectral && block.rows == 1 && block.columns == 1;
}

}  // namespace

Matrix LiftedJacobian::at(const std::vector<Interval>& d, const Thetas& thetas) const {
  Matrix a = weighted(unknowns, d, n, true);
  subtractParts(*this, thetas, reads, a);
  return a;
}
Matrix LiftedJacobian::parametersAt(const std::vector<Interval>& d, const Thetas& thetas) const {
  Matrix b = weighted(parameters, d, n, false);
  subtractParts(*this, thetas, reads_parameters, b);
  return b;
}

Lifted::Lifted(const System& system, const Switches& switches, const std::vector<char>& held)
    : system_(system), switches_(switches), still_(system.graph.size(), 0) {
  for (size_t at = 0; at < still_.size(); ++at) {
    const Node& node = system.graph.node(static_cast<NodeId>(at));
    bool still = node.leaf == Leaf::Constant ||
                 (node.leaf == Leaf::Parameter && node.index < held.size() && held[node.index] != 0);
    if (node.leaf == Leaf::None) {
      still = true;
      for (NodeId operand : node.operands) still = still && (operand < 0 || still_[static_cast<size_t>(operand)]);
    }
    still_[at] = still;
  }
  for (size_t b = 0; b < system.blocks.size(); ++b) {
    if (isNumber(system.blocks[b])) scalar_blocks_.push_back(b);
    for (size_t k = 0; k < system.blocks[b].outputs.size(); ++k)
      output_of_[system.blocks[b].outputs[k]] = {b, k};
  }
}

int Lifted::blockOfClass(int class_id) const {
  auto at = static_cast<size_t>(class_id);
  size_t switches = switches_.classes().size();
  return at < switches ? -1 : static_cast<int>(scalar_blocks_[at - switches]);
}

std::string Lifted::evaluate(const Box& box, Ends ends) {
  const Graph& graph = system_.graph;
  values_.assign(graph.size(), Interval());
  for (size_t at = 0; at < graph.size(); ++at) {
    const Node& node = graph.node(static_cast<NodeId>(at));
    Interval& y = values_[at];
    if (node.leaf == Leaf::Constant) y = node.value;
    else if (node.leaf == Leaf::Unknown) y = box.unknowns[node.index];
    else if (node.leaf == Leaf::Parameter) y = box.parameters[node.index];
    else {
      Interval x[4];
      size_t arity = static_cast<size_t>(ops::arity(node.code));
      for (size_t k = 0; k < arity; ++k) x[k] = value(node.operands[k]);
      if (node.code != OpCode::Choose) y = intervalValue(node.code, {x, arity}, node.parameters);
      else {
        Interval s = x[0] - x[1];
        bool gap = !std::isnan(node.parameters.f);
        // At the switch's zero the sides agree only where a gap says so.
        y = s.lo > 0 || (gap && s.lo >= 0) ? x[2] : s.hi < 0 || (gap && s.hi <= 0) ? x[3] : hull(x[2], x[3]);
      }
    }
  }
  for (const Guard& guard : system_.guards)
    if (!guardHolds(guard)) return "a comparison that chose the code is not decided over the enclosure";
  for (NodeId equation : system_.equations)
    if (ends == Ends::Finite && !value(equation).finite()) return "the equations have no finite enclosure";
  return "";
}

bool Lifted::guardHolds(const Guard& guard) const {
  Interval p = value(guard.p), q = value(guard.q);
  bool same = guard.p == guard.q;
  switch (guard.relation) {
    case OpCode::FLt: return guard.outcome ? p.hi < q.lo : same || p.lo > q.hi;
    case OpCode::FLe: return guard.outcome ? same || p.hi < q.lo : p.lo > q.hi;
    default: break;
  }
  bool equal = (guard.relation == OpCode::FEq) == guard.outcome;
  bool constant = system_.graph.node(guard.p).leaf == Leaf::Constant &&
                  system_.graph.node(guard.q).leaf == Leaf::Constant;
  return equal ? same || (constant && p.lo == q.lo) : disjoint(p, q);
}

Matrix Lifted::residual() const {
  Matrix f(system_.equations.size(), 1);
  for (size_t i = 0; i < f.rows; ++i) {
    // Equal sides: lhs - rhs is 0 without rounding.
    const Node& node = system_.graph.node(system_.equations[i]);
    Interval y = value(system_.equations[i]);
    if (node.leaf == Leaf::None && node.code == OpCode::Sub) {
      Interval a = value(node.operands[0]), b = value(node.operands[1]);
      if (a.isPoint() && b.isPoint() && a.lo == b.lo) y = 0.0;
    }
    if (auto output = output_of_.find(system_.equations[i]); output != output_of_.end()) {
      const Block& block = system_.blocks[output->second.first];
      double error = roundUp(block.error + roundUp(block.stretch * inputRadius(block)));
      if (error > 0) error = roundUp(error);
      y = y - Interval(node.value) + Interval(-error, error);
    }
    f.at(i, 0) = y;
  }
  return f;
}

// In units and orientation of the first kink, from every member: any of them may decide.
Interval Lifted::switchValue(int class_id) const {
  if (int b = blockOfClass(class_id); b >= 0) return system_.blocks[static_cast<size_t>(b)].distance;
  const KinkClass& own = switches_.classes()[static_cast<size_t>(class_id)];
  Interval all = Interval::everything();
  for (size_t member : own.members) {
    const Kink& kink = switches_.kinks()[member];
    const Node& node = system_.graph.node(kink.node);
    Interval p = value(node.operands[0]), q = value(node.operands[1]);
    Interval s = p.isPoint() && q.isPoint() && p.lo == q.lo ? Interval(0.0) : (p - q) / kink.scale;
    if (kink.orientation < 0) s = -s;
    all = {std::max(all.lo, s.lo), std::min(all.hi, s.hi)};
  }
  return all;
}

std::vector<int> Lifted::sides() const {
  std::vector<int> sides;
  for (size_t c = 0; c < switches_.classes().size(); ++c) {
    Interval s = switchValue(static_cast<int>(c));
    sides.push_back(s.lo > 0 ? 1 : s.hi < 0 ? -1 : 0);
  }
  sides.resize(classCount(), 0);
  return sides;
}

std::string Lifted::jacobian(LiftedJacobian& result, const std::vector<int>* forced) {
  const Graph& graph = system_.graph;
  result = {};
  result.n = graph.unknowns().size();
  result.sides = forced ? *forced : sides();
  for (size_t c = 0; c < result.sides.size(); ++c)
    if (result.sides[c] == 0) result.tied.push_back(static_cast<int>(c));
  size_t rows = result.n + result.k();
  result.unknowns = Matrix(rows, rows);
  result.parameters = Matrix(rows, graph.parameters().size());
  LiftedJacobian shape;
  shape.n = result.n;
  shape.tied = result.tied;
  shape.sides = result.sides;
  if (std::string why = readRows(shape, result); !why.empty()) return why;
  for (size_t i = 0; i < result.n; ++i) {
    auto output = output_of_.find(system_.equations[i]);
    std::string why = output == output_of_.end()
                          ? row({{system_.equations[i], 1.0}}, shape, i, result)
                          : blockRow(system_.blocks[output->second.first], output->second.second, shape, i, result);
    if (!why.empty()) return why;
  }
  for (size_t i = 0; i < result.k(); ++i) {
    Seeds seeds;
    if (int b = blockOfClass(result.tied[i]); b >= 0) {
      seeds = readSeeds(system_.blocks[static_cast<size_t>(b)], 0);
    } else {
      const Node& first = graph.node(switches_.classes()[static_cast<size_t>(result.tied[i])].first);
      seeds = {{first.operands[0], 1.0}, {first.operands[1], -1.0}};
    }
    if (std::string why = row(seeds, shape, result.n + i, result); !why.empty()) return why;
  }
  if (!result.unknowns.finite() || !result.parameters.finite())
    return "a derivative has no finite enclosure";
  return "";
}

// y - base v - left Theta right v
std::string Lifted::blockRow(const Block& block, size_t output, const LiftedJacobian& shape, size_t at,
                             LiftedJacobian& result) {
  double off = drift(block, inputRadius(block));
  if (!std::isfinite(off)) return "a projection is not known to stay on its piece over the enclosure";
  auto number = static_cast<size_t>(&block - system_.blocks.data());
  size_t n = block.inputs.size();
  auto left = [&](size_t r) { return block.left.empty() ? (r == output ? 1.0 : 0.0) : block.left[output * block.rows + r]; };
  double added = 0;  // a number for Theta that is not tied
  if (auto scalar = std::find(scalar_blocks_.begin(), scalar_blocks_.end(), number); scalar != scalar_blocks_.end()) {
    size_t class_id = switches_.classes().size() + static_cast<size_t>(scalar - scalar_blocks_.begin());
    if (shape.sides[class_id] > 0) added = left(0);
    auto tied = std::find(shape.tied.begin(), shape.tied.end(), static_cast<int>(class_id));
    if (tied != shape.tied.end()) {
      Interval& entry = result.unknowns.at(at, shape.n + static_cast<size_t>(tied - shape.tied.begin()));
      entry = entry - Interval(left(0));
    }
  }
  Seeds seeds{{block.outputs[output], 1.0}};
  for (size_t i = 0; i < n && (!block.base.empty() || added != 0); ++i) {
    Interval slope = block.base.empty() ? Interval(0.0) : Interval(block.base[output * n + i]);
    if (added != 0) slope = slope + Interval(added) * Interval(block.right.empty() ? 1.0 : block.right[i]);
    seeds.push_back({block.inputs[i], Interval(-off, off) - slope});
  }
  for (const LiftedJacobian::Part& part : result.parts)
    for (size_t r = 0; r < part.rows && part.block == number; ++r) result.feeds.at(at, part.row + r) = left(r);
  return row(seeds, shape, at, result);
}

Lifted::Seeds Lifted::readSeeds(const Block& block, size_t column) const {
  Seeds seeds;
  size_t n = block.inputs.size();
  for (size_t i = 0; i < n; ++i) {
    double entry = block.right.empty() ? (i == column ? 1.0 : 0.0) : block.right[column * n + i];
    if (entry != 0) seeds.push_back({block.inputs[i], entry});
  }
  return seeds;
}

// What the Thetas read, and where they go.
std::string Lifted::readRows(const LiftedJacobian& shape, LiftedJacobian& result) {
  size_t rows = 0, columns = 0;
  for (size_t b = 0; b < system_.blocks.size(); ++b) {
    const Block& block = system_.blocks[b];
    if (block.set == BlockSet::None || isNumber(block)) continue;
    result.parts.push_back({b, block.rows, block.columns, rows, columns});
    rows += block.rows;
    columns += block.columns;
  }
  size_t size = result.n + result.k();
  result.feeds = Matrix(size, rows);
  LiftedJacobian own;
  own.unknowns = Matrix(columns, size);
  own.parameters = Matrix(columns, system_.graph.parameters().size());
  for (const LiftedJacobian::Part& part : result.parts)
    for (size_t c = 0; c < part.columns; ++c)
      if (std::string why = row(readSeeds(system_.blocks[part.block], c), shape, part.column + c, own); !why.empty())
        return why;
  result.reads = std::move(own.unknowns);
  result.reads_parameters = std::move(own.parameters);
  bool finite = result.reads.finite() && result.reads_parameters.finite();
  return finite ? "" : "a derivative has no finite enclosure";
}

double Lifted::inputRadius(const Block& block) const {
  double squares = 0;
  for (size_t i = 0; i < block.inputs.size(); ++i) {
    double off = (value(block.inputs[i]) - Interval(block.at[i])).magnitude();
    if (off > 0) squares = roundUp(squares + roundUp(off * off));
  }
  return squares > 0 ? roundUp(std::sqrt(squares)) : 0;
}

double Lifted::blockSlope(size_t block, const std::vector<int>& sides) {
  double largest = 0;
  for (size_t c = 0; c < system_.blocks[block].columns; ++c) {
    LiftedJacobian one;
    one.n = system_.graph.unknowns().size();
    one.sides = sides;
    one.unknowns = Matrix(1, one.n);
    one.parameters = Matrix(1, system_.graph.parameters().size());
    if (!row(readSeeds(system_.blocks[block], c), one, 0, one).empty()) return 0;
    double sum = 0;
    for (const Interval& slope : one.unknowns.entries) sum += slope.magnitude();
    largest = std::max(largest, sum);
  }
  return largest;
}

std::optional<std::vector<Interval>> Lifted::switchRow(int class_id, const std::vector<int>& sides) {
  if (blockOfClass(class_id) >= 0) return std::nullopt;
  LiftedJacobian one;
  one.n = system_.graph.unknowns().size();
  one.sides = sides;
  one.unknowns = Matrix(1, one.n);
  one.parameters = Matrix(1, system_.graph.parameters().size());
  const Node& first = system_.graph.node(switches_.classes()[static_cast<size_t>(class_id)].first);
  if (!row({{first.operands[0], 1.0}, {first.operands[1], -1.0}}, one, 0, one).empty()) return std::nullopt;
  std::vector<Interval> all = one.unknowns.entries;
  all.insert(all.end(), one.parameters.entries.begin(), one.parameters.entries.end());
  return all;
}

std::string Lifted::row(const Seeds& seeds, const LiftedJacobian& shape, size_t at, LiftedJacobian& result) {
  size_t count = 0;
  for (const auto& [node, bar] : seeds) count = std::max(count, static_cast<size_t>(node) + 1);
  bars_.assign(count, Interval());
  pending_.assign(count, 0);
  for (const auto& [node, bar] : seeds) {
    bars_[static_cast<size_t>(node)] = bars_[static_cast<size_t>(node)] + bar;
    pending_[static_cast<size_t>(node)] = 1;
  }
  for (size_t id = count; id-- > 0;) {
    if (!pending_[id] || (bars_[id].lo == 0 && bars_[id].hi == 0)) continue;
    std::string why = spread(static_cast<NodeId>(id), bars_[id], shape, at, result);
    if (!why.empty()) return why;
  }
  return "";
}

std::string Lifted::spread(NodeId id, Interval bar, const LiftedJacobian& shape, size_t at,
                           LiftedJacobian& result) {
  const Node& node = system_.graph.node(id);
  auto give = [&](NodeId to, Interval amount) {
    size_t slot = static_cast<size_t>(to);
    bars_[slot] = pending_[slot] ? bars_[slot] + amount : amount;
    pending_[slot] = 1;
  };
  if (still_[static_cast<size_t>(id)]) return "";
  if (node.leaf == Leaf::Unknown) {
    Interval& entry = result.unknowns.at(at, node.index);
    entry = entry + bar;
    return "";
  }
  if (node.leaf == Leaf::Parameter) {
    Interval& entry = result.parameters.at(at, node.index);
    entry = entry + bar;
    return "";
  }
  if (node.code == OpCode::Choose) {
    const Kink& kink = switches_.kinks()[static_cast<size_t>(switches_.kinkOf(id))];
    int side = kink.orientation * shape.sides[static_cast<size_t>(kink.class_id)];
    if (side != 0) {
      give(node.operands[side > 0 ? 2 : 3], bar);
      return "";
    }
    double gap = node.parameters.f;
    if (std::isnan(gap)) return "a tied `if` whose sides do not differ by a multiple of its switch";
    give(node.operands[kink.orientation > 0 ? 3 : 2], bar);
    size_t column = static_cast<size_t>(
        std::find(shape.tied.begin(), shape.tied.end(), kink.class_id) - shape.tied.begin());
    Interval& entry = result.unknowns.at(at, shape.n + column);
    entry = entry + bar * Interval(gap) * kink.scale;
    return "";
  }
  Interval x[4];
  size_t arity = static_cast<size_t>(ops::arity(node.code));
  for (size_t k = 0; k < arity; ++k) x[k] = value(node.operands[k]);
  for (size_t k = 0; k < arity; ++k) {
    // A constant exponent's derivative would need a logarithm.
    if (still_[static_cast<size_t>(node.operands[k])]) continue;
    Interval slope = intervalPartial(node.code, k, {x, arity}, value(id), node.parameters);
    if (!slope.finite()) return "a derivative has no finite enclosure";
    if (slope.lo == 0 && slope.hi == 0) continue;
    give(node.operands[k], bar * slope);
  }
  return "";
}

}  // namespace dini::certify
