#include "http/format/body_fields.hpp"

#include <algorithm>
#include <charconv>

#include "messages/unicode.hpp"

namespace skanu {

std::optional<std::int64_t> integer_of(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || problem != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

std::size_t length_of(std::string_view utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

namespace {

using json = nlohmann::json;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The parts of a number in JSON's syntax.
struct number_text {
  std::string_view whole, fraction, exponent;

  static std::optional<number_text> read(std::string_view text) {
    const auto take_digits = [&text] {
      std::size_t length = 0;
      while (length < text.size() && is_digit(text[length])) ++length;
      const auto digits = text.substr(0, length);
      text.remove_prefix(length);
      return digits;
    };
    number_text parts;
    if (text.starts_with('-')) text.remove_prefix(1);
    parts.whole = take_digits();
    if (parts.whole.empty() || (parts.whole.size() > 1 && parts.whole.front() == '0')) return {};
    if (text.starts_with('.')) {
      text.remove_prefix(1);
      parts.fraction = take_digits();
      if (parts.fraction.empty()) return {};
    }
    if (text.starts_with('e') || text.starts_with('E')) {
      const auto from_sign = text.substr(1);
      text.remove_prefix(1);
      if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
      const auto digits = take_digits();
      if (digits.empty()) return {};
      parts.exponent = from_sign.substr(from_sign.starts_with('+') ? 1 : 0);
    }
    return text.empty() ? std::optional(parts) : std::nullopt;
  }

  /// Whether the absolute value is at least 1. For numbers other than zero.
  bool is_great() const {
    std::int64_t exponent_value = 0;
    const auto* end = exponent.data() + exponent.size();
    if (std::from_chars(exponent.data(), end, exponent_value).ec == std::errc::result_out_of_range)
      return !exponent.starts_with('-');
    const auto zeros = std::min(fraction.find_first_not_of('0'), fraction.size());
    const auto magnitude =
        whole != "0" ? static_cast<std::int64_t>(whole.size()) : -static_cast<std::int64_t>(zeros);
    return magnitude + exponent_value > 0;
  }
};

/// Whether a text is a number in JSON's syntax and too large for a double.
bool is_beyond_double(std::string_view number) {
  double ignored = 0;
  const auto end = number.data() + number.size();
  const auto read = std::from_chars(number.data(), end, ignored);
  if (read.ptr != end || read.ec != std::errc::result_out_of_range) return false;
  const auto parts = number_text::read(number);
  return parts && parts->is_great();  // the parser reads a number too near to zero as zero
}

/// Replaces numbers beyond every type, at which the parser would give up, by readable numbers of
/// the same length that no field accepts. All other bytes stay the same. Returns nullopt where the
/// text has no such number.
std::optional<std::string> with_readable_numbers(std::string_view bytes) {
  std::string out(bytes);
  bool replaced = false;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (out[i] == '"') {
      while (++i < out.size() && out[i] != '"')
        if (out[i] == '\\') ++i;
      continue;
    }
    if (out[i] != '-' && !is_digit(out[i])) continue;
    const auto end = std::min(out.find_first_not_of("+-.0123456789Ee", i), out.size());
    const auto number = std::string_view(out).substr(i, end - i);
    // The shortest number beyond a double is 1e309.
    if (number.size() >= 5 && is_beyond_double(number)) {
      const bool whole = number.find_first_of(".Ee") == number.npos;
      std::string readable(whole ? number.substr(0, 18) : "0.5");
      readable.resize(number.size(), ' ');
      out.replace(i, readable.size(), readable);
      replaced = true;
    }
    i = end - 1;
  }
  if (!replaced) return std::nullopt;
  return out;
}

/// Keeps the members of the outermost object. Nested lists and objects leave only their type: an
/// unread member costs no memory, however deep or broad.
class member_reader {
 public:
  explicit member_reader(std::vector<body_member>& members) : members_(members) {}

  bool is_object() const { return outermost_is_object_; }

  // Called by nlohmann's parser; false ends the parse.
  bool null() { return take(nullptr); }
  bool boolean(bool value) { return take(value); }
  bool number_integer(std::int64_t value) { return take(value); }
  bool number_unsigned(std::uint64_t value) { return take(value); }
  bool number_float(double value, const std::string&) { return take(value); }
  bool string(std::string& value) {
    if (depth_ == 1) take(std::move(value));
    return true;
  }
  bool binary(json::binary_t&) { return false; }
  bool start_object(std::size_t) {
    outermost_is_object_ = outermost_is_object_ || depth_ == 0;
    return enter(json::value_t::object);
  }
  bool start_array(std::size_t) { return enter(json::value_t::array); }
  bool key(std::string& name) {
    if (depth_ == 1) members_.push_back({std::move(name), {}});
    return true;
  }
  bool end_object() { return leave(); }
  bool end_array() { return leave(); }
  bool parse_error(std::size_t, const std::string&, const json::exception&) { return false; }

 private:
  template <class Value>
  bool take(Value&& value) {
    if (depth_ == 1 && !members_.empty()) members_.back().value = std::forward<Value>(value);
    return true;
  }
  bool enter(json::value_t kind) {
    take(kind);
    ++depth_;
    return true;
  }
  bool leave() {
    --depth_;
    return true;
  }

  std::vector<body_member>& members_;
  std::size_t depth_ = 0;
  bool outermost_is_object_ = false;
};

}  // namespace

std::variant<body_fields, error> body_fields::parse(std::string_view bytes) {
  // The parser would take a NUL for the end of the text and skip the rest; JSON has no NUL.
  if (bytes.find('\0') != bytes.npos) return error{errc::malformed, "The body is not valid JSON."};
  body_fields fields;
  const auto read = [&fields](std::string_view text) -> std::optional<bool> {
    fields.members_.clear();
    member_reader reader(fields.members_);
    if (!json::sax_parse(text, &reader)) return std::nullopt;
    return reader.is_object();
  };
  auto is_object = read(bytes);
  if (!is_object)
    if (const auto readable = with_readable_numbers(bytes)) is_object = read(*readable);
  if (!is_object) return error{errc::malformed, "The body is not valid JSON."};
  if (!*is_object) return error{errc::malformed, "The body is not a JSON object."};
  return fields;
}

const nlohmann::json* body_fields::find(std::string_view name, bool required) {
  // The last of several members with the same name counts.
  const auto found = std::find_if(members_.rbegin(), members_.rend(),
                                  [&](const body_member& member) { return member.name == name; });
  if (found != members_.rend() && !found->value.is_null()) return &found->value;
  if (required) wrong(name, "is missing");
  return nullptr;
}

std::optional<std::int64_t> body_fields::integer(std::string_view name, integer_range range,
                                                 bool required) {
  const auto* value = find(name, required);
  if (!value) return std::nullopt;
  std::optional<std::int64_t> number;
  if (value->is_number_unsigned()) {
    const auto wide = value->get<std::uint64_t>();
    // A value out of every range, so that the number is refused as out of range.
    number = static_cast<std::int64_t>(std::min<std::uint64_t>(wide, INT64_MAX));
  } else if (value->is_number_integer()) {
    number = value->get<std::int64_t>();
  } else if (value->is_string()) {
    number = integer_of(value->get_ref<const std::string&>());
  }
  if (!number) {
    wrong(name, "must be an integer");
  } else if (*number < range.least || *number > range.most) {
    wrong(name,
          "must be from " + std::to_string(range.least) + " to " + std::to_string(range.most));
    number.reset();
  }
  return number;
}

std::optional<std::string> body_fields::text(std::string_view name, std::size_t most,
                                             bool required) {
  const auto* value = find(name, required);
  if (!value) return std::nullopt;
  if (!value->is_string()) {
    wrong(name, "must be a string");
    return std::nullopt;
  }
  const auto& text = value->get_ref<const std::string&>();
  if (text.empty() || length_of(text) > most) {
    wrong(name, "must have 1 to " + std::to_string(most) + " characters");
    return std::nullopt;
  }
  if (is_blank(text)) {
    wrong(name, "must show something: it has only blank or invisible characters");
    return std::nullopt;
  }
  return text;
}

std::optional<std::string> body_fields::phone(std::string_view name, bool required,
                                              const phone_country& home) {
  const auto* value = find(name, required);
  if (!value) return std::nullopt;
  if (!value->is_string()) {
    wrong(name, "must be a string");
    return std::nullopt;
  }
  auto phone = normalised_phone(value->get_ref<const std::string&>(), home);
  if (!phone) wrong(name, "must be a phone number of 7 to 15 digits");
  return phone;
}

std::optional<error> body_fields::problem() const {
  if (errors_.empty()) return std::nullopt;
  return error{errc::invalid_field, "A field is missing, of the wrong type or out of range.",
               errors_};
}

void body_fields::wrong(std::string_view name, std::string message) {
  errors_.push_back({std::string(name), std::move(message)});
}

}  // namespace skanu
