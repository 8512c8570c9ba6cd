#include "http/format/time_text.hpp"

#include <algorithm>

namespace skanu {

namespace {

using namespace std::chrono;

/// Takes text from the front, and remembers a failure.
class scanner {
 public:
  explicit scanner(std::string_view text) : rest_(text) {}

  int digits(std::size_t count) {
    int value = 0;
    for (; count > 0; --count) value = 10 * value + digit();
    return value;
  }
  bool take(std::string_view one_of) {
    if (rest_.empty() || one_of.find(rest_.front()) == one_of.npos) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(std::string_view one_of) { good_ = take(one_of) && good_; }
  bool next_is_digit() const {
    return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9';
  }
  bool ended() const { return rest_.empty(); }
  bool good() const { return good_; }

  int digit() {
    if (!next_is_digit()) {
      good_ = false;
      return 0;
    }
    const int value = rest_.front() - '0';
    rest_.remove_prefix(1);
    return value;
  }

 private:
  std::string_view rest_;
  bool good_ = true;
};

milliseconds fraction(scanner& s) {
  int value = s.digit(), unit = 100;
  for (value *= unit; s.next_is_digit();) {
    unit /= 10;
    value += unit * s.digit();
  }
  return milliseconds(value);
}

/// The offset from UTC, nullopt where it is out of range.
std::optional<minutes> offset(scanner& s) {
  if (s.take("Zz")) return minutes(0);
  const bool behind = s.take("-");
  if (!behind) s.expect("+ ");
  const auto h = s.digits(2);
  s.expect(":");
  const auto m = s.digits(2);
  if (h > 23 || m > 59) return std::nullopt;
  return (behind ? -1 : 1) * (hours(h) + minutes(m));
}

}  // namespace

std::optional<instant> time_of(std::string_view text, date_means meaning) {
  scanner s(text);
  const auto y = s.digits(4);
  s.expect("-");
  const auto mo = s.digits(2);
  s.expect("-");
  const auto d = s.digits(2);
  const year_month_day date{year{y}, month{static_cast<unsigned>(mo)},
                            day{static_cast<unsigned>(d)}};
  if (!s.good() || !date.ok()) return std::nullopt;
  if (s.ended()) return sys_days{date} + days(meaning == date_means::end ? 1 : 0);
  s.expect("Tt ");
  const auto h = s.digits(2);
  s.expect(":");
  const auto mi = s.digits(2);
  s.expect(":");
  const auto sec = s.digits(2);
  const auto part = s.take(".") ? fraction(s) : milliseconds(0);
  const auto zone = offset(s);
  // 60 is a leap second.
  if (!s.good() || !s.ended() || !zone || h > 23 || mi > 59 || sec > 60) return std::nullopt;
  return sys_days{date} + hours{h} + minutes{mi} + seconds{sec} + part - *zone;
}

}  // namespace skanu
