// dini certify FILE --fn f --at x=0: for every solve that the call evaluates, whether the Jacobian of
// its equations is invertible for every tie weight at the solution. Text for people, --json for
// programs. Exit code 0 for any verdict, 1 where the call fails. Theory: docs/nonsmooth.md.
#include <algorithm>
#include <cmath>

#include <CLI/CLI.hpp>

#include "certify/certificate.h"
#include "driver/commands.h"
#include "driver/number_checks.h"
#include "driver/point_call.h"
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

std::string count(size_t n, const char* what) { return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s"); }

// A member of a set of Jacobians, row by row.
std::string shortened(const std::vector<double>& element) {
  constexpr size_t kShown = 9;
  size_t shown = std::min(element.size(), kShown);
  std::string text = fmt::format("{:g}", fmt::join(element.begin(), element.begin() + static_cast<long>(shown), ", "));
  return element.size() > shown ? fmt::format("[{}, ... {} in all]", text, element.size()) : fmt::format("[{}]", text);
}

void printReasons(const SourceManager& sources, const Certificate& c) {
  constexpr size_t kShown = 16;
  for (size_t k = 0; k < c.tied.size(); ++k) {
    if (k == kShown) {
      printLine(fmt::format("  and {} more tied switches", c.tied.size() - kShown));
      break;
    }
    const certify::TiedSwitch& tie = c.tied[k];
    std::string weight = c.verdict != Verdict::Refuted ? ""
                         : tie.block < 0               ? fmt::format(", weight {:g}", tie.weight)
                                                       : ", Jacobian " + shortened(tie.element);
    std::string what = tie.kink.empty() ? fmt::format("switch {:g}", tie.value)
                                        : fmt::format("{}, at distance {:g}", tie.kink, tie.value);
    printLine(fmt::format("  tied: {}, {}{}", place(sources, tie.span), what, weight));
  }
  if (c.verdict == Verdict::Refuted) {
    bool between = std::any_of(c.tied.begin(), c.tied.end(),
                               [](const auto& tie) { return tie.weight > 0 && tie.weight < 1; });
    const char* where = c.tied.empty()  ? ""
                        : !c.reachable ? ", for the program's product set of weights"
                        : between      ? ", between two sign patterns that are met beside the point"
                                       : ", at a sign pattern that is met beside the point";
    printLine(fmt::format("  witness: {}{}; sigma_min / sigma_max <= {:.1e}", name(c.witness), where, c.singularity));
    printLine(fmt::format("  kernel: [{:g}]", fmt::join(c.kernel, ", ")));
  }
  if (c.verdict == Verdict::Unknown && c.reason_span.valid())
    printLine("  at: " + place(sources, c.reason_span));
  if (c.verdict == Verdict::Unknown && !c.tried.empty())
    printLine(fmt::format("  tried: {}", fmt::join(c.tried, "; ")));
}

void printScope(const Certificate& c) {
  if (c.scope == certify::Scope::Global) {
    std::string which = c.held == 0 ? "every value of the parameters"
                                    : fmt::format("every value of {} of the {} parameters, the others as they are",
                                                  c.free, c.free + c.held);
    if (c.free == 0) which = "the parameters as they are";
    printLine(fmt::format("  scope: global; exactly one root for {}", which));
    if (c.free_lipschitz >= 0) printLine(fmt::format("  Lipschitz constant there: {:.6g}", c.free_lipschitz));
    if (c.radius > 0 && std::isfinite(c.radius))
      printLine(fmt::format("  all parameters within {:.3g}: Lipschitz constant {:.6g}", c.radius, c.lipschitz));
    return;
  }
  if (c.scope == certify::Scope::Box)
    printLine(fmt::format("  scope: box; exactly one root within {:.3g} of the solution for every "
                          "parameter within {:.3g}", c.enclosure, c.radius));
  else
    printLine(fmt::format("  scope: point; exactly one root within {:.3g} of the solution, and one "
                          "beside it for nearby parameters", c.enclosure));
  if (c.lipschitz >= 0) printLine(fmt::format("  Lipschitz constant: {:.6g}", c.lipschitz));
}

void printText(const SourceManager& sources, const Certificate& c) {
  printLine(fmt::format("solve at {}: {}, {}, {}", place(sources, c.span), name(c.verdict),
                        count(c.unknowns, "unknown"), fmt::format("{} switch class{}", c.kinks, c.kinks == 1 ? "" : "es")));
  printLine("  by: " + c.how);
  if (c.verdict == Verdict::Proved) {
    printScope(c);
  }
  printReasons(sources, c);
}

std::string tieJson(const SourceManager& sources, const certify::TiedSwitch& tie, bool refuted) {
  std::string out = fmt::format(R"({{"place": {}, "switch": {:.17g})", jsonText(place(sources, tie.span)), tie.value);
  if (!tie.kink.empty()) out += fmt::format(R"(, "kink": {})", jsonText(tie.kink));
  if (refuted && tie.block < 0) out += fmt::format(R"(, "weight": {:.17g})", tie.weight);
  if (refuted && tie.block >= 0) out += fmt::format(R"(, "jacobian": [{:.17g}])", fmt::join(tie.element, ", "));
  return out + "}";
}

std::string json(const SourceManager& sources, const Certificate& c) {
  std::string out = fmt::format(R"({{"place": {}, "verdict": "{}", "unknowns": {}, "switches": {}, "how": {})",
                                jsonText(place(sources, c.span)), name(c.verdict), c.unknowns, c.kinks,
                                jsonText(c.how));
  out += fmt::format(R"(, "solution": [{:.17g}])", fmt::join(c.solution, ", "));
  if (c.verdict == Verdict::Proved) {
    auto number = [](double x) { return std::isfinite(x) ? fmt::format("{:.17g}", x) : "\"inf\""; };
    const char* scopes[] = {"point", "box", "global"};
    out += fmt::format(R"(, "scope": "{}")", scopes[static_cast<int>(c.scope)]);
    if (c.enclosure >= 0) out += fmt::format(R"(, "enclosure": {:.17g})", c.enclosure);
    out += fmt::format(R"(, "radius": {})", number(c.radius));
    if (c.lipschitz >= 0) out += fmt::format(R"(, "lipschitz": {:.17g})", c.lipschitz);
    if (c.scope == certify::Scope::Global) {
      out += fmt::format(R"(, "free": {}, "held": {})", c.free, c.held);
      if (c.free_lipschitz >= 0) out += fmt::format(R"(, "free_lipschitz": {:.17g})", c.free_lipschitz);
    }
  }
  if (c.verdict == Verdict::Refuted)
    out += fmt::format(R"(, "kind": "{}", "kernel": [{:.12g}], "singularity": {:.17g}, "reachable": {})",
                       name(c.witness), fmt::join(c.kernel, ", "), c.singularity, c.reachable);
  std::vector<std::string> ties, tried;
  for (const certify::TiedSwitch& tie : c.tied)
    ties.push_back(tieJson(sources, tie, c.verdict == Verdict::Refuted));
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
  std::optional<PointCall> call = callAtPoint(context, command.file, command.function, command.at);
  if (!call) return context.finish();
  command.limits.unification = session->executor().options().certification.unification;
  session::CertifiedCall certified = session::certifyCall(
      session->lowerer().module(), *call->function, call->arguments, {command.limits, &session::interruptFlag()});
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
      ->check(checkPositive);
  app->add_option("--tie-tolerance", command->limits.tie_tolerance, "switches of at most this size are tied")
      ->check(checkNonNegative);
  app->add_option("--node-limit", command->limits.node_limit,
                  "bound on the nodes of the recursion over weights");
  return {app, [command](Context& context) { return run(context, *command); }};
}

}  // namespace dini::driver
