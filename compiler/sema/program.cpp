// Which files make up a program, and in which order their parts are checked.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <unordered_set>

#include <fmt/format.h>

#include "sema/checker.h"
#include "sema/prelude_files.h"
#include "sema/sema.h"
#include "syntax/parser.h"

namespace dini::sema {
namespace {

std::optional<std::string> readText(const std::string& path) {
  std::error_code failed;
  if (std::filesystem::is_directory(path, failed)) return std::nullopt;
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

std::string identity(const std::string& path) {
  std::error_code failed;
  auto canonical = std::filesystem::weakly_canonical(path, failed);
  return failed ? path : canonical.string();
}

bool isCpp(const std::string& path) {
  const std::string ending = std::filesystem::path(path).extension().string();
  return ending == ".cpp" || ending == ".cc" || ending == ".cxx" || ending == ".hpp" || ending == ".h";
}

}  // namespace

struct Program::State {
  State(SourceManager& source_manager, DiagnosticSink& diagnostics, ForeignReader reader)
      : sources(source_manager), sink(diagnostics), foreign(std::move(reader)), checker(world, sizes, sink) {}

  SourceManager& sources;
  DiagnosticSink& sink;
  ForeignReader foreign;
  World world;
  SizeTable sizes;
  Checker checker;
  std::vector<std::unique_ptr<ast::File>> files;
  std::unordered_map<std::string, ast::File*> by_path;
  std::vector<ast::FnDecl*> new_functions;  // declared, not yet checked
  std::vector<ast::TypeDecl*> new_types;
  std::optional<Namespace> before_failure;  // of the session
  FileId failed_text;
  PreludeFiles unread;                        // of the prelude
  std::unordered_set<int32_t> prelude_known;  // files whose words were looked up in it

  // `own`: whether the file gets a namespace of its own, instead of the session's.
  ast::File* parse(const std::string& name, std::string text, bool own);
  ast::File* readFile(const std::string& path);
  // A C++ file; null after errors, which are reported.
  ast::File* readForeign(const std::string& path, Span import);
  void readImports(ast::File& file, Namespace& space, const std::string& directory);
  void declare(ast::File& file, Namespace& space, bool redefine);
  void checkNew();
  void readPrelude(PreludeFile file);
  // Reads the prelude's files that a text names.
  void readPreludeFor(FileId text);
  // Before a text's statement or expression is checked.
  void prepare(Span span);
  // Takes back what a text with errors declared, as soon as something else is looked at.
  void undoFailed(FileId looked_at);
  void markRecursion(const std::vector<ast::FnDecl*>& functions);
};

ast::File* Program::State::parse(const std::string& name, std::string text, bool own) {
  FileId id = sources.add(name, std::move(text));
  size_t before = sink.errorCount();
  files.push_back(std::make_unique<ast::File>(syntax::parseFile(sources, id, sink)));
  files.back()->id = id;
  Namespace& space = own ? world.add(id) : world.session;
  if (sink.errorCount() > before)
    for (std::string& word : definedWords(sources.file(id).text()))
      space.lost.insert(std::move(word));
  ast::File* file = files.back().get();
  readPreludeFor(id);
  return file;
}

void Program::State::readPreludeFor(FileId text) {
  if (!text.valid() || !prelude_known.insert(text.index).second) return;
  for (PreludeFile& file : unread.neededBy(sources.file(text).text())) readPrelude(std::move(file));
}

void Program::State::readPrelude(PreludeFile prelude_file) {
  ast::File* file = parse(prelude_file.name, std::move(prelude_file.text), true);
  Namespace& space = world.of(file->id);
  declare(*file, space, false);
  // Prelude files see one another: they are checked when all that are needed are there.
  space.imports.push_back(&world.prelude);
  for (auto& [fn_name, function] : space.functions) {
    world.prelude.functions[fn_name] = function;
    function->in_prelude = true;
  }
  for (auto& [type_name, type] : space.types) world.prelude.types[type_name] = type;
}

void Program::State::prepare(Span span) {
  undoFailed(span.file);
  readPreludeFor(span.file);
  checkNew();
}

ast::File* Program::State::readFile(const std::string& path) {
  auto known = by_path.find(identity(path));
  if (known != by_path.end()) return known->second;
  auto text = readText(path);
  if (!text) return nullptr;
  if (isCpp(path)) return readForeign(path, {});
  ast::File* file = parse(path, std::move(*text), true);
  by_path[identity(path)] = file;
  Namespace& space = world.of(file->id);
  declare(*file, space, false);
  readImports(*file, space, std::filesystem::path(path).parent_path().string());
  return file;
}

// What the file exports is declared in its namespace, the rest in one that only it sees.
ast::File* Program::State::readForeign(const std::string& path, Span import) {
  auto known = by_path.find(identity(path));
  if (known != by_path.end()) return known->second;
  std::optional<ForeignUnit> unit;
  if (foreign) unit = foreign(path, import);
  by_path[identity(path)] = nullptr;
  if (!unit) return nullptr;
  const FileId text = sources.add(fmt::format("<{} as Dini>", path), std::move(unit->text));
  const size_t files_before = files.size();
  files.push_back(std::make_unique<ast::File>(syntax::parseGenerated(sources, text, unit->regions, sink)));
  readPreludeFor(text);
  ast::File* file = files[files_before].get();
  file->id = unit->file;
  Namespace& own = world.add(file->id);
  Namespace& inner = world.add(text);
  for (FileId included : unit->included) world.join(file->id, included);
  declare(*file, own, false);
  own.imports.push_back(&inner);
  for (ast::Item& item : file->items) {
    if (item.kind != ast::ItemKind::Fn || unit->exported.contains(item.fn->name.text)) continue;
    item.fn->internal = true;
    inner.functions.insert(own.functions.extract(item.fn->name.text));
  }
  by_path[identity(path)] = file;
  return file;
}

void Program::State::readImports(ast::File& file, Namespace& space, const std::string& directory) {
  std::unordered_map<std::string, Span> imported;
  for (ast::Item& item : file.items) {
    if (item.kind != ast::ItemKind::Import || !item.import) continue;
    const ast::ImportDecl& import = *item.import;
    std::filesystem::path path(import.path);
    if (path.is_relative()) path = std::filesystem::path(directory) / path;
    const bool readable = !import.path.empty() && readText(path.string());
    const bool cpp = readable && import.cpp;
    ast::File* other = cpp ? readForeign(path.string(), import.path_span) : readable ? readFile(path.string()) : nullptr;
    if (cpp && !other) continue;
    if (!other) {
      sink.add(DiagCode::ImportFailed, import.path_span,
               fmt::format("`{}` cannot be read", import.path));
      continue;
    }
    Namespace& others = world.of(other->id);
    if (&others == &space) continue;
    space.imports.push_back(&others);
    if (&space == &world.session) continue;  // later definitions hide earlier ones
    for (const auto& [name, function] : others.functions) {
      Span clash;
      auto own = space.functions.find(name);
      if (own != space.functions.end()) clash = own->second->name.span;
      auto [first, fresh] = imported.emplace(name, function->name.span);
      if (!fresh && !(first->second == function->name.span)) clash = first->second;
      if (!clash.valid()) continue;
      auto& d = sink.add(DiagCode::DuplicateName, import.path_span,
                         fmt::format("this import brings in `{}`, which is there already", name));
      d.labels.push_back({clash, "first here"});
      d.labels.push_back({function->name.span, "and here"});
    }
  }
}

void Program::State::declare(ast::File& file, Namespace& space, bool redefine) {
  auto again = [&](const std::string& name, Span span, Span first) {
    if (redefine && first.file != span.file) return;
    auto& d = sink.add(DiagCode::DuplicateName, span, fmt::format("`{}` is defined twice", name));
    d.labels.push_back({first, "first here"});
  };
  auto top_level = [&](const ast::Name& name) {
    if (!name.text.empty()) space.top_level.emplace(name.text, name.span);
  };
  for (ast::Item& item : file.items) {
    if (item.kind == ast::ItemKind::Fn && item.fn) {
      ast::FnDecl& fn = *item.fn;
      new_functions.push_back(&fn);
      if (fn.name.text.empty()) continue;
      auto [slot, fresh] = space.functions.emplace(fn.name.text, &fn);
      if (!fresh) again(fn.name.text, fn.name.span, slot->second->name.span);
      slot->second = &fn;
    } else if (item.kind == ast::ItemKind::Type && item.type) {
      ast::TypeDecl& type = *item.type;
      new_types.push_back(&type);
      if (type.name.text.empty()) continue;
      auto [slot, fresh] = space.types.emplace(type.name.text, &type);
      if (!fresh) again(type.name.text, type.name.span, slot->second->name.span);
      slot->second = &type;
    } else if (item.kind == ast::ItemKind::Statement && item.statement) {
      if (item.statement->kind == ast::StmtKind::Let)
        for (const ast::Name& name : ast::as<ast::LetStmt>(*item.statement).names) top_level(name);
      if (item.statement->kind == ast::StmtKind::Var)
        top_level(ast::as<ast::VarStmt>(*item.statement).name);
    }
  }
}

void Program::State::undoFailed(FileId looked_at) {
  if (!before_failure || looked_at == failed_text) return;
  world.session = std::move(*before_failure);
  before_failure.reset();
}

// Types, then signatures, then bodies: declarations are visible before their definition.
void Program::State::checkNew() {
  std::vector<ast::FnDecl*> functions;
  std::vector<ast::TypeDecl*> types;
  std::swap(functions, new_functions);
  std::swap(types, new_types);
  for (ast::TypeDecl* type : types) checker.declareType(*type);
  for (ast::FnDecl* function : functions) checker.declareFunction(*function);
  for (ast::FnDecl* function : functions) checker.checkBody(*function);
  markRecursion(functions);
  for (ast::FnDecl* function : functions) checker.checkBound(*function);
}

void Program::State::markRecursion(const std::vector<ast::FnDecl*>& functions) {
  const auto& calls = checker.calls();
  for (ast::FnDecl* function : functions) {
    std::unordered_set<const ast::FnDecl*> reached;
    std::vector<const ast::FnDecl*> open = {function};
    while (!open.empty() && !reached.count(function)) {
      const ast::FnDecl* next = open.back();
      open.pop_back();
      auto found = calls.find(next);
      if (found == calls.end()) continue;
      for (const ast::FnDecl* callee : found->second)
        if (reached.insert(callee).second) open.push_back(callee);
    }
    function->recursive = reached.count(function) > 0;
  }
}

Program::Program(SourceManager& sources, DiagnosticSink& sink, ForeignReader foreign)
    : state_(std::make_unique<State>(sources, sink, std::move(foreign))) {}
Program::~Program() = default;

ast::File* Program::addFile(const std::string& path) {
  state_->by_path.clear();
  state_->undoFailed({});
  size_t before = state_->sink.errorCount();
  ast::File* file = state_->readFile(path);
  if (!file && state_->sink.errorCount() > before) return nullptr;
  if (!file) {
    state_->sink.add(DiagCode::FileNotFound, {}, fmt::format("`{}` cannot be read", path));
    return nullptr;
  }
  state_->checkNew();
  if (state_->sink.errorCount() > before) return file;
  // Expressions of the session see what the file declares, and what it imports.
  Namespace& session = state_->world.session;
  Namespace& space = state_->world.of(file->id);
  session.imports.insert(session.imports.end(), space.imports.begin(), space.imports.end());
  session.imports.push_back(&space);
  return file;
}

ast::File* Program::addText(const std::string& name, std::string text) {
  state_->by_path.clear();  // imports are read again
  state_->undoFailed({});
  Namespace& session = state_->world.session;
  session.lost.clear();
  Namespace before = session;
  size_t errors = state_->sink.errorCount();
  ast::File* file = state_->parse(name, std::move(text), false);
  state_->declare(*file, session, true);
  state_->readImports(*file, session, std::filesystem::path(name).parent_path().string());
  state_->checkNew();
  if (state_->sink.errorCount() > errors) {
    state_->failed_text = file->id;
    state_->before_failure = std::move(before);
  }
  return file;
}

void Program::addPrelude(const std::string& name, std::string text) {
  // Known by name, for suggestions, and null until they are read.
  PreludeFiles::Names names = state_->unread.add({name, std::move(text)});
  for (std::string& fn_name : names.functions)
    state_->world.prelude.functions.emplace(std::move(fn_name), nullptr);
  for (std::string& type_name : names.types)
    state_->world.prelude.types.emplace(std::move(type_name), nullptr);
}

bool Program::checkStatement(ast::Stmt& statement, TopLevel& scope) {
  state_->prepare(statement.span);
  size_t before = state_->sink.errorCount();
  state_->checker.checkTopStatement(statement, scope);
  return state_->sink.errorCount() == before;
}
bool Program::checkExpression(ast::Expr& expression, TopLevel& scope) {
  state_->prepare(expression.span);
  size_t before = state_->sink.errorCount();
  state_->checker.checkTopExpression(expression, scope);
  return state_->sink.errorCount() == before;
}
bool Program::checkTest(ast::TestDecl& test) {
  state_->prepare(test.span);
  size_t before = state_->sink.errorCount();
  state_->checker.checkTest(test);
  return state_->sink.errorCount() == before;
}

void Program::readDeclaring(const std::string& name) const {
  auto file = state_->unread.declaring(name);
  if (!file) return;
  state_->readPrelude(std::move(*file));
  state_->checkNew();
}
const ast::FnDecl* Program::findFunction(const std::string& name) const {
  const ast::FnDecl* found = state_->world.function({}, name);
  return found ? found : preludeFunction(name);
}
const ast::TypeDecl* Program::findType(const std::string& name) const {
  if (const ast::TypeDecl* found = state_->world.type({}, name)) return found;
  readDeclaring(name);
  return state_->world.type({}, name);
}
const ast::FnDecl* Program::preludeFunction(const std::string& name) const {
  readDeclaring(name);
  const auto& functions = state_->world.prelude.functions;
  auto found = functions.find(name);
  return found == functions.end() ? nullptr : found->second;
}
std::vector<std::string> Program::names() const {
  std::vector<std::string> names = state_->world.functionNames({});
  for (std::string& type : state_->world.typeNames({})) names.push_back(std::move(type));
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}
std::string Program::str(const types::Type& type) const { return state_->sizes.str(type); }

}  // namespace dini::sema
