// plot(...) at the top level: which of its arguments are functions, points, ranges, options.
#include <fmt/format.h>

#include "session/plot.h"

namespace dini::session {
namespace {

class Reader {
 public:
  Reader(Session& session, ast::CallExpr& call) : session_(session), call_(call) { request_.span = call.span; }

  std::optional<PlotRequest> read() {
    for (ast::Argument& argument : call_.arguments)
      if (!(argument.name ? named(argument) : positional(argument))) return std::nullopt;
    if (request_.functions.empty() == request_.paths.empty()) {
      fail(call_.span, "plot takes functions, or arrays of points");
      return std::nullopt;
    }
    if (request_.out.empty()) request_.out = defaultName() + ".svg";
    return std::move(request_);
  }

 private:
  bool fail(Span span, std::string message, std::string help = "write `plot(f, \"f.svg\", over = -1..1)`") {
    session_.sink().add(DiagCode::BadArguments, span, std::move(message)).help = std::move(help);
    return false;
  }

  std::string textOf(const ast::Expr& e) { return std::string(session_.sources().text(e.span)); }

  // f.svg for plot(f), plot.svg for what has no name of its own.
  std::string defaultName() {
    std::string first = request_.functions.empty() ? request_.paths[0].name : request_.functions[0];
    bool plain = !first.empty() && first.find_first_of("()[]{}=., \n") == std::string::npos;
    return plain ? first : "plot";
  }

  bool positional(ast::Argument& argument) {
    const ast::Expr& e = *argument.value;
    if (argument.to) return fail(e.span, "a range needs a name here", "write `over = -1..1`");
    if (e.kind == ast::ExprKind::String) {
      request_.out = ast::as<ast::StringExpr>(e).value;
      return true;
    }
    types::TypePtr type = session_.typeOfText("plot", textOf(e));
    if (!type) return false;
    if (type->kind == types::Kind::Function) {
      request_.functions.push_back(textOf(e));
      return true;
    }
    if (type->kind != types::Kind::Array || type->rank() != 2)
      return fail(e.span, fmt::format("a value of type {} is not plotted", session_.program().str(*type)),
                  "functions of one or two variables are plotted, and arrays real[n, 2] of points");
    auto value = session_.evaluate(argument.value);
    if (!value) return false;
    if (value->leaves[0].type.dims[1] != 2 || value->leaves[0].type.elem == ir::Elem::I1)
      return fail(e.span, "points to plot are the rows of an array real[n, 2]", "each row is a point (x, y)");
    std::string name = e.kind == ast::ExprKind::Name ? textOf(e) : "";
    request_.paths.push_back({name, std::move(*value)});
    return true;
  }

  std::optional<double> real(ast::ExprPtr& e, const char* what) {
    auto value = session_.evaluate(e);
    if (!value) return std::nullopt;
    if (value->type->isScalar() && value->leaves[0].type.elem != ir::Elem::I1)
      return value->leaves[0].reals.empty() ? static_cast<double>(value->leaves[0].ints[0]) : value->leaves[0].reals[0];
    fail(e->span, fmt::format("{} is no number", what));
    return std::nullopt;
  }

  bool range(ast::Argument& argument) {
    auto from = real(argument.value, "the range's lower end"), to = real(argument.to, "the range's upper end");
    if (!from || !to) return false;
    const std::string& name = argument.name->text;
    request_.over.push_back({name == "over" ? "" : name, *from, *to});
    return true;
  }

  bool label(ast::Argument& argument, std::string& into) {
    if (argument.value->kind != ast::ExprKind::String) return fail(argument.value->span, "a text in quotes is needed here");
    into = ast::as<ast::StringExpr>(*argument.value).value;
    return true;
  }

  // start = (1, 0), also [1.0, 0.0]; may be repeated.
  bool start(ast::Argument& argument) {
    auto value = session_.evaluate(argument.value);
    if (!value) return false;
    std::vector<double> numbers;
    for (const ir::Tensor& leaf : value->leaves) {
      numbers.insert(numbers.end(), leaf.reals.begin(), leaf.reals.end());
      for (int64_t n : leaf.ints) numbers.push_back(static_cast<double>(n));
    }
    if (numbers.size() != 2) return fail(argument.value->span, "a start is a pair of numbers", "write `start = (1, 0)`");
    request_.starts.push_back({numbers[0], numbers[1]});
    return true;
  }

  bool count(ast::Argument& argument, size_t& into) {
    auto value = real(argument.value, "this option");
    if (!value) return false;
    if (!(*value >= 1 && *value <= 1e6)) return fail(argument.value->span, "a positive count is needed here");
    into = static_cast<size_t>(*value);
    return true;
  }

  bool named(ast::Argument& argument) {
    const std::string& name = argument.name->text;
    if (argument.to) return range(argument);
    if (name == "title") return label(argument, request_.title);
    if (name == "xlabel") return label(argument, request_.x_label);
    if (name == "ylabel") return label(argument, request_.y_label);
    if (name == "start") return start(argument);
    if (name == "steps") return count(argument, request_.steps);
    if (name == "points") return count(argument, request_.points);
    if (name == "step") {
      auto value = real(argument.value, "the step");
      if (value) request_.step = *value;
      return value.has_value();
    }
    if (name == "over") return fail(argument.value->span, "this is no range", "write `over = -1..1`");
    auto value = session_.evaluate(argument.value);
    if (value) request_.fixed.push_back({name, std::move(*value)});
    return value.has_value();
  }

  Session& session_;
  ast::CallExpr& call_;
  PlotRequest request_;
};

}  // namespace

std::optional<PlotRequest> readPlotCall(Session& session, ast::CallExpr& call) {
  return Reader(session, call).read();
}

}  // namespace dini::session
