#include "actors/rules/stamp_rules.hpp"

#include "persistence/stored_number.hpp"

namespace skanu {

namespace {

using decided = decision<stamp_event>;

/// Returns the unique key of a payment's effect on an account: 'e' earned, 'd' deducted.
std::string effect_key(entity_id account, entity_id payment, char what) {
  auto key = ordered_key(account) + 'k';
  append_ordered_key(key, payment);
  return key + what;
}

}  // namespace

std::string stamp_rules::ledger_prefix(entity_id account) { return ordered_key(account) + 'l'; }

stamp_rules::decision_context stamp_rules::gather(entity_id account, const command& c,
                                                  const row_lookup& row) {
  decision_context known;
  const auto look = [&](entity_id payment) {
    if (const auto earned = row(effect_key(account, payment, 'e')))
      known.earned = stored_number(*earned, "of what a payment earned");
    known.deducted = row(effect_key(account, payment, 'd')).has_value();
  };
  if (const auto* earn = std::get_if<earn_stamps>(&c)) look(earn->payment_id);
  if (const auto* deduct = std::get_if<deduct_stamps>(&c)) look(deduct->payment_id);
  return known;
}

decided stamp_rules::decide(const state& s, const command& c, entity_id account,
                            const decision_context& known) {
  const auto phone = phone_of_account(account);
  return std::visit(
      overloaded{
          [&](const add_stamps& a) {
            if (a.qty < 0 && s.stamp_qty + a.qty < 0)
              return decided::refuse(errc::negative_balance, "The balance would be negative.",
                                     {{"stampQty", "takes more than there is"}});
            return decided::of(stamps_added{phone, a.qty});
          },
          [&](const earn_stamps& e) {
            if (known.earned || known.deducted) return decided::nothing();
            return decided::of(stamps_earned{phone, e.payment_id, e.qty});
          },
          [&](const deduct_stamps& d) {
            if (known.deducted) return decided::nothing();
            return decided::of(stamps_deducted{phone, d.payment_id, -known.earned.value_or(0)});
          }},
      c);
}

void stamp_rules::apply(state& s, const event& e) {
  std::visit(
      [&](const auto& change) {
        s.phone_number = change.phone_number;
        s.stamp_qty += change.stamp_qty;
      },
      e);
}

std::vector<row_write> stamp_rules::rows(entity_id account, const event& e, version_number version,
                                         std::string_view timestamp) {
  stamp_entry line;
  line.entry = version;
  line.timestamp = timestamp;
  std::vector<row_write> written;
  const auto once = [&](entity_id payment, char what, std::int64_t qty) {
    line.payment_id = payment;
    written.push_back(
        {row_space::rows, effect_key(account, payment, what), std::to_string(qty), true});
  };
  std::visit(
      [&](const auto& change) {
        line.kind = change.event_type;
        line.stamp_qty = change.stamp_qty;
        using change_type = std::decay_t<decltype(change)>;
        if constexpr (std::same_as<change_type, stamps_earned>)
          once(change.payment_id, 'e', change.stamp_qty);
        if constexpr (std::same_as<change_type, stamps_deducted>)
          once(change.payment_id, 'd', change.stamp_qty);
        if constexpr (std::same_as<change_type, stamps_moved_out>)
          line.other_phone_number = change.to_phone_number;
        if constexpr (std::same_as<change_type, stamps_moved_in>)
          line.other_phone_number = change.from_phone_number;
      },
      e);
  auto key = ledger_prefix(account);
  append_ordered_key(key, version);
  written.push_back({row_space::rows, std::move(key), to_json(line), true});
  return written;
}

}  // namespace skanu
