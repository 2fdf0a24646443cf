// The error pages, embedded by embed_pages.cmake. The array is the generated half.
#include <algorithm>
#include <iterator>

#include "diag/render.h"

namespace dini {
namespace {

struct Page {
  std::string_view code;
  std::string_view text;
};

constexpr Page kPages[] = {
#include "error_pages.inc"
};

}  // namespace

std::string explanation(std::string_view code) {
  auto page = std::find_if(std::begin(kPages), std::end(kPages),
                           [&](const Page& p) { return p.code == code; });
  return page == std::end(kPages) ? "" : std::string(page->text);
}

}  // namespace dini
