// Tokens and trees as text: `dini emit --as tokens|ast`.
#include <fmt/format.h>

#include <unordered_map>

#include "syntax/formatter.h"
#include "syntax/lexer.h"
#include "syntax/literals.h"

namespace dini::syntax {

using namespace ast;

namespace {

class TreeDump {
 public:
  explicit TreeDump(const File& file) {
    for (const Item& item : file.items) collectSizes(item);
    for (const Item& item : file.items) this->item(item);
  }
  std::string take() { return std::move(out_); }

 private:
  class Deeper {
   public:
    explicit Deeper(TreeDump& dump) : dump_(dump) { ++dump_.depth_; }
    ~Deeper() { --dump_.depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;

   private:
    TreeDump& dump_;
  };

  void collectSizes(const Item& item);
  void line(std::string_view text);
  void node(const Expr& e, std::string_view text);
  void item(const Item& item);
  void fn(const FnDecl& fn);
  void stmt(const Stmt& s);
  void expr(const Expr& e);
  void equations(const Expr& e);
  void subscript(const Subscript& s);
  void type(std::string_view role, const TypeExprPtr& type);
  void child(std::string_view role, const ExprPtr& e);
  void all(const std::vector<ExprPtr>& list) {
    for (const ExprPtr& e : list) expr(*e);
  }
  void arguments(const std::vector<Argument>& list);
  void iterators(const std::vector<Iterator>& list);
  void parameters(const std::vector<Parameter>& list);
  void unknowns(const std::vector<Unknown>& list);
  void attributes(const std::vector<Attribute>& list);
  template <class Block>
  void clauses(const Block& block);

  std::unordered_map<uint32_t, std::string> size_names_;
  std::string out_;
  int depth_ = 0;
};

// How the size names of the checked tree are spelled.
void TreeDump::collectSizes(const Item& item) {
  if (item.kind == ItemKind::Fn) {
    for (const BindingPtr& b : item.fn->sizes) {
      if (!b->size) continue;
      for (types::SizeName name : b->size->names()) size_names_.try_emplace(name.id, b->name);
    }
  } else if (item.kind == ItemKind::Type) {
    const TypeDecl& decl = *item.type;
    for (size_t i = 0; i < decl.size_names.size() && i < decl.sizes.size(); ++i)
      size_names_.try_emplace(decl.size_names[i].id, decl.sizes[i].text);
  }
}

void TreeDump::line(std::string_view text) {
  out_.append(static_cast<size_t>(2 * depth_), ' ').append(text).append("\n");
}

// A line for an expression, with its type where it is known.
void TreeDump::node(const Expr& e, std::string_view text) {
  if (!e.type) return line(text);
  auto spell = [&](types::SizeName name) {
    auto it = size_names_.find(name.id);
    return it == size_names_.end() ? std::string("?") : it->second;
  };
  line(fmt::format("{} : {}", text, types::str(*e.type, spell)));
}

void TreeDump::child(std::string_view role, const ExprPtr& e) {
  if (!e) return;
  line(role);
  Deeper deeper(*this);
  expr(*e);
}

void TreeDump::type(std::string_view role, const TypeExprPtr& type) {
  if (!type) return;
  switch (type->kind) {
    case TypeExprKind::Named:
      line(fmt::format("{} {}", role, type->name.text));
      break;
    case TypeExprKind::Tuple:
      line(fmt::format("{} tuple", role));
      break;
    case TypeExprKind::Function:
      line(fmt::format("{} function", role));
      break;
  }
  Deeper deeper(*this);
  all(type->dims);
  for (const TypeExprPtr& element : type->elements) this->type("element", element);
  this->type("result", type->result);
}

void TreeDump::item(const Item& item) {
  switch (item.kind) {
    case ItemKind::Fn:
      return fn(*item.fn);
    case ItemKind::Statement:
      return stmt(*item.statement);
    case ItemKind::Import:
      return line(
          fmt::format("import {}{}", item.import->cpp ? "cpp " : "", quoted(item.import->path)));
    case ItemKind::Type: {
      std::string head = "type " + item.type->name.text;
      for (const Name& size : item.type->sizes) head += " " + size.text;
      line(head);
      Deeper deeper(*this);
      for (const auto& field : item.type->fields)
        type("field " + field.name.text + ":", field.type);
      return;
    }
    case ItemKind::Test: {
      line("test " + quoted(item.test->title));
      Deeper deeper(*this);
      return expr(*item.test->body);
    }
  }
}

void TreeDump::fn(const FnDecl& fn) {
  attributes(fn.attributes);
  line("fn " + fn.name.text);
  Deeper deeper(*this);
  parameters(fn.parameters);
  type("result", fn.result);
  expr(*fn.body);
}

void TreeDump::attributes(const std::vector<Attribute>& list) {
  for (const Attribute& a : list) {
    line("attribute " + a.name.text);
    Deeper deeper(*this);
    all(a.arguments);
  }
}

void TreeDump::parameters(const std::vector<Parameter>& list) {
  for (const Parameter& p : list) {
    line("parameter " + p.name.text);
    Deeper deeper(*this);
    type("type", p.type);
    child("default", p.default_value);
  }
}

void TreeDump::stmt(const Stmt& s) {
  switch (s.kind) {
    case StmtKind::Let: {
      const auto& let = as<LetStmt>(s);
      size_t next = 0;
      line("let " + str(let.pattern, let.names, next));
      Deeper deeper(*this);
      type("type", let.declared);
      return expr(*let.value);
    }
    case StmtKind::Var: {
      line("var " + as<VarStmt>(s).name.text);
      Deeper deeper(*this);
      type("type", as<VarStmt>(s).declared);
      return expr(*as<VarStmt>(s).value);
    }
    case StmtKind::Assign: {
      constexpr const char* kSigns[] = {"=", "+=", "-=", "*="};
      line(fmt::format("assign {}", kSigns[static_cast<size_t>(as<AssignStmt>(s).op)]));
      Deeper deeper(*this);
      expr(*as<AssignStmt>(s).target);
      return expr(*as<AssignStmt>(s).value);
    }
    case StmtKind::For: {
      const auto& loop = as<ForStmt>(s);
      attributes(loop.attributes);
      line("for " + loop.name.text);
      Deeper deeper(*this);
      expr(*loop.lo);
      expr(*loop.hi);
      child("by", loop.step);
      return expr(*loop.body);
    }
    case StmtKind::While: {
      attributes(as<WhileStmt>(s).attributes);
      line("while");
      Deeper deeper(*this);
      expr(*as<WhileStmt>(s).condition);
      return expr(*as<WhileStmt>(s).body);
    }
    case StmtKind::Break:
      return line("break");
    case StmtKind::Return:
      return child("return", as<ReturnStmt>(s).value);
    case StmtKind::Assert:
      return child("assert", as<AssertStmt>(s).condition);
    case StmtKind::Print: {
      line("print");
      Deeper deeper(*this);
      return all(as<PrintStmt>(s).values);
    }
    case StmtKind::Expression:
      return child("statement", as<ExprStmt>(s).value);
  }
}

void TreeDump::arguments(const std::vector<Argument>& list) {
  for (const Argument& a : list) {
    if (a.name)
      child(a.name->text + " =", a.value);
    else
      expr(*a.value);
    if (a.to) child("to", a.to);
  }
}

void TreeDump::iterators(const std::vector<Iterator>& list) {
  for (const Iterator& i : list) {
    line("for " + i.name.text);
    Deeper deeper(*this);
    expr(*i.lo);
    expr(*i.hi);
  }
}

void TreeDump::subscript(const Subscript& s) {
  switch (s.kind) {
    case Subscript::Kind::All:
      return line("all");
    case Subscript::Kind::At:
      return expr(*s.at);
    case Subscript::Kind::Range: {
      line("range");
      Deeper deeper(*this);
      child("from", s.lo);
      child("to", s.hi);
    }
  }
}

// Longer than a function should be: one short case per kind, in the order of the kinds.
void TreeDump::expr(const Expr& e) {
  auto open = [&](std::string_view text) {
    node(e, text);
    return Deeper(*this);
  };
  switch (e.kind) {
    case ExprKind::Number:
      return node(e, as<NumberExpr>(e).text);
    case ExprKind::Bool:
      return node(e, as<BoolExpr>(e).value ? "true" : "false");
    case ExprKind::String:
      return node(e, quoted(as<StringExpr>(e).value));
    case ExprKind::Name:
      return node(e, as<NameExpr>(e).name);
    case ExprKind::ArrayLiteral: {
      Deeper deeper = open("array");
      return all(as<ArrayLiteralExpr>(e).elements);
    }
    case ExprKind::Tuple: {
      Deeper deeper = open("tuple");
      return all(as<TupleExpr>(e).elements);
    }
    case ExprKind::RecordLiteral: {
      Deeper deeper = open("record " + as<RecordLiteralExpr>(e).name.text);
      for (const FieldInit& f : as<RecordLiteralExpr>(e).fields) child(f.name.text + " =", f.value);
      return;
    }
    case ExprKind::Comprehension: {
      Deeper deeper = open("comprehension");
      iterators(as<ComprehensionExpr>(e).iterators);
      return expr(*as<ComprehensionExpr>(e).body);
    }
    case ExprKind::Reduction: {
      Deeper deeper = open("reduction " + as<ReductionExpr>(e).op.text);
      iterators(as<ReductionExpr>(e).iterators);
      return expr(*as<ReductionExpr>(e).body);
    }
    case ExprKind::Unary: {
      Deeper deeper = open(as<UnaryExpr>(e).op == UnaryOp::Neg ? "negate" : "not");
      return expr(*as<UnaryExpr>(e).operand);
    }
    case ExprKind::Binary: {
      Deeper deeper = open(spelling(as<BinaryExpr>(e).op));
      expr(*as<BinaryExpr>(e).lhs);
      return expr(*as<BinaryExpr>(e).rhs);
    }
    case ExprKind::Transpose: {
      Deeper deeper = open("transpose");
      return expr(*as<TransposeExpr>(e).operand);
    }
    case ExprKind::Call: {
      Deeper deeper = open("call");
      expr(*as<CallExpr>(e).callee);
      return arguments(as<CallExpr>(e).arguments);
    }
    case ExprKind::Index: {
      Deeper deeper = open("index");
      expr(*as<IndexExpr>(e).base);
      for (const Subscript& s : as<IndexExpr>(e).subscripts) subscript(s);
      return;
    }
    case ExprKind::Field: {
      Deeper deeper = open("field " + as<FieldExpr>(e).name.text);
      return expr(*as<FieldExpr>(e).base);
    }
    case ExprKind::If: {
      Deeper deeper = open("if");
      expr(*as<IfExpr>(e).condition);
      expr(*as<IfExpr>(e).then_block);
      return child("else", as<IfExpr>(e).else_block);
    }
    case ExprKind::Try: {
      Deeper deeper = open("try");
      expr(*as<TryExpr>(e).body);
      return expr(*as<TryExpr>(e).fallback);
    }
    case ExprKind::Block: {
      Deeper deeper = open("block");
      for (const StmtPtr& s : as<BlockExpr>(e).statements) stmt(*s);
      return child("value", as<BlockExpr>(e).result);
    }
    case ExprKind::Lambda: {
      Deeper deeper = open("lambda");
      parameters(as<LambdaExpr>(e).parameters);
      return expr(*as<LambdaExpr>(e).body);
    }
    case ExprKind::Solve:
    case ExprKind::Argmin:
      return equations(e);
  }
}

void TreeDump::unknowns(const std::vector<Unknown>& list) {
  for (const Unknown& u : list) {
    line("unknown " + u.name.text);
    Deeper deeper(*this);
    type("type", u.type);
    child("start", u.start);
  }
}

template <class Block>
void TreeDump::clauses(const Block& block) {
  if (block.solver) {
    line("using " + block.solver->name.text);
    Deeper deeper(*this);
    arguments(block.solver->arguments);
  }
  if (block.differentiate) {
    line("differentiate " + block.differentiate->mode.text);
    Deeper deeper(*this);
    arguments(block.differentiate->arguments);
  }
}

void TreeDump::equations(const Expr& e) {
  node(e, e.kind == ExprKind::Solve ? "solve" : "argmin");
  Deeper deeper(*this);
  if (e.kind == ExprKind::Solve) {
    const auto& solve = as<SolveExpr>(e);
    unknowns(solve.unknowns);
    for (const StmtPtr& s : solve.lets) stmt(*s);
    all(solve.equations);
    return clauses(solve);
  }
  const auto& argmin = as<ArgminExpr>(e);
  unknowns(argmin.unknowns);
  for (const StmtPtr& s : argmin.lets) stmt(*s);
  child(argmin.maximize ? "maximize" : "minimize", argmin.objective);
  for (const ArgminConstraint& c : argmin.constraints)
    child("constraint" + (c.label ? " " + c.label->text : std::string()), c.relation);
  for (const Name& name : argmin.with) line("with " + name.text);
  clauses(argmin);
}

}  // namespace

std::string dumpTree(const File& file) { return TreeDump(file).take(); }

std::string dumpTokens(const SourceManager& sources, FileId file) {
  DiagnosticSink reported;  // shown by the parser
  std::string out;
  for (const Token& token : lex(sources, file, reported).tokens) {
    LineColumn at = sources.file(file).lineColumn(token.span.begin);
    out += fmt::format("{}:{} {}", at.line, at.column, tokenInfo(token.kind).name);
    if (token.span.end > token.span.begin) out += fmt::format(" {}", sources.text(token.span));
    out += "\n";
  }
  return out;
}

}  // namespace dini::syntax
