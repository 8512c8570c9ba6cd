// Short texts from outside: phone numbers, integers, times, traces, names of dead letters, faults.
#include <cstdint>

#include "actors/operations/faults.hpp"
#include "http/format/body_fields.hpp"
#include "http/format/link_base.hpp"
#include "http/format/time_text.hpp"
#include "messages/dead_letter.hpp"
#include "messages/trace_context.hpp"
#include "messages/unicode.hpp"
#include "messages/values.hpp"
#include "tests/fuzz/require.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace skanu;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto time = from_rfc3339(text)) require(to_rfc3339(*time) == text);
  if (const auto phone = normalised_phone(text)) {
    const auto digits = phone->substr(phone->starts_with('+') ? 1 : 0);
    require(digits.size() >= 7 && digits.size() <= 15);
    require(digits.find_first_not_of("0123456789") == digits.npos);
    require(normalised_phone(*phone) == *phone);
    require(phone_of_account(account_id_of(*phone)) == *phone);
  }
  masked_phone(text);
  for (const auto meaning : {date_means::start, date_means::end})
    if (const auto time = time_of(text, meaning))
      require(time_of(to_rfc3339(*time), meaning) == time);
  if (const auto base = base_from_forwarded(text); !base.empty())
    require(public_url_of(base) == base);
  if (const auto url = public_url_of(text)) require(public_url_of(*url) == url);
  require(is_same_text(text, text));
  is_same_text(text, text.substr(size / 2));
  is_blank(text);
  if (const auto trace = trace_context_of(text)) {
    require(trace_context_of(trace->traceparent()) == trace);
    require(trace->trace_id().find_first_not_of("0123456789abcdef") == std::string_view::npos);
  }
  if (const auto letter = letter_named(text)) require(letter_named(letter->text()) == letter);
  if (const auto n = integer_of(text)) require(integer_of(std::to_string(*n)) == n);
  fault_plan faults;
  if (const auto wrong = faults.add(text)) require(!wrong->empty());
  return 0;
}
