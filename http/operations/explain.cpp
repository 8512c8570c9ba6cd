// GET /admin/explain/orders/{id}: gathers the answers of every service about an order.
// actors/audit/order_picture.hpp finds the open steps.
#include "actors/audit/order_picture.hpp"
#include "actors/rules/consumers.hpp"
#include "actors/rules/stamp_rules.hpp"
#include "actors/rules/trace_rules.hpp"
#include "http/format/phone_masking.hpp"
#include "http/operations/admin.hpp"
#include "messages/event.hpp"
#include "persistence/document.hpp"
#include "persistence/log/consumer_keys.hpp"
#include "persistence/stored_number.hpp"

namespace skanu {

namespace {

constexpr std::size_t events_shown = 10, letters_shown = 20, lines_looked_at = 100;

using json = nlohmann::ordered_json;

class question {
 public:
  question(const call& c, const admin_view& view, entity_id id) : c_(c), view_(view), id_(id) {}

  /// Returns nullopt where every service answers and none knows the order.
  std::optional<json> answer() {
    picture_.order = look<order_state>(service::order, id_);
    picture_.payment = look<payment_state>(service::payment, id_);
    picture_.delivery = look<delivery_state>(service::delivery, id_);
    picture_.trace = look<order_trace>(service::ordertrace, id_);
    look_at_history();
    look_at_stamps();
    for (const auto& who : consumers::all) look_at(who);
    if (entities_.empty() && away_.empty()) return std::nullopt;
    json out;
    out["id"] = id_;
    out["openSteps"] = open_steps(picture_);
    out["entities"] = entities_;
    out["events"] = json::array();
    for (const auto& e : picture_.events)
      out["events"].push_back({{"service", name_of(e.of)},
                               {"offset", e.offset},
                               {"eventType", e.type},
                               {"timestamp", e.timestamp}});
    out["positions"] = picture_.positions;
    out["deadLetters"] = json::array();
    for (const auto& letter : picture_.letters)
      out["deadLetters"].push_back({{"id", view_.letters.text_of(name_of(letter))},
                                    {"eventType", event_type_of(letter.event)},
                                    {"attempts", letter.attempts},
                                    {"reason", with_phones_masked(letter.reason)}});
    if (!away_.empty()) out["away"] = away_;
    try {
      out.update(json::parse(view_.breakers()));
    } catch (const store_error&) {
      out["circuitBreakers"] = nullptr;  // the node that places orders is away
    }
    return out;
  }

 private:
  /// Returns the result of `look` on a service's durable data; empty where the service is away.
  template <class Look>
  auto reading_of(service s, Look look) -> decltype(look(std::declval<const reading&>())) {
    auto& away = picture_.away[static_cast<std::size_t>(s)];
    if (away) return {};
    try {
      return c_.to().read(s, look);
    } catch (const store_error& e) {
      if (e.code() != errc::service_away) throw;
    }
    away = true;
    away_.push_back(name_of(s));
    return {};
  }

  template <class State>
  std::optional<State> look(service s, entity_id id) {
    const auto document =
        reading_of(s, [&](const reading& now) { return now.listed_entity(s, id); });
    if (!document) return std::nullopt;
    const auto parts = parts_of(*document);
    auto state = json::parse(parts.data);
    mask_phones(state);
    auto& shown = entities_[std::string(name_of(s))];
    if (const auto& node = view_.nodes[static_cast<std::size_t>(s)]; !node.empty())
      shown["node"] = node;
    shown["version"] = parts.version;
    shown["state"] = std::move(state);
    return decode_document<State>(*document);
  }

  /// Returns the last numbered rows with a prefix, newest first.
  std::optional<stored_page> last_rows(service s, entity_id id, const std::string& prefix,
                                       std::size_t size) {
    page_query wanted;
    wanted.size = size;
    wanted.descending = true;
    return reading_of(s, [&](const reading& now) { return now.rows_page(s, id, prefix, wanted); });
  }

  void look_at_history() {
    const auto page = last_rows(service::ordertrace, id_, history_prefix(id_), events_shown);
    if (!page) return;
    for (auto row = page->items.rbegin(); row != page->items.rend(); ++row) {
      const auto place = place_of(row->document);
      const auto of = place ? service_named(place->of) : std::nullopt;
      if (!of) continue;
      const auto event = parse_stored_json(row->document);
      picture_.events.push_back(
          {*of, place->offset, event.value("eventType", ""), event.value("timestamp", "")});
    }
  }

  /// Reads only the end of a long ledger, so the stamps of the order may stay unknown.
  void look_at_stamps() {
    if (!picture_.payment || !picture_.payment->phone_number) return;
    account_ = account_id_of(*picture_.payment->phone_number);
    look<stamp_state>(service::stamp, account_);
    if (picture_.is_away(service::stamp)) return;
    const auto page =
        last_rows(service::stamp, account_, stamp_rules::ledger_prefix(account_), lines_looked_at);
    if (!page || page->total <= static_cast<std::int64_t>(lines_looked_at))
      picture_.stamps_earned = false;
    if (!page) return;
    for (const auto& row : page->items) {
      const auto line = from_json<stamp_entry>(parse_stored_json(row.document));
      if (line.payment_id == id_) picture_.stamps_earned = true;
    }
  }

  void look_at(const consumer& who) {
    const auto* data = view_.stores[static_cast<std::size_t>(who.of)];
    if (data == nullptr) return;
    const auto now = data->read();
    picture_.positions[std::string(who.name)] = meta_number(*now, who.of, position_key(who.name));
    const auto target = who.of == service::stamp ? account_ : id_;
    if (target == 0) return;
    auto prefix = dead_letter_prefix(who.name);
    append_ordered_key(prefix, target);
    for (const auto& row : now->rows(who.of, row_space::dead_letters, prefix, {}, letters_shown)) {
      if (row.damaged) continue;  // /admin/deadLetters lists damaged rows
      auto letter = from_json<dead_letter>(parse_stored_json(row.value));
      if (order_of(letter.event) == id_) picture_.letters.push_back(std::move(letter));
    }
  }

  const call& c_;
  const admin_view& view_;
  entity_id id_;
  entity_id account_ = 0;
  order_picture picture_;
  json entities_ = json::object();
  std::vector<std::string_view> away_;
};

}  // namespace

void admin::explain(const call& c, const admin_view& view) {
  const auto id = c.id();
  const auto found = question(c, view, id).answer();
  if (!found) throw refused{{errc::not_found, "No service knows that order."}};
  c.send(hal_item(found->dump(-1, ' ', false, json::error_handler_t::replace),
                  "/admin/explain/orders/" + std::to_string(id)),
         hal_type);
}

}  // namespace skanu
