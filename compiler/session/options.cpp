#include "session/options.h"

#include <charconv>

namespace dini::session {

std::optional<ad::TieOptions> parseTies(const std::string& text, bool unify) {
  using Policy = ad::TieOptions::Policy;
  ad::TieOptions ties;
  ties.unify = unify;
  if (text == "first") {
    ties.weight = 1;
  } else if (text == "second") {
    ties.weight = 0;
  } else if (text == "average") {
    ties.weight = 0.5;
  } else if (text == "framework(torch)") {
    ties.policy = Policy::Torch;
    ties.unify = false;
  } else if (text == "framework(jax)") {
    ties.policy = Policy::Jax;
    ties.unify = false;
  } else if (text.starts_with("weight(") && text.ends_with(")")) {
    const char* begin = text.data() + 7;
    const char* end = text.data() + text.size() - 1;
    auto [stop, failure] = std::from_chars(begin, end, ties.weight);
    if (failure != std::errc() || stop != end || !(ties.weight >= 0 && ties.weight <= 1))
      return std::nullopt;
  } else {
    return std::nullopt;
  }
  return ties;
}

std::optional<Engine> parseEngine(const std::string& text) {
  if (text == "auto") return Engine::Auto;
  if (text == "interp") return Engine::Interpreter;
  if (text == "jit") return Engine::Jit;
  return std::nullopt;
}

std::optional<jit::OptLevel> parseLevel(const std::string& text) {
  if (text == "0") return jit::OptLevel::O0;
  if (text == "1") return jit::OptLevel::O1;
  if (text == "2") return jit::OptLevel::O2;
  return std::nullopt;
}

}  // namespace dini::session
