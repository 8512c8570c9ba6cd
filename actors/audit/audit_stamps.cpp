#include "actors/audit/audit_stamps.hpp"

#include "messages/phone.hpp"

namespace skanu {

namespace {

/// The account of a stored phone number; 0 for any other text.
entity_id account_of(const std::string& phone) {
  return is_stored_phone(phone) ? account_id_of(phone) : 0;
}

}  // namespace

void row_digest::add(std::string_view key, std::string_view value) {
  std::string row(key);
  row += '\0';
  row += value;
  ++rows;
  sum += std::hash<std::string_view>{}(row);
}

void stamp_audit::check_accounts() {
  accounts_ = fold_log<stamp_rules, stamp_marks>(
      from_, report_,
      [](const stamp_event& event) {
        return std::visit([](const auto& e) { return account_of(e.phone_number); }, event);
      },
      [this](auto& account, entity_id id, const stamp_event& event, const event_header& header,
             log_offset) {
        for (const auto& row : stamp_rules::rows(id, event, header.version, to_rfc3339(header.at)))
          account.marks.expected.add(row.key, *row.value);
        note(id, event);
        check_move(id, event);
      });
  if (moved_out_) note_lost(*moved_out_);
  state_check<stamp_rules, audited_stamps>(from_, 2, accounts_, report_).run();
  check_ledgers();
}

void stamp_audit::note(entity_id account, const stamp_event& event) {
  const auto twice = [&](entity_id payment, std::string_view what) {
    report_.violated(3, service::stamp, account,
                     "payment " + std::to_string(payment) + " " + std::string(what) + " twice");
  };
  std::visit(overloaded{[](const stamps_added&) {}, [](const stamps_moved_out&) {},
                        [](const stamps_moved_in&) {},
                        [&](const stamps_earned& e) {
                          auto& effect = effects_[e.payment_id];
                          if (effect.earned_by != 0) twice(e.payment_id, "earned");
                          effect.earned_by = account;
                          effect.earned += e.stamp_qty;
                        },
                        [&](const stamps_deducted& e) {
                          auto& effect = effects_[e.payment_id];
                          if (effect.taken_from != 0) twice(e.payment_id, "was taken back");
                          effect.taken_from = account;
                          effect.taken += e.stamp_qty;
                        }},
             event);
}

/// A commit holds both events of a move: nothing comes between them.
void stamp_audit::check_move(entity_id account, const stamp_event& event) {
  const auto out = std::exchange(moved_out_, std::nullopt);
  const auto* in = std::get_if<stamps_moved_in>(&event);
  const bool arrives = in && out && in->phone_number == out->to_phone_number &&
                       in->from_phone_number == out->phone_number &&
                       in->stamp_qty == -out->stamp_qty;
  if (out && !arrives) note_lost(*out);
  if (in && !arrives)
    report_.violated(3, service::stamp, account, "stamps were moved in that nobody gave");
  if (const auto* leaving = std::get_if<stamps_moved_out>(&event)) moved_out_ = *leaving;
}

void stamp_audit::note_lost(const stamps_moved_out& out) {
  report_.violated(3, service::stamp, account_of(out.phone_number),
                   "its stamps were moved out, and did not come in elsewhere");
}

void stamp_audit::take_row(const stored_row& row) {
  const auto id = number_of_key(row.key);
  const auto found = accounts_.find(id);
  if (row.key.size() < 9 || found == accounts_.end())
    return report_.violated(3, service::stamp, id, "there is a row of a ledger, and no account");
  auto& marks = found->second.marks;
  marks.found.add(row.key, row.value);
  if (!row.key.starts_with(stamp_rules::ledger_prefix(id))) return;
  std::string why;
  if (!decodes([&] { marks.sum += from_json<stamp_entry>(parse_stored_json(row.value)).stamp_qty; },
               why))
    report_.violated(3, service::stamp, id, "a line of its ledger cannot be read: " + why);
}

void stamp_audit::check_ledgers() {
  walk_rows(from_, service::stamp, row_space::rows, {},
            [this](const stored_row& row) { take_row(row); });
  for (const auto& [id, account] : accounts_) {
    const auto& marks = account.marks;
    if (marks.sum != account.state.stamp_qty)
      report_.violated(3, service::stamp, id,
                       "its balance is " + std::to_string(account.state.stamp_qty) +
                           ", and its ledger sums up to " + std::to_string(marks.sum));
    if (marks.found != marks.expected)
      report_.violated(
          3, service::stamp, id,
          "its ledger is not what its events make: " + std::to_string(marks.found.rows) +
              " rows, expected " + std::to_string(marks.expected.rows));
  }
}

void stamp_audit::check_payments(const audited_payments& payments,
                                 const consumer_progress& progress) {
  for (const auto& [id, effect] : effects_) {
    const auto* p = find_entity(payments, id);
    const auto name = "payment " + std::to_string(id);
    const auto expected =
        p == nullptr || !p->state.phone_number ? 0 : account_of(*p->state.phone_number);
    if (effect.earned_by != 0) {
      if (p == nullptr || p->marks.paid_at == 0) {
        report_.violated(3, service::stamp, effect.earned_by,
                         name + " earned stamps, and was never paid");
      } else if (effect.earned_by != expected || effect.earned != p->state.details.qty) {
        report_.violated(3, service::stamp, effect.earned_by,
                         name + " earned other stamps than it should");
      }
    }
    if (effect.taken_from != 0) {
      if (p == nullptr || p->marks.refunded_at == 0) {
        report_.violated(3, service::stamp, effect.taken_from,
                         name + " was taken back, and was not cancelled");
      } else if (effect.taken_from != expected || effect.taken != -effect.earned) {
        report_.violated(3, service::stamp, effect.taken_from,
                         name + " was taken back otherwise than it had earned");
      }
    }
  }
  for (const auto& [id, p] : payments) {
    if (!p.state.phone_number || p.marks.paid_at == 0) continue;
    const auto account = account_of(*p.state.phone_number);
    if (account == 0) {
      report_.violated(2, service::payment, id, "its phone number is not normalised");
      continue;
    }
    const auto effect = effects_.find(id);
    const bool earned = effect != effects_.end() && effect->second.earned_by != 0;
    const bool taken = effect != effects_.end() && effect->second.taken_from != 0;
    const auto name = "payment " + std::to_string(id);
    // A payment cancelled before its stamps came never earns stamps: the cancellation alone
    // suffices.
    progress.demand(consumers::stamp_follows_payment, p.marks.paid_at, account, earned || taken, 3,
                    service::stamp, account, name + " was paid, and earned nothing");
    if (p.marks.refunded_at != 0)
      progress.demand(consumers::stamp_follows_payment, p.marks.refunded_at, account, taken, 3,
                      service::stamp, account,
                      name + " was cancelled, and its stamps were not taken back");
  }
}

}  // namespace skanu
