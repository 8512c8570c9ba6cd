// The trace: a view of its own, built from the logs of order, payment and delivery, none of which
// is ever asked. Each turn it reads what is new in the logs, merges it per order, and commits the
// traces, their history, its own log (what each trace came to show) and its positions in one
// commit.
#pragma once

#include <array>
#include <map>
#include <random>

#include "actors/consumers/consumer.hpp"
#include "actors/consumers/dead_letters.hpp"
#include "messages/order_trace.hpp"

namespace skanu {

class trace_view final : public consumer_interface::base {
 public:
  struct source {
    service of;
    event_log_actor log;
  };

  trace_view(caf::actor_config& config, const service_environment& env, std::vector<source> sources,
             consumer_limits limits);

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

  void recover();
  void turn();
  void take(std::size_t log, const event_batch& batch);
  void take(const consumer& who, const event_batch::event& e);
  void pulled();
  void commit_turn();
  void on_commit(const outcome& result);
  void plan();
  void rest();
  void take(const consumer& who, log_offset offset, entity_id id, const std::string& event);
  void carry_out(letter_errand e);
  void read_again();
  void commit_errand(std::vector<row_write> rows);
  void finish_errand(const outcome& result);
  touched& trace_of(entity_id id);

  const service_environment& env_;
  consumer_limits limits_;
  std::vector<event_log_actor> logs_;
  log_reader reader_;
  std::mt19937_64 random_{env_.seeds.next()};
  std::map<entity_id, touched> touched_;
  std::vector<std::string> changes_;  ///< Its own events, of the turn under way.
  std::vector<row_write> rows_;       ///< Histories, of the turn under way.
  dead_letter_box dead_letters_;
  std::optional<letter_errand> errand_;  ///< Carried out in place of a turn.
};

}  // namespace skanu
