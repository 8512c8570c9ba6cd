// Query, conditions and keys of a request, one per line: accepted values lie within their bounds.
#include "http/format/request_fields.hpp"

#include <cstdint>
#include <sstream>

#include "tests/fuzz/require.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace skanu;
  std::istringstream lines(std::string(reinterpret_cast<const char*>(data), size));
  httplib::Request in;
  std::string line;
  std::getline(lines, line);
  httplib::detail::parse_query_text(line, in.params);
  for (const auto* name :
       {"If-Match", "If-Match", "If-None-Match", "Idempotency-Key", "Idempotency-Key"})
    if (std::getline(lines, line) && !line.empty()) in.headers.emplace(name, line);
  std::getline(lines, line);
  if (const auto id = id_of(line)) require(*id > 0 && std::to_string(*id) == line);
  is_known_to_client(in, "1");
  prefers_html(in);
  try {
    const auto page = page_of(in);
    for (const auto& time : {page.from, page.until})
      require(!time || from_rfc3339(to_rfc3339(*time)) == time);
    require(page.size >= 1 && page.size <= largest_page && page.number >= 0);
    if (page.after) {
      require(*page.after >= 0 && *page.after <= max_safe_integer);
    } else {
      require(page.number * static_cast<std::int64_t>(page.size) <= deepest_skip);
    }
  } catch (const refused& r) {
    require(r.why.code == errc::invalid_field && !r.why.wrong_fields.empty());
  }
  try {
    const auto conditions = conditions_of(in);
    require(conditions.client_operation.has_value() == in.has_header("Idempotency-Key"));
    const bool wanted = in.has_header("If-Match"), unwanted = in.has_header("If-None-Match");
    require(conditions.condition.has_value() == (wanted || unwanted));
    if (conditions.condition) {
      require(conditions.condition->only_unwanted == !wanted);
      require(conditions.condition->unwanted.has_value() == unwanted);
      for (const auto version : conditions.condition->versions) require(version > 0);
      if (unwanted)
        for (const auto version : conditions.condition->unwanted->versions) require(version > 0);
    }
  } catch (const refused& r) {
    require(r.why.code == errc::invalid_field && !r.why.wrong_fields.empty());
  }
  return 0;
}
