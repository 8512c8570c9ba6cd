#include "actors/rules/listing.hpp"

#include "actors/rules/delivery_rules.hpp"
#include "actors/rules/order_rules.hpp"
#include "actors/rules/payment_rules.hpp"
#include "actors/rules/stamp_rules.hpp"
#include "actors/rules/trace_rules.hpp"
#include "persistence/document.hpp"

namespace skanu {

namespace {

template <class Rules>
listing listing_by(std::string_view document) {
  const auto state = decode_document<typename Rules::state>(document);
  return {Rules::listed(state), Rules::status(state)};
}

}  // namespace

listing listing_in(service s, std::string_view document) {
  switch (s) {
    case service::order: return listing_by<order_rules>(document);
    case service::payment: return listing_by<payment_rules>(document);
    case service::delivery: return listing_by<delivery_rules>(document);
    case service::stamp: return listing_by<stamp_rules>(document);
    case service::ordertrace: return listing_by<trace_as_rules>(document);
  }
  throw decode_error("a document of no service");
}

}  // namespace skanu
