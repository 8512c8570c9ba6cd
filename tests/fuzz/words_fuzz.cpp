// Small texts from outside: times, phone numbers, integers. What is taken can be written and taken again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "http/body_fields.hpp"
#include "messages/values.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace skanu;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto t = from_rfc3339(text); t && to_rfc3339(*t) != text) std::abort();
  if (const auto phone = normalised_phone(text); phone && normalised_phone(*phone) != phone)
    std::abort();
  if (const auto number = integer_of(text); number && integer_of(std::to_string(*number)) != number)
    std::abort();
  masked_phone(text);
  length_of(text);
  return 0;
}
