#include "clang_client/protocol.h"

#include <nlohmann/json.hpp>

namespace dini::clang_client {
namespace {

using nlohmann::json;

json placeJson(const Place& place) { return {place.file, place.begin, place.end}; }
Place placeOf(const json& made) { return {made.at(0), made.at(1), made.at(2)}; }

json findingJson(const Finding& finding) {
  json marks = json::array();
  for (const Finding::Mark& mark : finding.marks) marks.push_back({{"at", placeJson(mark.place)}, {"text", mark.text}});
  return {{"code", diagInfo(finding.code).code},
          {"message", finding.message},
          {"marks", marks},
          {"notes", finding.notes},
          {"help", finding.help}};
}

Finding findingOf(const json& made) {
  Finding finding;
  const std::string code = made.at("code");
  for (DiagCode known : allDiagCodes())
    if (code == diagInfo(known).code) finding.code = known;
  finding.message = made.at("message");
  for (const json& mark : made.at("marks")) finding.marks.push_back({placeOf(mark.at("at")), mark.at("text")});
  finding.notes = made.at("notes").get<std::vector<std::string>>();
  finding.help = made.at("help");
  return finding;
}

// C++ sources may hold bytes that are not UTF-8: a message that quotes them still arrives.
std::string dumped(const json& made) { return made.dump(-1, ' ', false, json::error_handler_t::replace); }

template <class Answer>
std::optional<Answer> read(const std::string& text, Answer (*make)(const json&)) {
  try {
    return make(json::parse(text));
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

std::string toJson(const ImportAnswer& answer) {
  json findings = json::array(), regions = json::array();
  for (const Finding& finding : answer.findings) findings.push_back(findingJson(finding));
  for (const Region& region : answer.regions)
    regions.push_back({region.begin, region.end, placeJson(region.place)});
  return dumped({{"files", answer.files},
                 {"text", answer.text},
                 {"regions", regions},
                 {"exported", answer.exported},
                 {"findings", findings}});
}

std::string toJson(const FormatAnswer& answer) {
  json problems = json::array();
  for (const FormatAnswer::Problem& problem : answer.problems) problems.push_back({problem.line, problem.message});
  return dumped({{"text", answer.text}, {"problems", problems}});
}

std::optional<ImportAnswer> importAnswer(const std::string& text) {
  return read<ImportAnswer>(text, [](const json& made) {
    ImportAnswer answer;
    answer.files = made.at("files").get<std::vector<std::string>>();
    answer.text = made.at("text");
    for (const json& region : made.at("regions"))
      answer.regions.push_back({region.at(0), region.at(1), placeOf(region.at(2))});
    answer.exported = made.at("exported").get<std::vector<std::string>>();
    for (const json& finding : made.at("findings")) answer.findings.push_back(findingOf(finding));
    return answer;
  });
}

std::optional<FormatAnswer> formatAnswer(const std::string& text) {
  return read<FormatAnswer>(text, [](const json& made) {
    FormatAnswer answer;
    answer.text = made.at("text");
    for (const json& problem : made.at("problems")) answer.problems.push_back({problem.at(0), problem.at(1)});
    return answer;
  });
}

}  // namespace dini::clang_client
