// Follows the executions of each solve of a run: from one to the next the parameters take a step, and
// the audit asks whether the solution went along continuously. A step inside a certified box, with
// |dz| <= L |dx|, did. Any other is suspect: its segment of parameters is bisected until certified boxes
// cover it, or a jump persists below 1e-9 (a leap), or the budget ends (unknown). Points between are
// solved by the program's own solver; where it fails, the solutions at the ends are tried there.
// Members of a comprehension are not steps of one another, and are not followed.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "certify/certificate.h"
#include "ir/interpreter.h"

namespace dini::certify {

enum class StepKind { Leap, Unknown };

struct AuditedStep {
  StepKind kind = StepKind::Leap;
  Span span;           // of the solve
  size_t number = 0;   // of the execution that the step led to, from 1
  std::vector<double> from, to;    // of the jump, or of the segment that is not decided: parameters
  std::vector<double> before, after;  // and solutions
  double width = 0;    // largest difference of `from` and `to`
};

struct AuditedSolve {
  Span span;
  size_t executions = 0, suspect = 0, leaps = 0, unknown = 0;
};

class Audit {
 public:
  explicit Audit(CertifyOptions options);
  Audit(const Audit&) = delete;
  Audit& operator=(const Audit&) = delete;
  ~Audit();

  // The observer of a run (ir::InterpretOptions::solved).
  void solved(const ir::SolvedRoot& root);
  const std::vector<AuditedStep>& steps() const { return steps_; }
  std::vector<AuditedSolve> solves() const;

 private:
  struct Sample;
  struct Site;
  struct Segment;
  Site& siteOf(const ir::SolvedRoot& root, size_t parameters);
  Sample sampleHere(const ir::SolvedRoot& root);
  std::optional<Sample> solveBetween(const ir::SolvedRoot& root, const Sample& a, const Sample& b, double t);
  bool covered(Sample& a, Sample& b);
  bool reaches(Sample& a, const Sample& b);
  void follow(const ir::SolvedRoot& root, Site& site, Sample& a, Sample& b);
  bool decide(const ir::SolvedRoot& root, std::vector<Segment>& open, AuditedStep& step);

  CertifyOptions options_;
  std::map<std::pair<std::vector<int64_t>, size_t>, std::unique_ptr<Site>> sites_;
  std::vector<Site*> order_;
  std::vector<AuditedStep> steps_;
  bool busy_ = false;
  const ir::Op* awaited_ = nullptr;          // the root that is solved at a point between,
  std::optional<Sample>* caught_ = nullptr;  // and where it goes
  int budget_ = 0;
};

}  // namespace dini::certify
