// Array operations and linear systems of the Dini writer.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "emit/dini_writer.h"
#include "ir/type_rules.h"

namespace dini::emit {

using ir::Op;
using ir::OpCode;
using ir::Value;

// `rows`: the first size, where it is not constant.
std::string DiniWriter::zeros(const ir::Type& type, const std::string& rows) {
  const char* zero = type.elem == ir::Elem::F64 ? "0.0" : type.elem == ir::Elem::I64 ? "0" : "false";
  std::vector<std::string> all;
  for (int64_t known : type.dims) {
    if (known == ir::kDynamic && !all.empty()) throw Unspeakable{"rows whose size is known only when the program runs", {}};
    all.push_back(known == ir::kDynamic ? rows : fmt::format("{}", known));
  }
  return comprehension(all, [&](const Indices&) { return std::string(zero); });
}

// A product as the language writes it, or sums over the letters that are contracted.
std::string DiniWriter::einsum(const Op& op) {
  std::string a = atom(op.operand(0)), b = atom(op.operand(1));
  const std::string& how = op.attrs.str;
  if (how == "ij,j->i" || how == "ij,jk->ik") return fmt::format("{} * {}", a, b);
  if (how == "ij,i->j") return fmt::format("{}' * {}", a, b);
  if (how == "i,i->") return fmt::format("dot({}, {})", a, b);
  if (how == "i,j->ij") return fmt::format("{} * {}'", a, b);
  ir::EinsumSpec spec = ir::parseEinsum(how);
  std::map<char, std::string> letter;
  auto at = [&](const std::string& letters) {
    Indices made;
    for (char c : letters) made.push_back(letter[c]);
    return made;
  };
  auto extent = [&](char c) {
    size_t in_a = spec.a.find(c);
    return in_a != std::string::npos ? size(op.operand(0), in_a) : size(op.operand(1), spec.b.find(c));
  };
  auto ranges = [&](const std::string& letters) {
    std::string made;
    for (char c : letters) made += fmt::format("{}{} in 0..{}", made.empty() ? "" : ", ", letter[c], extent(c));
    return made;
  };
  for (char c : spec.result + spec.contracted) letter[c] = names_.fresh(std::string(1, c));
  std::string term = fmt::format("{} * {}", element(a, at(spec.a)), element(b, at(spec.b)));
  if (!spec.contracted.empty()) term = fmt::format("sum({} for {})", term, ranges(spec.contracted));
  if (!spec.result.empty()) term = fmt::format("[{} for {}]", term, ranges(spec.result));
  for (const auto& [c, name] : letter) names_.release(name);
  return term;
}

std::string DiniWriter::reduce(const Op& op) {
  const Value* x = op.operand(0);
  std::string name = text(x);
  const auto& axes = op.attrs.ints;
  if (op.result()->type.isScalar()) return fmt::format("{}({})", op.attrs.str, name);
  if (axes.size() == 1) return fmt::format("{}({}, axis = {})", op.attrs.str, name, axes[0]);
  Indices inner;
  std::string ranges;
  for (int64_t axis : axes) {
    inner.push_back(names_.fresh("r"));
    ranges += fmt::format("{}{} in 0..{}", ranges.empty() ? "" : ", ", inner.back(), size(x, static_cast<size_t>(axis)));
  }
  std::string made = comprehension(op.result()->type, [&](const Indices& kept) {
    Indices at;
    for (size_t axis = 0, k = 0, r = 0; axis < x->type.rank(); ++axis)
      at.push_back(r < axes.size() && axes[r] == static_cast<int64_t>(axis) ? inner[r++] : kept[k++]);
    return fmt::format("{}({} for {})", op.attrs.str, element(name, at), ranges);
  });
  for (const std::string& index : inner) names_.release(index);
  return made;
}

// Tangents that decide ties, stacked: operands from `first` on, every `stride`-th.
std::string DiniWriter::decisions(const Op& op, size_t first, size_t stride) {
  std::string rows;
  for (size_t k = first; k < op.operands.size(); k += stride) rows += (rows.empty() ? "" : ", ") + text(op.operand(k));
  bool of_radius = stride == 2 && first % 2 == 1;  // a number beside each tangent of a simplex
  if (!rows.empty()) return of_radius ? fmt::format("[{}]", rows) : fmt::format("stack({})", rows);
  if (of_radius) return "zeros(0)";
  const ir::Type& like = op.operand(0)->type;
  std::string sizes = size(op.operand(0), 0);
  return like.rank() == 1 ? fmt::format("zeros(0, {})", sizes) : fmt::format("zeros(0, {0}, {0})", sizes);
}

std::string DiniWriter::spectral(const Op& op) {
  auto x = [&](size_t k) { return text(op.operand(k)); };
  const std::string& kind = op.attrs.str;
  if (kind == "project") return fmt::format("positive_part({}, {}, {})", x(0), x(1), x(2));
  bool map = op.code == OpCode::SpectralMap;
  return fmt::format("spectral_{}({}, {}, {}{}, {})", kind, x(1), x(2), map ? x(3) + ", " : "", decimal(op.attrs.f), decisions(op, map ? 4 : 3, 1));
}

std::string DiniWriter::system(const Op& op) {
  auto x = [&](size_t k) { return text(op.operand(k)); };
  switch (op.code) {
    case OpCode::LinearSolve: {
      std::string a = atom(op.operand(0));
      auto kind = static_cast<ir::Structure>(op.attrs.i);
      if (kind == ir::Structure::UnitLower) refuse(op, "a system whose diagonal is not read");
      bool lower = kind == ir::Structure::Lower, factor = op.operand(0)->def != nullptr && op.operand(0)->def->code == OpCode::Cholesky;
      if ((lower && !factor) || kind == ir::Structure::Upper)  // only that triangle is read
        a = comprehension(sizes(op.operand(0)), [&](const Indices& at) {
          return fmt::format("if {} {} {} {{ {} }} else {{ 0.0 }}", at[1], lower ? "<=" : ">=", at[0], element(a, at));
        });
      if (!op.attrs.ints.empty() && op.attrs.ints[0] == 1) a += "'";
      return fmt::format("{} \\ {}", a, atom(op.operand(1)));
    }
    case OpCode::SparseSolve: {
      std::string n = size(op.operand(3), 0);
      return fmt::format("sparse({1}, {2}, {0}, {3}, {3}){4} \\ {5}", x(0), x(1), x(2), n, op.attrs.ints[0] == 1 ? "'" : "", atom(op.operand(3)));
    }
    case OpCode::LeastSquares: return fmt::format("lstsq({}, {})", x(0), x(1));
    case OpCode::Cholesky: return fmt::format("cholesky({})", x(0));
    case OpCode::Eigh: return fmt::format("eigh({})", x(0));
    case OpCode::Svd: return fmt::format("svd({})", x(0));
    case OpCode::Qr: return fmt::format("qr({})", x(0));
    case OpCode::RootTies: return fmt::format("root_ties({}, {}, {})", x(0), x(1), x(2));
    case OpCode::Spectral:
    case OpCode::SpectralMap: return spectral(op);
    default: refuse(op, fmt::format("the operation `{}`", ir::shape(op.code).mnemonic));
  }
}

// Operations whose value is one expression; empty: not one of them.
std::string DiniWriter::arrayExpression(const Op& op) {
  const Value* result = op.result();
  const ir::Type& type = result->type;
  auto x = [&](size_t k) { return text(op.operand(k)); };
  auto list = [&](size_t first, size_t last) {
    std::string made;
    for (size_t k = first; k < last; ++k) made += (k > first ? ", " : "") + x(k);
    return made;
  };
  std::string t = fmt::format("{}", decimal(op.attrs.f));
  switch (op.code) {
    case OpCode::Const:
      if (type.elementCount() == 0) return zeros(type, "");
      {
        std::vector<std::string> items;
        for (int64_t k = 0; k < type.elementCount(); ++k) {
          auto at = static_cast<size_t>(k);
          if (type.isReal() && !std::isfinite((*op.attrs.data)[at])) items.push_back(std::isnan((*op.attrs.data)[at]) ? "nan" : (*op.attrs.data)[at] > 0 ? "inf" : "-inf");
          else items.push_back(type.isReal() ? decimal((*op.attrs.data)[at]) : type.elem == ir::Elem::I64 ? fmt::format("{}", op.attrs.ints[at]) : op.attrs.ints[at] != 0 ? "true" : "false");
        }
        for (size_t axis = type.rank(); axis-- > 0;) {
          std::vector<std::string> rows;
          auto n = static_cast<size_t>(type.dims[axis]);
          for (size_t k = 0; k < items.size(); k += n)
            rows.push_back(fmt::format("[{}]", fmt::join(items.begin() + static_cast<std::ptrdiff_t>(k), items.begin() + static_cast<std::ptrdiff_t>(k + n), ", ")));
          items = std::move(rows);
        }
        return items[0];
      }
    case OpCode::Fill: return comprehension(sizes(type, op, 1), [&](const Indices&) { return x(0); });
    case OpCode::Iota: return comprehension(sizes(type, op, 0), [&](const Indices& at) { return at[0]; });
    case OpCode::Dim: return size(op.operand(0), static_cast<size_t>(op.attrs.i));
    case OpCode::Pack: return op.operand(0)->type.isScalar() ? fmt::format("[{}]", list(0, op.operands.size())) : fmt::format("stack({})", list(0, op.operands.size()));
    case OpCode::Index: {
      if (op.operands.size() == 1) return x(0);
      std::string rest;
      if (op.operands.size() > 2)
        for (size_t k = 0; k < type.rank(); ++k) rest += ", :";
      return fmt::format("{}[{}{}]", atom(op.operand(0)), list(1, op.operands.size()), rest);
    }
    case OpCode::Slice: {
      std::string ranges;
      std::vector<std::string> lengths = sizes(type, op, 1 + type.rank());
      for (size_t k = 0; k < type.rank(); ++k) {
        std::string from = x(1 + k), to = isLiteral(op.operand(1 + k)) && type.dims[k] != ir::kDynamic ? fmt::format("{}", op.operand(1 + k)->def->attrs.i + type.dims[k]) : fmt::format("{} + {}", from, lengths[k]);
        ranges += fmt::format("{}{}..{}", k > 0 ? ", " : "", from, to);
      }
      return fmt::format("{}[{}]", atom(op.operand(0)), ranges);
    }
    case OpCode::Gather: return fmt::format("{}[{}]", atom(op.operand(0)), x(1));
    case OpCode::Concat: return op.attrs.i == 0 ? fmt::format("concat({})", list(0, op.operands.size())) : fmt::format("concat({}, axis = {})", list(0, op.operands.size()), op.attrs.i);
    case OpCode::Reshape: {
      const ir::Type& from = op.operand(0)->type;
      if (from.isScalar()) return comprehension(sizes(type, op, 1), [&](const Indices&) { return x(0); });
      if (type.isScalar()) return element(atom(op.operand(0)), Indices(from.rank(), "0"));
      return fmt::format("reshape({}, {})", x(0), fmt::join(sizes(type, op, 1), ", "));
    }
    case OpCode::Transpose:
      if (type.rank() == 2 && op.attrs.ints[0] == 1) return atom(op.operand(0)) + "'";
      return comprehension(type, [&](const Indices& at) {
        Indices from(at.size());
        for (size_t k = 0; k < at.size(); ++k) from[static_cast<size_t>(op.attrs.ints[k])] = at[k];
        return element(atom(op.operand(0)), from);
      });
    case OpCode::Broadcast:
      return comprehension(sizes(type, op, 1), [&](const Indices& at) {
        Indices from;
        for (int64_t axis : op.attrs.ints) from.push_back(at[static_cast<size_t>(axis)]);
        return element(atom(op.operand(0)), from);
      });
    case OpCode::Flip:
      if (type.rank() == 1) return fmt::format("flip({})", x(0));
      return comprehension(sizes(op.operand(0)), [&](const Indices& at) {
        Indices from = at;
        auto axis = static_cast<size_t>(op.attrs.i);
        from[axis] = fmt::format("{} - 1 - {}", size(op.operand(0), axis), at[axis]);
        return element(atom(op.operand(0)), from);
      });
    case OpCode::Reduce: return reduce(op);
    case OpCode::ArgSort: return fmt::format("argsort({})", x(0));
    case OpCode::ArgExtreme: return fmt::format("arg{}({})", op.attrs.str, x(0));
    case OpCode::Norm: return op.operand(0)->type.rank() == 1 ? fmt::format("norm({})", x(0)) : fmt::format("norm(reshape({}, {}))", x(0), op.operand(0)->type.elementCount());
    case OpCode::Normalize: return fmt::format("if norm({0}) == 0 {{ 0.0*{0} }} else {{ {0} / norm({0}) }}", names_.of(op.operand(0)));
    case OpCode::Einsum: return einsum(op);
    case OpCode::ProjSimplex: return fmt::format("proj_simplex({}, {})", x(0), x(1));
    case OpCode::ProjSoc: return fmt::format("proj_soc({})", x(0));
    case OpCode::SimplexWeights: return fmt::format("simplex_weights({}, {}, {}, {}, {})", x(0), x(1), t, decisions(op, 2, 2), decisions(op, 3, 2));
    case OpCode::SocMap: return fmt::format("soc_map({}, {}, {}, {})", x(0), x(1), t, decisions(op, 2, 1));
    case OpCode::SortPick: case OpCode::SortPickT:
      if (op.operands.size() > 2) return "";
      return fmt::format("sorted_like({}, {}, {}, {})", x(0), x(1), t, op.code == OpCode::SortPickT);
    case OpCode::ReducePick: case OpCode::ReducePickT: {
      if (op.operands.size() > 2) return "";
      const ir::Type& from = op.operand(0)->type;
      bool back = op.code == OpCode::ReducePickT;
      std::string call = back ? "to_extreme" : "at_extreme";
      if (op.attrs.ints.size() == 1 && from.rank() == 1) {
        return fmt::format("{0}({1}, {2}, {4}({1}), {3})", call, x(0), x(1), t, op.attrs.str);
      }
      if (op.attrs.ints.size() == 1 && from.rank() == 2 && op.attrs.ints[0] == 1) {
        std::string row = names_.fresh("i"), made = fmt::format("[{0}({1}[{5}], {2}[{5}], {4}({1}[{5}]), {3}) for {5} in 0..{6}]", call, x(0), x(1), t, op.attrs.str, row, from.dims[0]);
        names_.release(row);
        return made;
      }
      return "";
    }
    default: return "";
  }
}

void DiniWriter::update(const Op& op) {
  std::string x = text(op.operand(0)), v = text(op.operand(1)), at;
  const std::string& name = names_.of(op.result());
  bool adds = op.code == OpCode::AddAt || op.code == OpCode::AddSlice, slice = op.code == OpCode::UpdateSlice || op.code == OpCode::AddSlice;
  for (size_t k = 2; k < op.operands.size(); ++k) {
    std::string from = text(op.operand(k));
    if (slice) from += fmt::format("..{} + {}", from, size(op.operand(1), k - 2));
    at += (k > 2 ? ", " : "") + from;
  }
  size_t indexed = op.operands.size() - 2;
  if (!slice && indexed > 1)
    for (size_t k = indexed; k < op.operand(0)->type.rank(); ++k) at += ", :";
  lines_.line(fmt::format("var {} = {}", name, x));
  lines_.line(fmt::format("{}[{}] {} {}", name, at, adds ? "+=" : "=", v));
}

bool DiniWriter::arrayStatement(const Op& op) {
  switch (op.code) {
    case OpCode::Update: case OpCode::AddAt: case OpCode::UpdateSlice: case OpCode::AddSlice: update(op); return true;
    case OpCode::ScatterAdd: {
      std::string rows = text(op.operand(1)), v = text(op.operand(2)), j = names_.fresh("j");
      const std::string& name = names_.of(op.result());
      lines_.line(fmt::format("var {} = {}", name, text(op.operand(0))));
      lines_.line(fmt::format("for {0} in 0..len({1}) {{ {2}[{1}[{0}]] += {3}[{0}] }}", j, rows, name, v));
      names_.release(j);
      return true;
    }
    default: break;
  }
  bool array = ir::shape(op.code).stratum == ir::Stratum::Array;
  if (!array && (ir::shape(op.code).stratum != ir::Stratum::Solve || op.code == OpCode::Root)) return false;
  std::string value = array ? arrayExpression(op) : system(op);
  if (value.empty()) return false;
  std::vector<const Value*> all(op.results.begin(), op.results.end());
  lines_.line(fmt::format("let {} = {}", bound(all), value));
  return true;
}

}  // namespace dini::emit
