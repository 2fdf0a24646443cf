// dini certify FILE --fn f --at x=0: for every solve that the call evaluates, whether the Jacobian of
// its equations is invertible for every tie weight at the solution. Text for people, --json for
// programs. Exit code 0 for any verdict, 1 where the call fails. Theory: docs/nonsmooth.md.
#include <CLI/CLI.hpp>

#include "certify/certificate.h"
#include "driver/bindings.h"
#include "driver/commands.h"
#include "session/inspect.h"
#include "session/status_report.h"

namespace dini::driver {
namespace {

using certify::Certificate;
using certify::Verdict;

struct CertifyCommand {
  std::string file, function;
  std::vector<std::string> at;
  certify::CertifyOptions limits;
  bool json = false;
};

const char* name(Verdict verdict) {
  return verdict == Verdict::Proved ? "PROVED" : verdict == Verdict::Refuted ? "REFUTED" : "UNKNOWN";
}

const char* name(certify::Witness witness) {
  switch (witness) {
    case certify::Witness::SignChange: return "sign change";
    case certify::Witness::ExactZero: return "exact zero";
    case certify::Witness::NumericallySingular: return "numerically singular";
  }
  return "";
}

std::string place(const SourceManager& sources, Span span) {
  if (!span.valid()) return "the call";
  const SourceFile& file = sources.file(span.file);
  LineColumn at = file.lineColumn(span.begin);
  return fmt::format("{}:{}:{}", file.path(), at.line, at.column);
}

std::string count(size_t n, const char* what) { return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s"); }

void printReasons(const SourceManager& sources, const Certificate& c) {
  for (const certify::TiedSwitch& tie : c.tied)
    printLine(fmt::format("  tied: {}, switch {:g}{}", place(sources, tie.span), tie.value,
                          c.verdict == Verdict::Refuted ? fmt::format(", weight {:g}", tie.weight) : ""));
  if (c.verdict == Verdict::Refuted) {
    printLine(fmt::format("  witness: {}, for the program's product set of weights; sigma_min / sigma_max = {:.1e}",
                          name(c.witness), c.singularity));
    printLine(fmt::format("  kernel: [{:g}]", fmt::join(c.kernel, ", ")));
  }
  if (c.verdict == Verdict::Unknown && c.reason_span.valid())
    printLine("  at: " + place(sources, c.reason_span));
  if (c.verdict == Verdict::Unknown && !c.tried.empty())
    printLine(fmt::format("  tried: {}", fmt::join(c.tried, "; ")));
}

void printText(const SourceManager& sources, const Certificate& c) {
  printLine(fmt::format("solve at {}: {}, {}, {}", place(sources, c.span), name(c.verdict),
                        count(c.unknowns, "unknown"), fmt::format("{} switch class{}", c.kinks, c.kinks == 1 ? "" : "es")));
  printLine("  by: " + c.how);
  if (c.verdict == Verdict::Proved) {
    if (c.scope == certify::Scope::Box)
      printLine(fmt::format("  scope: box; exactly one root within {:.3g} of the solution for every "
                            "parameter within {:.3g}", c.enclosure, c.radius));
    else
      printLine(fmt::format("  scope: point; exactly one root within {:.3g} of the solution, and one "
                            "beside it for nearby parameters", c.enclosure));
    if (c.lipschitz >= 0) printLine(fmt::format("  Lipschitz constant: {:.6g}", c.lipschitz));
  }
  printReasons(sources, c);
}

std::string jsonText(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string json(const SourceManager& sources, const Certificate& c) {
  std::string out = fmt::format(R"({{"place": {}, "verdict": "{}", "unknowns": {}, "switches": {}, "how": {})",
                                jsonText(place(sources, c.span)), name(c.verdict), c.unknowns, c.kinks,
                                jsonText(c.how));
  out += fmt::format(R"(, "solution": [{:.17g}])", fmt::join(c.solution, ", "));
  if (c.verdict == Verdict::Proved) {
    out += fmt::format(R"(, "scope": "{}", "enclosure": {:.17g}, "radius": {:.17g})",
                       c.scope == certify::Scope::Box ? "box" : "point", c.enclosure, c.radius);
    if (c.lipschitz >= 0) out += fmt::format(R"(, "lipschitz": {:.17g})", c.lipschitz);
  }
  if (c.verdict == Verdict::Refuted)
    out += fmt::format(R"(, "kind": "{}", "kernel": [{:.17g}], "singularity": {:.17g})", name(c.witness),
                       fmt::join(c.kernel, ", "), c.singularity);
  std::vector<std::string> ties, tried;
  for (const certify::TiedSwitch& tie : c.tied)
    ties.push_back(fmt::format(R"({{"place": {}, "switch": {:.17g}{}}})", jsonText(place(sources, tie.span)),
                               tie.value, c.verdict == Verdict::Refuted
                                              ? fmt::format(R"(, "weight": {:.17g})", tie.weight) : ""));
  for (const std::string& what : c.tried) tried.push_back(jsonText(what));
  return out + fmt::format(R"(, "tied": [{}], "tried": [{}]}})", fmt::join(ties, ", "), fmt::join(tried, ", "));
}

void print(const SourceManager& sources, const CertifyCommand& command,
           const std::vector<Certificate>& certificates) {
  Verdict worst = Verdict::Proved;
  for (const Certificate& c : certificates) worst = std::min(worst, c.verdict);
  if (command.json) {
    std::vector<std::string> all;
    for (const Certificate& c : certificates) all.push_back(json(sources, c));
    printLine(fmt::format(R"({{"verdict": "{}", "solves": [{}]}})", name(worst), fmt::join(all, ", ")));
    return;
  }
  printLine(name(worst));
  if (certificates.empty()) printLine("the call evaluates no solve");
  for (const Certificate& c : certificates) printText(sources, c);
}

int run(Context& context, CertifyCommand command) {
  session::Session* session = context.session();
  if (!session) return context.finish();
  if (!session->readFile(command.file) || session->sink().hasErrors()) return context.finish();
  if (!session->program().findFunction(command.function))
    return context.fail(DiagCode::UnknownName,
                        fmt::format("`{}` has no function `{}`", command.file, command.function));
  auto bindings = bindAt(context, *session, command.function, command.at);
  if (!bindings) return context.finish();
  std::optional<lower::Lowered> call = session->lowerText(
      "command line", fmt::format("{}({})", command.function, fmt::join(*bindings, ", ")));
  if (!call) return context.finish();
  std::vector<ir::Tensor> arguments;
  for (const std::string& input : call->inputs) {
    const lower::HostValue* value = session->find(input);
    arguments.insert(arguments.end(), value->leaves.begin(), value->leaves.end());
  }
  command.limits.unification = session->executor().options().certification.unification;
  session::CertifiedCall certified = session::certifyCall(
      session->lowerer().module(), *call->function, arguments, {command.limits, &session::interruptFlag()});
  if (certified.status.status != ir::Status::Ok) {
    session::reportStatus(certified.status, call->function->span, session->sink());
    return context.finish();
  }
  print(session->sources(), command, certified.certificates);
  return context.finish();
}

}  // namespace

Command addCertify(CLI::App& parser) {
  CLI::App* app = parser.add_subcommand(
      "certify", "whether derivatives through the solves of a call can be trusted");
  auto command = std::make_shared<CertifyCommand>();
  app->add_option("FILE", command->file, "the file")->required();
  app->add_option("--fn", command->function, "the function that is called")->required();
  app->add_option("--at", command->at, "NAME=EXPRESSION, repeated or with commas")
      ->allow_extra_args(false);
  app->add_flag("--json", command->json, "one line of JSON");
  app->add_option("--radius", command->limits.radius,
                  "prove one root for all parameters within this distance (default: search)")
      ->check(CLI::PositiveNumber);
  app->add_option("--node-limit", command->limits.node_limit,
                  "bound on the nodes of the recursion over weights");
  return {app, [command](Context& context) { return run(context, *command); }};
}

}  // namespace dini::driver
