// Dini's side of a benchmark: a program is read and an expression over given variables compiled
// once, in process, as the command line would; then the machine code is called with the variables'
// values in place.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "session/session.h"

namespace dini::bench {

using Input = std::pair<std::string, ir::Tensor>;

ir::Tensor realTensor(std::vector<int64_t> dims, std::vector<double> values);

// An expression as machine code. A status that ends a call is an error of the benchmark: it is
// printed, and good() is false from then on.
class Callable {
 public:
  virtual ~Callable() = default;
  virtual void operator()() = 0;
  virtual bool good() const = 0;
  // The leaves of the last call's value, reals only.
  virtual std::vector<std::vector<double>> results() const = 0;
};

class Program {
 public:
  // Null after printing why.
  static std::unique_ptr<Program> read(const std::string& path, const std::vector<Input>& inputs);
  // Null after printing why. The program must outlive it.
  std::unique_ptr<Callable> compile(const std::string& expression);
  // Of the last compile: text to IR, and IR to machine code.
  double frontSeconds() const { return front_seconds_; }
  double backSeconds() const { return back_seconds_; }

 private:
  Program();
  void printDiagnostics();

  session::Session session_;
  double front_seconds_ = 0, back_seconds_ = 0;
};

}  // namespace dini::bench
