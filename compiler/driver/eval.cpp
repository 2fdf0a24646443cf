// dini eval 'EXPR' [-f FILE]: the value of an expression, with the declarations of a file in scope.
#include <CLI/CLI.hpp>

#include "driver/commands.h"
#include "session/value_text.h"

namespace dini::driver {

Command addEval(CLI::App& parser) {
  CLI::App* app = parser.add_subcommand("eval", "print the value of an expression");
  auto expression = std::make_shared<std::string>();
  auto file = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  app->add_option("EXPR", *expression, "the expression")->required();
  app->add_option("-f,--file", *file, "load the declarations of this file");
  app->add_flag("--json", *json, "one line of JSON");
  return {app, [=](Context& context) {
            session::Session* session = context.session();
            if (!session) return context.finish();
            if (!file->empty() && (!session->readFile(*file) || session->sink().hasErrors()))
              return context.finish();
            std::optional<lower::HostValue> value =
                session->evaluateText("expression", *expression);
            if (value)
              printLine(*json ? session::valueJson(*value) : session::valueText(*value));
            return context.finish();
          }};
}

}  // namespace dini::driver
