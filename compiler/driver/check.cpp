// dini check FILE...: reads, parses and checks without running. Data files that statements load are
// read, because types depend on them.
#include <CLI/CLI.hpp>

#include "driver/commands.h"

namespace dini::driver {
namespace {

void checkItems(session::Session& session, ast::File& file) {
  for (ast::Item& item : file.items) {
    if (item.kind == ast::ItemKind::Test) session.program().checkTest(*item.test);
    if (item.kind != ast::ItemKind::Statement) continue;
    session.checkStatement(*item.statement);
  }
}

}  // namespace

Command addCheck(CLI::App& parser) {
  CLI::App* app = parser.add_subcommand("check", "report mistakes without running");
  auto files = std::make_shared<std::vector<std::string>>();
  app->add_option("FILE", *files, "files to check")->required();
  return {app, [files](Context& context) {
            for (const std::string& path : *files) {
              session::Session* session = context.session();
              if (!session) return context.finish();
              ast::File* file = session->readFile(path);
              if (file && !session->sink().hasErrors()) checkItems(*session, *file);
              context.flushDiagnostics();
            }
            return context.finish();
          }};
}

}  // namespace dini::driver
