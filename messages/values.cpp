#include "messages/values.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

namespace skanu {

namespace {

void put_digits(char* out, int width, long value) {
  for (int i = width - 1; i >= 0; --i) {
    out[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

constexpr std::string_view phone_separators = " -.()";
constexpr std::size_t fewest_phone_digits = 7;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Returns the number in `width` digits at `pos`, or -1.
int digits_at(std::string_view text, std::size_t pos, std::size_t width) {
  int value = 0;
  for (auto c : text.substr(pos, width)) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

}  // namespace

std::string to_rfc3339(instant t) {
  using namespace std::chrono;
  const auto day = floor<days>(t);
  const year_month_day date{day};
  const hh_mm_ss time{t - day};
  std::string text = "0000-00-00T00:00:00.000Z";
  put_digits(&text[0], 4, int{date.year()});
  put_digits(&text[5], 2, static_cast<long>(unsigned{date.month()}));
  put_digits(&text[8], 2, static_cast<long>(unsigned{date.day()}));
  put_digits(&text[11], 2, time.hours().count());
  put_digits(&text[14], 2, time.minutes().count());
  put_digits(&text[17], 2, time.seconds().count());
  put_digits(&text[20], 3, time.subseconds().count());
  return text;
}

std::optional<instant> from_rfc3339(std::string_view text) {
  using namespace std::chrono;
  constexpr std::string_view shape = "0000-00-00T00:00:00.000Z";
  if (text.size() != shape.size()) return std::nullopt;
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (shape[i] != '0' && shape[i] != text[i]) return std::nullopt;
  const auto y = digits_at(text, 0, 4), mo = digits_at(text, 5, 2), d = digits_at(text, 8, 2);
  const auto h = digits_at(text, 11, 2), mi = digits_at(text, 14, 2), s = digits_at(text, 17, 2);
  const auto ms = digits_at(text, 20, 3);
  if (std::min({y, mo, d, h, mi, s, ms}) < 0 || h > 23 || mi > 59 || s > 59) return std::nullopt;
  const year_month_day date{year{y}, month{static_cast<unsigned>(mo)},
                            day{static_cast<unsigned>(d)}};
  if (!date.ok()) return std::nullopt;
  return sys_days{date} + hours{h} + minutes{mi} + seconds{s} + milliseconds{ms};
}

entity_id account_id_of(std::string_view phone) {
  const bool plus = phone.starts_with('+');
  entity_id id = plus ? 2 : 1;
  for (auto c : phone.substr(plus ? 1 : 0)) id = id * 10 + (c - '0');
  return id;
}

std::string phone_of_account(entity_id account) {
  auto text = std::to_string(account);
  if (text.front() == '2') return text.replace(0, 1, "+");
  return text.substr(1);
}

std::string masked_phone(std::string_view phone_digits) {
  std::string masked(phone_digits);
  std::fill(masked.begin(),
            masked.end() - static_cast<long>(std::min<std::size_t>(2, masked.size())), '*');
  return masked;
}

std::string entity_in_log(service of, entity_id id) {
  return of == service::stamp ? masked_phone(phone_of_account(id)) : std::to_string(id);
}

std::string with_phones_masked(std::string_view text) {
  std::string masked(text);
  std::vector<std::size_t> digits;  // of the current run
  const auto mask_run = [&] {
    if (digits.size() >= fewest_phone_digits)
      for (std::size_t i = 0; i + 2 < digits.size(); ++i) masked[digits[i]] = '*';
    digits.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_digit(text[i])) {
      digits.push_back(i);
    } else if (phone_separators.find(text[i]) == phone_separators.npos) {
      mask_run();
    }
  }
  mask_run();
  return masked;
}

}  // namespace skanu
