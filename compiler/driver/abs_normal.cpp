#include "driver/abs_normal.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "abs_normal/abs_normal.h"
#include "driver/bindings.h"
#include "session/status_report.h"

namespace dini::driver {
namespace {

// The shortest text that reads as the same real.
std::string text(double x) {
  std::string digits = fmt::format("{}", x == 0 ? 0.0 : x);
  return digits.find_first_of(".en") == std::string::npos ? digits + ".0" : digits;
}

std::string text(const double* begin, size_t n) {
  std::vector<std::string> parts;
  for (size_t k = 0; k < n; ++k) parts.push_back(text(begin[k]));
  return fmt::format("[{}]", fmt::join(parts, ", "));
}

std::string text(const std::vector<double>& v) { return v.empty() ? "zeros(0)" : text(v.data(), v.size()); }

std::string text(const abs_normal::Matrix& m) {
  if (m.entries.empty()) return fmt::format("zeros({}, {})", m.rows, m.columns);
  std::vector<std::string> rows;
  for (size_t i = 0; i < m.rows; ++i) rows.push_back(text(m.entries.data() + i * m.columns, m.columns));
  return fmt::format("[{}]", fmt::join(rows, ", "));
}

void print(session::Session& session, const std::string& function, const abs_normal::Form& form) {
  printLine(fmt::format("# abs-normal form of {} at x = {}: z = c + Z*x + L*abs(z), y = b + J*x + Y*abs(z)", function,
                        text(form.x0)));
  for (size_t k = 0; k < form.places.size(); ++k) {
    if (!form.places[k].valid()) continue;
    const SourceFile& file = session.sources().file(form.places[k].file);
    LineColumn at = file.lineColumn(form.places[k].begin);
    printLine(fmt::format("# z[{}]: the kink at {}:{}:{}", k, file.path(), at.line, at.column));
  }
  if (form.comparisons > 0)
    printLine(fmt::format("# {} comparison{} decided what is computed and stand{} as at the point", form.comparisons,
                          form.comparisons == 1 ? "" : "s", form.comparisons == 1 ? "s" : ""));
  if (!form.triangular) printLine("# L is not triangular: z is implicit, because of a kink inside a solve");
  printLine("let c = " + text(form.c));
  printLine("let Z = " + text(form.Z));
  printLine("let L = " + text(form.L));
  printLine("let b = " + text(form.b));
  printLine("let J = " + text(form.J));
  printLine("let Y = " + text(form.Y));
  printLine("let z = " + text(form.z0));
  printLine("let y = " + text(form.y0));
}

}  // namespace

int emitAbsNormal(Context& context, session::Session& session, const std::string& file,
                  const std::string& function, const std::vector<std::string>& at) {
  if (function.empty() || at.empty())
    return context.fail(DiagCode::BadCommandLine, "the abs-normal form is that of a function at a point",
                        "add `--fn f --at x=0`");
  if (!session.program().findFunction(function))
    return context.fail(DiagCode::UnknownName, fmt::format("`{}` has no function `{}`", file, function));
  auto bindings = bindAt(context, session, function, at);
  if (!bindings) return context.finish();
  std::optional<lower::Lowered> call =
      session.lowerText("command line", fmt::format("{}({})", function, fmt::join(*bindings, ", ")));
  if (!call) return context.finish();
  std::vector<ir::Tensor> arguments;
  for (const std::string& input : call->inputs) {
    const lower::HostValue* value = session.find(input);
    arguments.insert(arguments.end(), value->leaves.begin(), value->leaves.end());
  }
  ir::InterpretOptions options;
  options.interrupt = &session::interruptFlag();
  auto outcome = ir::interpret(session.lowerer().module(), *call->function, arguments, options);
  if (const auto* status = std::get_if<ir::StatusInfo>(&*outcome)) {
    session::reportStatus(*status, call->function->span, session.sink());
    return context.finish();
  }
  abs_normal::Form form = abs_normal::formOf(session.lowerer().module(), *call->function, arguments, options);
  if (form.obstacle.empty()) {
    print(session, function, form);
  } else {
    session.sink().add(DiagCode::NotDifferentiable, form.obstacle_span,
                       "there is no abs-normal form here: " + form.obstacle);
  }
  return context.finish();
}

}  // namespace dini::driver
