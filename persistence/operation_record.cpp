#include "persistence/operation_record.hpp"

#include "messages/fields.hpp"

namespace skanu {

template <>
struct enum_words<effect> {
  static constexpr std::array<std::string_view, 3> list = {"created", "changed", "unchanged"};
};

namespace {

std::int64_t milliseconds_of(instant t) { return t.time_since_epoch().count(); }

/// The time at the front of a gateway's operation id, as it stands in its key: 48 bits.
std::string gateway_key_at(instant t) {
  auto bits = ordered_key(milliseconds_of(t));
  return "g" + bits.substr(2);
}

/// The time that the gateway gave an operation's name.
instant time_in(const operation_id& operation) {
  std::int64_t milliseconds = 0;
  for (std::size_t i = 0; i < 6; ++i) milliseconds = milliseconds << 8 | operation.bytes[i];
  return instant(std::chrono::milliseconds(milliseconds));
}

/// Gateways' operations are forgotten in the order of their keys, hence of their gateway's time.
/// Those of a gateway whose clock is far off stand apart, and expire as clients' do.
std::string key_apart(const operation_id& operation) {
  auto key = operation.key();
  key.front() = 's';
  return key;
}

bool stands_apart(const operation_id& operation, instant now) {
  return !operation.from_client &&
         std::chrono::abs(now - time_in(operation)) > trusted_clock_difference;
}

void write_error(json_object_writer& writer, const error& e) {
  writer("error", name_of(e.code));
  writer("detail", e.detail);
  std::string fields = "[";
  for (const auto& f : e.wrong_fields) {
    if (fields.size() > 1) fields += ',';
    json_object_writer field(fields);
    field("field", f.field);
    field("message", f.message);
    field.close();
  }
  writer.raw("fields", fields + "]");
}

error read_error(const nlohmann::json& record) {
  error e{errc_named(record.value("error", "")), record.value("detail", "")};
  for (const auto& f : record.value("fields", nlohmann::json::array()))
    e.wrong_fields.push_back({f.value("field", ""), f.value("message", "")});
  return e;
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
  if (const auto* done = std::get_if<accepted>(&result)) {
    writer("effect", done->what);
    writer("id", done->id);
    writer("version", done->version);
    if (operation.from_client && done->document) writer("document", *done->document);
  } else {
    write_error(writer, std::get<error>(result));
  }
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
  if (operation.from_client && record.value("fingerprint", "") != std::to_string(fingerprint))
    return error{errc::operation_reused, "This idempotency key was used for another request."};
  if (record.contains("error")) return read_error(record);
  accepted done;
  json_object_reader reader(record);
  reader("effect", done.what);
  reader("id", done.id);
  reader("version", done.version);
  std::optional<std::string> document;
  reader("document", document);
  if (!document) document = from.entity(of, done.id);
  if (document) done.document = std::make_shared<const std::string>(std::move(*document));
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
