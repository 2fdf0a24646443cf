#include "driver/progress.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

namespace dini::driver {
namespace {

using session::Progress;
using Kind = Progress::Kind;

constexpr double kRedraw = 0.1;      // seconds, on a terminal
constexpr double kFirstPause = 1;    // and between the first plain lines,
constexpr double kLongestPause = 60; // and between the last
constexpr double kLong = 1;          // a statement without a loop is told of if it took so long

std::string clockText(double seconds) {
  const auto whole = static_cast<int64_t>(seconds + 0.5);
  return whole < 3600 ? fmt::format("{}:{:02}", whole / 60, whole % 60)
                      : fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

}  // namespace

std::string progressLine(const SourceFile& file, const Progress& progress) {
  std::string line = fmt::format("{}:{}", file.path(), file.lineColumn(progress.statement.begin).line);
  if (progress.done < 0) return line + (progress.kind == Kind::Begins ? " runs" : ": " + clockText(progress.seconds));
  const int64_t here = progress.done - progress.done_before;
  const double rate = progress.seconds > 0 ? static_cast<double>(here) / progress.seconds : 0;
  if (progress.count < 0) {
    line += fmt::format(": {} iterations, {:.3g} a second", progress.done, rate);
  } else {
    line += fmt::format(": {} of {}, {:.3g} a second", progress.done, progress.count, rate);
    const auto left = static_cast<double>(progress.count - progress.done);
    if (rate > 0 && left > 0) line += fmt::format(", {} left", clockText(left / rate));
  }
  if (progress.residual >= 0) line += fmt::format(", residual {:.1e}", progress.residual);
  return line;
}

ProgressDisplay::ProgressDisplay() : terminal_(isatty(STDERR_FILENO) != 0) {}

void ProgressDisplay::clear() {
  if (!drawn_) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  drawn_ = false;
}

void ProgressDisplay::draw(const std::string& line) {
  std::fflush(stdout);
  if (terminal_)
    std::fputs(("\r\x1b[K" + line).c_str(), stderr);
  else
    std::fputs((line + "\n").c_str(), stderr);
  std::fflush(stderr);
  drawn_ = terminal_;
  last_ = std::chrono::steady_clock::now();
}

void ProgressDisplay::show(const SourceFile& file, const Progress& progress) {
  const double idle = std::chrono::duration<double>(std::chrono::steady_clock::now() - last_).count();
  if (progress.kind == Kind::Begins) {
    said_ = false;
    last_ = std::chrono::steady_clock::now();
    pause_ = kFirstPause;
    if (terminal_) draw(progressLine(file, progress));
    return;
  }
  if (progress.kind == Kind::Ends) {
    clear();
    if (!terminal_ && progress.seconds >= kLong) draw(progressLine(file, progress));
    return;
  }
  const bool last = progress.done == progress.count && said_;
  if (!last && idle < (terminal_ ? kRedraw : pause_)) return;
  draw(progressLine(file, progress));
  said_ = true;
  pause_ = std::min(pause_ * 1.5, kLongestPause);
}

}  // namespace dini::driver
