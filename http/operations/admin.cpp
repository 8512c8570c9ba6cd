#include "http/operations/admin.hpp"

#include <algorithm>

#include "actors/rules/consumers.hpp"
#include "http/format/phone_masking.hpp"
#include "persistence/log/consumer_keys.hpp"

namespace skanu {

namespace {

constexpr std::string_view letters_path = "/admin/deadLetters";
constexpr std::int64_t usual_page = 20;

[[noreturn]] void wrong_parameter(const std::string& name, const std::string& what) {
  throw refused{{errc::invalid_field, "A query parameter is wrong.", {{name, what}}}};
}

const consumer* consumer_named(std::string_view name) {
  for (const auto& who : consumers::all)
    if (who.name == name) return &who;
  return nullptr;
}

std::size_t size_wanted(const call& c) {
  const auto given = c.query("size");
  if (!given) return usual_page;
  const auto size = id_of(*given);
  if (!size || *size > static_cast<std::int64_t>(largest_page))
    wrong_parameter("size", "must be 1 to " + std::to_string(largest_page));
  return static_cast<std::size_t>(*size);
}

/// The account of a letter, as a masked phone number.
std::string masked_account(entity_id account) { return masked_phone(phone_of_account(account)); }

std::string shown(const dead_letter& letter, const consumer& who, const std::string& name) {
  std::string out;
  json_object_writer writer(out);
  writer("id", name);
  writer("consumer", letter.consumer);
  writer("service", letter.follows);
  writer("offset", letter.offset);
  if (who.of == service::stamp && letter.entity != 0) {
    writer("entity", masked_account(letter.entity));
  } else {
    writer("entity", letter.entity);
  }
  writer("attempts", letter.attempts);
  writer("reason", with_phones_masked(letter.reason));
  writer("timestamp", letter.timestamp);
  // An event that is not JSON may be the reason for the dead letter.
  if (auto event = nlohmann::ordered_json::parse(letter.event, nullptr, false);
      !event.is_discarded()) {
    mask_phones(event);
    writer.raw("event", event.dump());
  } else {
    writer("event", with_phones_masked(letter.event));
  }
  writer.close();
  std::string path(letters_path);
  path.append("/").append(name);
  return hal_item(out, path);
}

std::string list_of(const std::vector<std::string>& items) {
  std::string out = "[";
  for (const auto& item : items) out.append(out.size() > 1 ? "," : "").append(item);
  return out + ']';
}

/// The name of the letter in a row.
letter_name named_by(std::string_view key, std::string_view prefix, const consumer& who) {
  key.remove_prefix(prefix.size());
  return {std::string(who.name), number_of_key(key.substr(0, 8)),
          number_of_key(key.substr(std::min<std::size_t>(8, key.size())))};
}

/// A page of letters in the making.
struct letters_page {
  std::size_t size = 0;
  std::vector<std::string> items, damaged;  ///< JSON texts; names of damaged letters.
  std::string last = {};                    ///< Name of the last letter on the page.
  bool more = false;                        ///< A further letter found no room.

  /// Adds a consumer's letters behind the key `beyond`, as far as there is room.
  void take(const store& data, const consumer& who, const std::string& beyond,
            const letter_names& names) {
    const auto prefix = dead_letter_prefix(who.name);
    const auto room = size - items.size() - damaged.size();
    const auto rows = data.read()->rows(who.of, row_space::dead_letters, prefix, beyond, room + 1);
    for (const auto& row : rows) {
      more = items.size() + damaged.size() == size;
      if (more) return;
      if (row.damaged) {
        last = names.text_of(named_by(row.key, prefix, who));
        damaged.push_back('"' + last + '"');
        continue;
      }
      const auto letter = from_json<dead_letter>(parse_stored_json(row.value));
      last = names.text_of(name_of(letter));
      items.push_back(shown(letter, who, last));
    }
  }
};

/// The letter named by the path, and the letter's consumer.
std::pair<letter_name, const consumer*> letter_in_path(const call& c, const letter_names& names) {
  const auto name = names.read(c.parameter());
  const auto* who = name ? consumer_named(name->consumer) : nullptr;
  if (who == nullptr) throw refused{{errc::not_found, "There is no such dead letter."}};
  return {*name, who};
}

void settle(const call& c, const admin_view& view, bool discarded) {
  const auto [name, who] = letter_in_path(c, view.letters);
  if (!c.to().has_dead_letter_router(who->of)) {
    const auto& node = view.nodes[static_cast<std::size_t>(who->of)];
    return render_problem(421,
                          "The dead letters of " + name.consumer + " are settled on the node " +
                              (node.empty() ? std::string(name_of(who->of)) : node) + ".",
                          c.out());
  }
  c.answer_empty(c.to().tell_consumer(who->of, {name, discarded}));
}

}  // namespace

void admin::dead_letters(const call& c, const admin_view& view) {
  const auto size = size_wanted(c);
  std::optional<letter_name> after;
  const consumer* from = nullptr;
  if (const auto text = c.query("after")) {
    after = view.letters.read(*text);
    from = after ? consumer_named(after->consumer) : nullptr;
    if (from == nullptr) wrong_parameter("after", "must be the id of a dead letter");
  }
  letters_page page;
  page.size = size;
  for (const auto& who : consumers::all) {
    const auto* data = view.stores[static_cast<std::size_t>(who.of)];
    if (data == nullptr || (from != nullptr && &who < from)) continue;
    std::string beyond;
    if (&who == from) {
      beyond = dead_letter_prefix(who.name);
      append_ordered_key(beyond, after->entity);
      append_ordered_key(beyond, after->offset);
    }
    page.take(*data, who, beyond, view.letters);
    if (page.more) break;
  }
  const auto link = [&](const std::string& behind) {
    std::string text = R"({"href":")";
    text.append(letters_path).append("?size=").append(std::to_string(size)).append(behind);
    return text + "\"}";
  };
  std::string out;
  json_object_writer writer(out);
  writer.raw("_embedded", R"({"deadLetters":)" + list_of(page.items) + '}');
  writer.raw("_links", R"({"self":)" + link(after ? "&after=" + view.letters.text_of(*after) : "") +
                           (page.more ? R"(,"next":)" + link("&after=" + page.last) : "") + '}');
  if (!page.damaged.empty()) writer.raw("damaged", list_of(page.damaged));
  writer.close();
  c.send(out, hal_type);
}

void admin::replay(const call& c, const admin_view& view) { settle(c, view, false); }

void admin::discard(const call& c, const admin_view& view) { settle(c, view, true); }

}  // namespace skanu
