#include "http/body_fields.hpp"

#include <algorithm>
#include <charconv>

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

/// A number that is written as JSON has it, and that no double can hold.
bool is_beyond_double(std::string_view number) {
  double ignored = 0;
  const auto end = number.data() + number.size();
  const auto read = std::from_chars(number.data(), end, ignored);
  if (read.ptr != end || read.ec != std::errc::result_out_of_range) return false;
  try {
    return json::parse(number).is_discarded();
  } catch (const json::out_of_range&) {
    return true;
  } catch (const json::exception&) {
    return false;
  }
}

/// The same bytes with numbers beyond every type, at which the parser would give up, replaced by
/// ones that it can read and that no field takes. All else stays as wrong or right as it was.
std::string with_readable_numbers(std::string_view bytes) {
  std::string out(bytes);
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (out[i] == '"') {
      while (++i < out.size() && out[i] != '"')
        if (out[i] == '\\') ++i;
      continue;
    }
    const auto end = std::min(out.find_first_not_of("+-.0123456789Ee", i), out.size());
    // The shortest number beyond a double is 1e309.
    if (end < i + 5) continue;
    const auto number = std::string_view(out).substr(i, end - i);
    if (is_beyond_double(number)) {
      const bool whole = number.find_first_of(".Ee") == number.npos;
      std::string readable(whole ? number.substr(0, 18) : "0.5");
      readable.resize(number.size(), ' ');
      out.replace(i, readable.size(), readable);
    }
    i = end - 1;
  }
  return out;
}

}  // namespace

std::variant<body_fields, error> body_fields::parse(std::string_view bytes) {
  // The parser would take a NUL for the end, whatever comes behind it; JSON has none.
  if (bytes.find('\0') != bytes.npos) return error{errc::malformed, "The body is not valid JSON."};
  auto parsed = json::parse(bytes, nullptr, false);
  if (parsed.is_discarded()) parsed = json::parse(with_readable_numbers(bytes), nullptr, false);
  if (parsed.is_discarded()) return error{errc::malformed, "The body is not valid JSON."};
  if (!parsed.is_object()) return error{errc::malformed, "The body is not a JSON object."};
  return body_fields(std::move(parsed));
}

const nlohmann::json* body_fields::find(std::string_view name, bool required) {
  const auto found = object_.find(name);
  if (found != object_.end() && !found->is_null()) return &*found;
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
    // Out of every range, so that what does not fit is refused as such.
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
  return text;
}

std::optional<std::string> body_fields::phone(std::string_view name, bool required) {
  const auto* value = find(name, required);
  if (!value) return std::nullopt;
  if (!value->is_string()) {
    wrong(name, "must be a string");
    return std::nullopt;
  }
  auto phone = normalised_phone(value->get_ref<const std::string&>());
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
