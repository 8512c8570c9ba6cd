// The trace: a view of its own, built from the logs of order, payment and delivery, none of which
// is ever asked. Each turn it reads what is new in the logs, merges it per order, and commits the
// traces, their history, its own log (what each trace came to show) and its positions in one
// commit.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "actors/consumers/consumer_actor.hpp"
#include "messages/order_trace.hpp"

namespace skanu {

class trace_view final : public consumer_actor_base<consumer_interface> {
 public:
  struct source {
    service of;
    event_log_actor log;
  };

  trace_view(caf::actor_config& config, const service_environment& env,
             const std::vector<source>& sources, consumer_limits limits);

  const char* name() const override { return "trace_view"; }
  behavior_type make_behavior() override;

 private:
  struct touched {
    order_trace trace;
    version_number stored = 0;
    version_number version = 0;
    std::uint8_t status_before = 0;
    bool listed_before = false;
  };

  static std::vector<followed_log> followed(const std::vector<source>& sources);

  void take(std::size_t log, const event_batch& batch) override;
  void all_taken() override;
  void replay() override;
  void commit_errand(std::vector<row_write> rows) override;
  std::string turn_not_stored(errc why) override;

  void take(const consumer& who, const event_batch::event& e);
  void take(const consumer& who, log_offset offset, entity_id id, const std::string& event);
  touched& trace_of(entity_id id);

  std::map<entity_id, touched> touched_;
  std::vector<std::string> changes_;  ///< Its own events, of the turn under way.
  std::vector<row_write> rows_;       ///< Histories, of the turn under way.
};

}  // namespace skanu
