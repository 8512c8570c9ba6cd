#include "actors/audit/audit.hpp"

#include "actors/audit/audit_saga.hpp"
#include "actors/audit/audit_stamps.hpp"
#include "actors/audit/audit_trace.hpp"

namespace skanu {

namespace {

constexpr auto id_of = [](const auto& event) {
  return std::visit([](const auto& e) { return e.id; }, event);
};

audited_orders orders_in(const snapshot& from, audit_report& report) {
  auto orders = fold_log<order_rules, order_marks>(
      from, report, id_of,
      [](auto& order, entity_id, const order_event& event, const event_header&, log_offset at) {
        std::visit(overloaded{[&](const order_cancelled&) { order.marks.cancelled_at = at; },
                              [&](const order_rejected&) { order.marks.rejected_at = at; },
                              [](const auto&) {}},
                   event);
      });
  state_check<order_rules, audited_orders>(from, 2, orders, report).run();
  return orders;
}

audited_payments payments_in(const snapshot& from, audit_report& report) {
  auto payments = fold_log<payment_rules, payment_marks>(
      from, report, id_of,
      [](auto& payment, entity_id, const payment_event& event, const event_header&, log_offset at) {
        auto& marks = payment.marks;
        std::visit(overloaded{[&](const paid& e) {
                                if (marks.paid_at == 0) marks.paid_at = at;
                                marks.paid += e.details.cost;
                              },
                              [&](const pay_cancelled& e) {
                                if (!e.refunded) return;
                                marks.refunded_at = at;
                                marks.refunded += e.details.cost;
                              },
                              [](const auto&) {}},
                   event);
      });
  state_check<payment_rules, audited_payments>(from, 2, payments, report).run();
  return payments;
}

audited_deliveries deliveries_in(const snapshot& from, audit_report& report) {
  auto deliveries = fold_log<delivery_rules, delivery_marks>(
      from, report, id_of,
      [](auto& delivery, entity_id, const delivery_event& event, const event_header&,
         log_offset at) {
        std::visit(
            overloaded{[&](const delivery_prepared&) { ++delivery.marks.prepared; },
                       [&](const delivered&) { delivery.marks.ended_at = at; }, [](const auto&) {}},
            event);
      });
  state_check<delivery_rules, audited_deliveries>(from, 2, deliveries, report).run();
  return deliveries;
}

void audit_trace(const service_cut& cut, const consumer_progress& progress, audit_report& report) {
  const auto* traces = snapshot_of(cut, service::ordertrace);
  if (traces == nullptr) return;
  trace_audit trace(progress);
  bool all_logs = true;
  for (const auto& who : consumers::all) {
    if (who.of != service::ordertrace) continue;
    const auto* log = snapshot_of(cut, who.follows);
    all_logs = all_logs && log != nullptr;
    if (!all_logs) continue;
    walk_log(*log, who.follows, [&](const logged_event& e) { trace.take(who, e); });
  }
  if (all_logs) {
    trace.check(*traces, report);
  } else {
    auto& figures = report.services[service::ordertrace];
    figures.entities = traces->count(service::ordertrace, {});
    walk_tombstones(*traces, service::ordertrace,
                    [&](const stored_entity&) { ++figures.tombstones; });
  }
}

/// Checks invariant 0 for every table of every service in the cut.
void audit_values(const service_cut& cut, audit_report& report) {
  for (const auto s : all_services) {
    const auto* from = snapshot_of(cut, s);
    if (from == nullptr) continue;
    for (const auto& table : from->check_values(s)) {
      if (table.without_checksum > 0) report.without_checksum[table.table] = table.without_checksum;
      for (const auto& key : table.named)
        report.violated(0, s, 0, table.table + ": the value of " + key + " is damaged");
      if (const auto more = table.damaged - std::ssize(table.named); more > 0)
        report.violated(0, s, 0, table.table + ": " + std::to_string(more) + " more are damaged");
    }
  }
}

}  // namespace

audit_report audit(const service_cut& cut) {
  audit_report report;
  audit_values(cut, report);
  const consumer_progress progress(cut, report);
  audit_trace(cut, progress, report);
  std::optional<audited_orders> orders;
  std::optional<audited_payments> payments;
  std::optional<audited_deliveries> deliveries;
  if (const auto* from = snapshot_of(cut, service::order)) orders = orders_in(*from, report);
  if (const auto* from = snapshot_of(cut, service::payment)) payments = payments_in(*from, report);
  if (const auto* from = snapshot_of(cut, service::delivery))
    deliveries = deliveries_in(*from, report);
  const auto pointer = [](const auto& map) { return map ? &*map : nullptr; };
  audit_saga(cut, {pointer(orders), pointer(payments), pointer(deliveries)}, progress, report);
  if (const auto* from = snapshot_of(cut, service::stamp)) {
    stamp_audit stamps(*from, report);
    stamps.check_accounts();
    if (payments) stamps.check_payments(*payments, progress);
  }
  return report;
}

}  // namespace skanu
