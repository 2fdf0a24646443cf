#include "clang_frontend/text.h"

#include <algorithm>
#include <tuple>

namespace dini::clang_frontend {

Text& Text::operator+=(const Text& other) {
  const auto shift = static_cast<uint32_t>(text_.size());
  text_ += other.text_;
  for (clang_client::Region region : other.regions_) {
    region.begin += shift;
    region.end += shift;
    regions_.push_back(region);
  }
  return *this;
}

Text Text::from(clang_client::Place place) const {
  Text made = *this;
  if (place.valid()) made.regions_.push_back({0, static_cast<uint32_t>(text_.size()), place});
  return made;
}

std::vector<clang_client::Region> Text::regions() const {
  // Of regions of equal extent the one added later encloses the other.
  std::vector<const clang_client::Region*> order;
  for (const clang_client::Region& region : regions_) order.push_back(&region);
  std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return std::tuple(a->begin, b->end, b) < std::tuple(b->begin, a->end, a);
  });
  std::vector<clang_client::Region> sorted;
  for (const clang_client::Region* region : order) sorted.push_back(*region);
  return sorted;
}

Text operator+(Text a, const Text& b) {
  a += b;
  return a;
}

}  // namespace dini::clang_frontend
