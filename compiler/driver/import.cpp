// dini import KERNEL.cpp: the annotated functions of a C++ file, as IR or as Dini source.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "driver/commands.h"
#include "driver/emit_ir.h"
#include "syntax/formatter.h"
#include "syntax/parser.h"

namespace dini::driver {
namespace {

struct ImportArguments {
  std::string file;
  std::string stage = "ir";
  std::vector<std::string> functions;
  std::vector<std::string> flags;
  std::vector<std::string> dims;
};

// The program that the file became, laid out.
void printSource(session::Session& session, const std::string& name) {
  for (size_t k = 0; k < session.sources().size(); ++k) {
    const FileId id{static_cast<int32_t>(k)};
    if (session.sources().file(id).path() != name) continue;
    DiagnosticSink none;
    const ast::File file = syntax::parseFile(session.sources(), id, none);
    std::string text = syntax::format(session.sources(), file);
    while (!text.empty() && text.back() == '\n') text.pop_back();
    printLine(text);
  }
}

int import(Context& context, const ImportArguments& arguments) {
  context.options.cpp_functions = arguments.functions;
  context.options.cpp_flags = arguments.flags;
  if (arguments.stage == "ir") return emitIr(context, arguments.file, arguments.dims);
  session::Session* session = context.session();
  if (!session || !session->readFile(arguments.file) || session->sink().hasErrors()) return context.finish();
  printSource(*session, fmt::format("<{} as Dini>", arguments.file));
  return context.finish();
}

}  // namespace

Command addImport(CLI::App& parser) {
  CLI::App* app = parser.add_subcommand("import", "show what annotated C++ functions become");
  auto arguments = std::make_shared<ImportArguments>();
  app->add_option("FILE", arguments->file, "the C++ file")->required();
  app->add_option("--as", arguments->stage, "ir (default) or dini")->check(CLI::IsMember({"ir", "dini"}));
  app->add_option("--fn", arguments->functions, "also this function, without annotation (repeat it)")->allow_extra_args(false);
  app->add_option("--cxx", arguments->flags, "a flag for Clang, as --cxx=-Iinclude (repeat it)")->allow_extra_args(false);
  app->add_option("--dims", arguments->dims, "sizes, such as n=100")->delimiter(',');
  return {app, [arguments](Context& context) { return import(context, *arguments); }};
}

}  // namespace dini::driver
