#include "cluster/node/node_actors.hpp"

#include "actors/consumers/event_log.hpp"
#include "actors/consumers/policies.hpp"
#include "actors/consumers/trace_view.hpp"
#include "actors/entities/checkout.hpp"
#include "actors/entities/housekeeper.hpp"
#include "actors/entities/region.hpp"
#include "actors/rules/entity_types.hpp"
#include "actors/rules/trace_rules.hpp"
#include "actors/supervision/faulty_payment.hpp"
#include "cluster/peers/remote.hpp"
#include "http/api/trace_feed.hpp"

namespace skanu {

namespace {

/// Name of the payment service's node for the checkout, whatever the node's own name.
constexpr std::string_view payments_node = "the payment node";

constexpr service trace_sources[] = {service::order, service::payment, service::delivery};

}  // namespace

node_actors::node_actors(node_tools tools, checkout_start start) : tools_(std::move(tools)) {
  entity_types::for_each([this]<class Rules>() { start_region<Rules>(); });
  checkout_ = start_checkout(std::move(start));
  for (const auto s : all_services)
    if (s != service::ordertrace || runs_here(s) || tools_.traces) log(s) = start_log(s);
}

template <class Handle>
Handle node_actors::keep(Handle actor) {
  long_lived_.push_back(caf::actor_cast<caf::actor>(actor));
  return actor;
}

/// Starts the region of a service's entities, or a stand-in for a service on another node.
template <class Rules>
void node_actors::start_region() {
  using command = typename Rules::command;
  auto& region = entities_.of<command>();
  if (!runs_here(Rules::of)) {
    region = keep(region_actor<command>(
        tools_.system.spawn(remote_region<command>, tools_.others.rpc_client_to(Rules::of))));
    return;
  }
  region = keep(region_actor<command>(
      tools_.system.spawn<skanu::region<Rules>>(environment(Rules::of), region_limits{})));
  // Only the payment node injects faults of payment.
  if constexpr (Rules::of == service::payment) {
    if (tools_.faults.touches_payment())
      region = keep(tools_.system.spawn(faulty_payment, region, &tools_.faults));
  }
}

event_log_actor node_actors::start_log(service s) {
  if (!runs_here(s))
    return keep(tools_.system.spawn(remote_log, tools_.others.rpc_client_to(s), s));
  auto here = keep(s == service::order ? tools_.system.spawn(order_log, &environment(s), checkout_)
                                       : tools_.system.spawn(event_log, &environment(s), s));
  if (tools_.log_started) tools_.log_started(s, here);
  return here;
}

checkout_actor node_actors::start_checkout(checkout_start start) {
  if (!runs_here(service::order))
    return keep(tools_.system.spawn(remote_checkout, tools_.others.rpc_client_to(service::order)));
  checkout_limits limits;
  limits.shared_journal = start.shared_journal;
  limits.restored = start.restored;
  if (!runs_here(service::payment)) limits.payment_node = payments_node;
  // Before the first id of all nobody knows any, and behind a leap nobody knows more.
  if (start.ids.next > 1 && !start.restored) limits.followers = std::move(start.followers);
  return keep(tools_.system.spawn<checkout>(
      environment(service::order), entities_.of<order_command>(), entities_.of<payment_command>(),
      tools_.faults, tools_.breaker, std::move(start.ids), limits));
}

void node_actors::start_consumers() {
  std::vector<child> children;
  entity_types::for_each([&]<class Rules>() {
    if (!runs_here(Rules::of)) return;
    for (auto& p : policies_of(Rules::of, entities_.of<typename Rules::command>()))
      children.push_back(child_of(std::move(p)));
  });
  if (runs_here(service::ordertrace)) children.push_back(trace_child());
  if (tools_.traces) children.push_back(feed_child());
  for (const auto s : all_services)
    if (runs_here(s)) children.push_back(housekeeper_child(s));
  supervisor_ =
      tools_.system.spawn<supervisor>(std::move(children), tools_.metrics, tools_.seeds.next());
}

child node_actors::child_of(policy_definition p) {
  const auto who = p.who;
  const std::string name(who.name);
  return {name,
          who.of,
          [this, who, p = std::move(p)](caf::local_actor& by) {
            return caf::actor_cast<caf::actor>(by.spawn<policy>(
                environment(who.of), p, log(who.follows), tools_.faults, consumer_limits{}));
          },
          {name}};
}

child node_actors::trace_child() {
  std::vector<std::string> names;
  for (const auto s : trace_sources) names.emplace_back(trace_consumer(s).name);
  return {"ordertrace", service::ordertrace,
          [this](caf::local_actor& by) {
            std::vector<trace_view::source> sources;
            for (const auto s : trace_sources) sources.push_back({s, log(s)});
            consumer_limits limits;
            limits.batch = 2'000;
            limits.window = std::chrono::milliseconds(20);
            return caf::actor_cast<caf::actor>(
                by.spawn<trace_view>(environment(service::ordertrace), sources, limits));
          },
          std::move(names)};
}

child node_actors::feed_child() {
  return {"trace-feed", service::ordertrace, [this](caf::local_actor& by) {
            return caf::actor_cast<caf::actor>(by.spawn<trace_feed>(
                log(service::ordertrace), *tools_.traces, tools_.seeds.next(), tools_.link_base));
          }};
}

child node_actors::housekeeper_child(service s) {
  return {"housekeeper-" + std::string(name_of(s)), s, [this, s](caf::local_actor& by) {
            return caf::actor_cast<caf::actor>(by.spawn(housekeeper, &environment(s), s));
          }};
}

void node_actors::take_note(const std::string& peer, const order_knowledge& orders) const {
  if (!runs_here(service::order) || !checkout_) return;
  const bool of_payment = tools_.others.node_of(service::payment) == peer;
  caf::anon_send(checkout_, known_ids{of_payment ? std::string(payments_node) : peer, orders});
}

std::function<std::unique_ptr<reading>()> node_actors::reader_of(service s) const {
  if (!runs_here(s))
    return [through = tools_.others.rpc_client_to(s)] { return remote_reading(through); };
  return [&data = environment(s).data] { return data.read(); };
}

service_directory node_actors::directory() {
  service_directory d;
  d.checkout = checkout_;
  d.entities = entities_;
  for (const auto s : all_services) {
    const auto i = static_cast<std::size_t>(s);
    if (runs_here(s)) d.dead_letter_routers[i] = supervisor_;
    d.readers[i] = reader_of(s);
    d.elsewhere[i] = !runs_here(s);
  }
  return d;
}

local_services node_actors::for_peers(const reader_actor& items, const reader_actor& pages) {
  local_services here;
  here.item_reader = items;
  here.page_reader = pages;
  if (runs_here(service::order)) {
    here.checkout = checkout_;
    here.breaker = &tools_.breaker;
  }
  entity_types::for_each([&]<class Rules>() {
    using command = typename Rules::command;
    if (runs_here(Rules::of)) here.entities.of<command>() = entities_.of<command>();
  });
  for (const auto s : all_services) {
    if (!runs_here(s)) continue;
    here.logs[static_cast<std::size_t>(s)] = log(s);
    here.stores[static_cast<std::size_t>(s)] = &environment(s).data;
  }
  return here;
}

void node_actors::end() {
  for (const auto& a : long_lived_) caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
}

void node_actors::forget() {
  long_lived_.clear();
  entities_ = {};
  checkout_ = nullptr;
  supervisor_ = nullptr;
  logs_.fill({});
}

}  // namespace skanu
