#include "persistence/operation_record.hpp"

#include "messages/fields.hpp"

namespace skanu {

template <>
struct enum_words<effect> {
  static constexpr std::array<std::string_view, 3> list = {"created", "changed", "unchanged"};
};

namespace {

std::int64_t milliseconds_of(instant t) { return t.time_since_epoch().count(); }

/// Returns the key of a gateway's operations at a time: the time fills the first 48 bits of the id.
std::string gateway_key_at(instant t) {
  auto bits = ordered_key(milliseconds_of(t));
  return "g" + bits.substr(2);
}

/// Returns the gateway's time in an operation's id.
instant time_in(const operation_id& operation) {
  std::int64_t milliseconds = 0;
  for (std::size_t i = 0; i < 6; ++i) milliseconds = milliseconds << 8 | operation.bytes[i];
  return instant(std::chrono::milliseconds(milliseconds));
}

/// Returns the key for an operation of a gateway whose clock is far off: its record expires like a
/// client's. Other gateways' records expire in the order of their keys, and so of the gateway's
/// time.
std::string key_apart(const operation_id& operation) {
  auto key = operation.key();
  key.front() = 's';
  return key;
}

bool stands_apart(const operation_id& operation, instant now) {
  return !operation.from_client &&
         std::chrono::abs(now - time_in(operation)) > trusted_clock_difference;
}

/// Writes the members of an answer into a record. The names are stored; an error's code stands as a
/// word under "error".
struct record_writer {
  json_object_writer& record;
  bool with_document = false;

  template <class T>
  void operator()(std::string_view name, const T& member, since_protocol = {}) {
    record(name, member);
  }
  void operator()(std::string_view, errc code, since_protocol = {}) {
    record("error", name_of(code));
  }
  void operator()(std::string_view name, const std::vector<field_error>& list,
                  since_protocol = {}) {
    std::string items;
    for (const auto& item : list) {
      items += items.empty() ? '[' : ',';
      append_json(items, item);
    }
    record.raw(name, items.empty() ? "[]" : items + ']');
  }
  void operator()(std::string_view name, const std::shared_ptr<const std::string>& document,
                  since_protocol = {}) {
    if (with_document && document) record(name, *document);
  }
  template <class... Members>
  void local(const Members&...) {}
};

/// Reads the members of an answer from a record. Throws decode_error.
struct record_reader {
  const nlohmann::json& record;
  json_object_reader members{record};

  template <class T>
  void operator()(std::string_view name, T& member, since_protocol = {}) {
    members(name, member);
  }
  void operator()(std::string_view, errc& code, since_protocol = {}) {
    std::string word;
    members("error", word);
    code = errc_named(word);
  }
  void operator()(std::string_view name, std::vector<field_error>& list, since_protocol = {}) {
    const auto items = record.find(name);
    if (items == record.end()) return;
    if (!items->is_array()) throw decode_error("the fields of an error are no list");
    for (const auto& item : *items) list.push_back(from_json<field_error>(item));
  }
  void operator()(std::string_view name, std::shared_ptr<const std::string>& document,
                  since_protocol = {}) {
    std::optional<std::string> text;
    members(name, text);
    if (text) document = std::make_shared<const std::string>(std::move(*text));
  }
  template <class... Members>
  void local(const Members&...) {}
};

template <class Answer>
Answer answer_in(const nlohmann::json& record) {
  Answer answer;
  record_reader reader{record};
  visit_fields(answer, reader);
  return answer;
}

}  // namespace

std::vector<std::string> record_keys(const operation_id& operation) {
  if (operation.from_client) return {operation.key()};
  return {operation.key(), key_apart(operation)};
}

std::vector<row_write> operation_rows(const operation_id& operation, std::uint64_t fingerprint,
                                      const outcome& result, instant now) {
  std::string record;
  json_object_writer writer(record);
  if (operation.from_client) writer("fingerprint", std::to_string(fingerprint));
  record_writer answer{writer, operation.from_client};
  std::visit([&answer](const auto& members) { visit_fields(members, answer); }, result);
  writer.close();
  std::vector<row_write> rows;
  const bool apart = stands_apart(operation, now);
  const auto key = apart ? key_apart(operation) : operation.key();
  const auto expires = [&](auto kept) {
    rows.push_back({row_space::operation_expiry, ordered_key(milliseconds_of(now + kept)) + key,
                    std::string{}});
  };
  if (operation.from_client) {
    expires(client_operation_kept);
  } else if (apart) {
    expires(gateway_operation_kept);
  }
  rows.push_back({row_space::operations, key, std::move(record), true});
  return rows;
}

std::optional<outcome> recorded_outcome(const snapshot& from, service of,
                                        const operation_id& operation, std::uint64_t fingerprint) {
  std::optional<std::string> stored;
  for (const auto& key : record_keys(operation))
    if (!stored) stored = from.row(of, row_space::operations, key);
  if (!stored) return std::nullopt;
  const auto record = parse_stored_json(*stored);
  std::string recorded_fingerprint;
  json_object_reader{record}("fingerprint", recorded_fingerprint);
  if (operation.from_client && recorded_fingerprint != std::to_string(fingerprint))
    return error{errc::operation_reused, "This idempotency key was used for another request."};
  if (record.contains("error")) return answer_in<error>(record);
  auto done = answer_in<accepted>(record);
  if (done.document) return done;
  if (auto document = from.entity(of, done.id))
    done.document = std::make_shared<const std::string>(std::move(*document));
  return done;
}

std::vector<row_write> expired_operations(const snapshot& from, service of, instant now,
                                          std::size_t limit) {
  std::vector<row_write> rows;
  const auto client_end = ordered_key(milliseconds_of(now));
  for (auto& row : from.rows(of, row_space::operation_expiry, {}, {}, limit)) {
    if (row.key >= client_end) break;
    rows.push_back({row_space::operations, row.key.substr(8), std::nullopt});
    rows.push_back({row_space::operation_expiry, std::move(row.key), std::nullopt});
  }
  return rows;
}

std::vector<row_write> expired_gateway_operations(const snapshot& from, service of, instant now,
                                                  std::size_t limit) {
  std::vector<row_write> rows;
  const auto end = gateway_key_at(now - gateway_operation_kept);
  for (auto& row : from.rows(of, row_space::operations, "g", {}, limit)) {
    if (row.key >= end) break;
    rows.push_back({row_space::operations, std::move(row.key), std::nullopt});
  }
  return rows;
}

}  // namespace skanu
