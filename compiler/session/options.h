// What a session is told from outside: engine, optimisation level, tie policy.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "ad/ad.h"
#include "lower/lower.h"
#include "session/execute.h"
#include "session/progress.h"

namespace dini::session {

// Of long runs (training.cpp).
struct TrainingOptions {
  std::string checkpoint;     // the file to go on from and to keep; empty: none
  std::string settings;       // what changes results beside the sources, as text
  double interval = 5;        // seconds between two checkpoints, at least
  std::function<void(const Progress&)> progress;
  bool inParts() const { return progress || !checkpoint.empty(); }
};

struct Options {
  ExecuteOptions execution;
  ad::TieOptions ties;
  lower::OnFailure on_failure = lower::OnFailure::Status;
  lower::Jacobians jacobians = lower::Jacobians::Found;
  bool keep_ties = false;   // remember ties under every policy (`locked` does anyway)
  bool tie_report = false;  // every run reports its ties, whatever the policy
  TrainingOptions training;
  std::vector<std::string> cpp_functions;  // of C++ files, besides the annotated ones
  std::vector<std::string> cpp_flags;      // for Clang: -I, -D, -std
};

// "locked", "first", "second", "average", "weight(0.25)", "framework(torch)", "framework(jax)"; keeps `unify`.
// Null where the text is no policy.
std::optional<ad::TieOptions> parseTies(const std::string& text, bool unify);
// "1,-0.5" (the first entries of the probe's direction), "seed(7)", or nothing. False: neither.
bool parseDirection(const std::string& text, ad::TieOptions& ties);
std::optional<Engine> parseEngine(const std::string& text);  // auto, interp, jit, library
std::optional<jit::OptLevel> parseLevel(const std::string& text);  // 0, 1, 2

}  // namespace dini::session
