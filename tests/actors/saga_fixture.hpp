// The actors of a whole node on a disk in virtual time, with the clients' commands and an audit.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/audit/audit.hpp"
#include "actors/consumers/event_log.hpp"
#include "actors/consumers/policies.hpp"
#include "actors/consumers/trace_view.hpp"
#include "actors/entities/checkout.hpp"
#include "actors/rules/delivery_rules.hpp"
#include "actors/rules/order_rules.hpp"
#include "actors/rules/payment_rules.hpp"
#include "actors/rules/stamp_rules.hpp"
#include "actors/rules/trace_rules.hpp"
#include "actors/supervision/supervisor.hpp"
#include "persistence/log/consumer_keys.hpp"
#include "tests/support/actor_fixture.hpp"

namespace skanu {

inline const std::string phone = "01012341234";

class saga_test : public actor_fixture {
 protected:
  /// Starts a node's actors.
  void start_node() {
    orders = region_of<order_rules>();
    payments = region_of<payment_rules>();
    deliveries = region_of<delivery_rules>();
    stamps = region_of<stamp_rules>();
    for (const auto s : {service::order, service::payment, service::delivery, service::stamp})
      hint_to(s, log(s) = running(system.spawn(event_log, &env(s), s)));
    checkout_limits limits;
    limits.shared_journal = shared_journal;
    placing =
        running(system.spawn<checkout>(env(service::order), orders, payments, faults, breaker,
                                       recover_ids(*data.read(), limits.shared_journal), limits));
    std::vector<child> children;
    for (auto policies :
         {policies_of(service::order, orders), policies_of(service::payment, payments),
          policies_of(service::delivery, deliveries), policies_of(service::stamp, stamps)})
      for (auto& p : policies)
        children.push_back({std::string(p.who.name), p.who.of, [this, p](caf::local_actor& by) {
                              consumer_limits few;
                              few.batch = batch;
                              return caf::actor_cast<caf::actor>(by.spawn<policy>(
                                  env(p.who.of), p, log(p.who.follows), faults, few));
                            }});
    children.push_back({"trace", service::ordertrace, [this](caf::local_actor& by) {
                          std::vector<trace_view::source> sources;
                          for (const auto s : {service::order, service::payment, service::delivery})
                            sources.push_back({s, log(s)});
                          consumer_limits few;
                          few.batch = batch;
                          return caf::actor_cast<caf::actor>(
                              by.spawn<trace_view>(env(service::ordertrace), sources, few));
                        }});
    supervising = running(system.spawn<supervisor>(std::move(children), metrics, seeds.next()));
    run();
  }

  /// Simulates kill -9: all commits not on disk are lost.
  void crash_node() {
    disk.lose_everything();
    caf::anon_send_exit(supervising, caf::exit_reason::user_shutdown);
    for (const auto& a : node_) caf::anon_send_exit(a, caf::exit_reason::kill);
    node_.clear();
    run();
    disk.lose_everything();
  }

  /// Advances the time until all consumers are idle, at most ten minutes.
  void catch_up() {
    const auto began = virtual_now();
    do {
      advance(milliseconds(100));
    } while (!idle() && virtual_now() - began < minutes(10));
  }

  bool idle() {
    const auto now = data.read();
    for (const auto& who : consumers::all) {
      const auto row = now->row(who.of, row_space::meta, position_key(who.name));
      if ((row ? std::stoll(*row) : 0) < now->log_end(who.follows)) return false;
    }
    return true;
  }

  audit_report audited() {
    const auto now = data.read();
    service_cut cut{};
    for (const auto s : all_services) cut[static_cast<std::size_t>(s)] = now.get();
    return audit(cut);
  }

  asked place(std::optional<std::string> phone_number = phone, std::int64_t qty = 2) {
    asked a;
    caf::anon_send(placing, place_order{{7, "Coffee", qty, 9'000, "card"}, std::move(phone_number)},
                   request_of(a));
    return a;
  }

  entity_id placed(std::optional<std::string> phone_number = phone, std::int64_t qty = 2) {
    const auto a = place(std::move(phone_number), qty);
    settle();
    EXPECT_EQ(a.word(), "created v1");
    return a.id();
  }

  asked pay(entity_id id) {
    update_payment u;
    u.target = payment_status::paid;
    return tell(payments, id, u);
  }

  asked move(entity_id id, delivery_status to) {
    return tell(deliveries, id, move_delivery{to, {}});
  }

  std::int64_t stamps_of(const std::string& number) {
    return stored_state<stamp_state>(service::stamp, account_id_of(number)).stamp_qty;
  }
  std::string trace_of(entity_id id) {
    return std::string(word_of(stored_state<order_trace>(service::ordertrace, id).status));
  }
  delivery_status delivery_of(entity_id id) {
    return stored_state<delivery_state>(service::delivery, id).status;
  }
  payment_state payment_of(entity_id id) {
    return stored_state<payment_state>(service::payment, id);
  }

  /// Counts an entity's events of a type.
  std::ptrdiff_t events_of(service s, entity_id id, std::string_view type) {
    std::ptrdiff_t n = 0;
    for (const auto& e : data.read()->events(s, 1, 100'000))
      n += order_of(e.body) == id && event_type_of(e.body) == type;
    return n;
  }

  bool shared_journal = true;
  std::size_t batch = 5;  ///< Events per batch of a consumer: small, to have many batches.
  order_region_actor orders;
  payment_region_actor payments;
  delivery_region_actor deliveries;
  stamp_region_actor stamps;
  checkout_actor placing;
  supervisor_actor supervising;
  breaker_display breaker;

 private:
  template <class Rules>
  region_actor<typename Rules::command> region_of() {
    return running(system.spawn<region<Rules>>(env(Rules::of), region_limits{}));
  }
  template <class Handle>
  Handle running(Handle a) {
    node_.push_back(caf::actor_cast<caf::actor>(a));
    return keep(a);
  }
  event_log_actor& log(service s) { return logs_[static_cast<std::size_t>(s)]; }

  std::array<event_log_actor, service_count> logs_;
  std::vector<caf::actor> node_;
};

}  // namespace skanu
