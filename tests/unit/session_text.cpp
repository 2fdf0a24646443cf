// Values as text and JSON, options, and statuses as diagnostics.
#include <doctest/doctest.h>

#include <limits>

#include "session/data_file.h"
#include "session/options.h"
#include "session/session.h"
#include "session/status_report.h"
#include "session/value_text.h"

using namespace dini;
using session::hostArray;

namespace {

lower::HostValue joined(types::TypePtr type, std::vector<lower::HostValue> parts) {
  lower::HostValue value{std::move(type), {}};
  for (lower::HostValue& part : parts)
    for (ir::Tensor& leaf : part.leaves) value.leaves.push_back(std::move(leaf));
  return value;
}

}  // namespace

TEST_CASE("reals have 17 significant digits") {
  CHECK(session::valueText(hostArray(ir::Tensor::real(0.54930614433405489))) ==
        "0.54930614433405489");
  CHECK(session::valueText(hostArray(ir::Tensor::real(0.1))) == "0.10000000000000001");
  CHECK(session::valueText(hostArray(ir::Tensor::real(-3))) == "-3");
  CHECK(session::valueText(hostArray(ir::Tensor::real(std::nan("")))) == "nan");
  CHECK(session::valueText(hostArray(ir::Tensor::boolean(true))) == "true");
}

TEST_CASE("arrays, tuples and records nest; JSON quotes what it cannot say") {
  ir::Tensor matrix = ir::Tensor::zeros(ir::f64({2, 2}));
  matrix.reals = {1, 0.5, std::numeric_limits<double>::infinity(), -0.0};
  lower::HostValue W = hostArray(matrix), n = hostArray(ir::Tensor::integer(7));
  types::TypePtr pair = types::tuple({W.type, n.type});
  types::TypePtr layer = types::record("Layer", {2}, {{"W", W.type}, {"both", pair}});
  lower::HostValue value = joined(layer, {W, W, n});
  CHECK(session::valueText(value) ==
        "Layer { W = [[1, 0.5], [inf, -0]], both = ([[1, 0.5], [inf, -0]], 7) }");
  CHECK(session::valueJson(value) ==
        R"({"W": [[1, 0.5], ["inf", -0]], "both": [[[1, 0.5], ["inf", -0]], 7]})");
  CHECK(session::valueText(hostArray(ir::Tensor::zeros(ir::f64({0, 3})))) == "[]");
}

TEST_CASE("tie policies by name") {
  CHECK(session::parseTies("first", true)->weight == 1);
  CHECK(session::parseTies("second", true)->weight == 0);
  CHECK(session::parseTies("average", false)->weight == 0.5);
  CHECK(!session::parseTies("average", false)->unify);
  CHECK(session::parseTies("weight(0.25)", true)->weight == 0.25);
  CHECK(session::parseTies("framework(jax)", true)->policy == ad::TieOptions::Policy::Jax);
  CHECK(!session::parseTies("framework(torch)", true)->unify);
  for (const char* bad : {"", "best", "weight()", "weight(2)", "weight(nan)", "weight(0.5"})
    CHECK(!session::parseTies(bad, true));
}

TEST_CASE("every status becomes its diagnostic, with its numbers") {
  for (int64_t number = 1; number <= 12; ++number) {
    DiagnosticSink sink;
    ir::StatusInfo status;
    status.status = static_cast<ir::Status>(number);
    session::reportStatus(status, Span{}, sink);
    REQUIRE(sink.all().size() == 1);
    CHECK(diagInfo(sink.all()[0].code).klass == DiagClass::Status);
    CHECK(std::string(diagInfo(sink.all()[0].code).code) == "E06" + std::to_string(100 + number).substr(1));
  }
  DiagnosticSink sink;
  ir::StatusInfo status{ir::Status::NotConverged, Span{FileId{0}, 1, 2}, "iteration limit", 77};
  status.residual = 0.5;
  status.scale = 1;
  status.tolerance = 1e-10;
  status.iterations = 100;
  status.rcond = 1e-3;
  session::reportStatus(status, Span{}, sink);
  const Diagnostic& made = sink.all()[0];
  CHECK(made.message == "this solve did not converge: iteration limit");
  CHECK(made.labels[0].text ==
        "residual 0.5, allowed 2e-10, 100 iterations, condition estimate 1e+03");
  CHECK(made.notes == std::vector<std::string>{"in member 77 of the batch"});
}
