// The trace view merges the logs of order, payment and delivery per order, and never asks the
// services. A turn reads the new events, and commits the traces, the histories, the view's own log
// (changes of the shown steps) and the positions in one commit.
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
  std::vector<std::string> changes_;  ///< Events of the view's own log, of the turn under way.
  std::vector<row_write> rows_;       ///< Histories, of the turn under way.
};

}  // namespace skanu
