// The subcommands of `dini`: each file adds its options to the parser and gives back what to do.
#pragma once

#include <functional>

#include "driver/context.h"

namespace CLI {
class App;
}

namespace dini::driver {

struct Command {
  CLI::App* app = nullptr;
  std::function<int(Context&)> run;  // gives the exit code
};

Command addRun(CLI::App& parser);
Command addEval(CLI::App& parser);
Command addCheck(CLI::App& parser);
Command addTest(CLI::App& parser);
Command addFmt(CLI::App& parser);
Command addEmit(CLI::App& parser);
Command addExplain(CLI::App& parser);
Command addRepl(CLI::App& parser);
Command addCertify(CLI::App& parser);
Command addPlot(CLI::App& parser);
Command addClarke(CLI::App& parser);
Command addBuild(CLI::App& parser);
Command addImport(CLI::App& parser);

// The whole program but the process: parses the arguments, runs, gives the exit code.
int runDini(int argc, const char* const* argv);

}  // namespace dini::driver
