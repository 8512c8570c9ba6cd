#include "actors/rules/listing.hpp"

#include <optional>

#include "actors/rules/entity_types.hpp"
#include "actors/rules/trace_rules.hpp"
#include "persistence/document.hpp"

namespace skanu {

namespace {

/// Reads the listing of a document by the service's rules.
struct listing_of_document {
  service of;
  std::string_view document;
  std::optional<listing> found = {};

  template <class Rules>
  void operator()() {
    if (of != Rules::of) return;
    const auto state = decode_document<typename Rules::state>(document);
    found = {Rules::listed(state), Rules::status(state)};
  }
};

}  // namespace

listing listing_in(service s, std::string_view document) {
  listing_of_document read{s, document};
  entity_types::for_each(read);
  read.template operator()<trace_as_rules>();
  if (!read.found) throw decode_error("a document of no service");
  return *read.found;
}

}  // namespace skanu
