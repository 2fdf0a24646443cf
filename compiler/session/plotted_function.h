// A function of the program as something to sample: calls with reals for its plotted parameters, value
// and gradient by the session's engine, switches by a trace of the call (certify/trace.h).
#pragma once

#include <memory>
#include <span>

#include "certify/trace.h"
#include "session/plot.h"

namespace dini::session {

class PlottedFunction {
 public:
  // Null after an error, which is in the sink. The session must outlive it.
  static std::unique_ptr<PlottedFunction> make(Session& session, const PlotRequest& request,
                                               const std::string& function);
  ~PlottedFunction();

  struct Evaluated {
    double value = 0;
    std::vector<double> gradient;
    std::vector<int64_t> switches;
    bool tied = false;
  };
  // Or the reason why there is no value.
  std::variant<Evaluated, std::string> operator()(std::span<const double> at);

  const std::vector<std::string>& variables() const { return variables_; }
  // Why kinks cannot be found by their switches; empty: they can.
  const std::string& obstacle() const { return obstacle_; }

 private:
  explicit PlottedFunction(Session& session) : session_(session) {}
  bool lower(const PlotRequest& request, const std::string& function);
  std::string callText(const PlotRequest& request, const std::vector<std::string>& names,
                       std::vector<std::string>& selected);
  std::vector<ir::Tensor> argumentsOf(const lower::Lowered& call, std::span<const double> at) const;
  ir::Outcome run(const lower::Lowered& call, std::span<const ir::Tensor> arguments);
  void trace(std::span<const double> at, Evaluated& evaluated);

  Session& session_;
  std::vector<std::string> variables_, inputs_;  // as the user calls them; top-level names of ours
  std::vector<std::string> defined_;
  bool vector_ = false;  // one parameter real[2]
  lower::Lowered value_, gradient_;
  std::unique_ptr<Prepared> compiled_;  // once interpretation was too slow
  std::string obstacle_;
};

}  // namespace dini::session
