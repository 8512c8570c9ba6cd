// The bytes of values for another node: by position, without names, in the protocol version common
// to both sides (handshake.hpp). Integers are little-endian base-128 (zigzag), texts and lists
// begin with their length, optionals with a flag, variants with the index of their alternative, and
// a trace travels as the traceparent, empty without a trace.
//
// The fields of a class are those of its list (messages/field_list.hpp), from version 5 on behind
// their size in bytes. A part has a size of its own, so that its fields can grow.
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "messages/fields.hpp"
#include "messages/trace_context.hpp"

namespace skanu {

/// The protocol's version, of the calls (wire.hpp) and the interfaces (peer_interfaces.hpp). A node
/// speaks older versions too, so that a cluster can be updated node by node.
inline constexpr std::uint32_t protocol_version = 5;
inline constexpr std::uint32_t oldest_protocol_version = 3;
/// From this version on the fields of a value are preceded by their size in bytes, so that each
/// side skips fields known to the other side only, and no field needs a new version.
inline constexpr std::uint32_t first_version_with_sizes = 5;

/// Sizes before the fields of values; hellos go without, for any version must read their beginning.
enum class value_sizes : bool { none, by_version };

class wire_writer {
 public:
  /// Leaves out the fields newer than `version`, the reader's.
  explicit wire_writer(std::uint32_t version = protocol_version,
                       value_sizes sizes = value_sizes::by_version)
      : version_(version),
        sized_(sizes == value_sizes::by_version && version >= first_version_with_sizes) {}

  // As the visitor of a list of fields.
  template <class T>
  void operator()(std::string_view, const T& value, since_protocol since = {}) {
    if (version_ >= since.version) put(value);
  }
  template <class Part>
  void operator()(const Part& part) {
    put(part);
  }
  template <class... Members>
  void local(const Members&...) {}

  void put(const std::string& text) {
    put_number(text.size());
    out_ += text;
  }
  template <class T>
  requires std::integral<T> || std::is_enum_v<T>
  void put(T value) {
    const auto wide = static_cast<std::int64_t>(value);
    put_number(static_cast<std::uint64_t>(wide) << 1 ^ static_cast<std::uint64_t>(wide >> 63));
  }
  void put(instant value) { put(std::int64_t{value.time_since_epoch().count()}); }
  void put(double value) { put_number(std::bit_cast<std::uint64_t>(value)); }
  template <class T>
  void put(const std::optional<T>& value) {
    put(value.has_value());
    if (value) put(*value);
  }
  template <class T>
  void put(const std::vector<T>& list) {
    put_number(list.size());
    for (const auto& item : list) put(item);
  }
  template <class... Ts>
  void put(const std::variant<Ts...>& value) {
    put_number(value.index());
    std::visit([this](const auto& alternative) { this->put(alternative); }, value);
  }
  template <class T>
  void put(const std::shared_ptr<const T>& value) {
    put(value != nullptr);
    if (value) put(*value);
  }
  template <class T, std::size_t Size>
  void put(const std::array<T, Size>& list) {
    for (const auto& item : list) put(item);
  }
  void put(const std::optional<trace_context>& trace) {
    put(trace ? std::string(trace->traceparent()) : std::string());
  }
  template <class T>
  requires std::is_class_v<T>
  void put(const T& value) {
    const auto begin = out_.size();
    if constexpr (!std::is_empty_v<T>) visit_fields(value, *this);
    if (!sized_) return;
    wire_writer size;
    size.put_number(out_.size() - begin);
    out_.insert(begin, size.out_);
  }

  std::string take() { return std::move(out_); }

 private:
  void put_number(std::uint64_t n) {
    for (; n >= 0x80; n >>= 7) out_ += static_cast<char>(n | 0x80);
    out_ += static_cast<char>(n);
  }

  std::uint32_t version_;
  bool sized_;
  std::string out_;
};

/// Reads what wire_writer wrote. Throws decode_error for anything else; takes no more memory than
/// the bytes could fill.
class wire_reader {
 public:
  /// Fields newer than `version`, the writer's, keep their defaults.
  explicit wire_reader(std::string_view bytes, std::uint32_t version = protocol_version,
                       value_sizes sizes = value_sizes::by_version)
      : version_(version),
        sized_(sizes == value_sizes::by_version && version >= first_version_with_sizes),
        rest_(bytes) {}

  // As the visitor of a list of fields.
  template <class T>
  void operator()(std::string_view, T& value, since_protocol since = {}) {
    const bool is_cut = within_value_ && rest_.empty();  // by a writer without the field
    if (version_ >= since.version && !is_cut) get(value);
  }
  template <class Part>
  void operator()(Part& part) {
    if (!within_value_ || !rest_.empty()) get(part);
  }
  template <class... Members>
  void local(const Members&...) {}

  void get(std::string& text) {
    const auto size = length();
    text.assign(rest_.substr(0, size));
    rest_.remove_prefix(size);
  }
  void get(bool& value) {
    const auto n = integer();
    if (n != 0 && n != 1) throw decode_error("a flag that is neither set nor clear");
    value = n == 1;
  }
  template <std::integral T>
  void get(T& value) {
    const auto wide = integer();
    if constexpr (std::same_as<T, std::uint64_t>) {
      value = static_cast<std::uint64_t>(wide);
    } else {
      if (!std::in_range<T>(wide)) throw decode_error("a number out of its range");
      value = static_cast<T>(wide);
    }
  }
  void get(instant& value) {
    std::int64_t milliseconds = 0;
    get(milliseconds);
    value = instant(std::chrono::milliseconds(milliseconds));
  }
  void get(double& value) { value = std::bit_cast<double>(number()); }
  template <class T>
  requires std::is_enum_v<T>
  void get(T& value) {
    const auto wide = integer();
    if (wide < 0 || wide > static_cast<std::int64_t>(last_of(T{})))
      throw decode_error("an unknown value of an enumeration");
    value = static_cast<T>(wide);
  }
  template <class T>
  void get(std::optional<T>& value) {
    bool there = false;
    get(there);
    value.reset();
    if (there) get(value.emplace());
  }
  template <class T>
  void get(std::vector<T>& list) {
    const auto size = length();  // an item takes a byte at least
    list.clear();
    for (std::size_t i = 0; i < size; ++i) get(list.emplace_back());
  }
  template <class... Ts>
  void get(std::variant<Ts...>& value) {
    const auto index = number();
    std::size_t at = 0;
    const bool known = ((at++ == index ? (get(value.template emplace<Ts>()), true) : false) || ...);
    if (!known) throw decode_error("an unknown kind of message");
  }
  template <class T>
  void get(std::shared_ptr<const T>& value) {
    bool there = false;
    get(there);
    if (!there) return value.reset();
    auto read = std::make_shared<T>();
    get(*read);
    value = std::move(read);
  }
  template <class T, std::size_t Size>
  void get(std::array<T, Size>& list) {
    for (auto& item : list) get(item);
  }
  void get(std::optional<trace_context>& trace) {
    std::string text;
    get(text);
    trace = trace_context_of(text);
  }
  template <class T>
  requires std::is_class_v<T>
  void get(T& value) {
    if (!sized_) {
      if constexpr (!std::is_empty_v<T>) visit_fields(value, *this);
      return;
    }
    const auto size = length();
    wire_reader fields(rest_.substr(0, size), version_);
    fields.within_value_ = true;
    if constexpr (!std::is_empty_v<T>) visit_fields(value, fields);
    rest_.remove_prefix(size);  // skips the fields known to the writer only
  }

  /// Refuses bytes behind the value.
  void finish() const {
    if (!rest_.empty()) throw decode_error("a message with bytes behind its end");
  }

 private:
  std::uint64_t number() {
    std::uint64_t n = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) throw decode_error("a message that ends too early");
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      if (shift == 63 && byte > 1) break;
      n |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return n;
    }
    throw decode_error("a number that is too long");
  }

  std::size_t length() {
    const auto n = number();
    if (n > rest_.size()) throw decode_error("a length beyond the message's end");
    return static_cast<std::size_t>(n);
  }

  std::int64_t integer() {
    const auto n = number();
    return static_cast<std::int64_t>(n >> 1 ^ (~(n & 1) + 1));
  }

  std::uint32_t version_;
  bool sized_;
  bool within_value_ = false;
  std::string_view rest_;
};

template <class T>
std::string to_wire(const T& value, std::uint32_t version = protocol_version) {
  wire_writer writer(version);
  writer.put(value);
  return writer.take();
}

/// Throws decode_error.
template <class T>
T from_wire(std::string_view bytes, std::uint32_t version = protocol_version) {
  T value;
  wire_reader reader(bytes, version);
  reader.get(value);
  reader.finish();
  return value;
}

}  // namespace skanu
