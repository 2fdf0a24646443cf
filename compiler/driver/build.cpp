// dini build FILE -o DIR: functions of a file, and derivatives of them, as a library for C and C++.
#include <algorithm>
#include <filesystem>
#include <set>

#include <CLI/CLI.hpp>
#include <dlfcn.h>
#include <fmt/format.h>

#include "driver/commands.h"
#include "driver/dims.h"
#include "jit/objects.h"
#include "library/build.h"

namespace dini::driver {
namespace {

struct BuildArguments {
  std::string file;
  std::string folder;
  std::string name;
  std::string prefix;
  std::vector<std::string> functions;
  std::vector<std::string> derivatives;
  std::vector<std::string> dims;
  std::vector<std::string> cpus = {"native"};
  bool no_blas = false;
  std::string depfile;
};

void note(const std::string& text) { fmt::print(stderr, "note: {}\n", text); }

// The runtime's archives lie beside the compiler.
std::string runtimeArchive(bool no_blas) {
  std::error_code failure;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", failure);
  const char* name = no_blas ? "libdini_runtime_portable.a" : "libdini_runtime.a";
  return (self.parent_path().parent_path() / "lib" / name).string();
}

// A name that C can have and that neither it nor the C library uses.
bool isFree(const std::string& symbol) {
  static const std::set<std::string> words = {
      "auto",     "break",    "case",   "char",   "class",    "const",   "continue", "default",
      "delete",   "do",       "double", "else",   "enum",     "extern",  "float",    "for",
      "friend",   "goto",     "if",     "inline", "int",      "long",    "main",     "namespace",
      "new",      "operator", "private", "public", "register", "restrict", "return", "short",
      "signed",   "sizeof",   "static", "struct", "switch",   "template", "this",    "throw",
      "try",      "typedef",  "union",  "unsigned", "using",  "virtual", "void",     "volatile",
      "while"};
  return !words.contains(symbol) && !symbol.starts_with("dini_") &&
         !std::isdigit(static_cast<unsigned char>(symbol[0])) &&
         dlsym(RTLD_DEFAULT, symbol.c_str()) == nullptr;
}

// A size that no function has is a slip of the pen.
bool sizesExist(Context& context, const std::vector<const ast::FnDecl*>& functions, const Dims& dims) {
  std::set<std::string> known;
  for (const ast::FnDecl* function : functions) {
    for (const ast::BindingPtr& size : function->sizes) known.insert(size->name);
    for (const ast::Parameter& parameter : function->parameters) known.insert(parameter.name.text);
  }
  for (const auto& [name, value] : dims)
    if (!known.contains(name)) {
      context.fail(DiagCode::BadCommandLine, fmt::format("--dims: no function to build has a size `{}`", name));
      return false;
    }
  return true;
}

// Every named function with what is asked for of it; those without a name given: all of the file.
bool collect(Context& context, session::Session& session, const BuildArguments& arguments,
             const ast::File& file, const Dims& dims, library::Library& library) {
  std::vector<const ast::FnDecl*> chosen;
  for (const std::string& name : arguments.functions) {
    const ast::FnDecl* found = session.program().findFunction(name);
    if (found == nullptr) {
      context.fail(DiagCode::UnknownName,
                   fmt::format("`{}` has no function `{}`", arguments.file, name));
      return false;
    }
    if (const std::string reason = library::whyNot(*found); !reason.empty()) {
      context.fail(DiagCode::NotExportable,
                   fmt::format("`{}` cannot be called from C: {}", name, reason));
      return false;
    }
    chosen.push_back(found);
  }
  if (arguments.functions.empty())
    for (const ast::Item& item : file.items) {
      if (item.kind != ast::ItemKind::Fn || item.fn->internal) continue;
      const std::string reason = library::whyNot(*item.fn);
      if (reason.empty())
        chosen.push_back(item.fn.get());
      else
        note(fmt::format("`{}` is left out: {}", item.fn->name.text, reason));
    }
  if (!sizesExist(context, chosen, dims)) return false;
  std::vector<std::string> forms{""};
  forms.insert(forms.end(), arguments.derivatives.begin(), arguments.derivatives.end());
  for (const ast::FnDecl* function : chosen)
    for (const std::string& form : forms) {
      const bool no_reals = std::none_of(
          function->type->elements.begin(), function->type->elements.end(),
          [](const types::TypePtr& type) { return types::holdsReals(*type); });
      const bool no_gradient =
          (form == "grad" || form == "value_and_grad" || form == "hess") &&
          !(function->type->result->isScalar() && function->type->result->isReal());
      const bool no_derivative =
          !form.empty() && (no_reals || !types::holdsReals(*function->type->result));
      if (no_gradient || no_derivative) {
        note(fmt::format("`{}` has no `{}`: {}", function->name.text, form,
                                 no_derivative ? "it has nothing to differentiate"
                                               : "its result is not one real"));
        continue;
      }
      auto described = library::describe(session, *function, form, arguments.prefix, dims);
      if (described.empty()) return false;
      for (library::Function& made : described) {
        if (!isFree(made.symbol)) {
          context.fail(DiagCode::NotExportable,
                       fmt::format("`{}` is a name that C has already", made.symbol),
                       "give all names a prefix: `--prefix my_`");
          return false;
        }
        library.functions.push_back(std::move(made));
      }
    }
  if (!library.functions.empty()) return true;
  context.fail(DiagCode::NotExportable, fmt::format("`{}` has no function to build", arguments.file));
  return false;
}

// For make: the library is made again when a file that was read changes.
std::string dependencies(session::Session& session, const std::string& target) {
  const auto escaped = [](const std::string& path) {
    std::string text;
    for (const char c : path) text += c == ' ' ? "\\ " : std::string(1, c);
    return text;
  };
  std::string text = escaped(target) + ":";
  for (size_t k = 0; k < session.sources().size(); ++k) {
    const std::string& path = session.sources().file(FileId{static_cast<int32_t>(k)}).path();
    if (path.starts_with("<")) continue;
    text += " \\\n  " + escaped(std::filesystem::absolute(path).lexically_normal().string());
  }
  return text + "\n";
}

int build(Context& context, const BuildArguments& arguments) {
  for (const std::string& cpu : arguments.cpus)
    if (jit::cpuLevel(cpu) == 0)
      return context.fail(DiagCode::BadCommandLine, fmt::format("there is no CPU `{}`", cpu),
                          "native, x86-64-v2, x86-64-v3 or x86-64-v4; several with commas");
  const std::optional<Dims> dims = parseDims(context, arguments.dims);
  context.options.jacobians = lower::Jacobians::Dense;
  session::Session* session = context.session();
  if (!dims || !session) return context.finish();
  ast::File* file = session->readFile(arguments.file);
  if (!file || session->sink().hasErrors()) return context.finish();
  library::Library library;
  library.name = arguments.name.empty()
                     ? std::filesystem::path(arguments.file).stem().string()
                     : arguments.name;
  if (library.name == "m" || library.name == "c" || library.name == "mvec" || library.name == "dl")
    return context.fail(DiagCode::NotExportable,
                        fmt::format("`lib{}` is a library of the system", library.name),
                        "give another name: `--name my_model`");
  if (!collect(context, *session, arguments, *file, *dims, library)) return context.finish();
  library::BuildOptions options;
  options.folder = arguments.folder;
  options.cpus = arguments.cpus;
  options.level = session->options().execution.level;
  options.runtime = runtimeArchive(arguments.no_blas);
  const library::BuildFailure failure = library::build(library, *session, options);
  if (!failure.message.empty())
    return context.fail(DiagCode::CannotWrite, failure.message, failure.help);
  if (!arguments.depfile.empty()) {
    const std::string target =
        (std::filesystem::path(arguments.folder) / "lib" / ("lib" + library.name + ".a")).string();
    const std::string error = jit::writeFile(arguments.depfile, dependencies(*session, target));
    if (!error.empty())
      return context.fail(DiagCode::CannotWrite,
                          fmt::format("`{}`: {}", arguments.depfile, error));
  }
  return context.finish();
}

}  // namespace

Command addBuild(CLI::App& parser) {
  CLI::App* app = parser.add_subcommand("build", "compile functions into a library for C and C++");
  auto arguments = std::make_shared<BuildArguments>();
  app->add_option("FILE", arguments->file, "the source file")->required();
  app->add_option("-o,--output", arguments->folder, "the folder that gets include/ and lib/")
      ->required();
  app->add_option("--fn", arguments->functions, "this function (repeat it; default: all)")
      ->allow_extra_args(false);
  app->add_option("--derivative", arguments->derivatives,
                  "also: grad, value_and_grad, jvp, vjp, jac, hess; split: value and derivatives in steps")
      ->delimiter(',')
      ->check(CLI::IsMember({"grad", "value_and_grad", "jvp", "vjp", "jac", "hess", "split"}));
  app->add_option("--dims", arguments->dims, "sizes known now, such as n=100")->delimiter(',');
  app->add_option("--cpu", arguments->cpus,
                  "native (default), x86-64-v2, -v3, -v4; of several the best that the CPU has runs")
      ->delimiter(',');
  app->add_option("--name", arguments->name, "of the library (default: the file's)");
  app->add_option("--prefix", arguments->prefix, "of the names of the C functions");
  app->add_option("--depfile", arguments->depfile, "list the files that were read here, for make");
  app->add_flag("--no-blas", arguments->no_blas, "no OpenBLAS: linear algebra of the runtime's own");
  return {app, [arguments](Context& context) { return build(context, *arguments); }};
}

}  // namespace dini::driver
