// JSON for types with a list of fields (field_list.hpp). Writing appends to a string without
// building a tree, because every stored state and event is written on the hot path.
#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "messages/field_list.hpp"
#include "messages/values.hpp"

namespace skanu {

/// Undecodable stored or received bytes; what() names the place.
class decode_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The words of an enumeration, in the order of the numbers, from 0 on. Specialised beside each
/// enum.
template <class Enum>
struct enum_words;

template <class T>
concept worded_enum = std::is_enum_v<T> && requires {
  enum_words<T>::list;
};

/// The word of a value.
template <worded_enum Enum>
constexpr std::string_view word_of(Enum value) {
  return enum_words<Enum>::list[static_cast<std::size_t>(value)];
}

/// The value of the largest number. Enumerations without words have an overload of their own.
template <worded_enum Enum>
constexpr Enum last_of(Enum) {
  return static_cast<Enum>(enum_words<Enum>::list.size() - 1);
}

/// Returns the value of a word; nullopt for an unknown word.
template <worded_enum Enum>
constexpr std::optional<Enum> value_of_word(std::string_view word) {
  const auto& list = enum_words<Enum>::list;
  for (std::size_t i = 0; i < list.size(); ++i)
    if (list[i] == word) return static_cast<Enum>(i);
  return std::nullopt;
}

/// Appends a JSON string literal. `text` must be valid UTF-8: it comes from a JSON parser or the
/// program.
void append_json_string(std::string& out, std::string_view text);

/// Appends a decimal integer.
inline void append_integer(std::string& out, std::int64_t value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

/// Writes the members of a JSON object; an optional without a value is left out.
class json_object_writer {
 public:
  /// Continues behind `out`. The caller owns `out` and closes the object with close().
  explicit json_object_writer(std::string& out) : out_(out) { out_ += '{'; }

  template <class T>
  void operator()(std::string_view name, const T& value, since_protocol = {}) {
    if constexpr (requires { value.has_value(); }) {
      if (value) (*this)(name, *value);
    } else {
      begin(name);
      append(value);
    }
  }
  template <class Part>
  void operator()(const Part& part) {
    visit_fields(part, *this);
  }
  template <class... Members>
  void local(const Members&...) {}

  /// Writes a member with a value in JSON text.
  void raw(std::string_view name, std::string_view json) {
    begin(name);
    out_ += json;
  }

  void close() { out_ += '}'; }

 private:
  void begin(std::string_view name) {
    if (out_.back() != '{') out_ += ',';
    out_ += '"';
    out_ += name;
    out_ += "\":";
  }

  template <class T>
  void append(const T& value) {
    if constexpr (std::same_as<T, bool>) {
      out_ += value ? "true" : "false";
    } else if constexpr (std::integral<T>) {
      append_integer(out_, static_cast<std::int64_t>(value));
    } else if constexpr (std::same_as<T, instant>) {
      const auto text = to_rfc3339(value);
      append_json_string(out_, text);
    } else if constexpr (worded_enum<T>) {
      append_json_string(out_, word_of(value));
    } else {
      append_json_string(out_, std::string_view(value));
    }
  }

  std::string& out_;
};

/// Reads members of a JSON object. A missing member leaves the default, so that a newer program can
/// read an older program's data; a member of the wrong type throws decode_error.
class json_object_reader {
 public:
  explicit json_object_reader(const nlohmann::json& object) : object_(object) {
    if (!object.is_object()) throw decode_error("not a JSON object");
  }

  template <class T>
  void operator()(std::string_view name, T& value, since_protocol = {}) {
    const auto found = object_.find(name);
    if (found == object_.end()) return;
    read(name, *found, value);
  }
  template <class Part>
  void operator()(Part& part) {
    visit_fields(part, *this);
  }
  template <class... Members>
  void local(const Members&...) {}

 private:
  template <class T>
  static void read(std::string_view name, const nlohmann::json& from, T& value) {
    const auto wrong = [&] {
      throw decode_error("field " + std::string(name) + " is of the wrong type");
    };
    if constexpr (requires { value.has_value(); }) {
      read(name, from, value.emplace());
    } else if constexpr (std::same_as<T, bool>) {
      if (!from.is_boolean()) wrong();
      value = from.get<bool>();
    } else if constexpr (std::integral<T>) {
      const bool too_large = from.is_number_unsigned() && from.get<std::uint64_t>() > INT64_MAX;
      if (!from.is_number_integer() || too_large) wrong();
      const auto wide = from.get<std::int64_t>();
      if (!std::in_range<T>(wide)) wrong();
      value = static_cast<T>(wide);
    } else if constexpr (std::same_as<T, instant>) {
      const auto time =
          from.is_string() ? from_rfc3339(from.get_ref<const std::string&>()) : std::nullopt;
      if (!time) wrong();
      value = *time;
    } else if constexpr (worded_enum<T>) {
      if (!from.is_string()) wrong();
      const auto found = value_of_word<T>(from.get_ref<const std::string&>());
      if (!found) wrong();
      value = *found;
    } else {
      if (!from.is_string()) wrong();
      value = from.get<std::string>();
    }
  }

  const nlohmann::json& object_;
};

/// Appends a value as a JSON object.
template <class T>
void append_json(std::string& out, const T& value) {
  json_object_writer writer(out);
  visit_fields(value, writer);
  writer.close();
}

/// Returns a value as JSON text.
template <class T>
std::string to_json(const T& value) {
  std::string out;
  append_json(out, value);
  return out;
}

/// Reads a value from a parsed object. Throws decode_error.
template <class T>
T from_json(const nlohmann::json& object) {
  T value;
  json_object_reader reader(object);
  visit_fields(value, reader);
  return value;
}

/// Parses stored JSON text. Throws decode_error.
nlohmann::json parse_stored_json(std::string_view text);

}  // namespace skanu
