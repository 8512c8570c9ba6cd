// A request body: whatever is let through is within the contract's bounds.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "http/body_fields.hpp"
#include "messages/payment.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace skanu;
  auto parsed = body_fields::parse({reinterpret_cast<const char*>(data), size});
  auto* body = std::get_if<body_fields>(&parsed);
  if (!body) return 0;
  const auto check = [](bool holds) {
    if (!holds) std::abort();
  };
  const auto within = [&](const auto& value, integer_range range) {
    if (value) check(*value >= range.least && *value <= range.most);
  };
  within(body->integer("productId", id_range), id_range);
  within(body->integer("qty", qty_range), qty_range);
  within(body->integer("cost", cost_range), cost_range);
  within(body->integer("stampQty", stamp_range, false), stamp_range);
  if (const auto name = body->text("productName", name_length))
    check(!name->empty() && length_of(*name) <= name_length);
  if (const auto phone = body->phone("phoneNumber", false))
    check(phone->size() >= 7 && phone->size() <= 15 &&
          phone_of_account(account_id_of(*phone)) == *phone);
  if (const auto status = body->word("paymentStatus", payment_status::cancelled))
    check(*status != payment_status::none);
  if (const auto problem = body->problem()) check(!problem->fields.empty());
  return 0;
}
