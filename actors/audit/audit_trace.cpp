#include "actors/audit/audit_trace.hpp"

namespace skanu {

namespace {

/// The stored history of one order. take() receives the rows in key order.
class stored_history {
 public:
  stored_history(entity_id order, audit_report& report) : order_(order), report_(report) {}

  void take(const stored_row& row) {
    const auto entry = number_of_key(std::string_view(row.key).substr(8));
    if (row.key.size() != 16 || entry != digest_.rows + 1)
      violated("its history has a gap before entry " + std::to_string(entry));
    digest_.add({}, row.value);
    check_place(row.value);
  }

  void compare(const audited_traces& traces) const {
    const auto* trace = find_entity(traces, order_);
    const auto expected = trace == nullptr ? row_digest{} : trace->marks.expected;
    if (digest_ != expected)
      violated("its history is not what the logs say: " + std::to_string(digest_.rows) +
               " events, expected " + std::to_string(expected.rows));
  }

 private:
  /// Demands ascending offsets for the events of each log.
  void check_place(const std::string& line) {
    const auto place = place_of(line);
    const auto from = place ? service_named(place->of) : std::nullopt;
    if (!from) return violated("an entry of its history cannot be read");
    auto& last = last_[static_cast<std::size_t>(*from)];
    if (place->offset <= last)
      violated("its history is not in the order of " + std::string(name_of(*from)) + "'s log");
    last = place->offset;
  }

  void violated(std::string what) const {
    report_.violated(6, service::ordertrace, order_, std::move(what));
  }

  entity_id order_;
  audit_report& report_;
  row_digest digest_;
  std::array<log_offset, service_count> last_{};
};

void check_histories(const snapshot& from, audited_traces& traces, audit_report& report) {
  std::optional<std::pair<entity_id, stored_history>> current;
  const auto finish = [&] {
    if (!current) return;
    current->second.compare(traces);
    // Traces with an expectation left at the end have no history at all.
    if (const auto found = traces.find(current->first); found != traces.end())
      found->second.marks.expected = {};
  };
  walk_rows(from, service::ordertrace, row_space::rows, {}, [&](const stored_row& row) {
    const auto id = number_of_key(row.key);
    if (row.key.size() < 8)
      return report.violated(6, service::ordertrace, 0, "an entry of a history has a short key");
    if (!current || current->first != id) {
      finish();
      current.emplace(id, stored_history(id, report));
    }
    current->second.take(row);
  });
  finish();
  for (const auto& [id, t] : traces)
    if (t.marks.expected.rows > 0) report.violated(6, service::ordertrace, id, "it has no history");
}

/// The fields of a stored TraceChanged after the event header.
std::string_view shown_by(std::string_view change) {
  const auto id = change.find(R"("id":)");
  return id == change.npos ? std::string_view() : change.substr(id);
}

/// Demands rising versions in a trace's changes, and no version ahead of the trace.
void take_changes(const snapshot& from, audited_traces& traces, audit_report& report) {
  log_offset expected = 1;
  walk_log(from, service::ordertrace, [&](const logged_event& e) {
    const auto at = "the event at offset " + std::to_string(e.offset);
    const auto violated = [&](entity_id id, const std::string& what) {
      report.violated(id == 0 ? 2 : 6, service::ordertrace, id, at + what);
    };
    if (e.offset != expected) violated(0, " follows offset " + std::to_string(expected - 1));
    expected = e.offset + 1;
    std::string why;
    event_header header;
    entity_id id = 0;
    if (!decodes(
            [&] {
              const auto body = parse_stored_json(e.body);
              header = header_of(body);
              id = std::get<trace_changed>(decode_event<trace_event>(body)).now.id;
            },
            why))
      return violated(0, " cannot be read: " + why);
    const auto found = traces.find(id);
    if (found == traces.end()) return violated(id, " is of no trace");
    auto& marks = found->second.marks;
    if (header.version <= marks.changed_by || header.version > found->second.version)
      violated(id, " says version " + std::to_string(header.version));
    marks.changed_by = header.version;
    marks.last_change = e.offset;
  });
}

/// Demands equality of a trace and its last change, where the trace has changes.
void check_changes(const snapshot& from, const audited_traces& traces, audit_report& report) {
  for (const auto& [id, t] : traces) {
    if (t.marks.last_change == 0) continue;
    const auto last = from.events(service::ordertrace, t.marks.last_change, 1);
    const auto shows = to_json(t.state);
    if (last.empty() || shown_by(last.front().body) == std::string_view(shows).substr(1)) continue;
    order_trace said;
    std::string ignored;  // take_changes has decoded the event before
    decodes([&] { said = from_json<order_trace>(parse_stored_json(last.front().body)); }, ignored);
    said.registered = t.state.registered;
    complete(said, t.state);
    if (said != t.state || !listed(t.state))
      report.violated(6, service::ordertrace, id,
                      "its last TraceChanged is not what the trace shows");
  }
}

}  // namespace

void trace_audit::take(const consumer& who, const logged_event& e) {
  if (!progress_.has_seen(who, e.offset) || progress_.set_aside_event(who, e.offset)) return;
  const auto id = order_of(e.body);
  if (id <= 0) return;
  auto& t = traces_[id];
  std::string ignored;  // fold_log reports an unreadable event
  if (!decodes([&] { apply_event(t.state, id, e.body); }, ignored)) return;
  ++t.version;
  t.marks.expected.add({}, located_event(who.follows, e.offset, e.body));
}

void trace_audit::check(const snapshot& from, audit_report& report) {
  state_check<trace_as_rules, audited_traces>(from, 6, traces_, report).run();
  check_histories(from, traces_, report);
  take_changes(from, traces_, report);
  check_changes(from, traces_, report);
}

}  // namespace skanu
