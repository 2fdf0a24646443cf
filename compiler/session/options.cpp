#include "session/options.h"

#include <charconv>
#include <cmath>
#include <string_view>

namespace dini::session {

std::optional<ad::TieOptions> parseTies(const std::string& text, bool unify) {
  using Policy = ad::TieOptions::Policy;
  ad::TieOptions ties;
  ties.unify = unify;
  if (text == "locked") return ties;
  ties.policy = Policy::Weight;
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

namespace {

// The whole text as a number.
template <class Number>
bool parseNumber(std::string_view text, Number& value) {
  auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc() && stop == text.data() + text.size() && !text.empty();
}

}  // namespace

bool parseDirection(const std::string& text, ad::TieOptions& ties) {
  if (text.empty()) return true;
  if (text.starts_with("seed(") && text.ends_with(")"))
    return parseNumber(std::string_view(text).substr(5, text.size() - 6), ties.key);
  bool moves = false;
  for (size_t at = 0; at <= text.size();) {
    size_t comma = std::min(text.find(',', at), text.size());
    double entry = 0;
    if (!parseNumber(std::string_view(text).substr(at, comma - at), entry) || !std::isfinite(entry))
      return false;
    moves |= entry != 0;
    ties.direction.push_back(entry);
    at = comma + 1;
  }
  return moves;
}

std::optional<Engine> parseEngine(const std::string& text) {
  if (text == "auto") return Engine::Auto;
  if (text == "interp") return Engine::Interpreter;
  if (text == "jit") return Engine::Jit;
  if (text == "library") return Engine::Library;
  return std::nullopt;
}

std::optional<jit::OptLevel> parseLevel(const std::string& text) {
  if (text == "0") return jit::OptLevel::O0;
  if (text == "1") return jit::OptLevel::O1;
  if (text == "2") return jit::OptLevel::O2;
  return std::nullopt;
}

}  // namespace dini::session
