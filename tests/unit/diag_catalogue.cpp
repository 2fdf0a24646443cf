// The catalogue: each code once, with a page under its title, and no page without a code.
#include <set>

#include "diag/catalogue.h"
#include "syntax_support.h"

using namespace dini;

TEST_CASE("every diagnostic has its page") {
  std::set<std::string> codes, names;
  for (DiagCode code : allDiagCodes()) {
    const DiagInfo& info = diagInfo(code);
    CAPTURE(info.code);
    CHECK(codes.insert(info.code).second);
    CHECK(names.insert(info.name).second);
    std::string title = std::string("# ") + info.code + ": " + info.title + "\n";
    CHECK(explanation(info.code).starts_with(title));
    CHECK((info.code[0] == 'W') == (info.severity == Severity::Warning));
    CHECK((std::string_view(info.code).starts_with("E06")) == (info.klass == DiagClass::Status));
    // What import does not take stands with the other diagnostics on C++.
    CHECK((std::string_view(info.code).starts_with("E09") || std::string_view(info.code) == "E0806") ==
          (info.klass == DiagClass::Limitation));
  }
  for (const EmbeddedText& page : errorPages()) {
    CAPTURE(page.name);
    CHECK(codes.contains(std::string(page.name)));
  }
  CHECK(explanation("E9999").empty());
}
