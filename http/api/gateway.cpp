#include "http/api/gateway.hpp"

#include "http/api/change_attempts.hpp"
#include "http/server/oneshot.hpp"

namespace skanu {

namespace {

using steady = std::chrono::steady_clock;

using outcome_place = oneshot<outcome>;

/// 48 bits of time, then random bits: ids of the same time are neighbours in the table of
/// operations.
operation_id new_operation(seed_source& random) {
  operation_id id;
  auto time = static_cast<std::uint64_t>(wall_clock_now().time_since_epoch().count());
  for (int i = 5; i >= 0; --i, time >>= 8)
    id.bytes[static_cast<std::size_t>(i)] = static_cast<unsigned char>(time);
  std::uint64_t bits = 0;
  for (std::size_t i = 6; i < id.bytes.size(); ++i, bits >>= 8) {
    if (bits == 0) bits = random();
    id.bytes[i] = static_cast<unsigned char>(bits);
  }
  return id;
}

/// Whether the page and the items skipped before are so many that reading takes a millisecond
/// rather than some microseconds.
bool walks_far(const page_query& query) {
  constexpr std::size_t near_items = 500;
  const auto before = query.after ? 0 : query.number;
  return before >= static_cast<std::int64_t>(near_items / query.size);
}

}  // namespace

gateway::gateway(service_directory directory, seed_source& seeds)
    : services_(std::move(directory)),
      seeds_(seeds),
      bulkheads_(bulkheads_of(std::make_index_sequence<service_count>{})),
      checkout_bulkhead_(bulkhead_of_checkout()) {}

bulkhead gateway::bulkhead_of(service s) {
  if (!runs_elsewhere(s)) return bulkhead();
  return bulkhead(
      {.waiting_max = most_of_one_elsewhere, .waiting_max_when_silent = most_of_one_elsewhere},
      &elsewhere_);
}

/// Placing orders has a separate bulkhead: reads and cancels of orders go on while payment is
/// frozen. With the order service here, the bulkhead is wider than the others, since checkout
/// limits waiting orders too, and tolerates a longer silence, since an attempt at a payment may
/// take 610 ms. With the order service elsewhere, the bulkhead leaves some places of the order
/// service free.
bulkhead gateway::bulkhead_of_checkout() {
  if (!runs_elsewhere(service::order))
    return bulkhead({.waiting_max = 384, .silence = std::chrono::seconds{1}});
  return bulkhead({.waiting_max = 224, .waiting_max_when_silent = 224}, &through(service::order));
}

stored_page gateway::page(service s, const page_query& query) {
  const auto look = [s, query](const reading& now) { return now.page(s, query); };
  if (runs_elsewhere(s) || !walks_far(query)) return read(s, look);
  const auto& reader = services_.readers[static_cast<std::size_t>(s)];
  auto found =
      far_pages_.run([look, reader] { return look(*reader()); }, steady::now() + waiting_deadline);
  if (!found) throw store_error(errc::overloaded, too_many);
  return std::move(*found);
}

outcome gateway::place(const place_order& order, const change_conditions& c) {
  return carry_out(checkout_bulkhead_, c, [&](command_context r) {
    caf::anon_send(services_.checkout, order, std::move(r));
  });
}

outcome gateway::tell_consumer(service s, const dead_letter_command& what) {
  return carry_out(operators_, {}, [&](command_context r) {
    caf::anon_send(dead_letter_router(s), what, std::move(r));
  });
}

outcome gateway::carry_out(bulkhead& through, const change_conditions& c,
                           const std::function<void(command_context)>& send) {
  const bulkhead::place place(through, steady::now());
  if (!place) return error{errc::overloaded, too_many};
  command_context r;
  r.condition = c.condition;
  r.trace = c.trace;
  r.fingerprint = c.fingerprint;
  r.operation = c.client_operation ? *c.client_operation : new_operation(seeds_);
  r.maybe_repeated = c.client_operation.has_value();
  if (!c.client_operation) return repeat_until_deadline(through, std::move(r), send);
  const auto key = r.operation->key();
  {
    const std::lock_guard lock(mutex_);
    if (!running_.insert(key).second)
      return error{errc::operation_running, "The same operation is still being carried out."};
  }
  auto result = repeat_until_deadline(through, std::move(r), send);
  const std::lock_guard lock(mutex_);
  running_.erase(key);
  return result;
}

outcome gateway::repeat_until_deadline(bulkhead& through, command_context r,
                                       const std::function<void(command_context)>& send) {
  change_attempts attempts(steady::now());
  r.until = attempts.until();
  for (;;) {
    const auto place = std::make_shared<outcome_place>();
    auto one = r;
    one.answer = reply_through([place](outcome result) { place->deliver(std::move(result)); });
    send(std::move(one));
    auto result = place->wait_until(attempts.answered_until());
    if (!result)
      return error{errc::outcome_unknown,
                   "No answer came in time: it may or may not have happened. Repeat it under the "
                   "same Idempotency-Key."};
    through.heard(steady::now());
    const auto next = attempts.next(*result, steady::now(), seeds_);
    if (!next) return std::move(*result);
    r.maybe_repeated = true;
    pause_until(*next);
  }
}

}  // namespace skanu
