// dini explain CODE: the page of a diagnostic; without a code, the catalogue.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "driver/commands.h"

namespace dini::driver {

Command addExplain(CLI::App& parser) {
  CLI::App* app = parser.add_subcommand("explain", "what an error code means");
  auto code = std::make_shared<std::string>();
  app->add_option("CODE", *code, "such as E0301; without it, all codes are listed");
  return {app, [code](Context& context) -> int {
            if (code->empty()) {
              for (DiagCode each : allDiagCodes())
                printLine(fmt::format("{}  {}", diagInfo(each).code, diagInfo(each).title));
              return kFine;
            }
            std::string name = *code;
            for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
            std::string page = explanation(name);
            if (page.empty())
              return context.fail(DiagCode::BadCommandLine,
                                  fmt::format("there is no diagnostic `{}`", *code),
                                  "`dini explain` lists them");
            while (!page.empty() && page.back() == '\n') page.pop_back();
            printLine(page);
            return kFine;
          }};
}

}  // namespace dini::driver
