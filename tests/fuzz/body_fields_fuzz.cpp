// Arbitrary request bodies: the fields of each resource come out right or are blamed.
#include "http/format/body_fields.hpp"

#include <cstdint>

#include "messages/delivery.hpp"
#include "messages/payment.hpp"
#include "tests/fuzz/require.hpp"

namespace {

using namespace skanu;

void read_integer(body_fields& body, std::string_view name, integer_range range) {
  if (const auto n = body.integer(name, range, false))
    require(*n >= range.least && *n <= range.most);
}

void read_text(body_fields& body, std::string_view name, std::size_t most) {
  if (const auto text = body.text(name, most, false)) {
    require(!text->empty() && length_of(*text) <= most);
    // A stored text must be readable again.
    std::string json;
    append_json_string(json, *text);
    require(nlohmann::json::parse(json).get<std::string>() == *text);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto parsed = body_fields::parse({reinterpret_cast<const char*>(data), size});
  if (std::holds_alternative<error>(parsed)) return 0;
  auto& body = std::get<body_fields>(parsed);
  for (const auto* id : {"id", "productId", "orderId"}) read_integer(body, id, id_range);
  read_integer(body, "qty", qty_range);
  read_integer(body, "cost", cost_range);
  read_integer(body, "stampQty", stamp_range);
  read_text(body, "productName", name_length);
  read_text(body, "destination", name_length);
  read_text(body, "paymentType", payment_type_length);
  if (const auto phone = body.phone("phoneNumber", false)) {
    require(normalised_phone(*phone) == *phone);
    require(phone_of_account(account_id_of(*phone)) == *phone);
    require(account_id_of(*phone) <= max_safe_integer);
  }
  body.word<payment_status>("paymentStatus");
  body.word<delivery_status>("deliveryStatus");
  if (const auto problem = body.problem()) require(!problem->wrong_fields.empty());
  return 0;
}
