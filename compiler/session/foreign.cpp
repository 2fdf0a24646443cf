#include "session/foreign.h"

#include <filesystem>

#include <fmt/format.h>

#include "clang_client/client.h"
#include "session/data_file.h"

namespace dini::session {
namespace {

std::vector<FileId> readAll(const std::vector<std::string>& paths, SourceManager& sources) {
  std::vector<FileId> read;
  for (const std::string& path : paths) {
    auto bytes = readBytes(path);
    const std::string* text = std::get_if<std::string>(&bytes);
    read.push_back(sources.add(path, text ? *text : ""));
  }
  return read;
}

Span spanOf(const clang_client::Place& place, const std::vector<FileId>& files) {
  if (!place.valid()) return {};
  return {files.at(static_cast<size_t>(place.file)), place.begin, place.end};
}

void report(const clang_client::Finding& finding, const std::vector<FileId>& files, DiagnosticSink& sink) {
  const Span primary = finding.marks.empty() ? Span{} : spanOf(finding.marks[0].place, files);
  Diagnostic& made = sink.add(finding.code, primary, finding.message);
  made.labels.clear();
  for (const clang_client::Finding::Mark& mark : finding.marks)
    if (mark.place.valid()) made.labels.push_back({spanOf(mark.place, files), mark.text});
  made.notes = finding.notes;
  made.help = finding.help;
}

}  // namespace

sema::ForeignReader cppReader(SourceManager& sources, DiagnosticSink& sink, std::vector<std::string> functions,
                              std::vector<std::string> flags) {
  return [&sources, &sink, functions = std::move(functions), flags = std::move(flags)](
             const std::string& path, Span import) -> std::optional<sema::ForeignUnit> {
    clang_client::ImportAnswer answer;
    const clang_client::Failure failure = clang_client::importCpp({path, functions, flags}, answer);
    if (!failure.message.empty()) {
      sink.add(DiagCode::ImportFailed, import, failure.message);
      return std::nullopt;
    }
    const std::vector<FileId> files = readAll(answer.files, sources);
    const size_t before = sink.errorCount();
    for (const clang_client::Finding& finding : answer.findings) report(finding, files, sink);
    if (sink.errorCount() > before) return std::nullopt;
    sema::ForeignUnit unit;
    unit.file = files.at(0);
    unit.included.assign(files.begin() + 1, files.end());
    unit.text = std::move(answer.text);
    unit.exported = {answer.exported.begin(), answer.exported.end()};
    for (const clang_client::Region& region : answer.regions)
      unit.regions.push_back({region.begin, region.end, spanOf(region.place, files)});
    return unit;
  };
}

}  // namespace dini::session
