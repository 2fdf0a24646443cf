#include "diag/catalogue.h"

#include "diag/render.h"

namespace dini {

std::string explanation(std::string_view code) {
  for (const EmbeddedText& page : errorPages())
    if (page.name == code) return std::string(page.text);
  return "";
}

}  // namespace dini
