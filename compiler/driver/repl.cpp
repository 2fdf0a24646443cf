// dini repl [FILE]: the interactive session of repl/.
#include <CLI/CLI.hpp>

#include "driver/commands.h"
#include "repl/repl.h"

namespace dini::driver {

Command addRepl(CLI::App& parser) {
  CLI::App* app = parser.add_subcommand("repl", "an interactive session");
  auto file = std::make_shared<std::string>();
  app->add_option("FILE", *file, "run this script first");
  return {app, [file](Context& context) {
            context.options.keep_ties = true;
            session::Session* session = context.session();
            if (!session) return context.finish();
            repl::Options options;
            options.file = *file;
            options.colour = context.colourOnStderr() ? Colour::On : Colour::Off;
            return repl::run(*session, options);
          }};
}

}  // namespace dini::driver
