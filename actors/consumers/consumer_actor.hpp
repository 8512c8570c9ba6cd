// The loop shared by all consumers of logs. A turn pulls from the logs, hands the answers to the
// consumer, and ends with a commit; between two turns the consumer carries out an errand.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "actors/consumers/consumer.hpp"
#include "actors/consumers/dead_letters.hpp"
#include "actors/consumers/log_forks.hpp"
#include "actors/entities/actor_reply.hpp"
#include "actors/entities/environment.hpp"
#include "actors/supervision/failures.hpp"

namespace skanu {

/// The base of a consumer. `Interface` is consumer_interface, or an extension with the messages of
/// the consumer alone.
template <class Interface>
class consumer_actor_base : public Interface::base {
 public:
  using behavior_type = typename Interface::behavior_type;

 protected:
  /// A log with the consumer's name for it.
  struct followed_log {
    log_reader::source from;
    event_log_actor log;
  };

  /// `of`: the service with the consumer's rows. `env` outlives the actor.
  consumer_actor_base(caf::actor_config& config, const service_environment& env, service of,
                      std::vector<followed_log> logs, const consumer_limits& limits)
      : Interface::base(config),
        env_(env),
        limits_(limits),
        reader_(sources_of(logs), limits),
        dead_letters_(env, of, limits.retry),
        of_(of) {
    for (auto& l : logs) logs_.push_back(std::move(l.log));
  }

  // The parts that differ between consumers.

  /// Takes the events of an answer; the commands for the events may still be under way.
  virtual void take(std::size_t log, const event_batch& batch) = 0;
  /// Every log of the turn has answered, and the places have moved: commit now, or later.
  virtual void all_taken() = 0;
  /// Carries out the errand's event again, then calls commit_errand() or finish_errand().
  virtual void replay() = 0;
  /// Commits the rows of the errand, with its effects.
  virtual void commit_errand(std::vector<row_write> rows) = 0;
  /// Logs a turn's failure to be stored, and returns the reason of the actor's end.
  virtual std::string turn_not_stored(errc why) = 0;

  // The loop.

  /// Takes up the stored places, follows the logs, and plans the first turn. Returns the behavior
  /// with the consumer's `own` handlers behind the loop's handlers.
  template <class... Handlers>
  behavior_type begin(Handlers... own) {
    contain_failures(*this);
    recover();
    for (const auto& log : logs_)
      Interface::base::send(log, follow_atom::value, caf::actor_cast<follower_actor>(this));
    plan();
    return {[this](hint_atom, service of) {
              reader_.hint(of);
              plan();
            },
            [this](dead_letter_command& o, skanu::command_context& r) {
              dead_letters_.add({.order = std::move(o), .asked = std::move(r)});
              if (reader_.resting()) rest();
            },
            [this](const rows_stored& s) { on_commit(s.result); },
            [this](resume_atom) {
              if (reader_.is_due(now())) turn();
            },
            [this](letter_atom, entity_id entity) {
              dead_letters_.add(dead_letter_box::next_of(entity));
              if (reader_.resting()) rest();
            },
            std::move(own)...};
  }

  /// Submits a commit of the consumer's service. The answer is rows_stored.
  void submit(commit data) {
    data.of = of_;
    pending_commit c{.data = std::move(data), .owner = std::make_shared<lone_commit_owner>()};
    c.answer = reply_to(this->address(), rows_stored{});
    c.result = accepted{};
    env_.commits.submit(std::move(c));
  }

  /// Adds the rows of the letters set aside, and of the moved places.
  void add_turn_rows(std::vector<row_write>& rows) {
    for (auto& letter : dead_letters_.take_rows()) rows.push_back(std::move(letter));
    for (auto& row : reader_.rows()) rows.push_back(std::move(row));
  }

  void finish_errand(const outcome& result) {
    if (const auto wait = dead_letters_.finish(*errand_, result))
      this->delayed_send(this, *wait, letter_atom::value, errand_->letter.entity);
    errand_.reset();
    rest();
  }

  const dead_letter& letter_of_errand() const { return errand_->letter; }
  void fail_errand_again(std::string_view why) {
    commit_errand(dead_letters_.failed_again(*errand_, why));
  }

  const service_environment& env_;
  const consumer_limits limits_;
  std::mt19937_64 random_{env_.seeds.next()};
  log_reader reader_;
  dead_letter_box dead_letters_;

 private:
  static std::vector<log_reader::source> sources_of(const std::vector<followed_log>& logs) {
    std::vector<log_reader::source> sources;
    sources.reserve(logs.size());
    for (const auto& l : logs) sources.push_back(l.from);
    return sources;
  }

  auto now() const { return this->clock().now(); }

  void recover() {
    const auto stored = env_.data.read();
    reader_.recover(*stored);
    for (std::size_t log = 0; log < reader_.size(); ++log)
      dead_letters_.recover(*stored, reader_.consumer_of(log).name);
  }

  void plan() {
    const auto t = now();
    if (const auto next = reader_.plan(t)) this->delayed_send(this, *next - t, resume_atom::value);
  }

  void turn() {
    for (auto& [log, query] : reader_.begin_turn(now()))
      this->request(logs_[log], limits_.pull_timeout, pull_atom::value, std::move(query))
          .then(
              [this, log = log](const event_batch& batch) {
                take_answer(log, batch);
                pulled();
              },
              [this, log = log](const caf::error&) {
                reader_.fail(log, now(), random_);
                pulled();
              });
    if (reader_.resting()) rest();
  }

  void take_answer(std::size_t log, const event_batch& batch) {
    if (const auto fork = reader_.take(log, batch, env_.wall_clock())) note_fork(*fork);
    take(log, batch);
  }

  void pulled() {
    if (reader_.pulling()) return;
    if (reader_.moved()) return all_taken();
    rest();
  }

  void on_commit(const outcome& result) {
    if (errand_) return finish_errand(result);
    if (const auto* e = std::get_if<error>(&result)) {
      this->quit(caf::make_error(caf::sec::runtime_error, turn_not_stored(e->code)));
      return;
    }
    reader_.stored();
    rest();
  }

  /// Begins the next turn or errand, once the last has ended. Turns and errands alternate.
  void rest() {
    reader_.rest();
    if (reader_.is_due(now())) return turn();
    plan();
    if (auto e = dead_letters_.next_errand()) carry_out(std::move(*e));
  }

  void carry_out(letter_errand e) {
    reader_.hold();
    errand_ = std::move(e);
    const auto& letter = errand_->letter;
    if (errand_->order.discard) return commit_errand(dead_letters_.discarded(letter));
    if (letter.event.empty()) return read_again();
    replay();
  }

  /// Reads the errand's event again, set aside as damaged: the log may have been restored since.
  void read_again() {
    const auto& letter = errand_->letter;
    const auto log = log_of(letter.consumer);
    if (!log) return fail_errand_again(damaged_event);
    this->request(logs_[*log], limits_.pull_timeout, pull_atom::value,
                  log_query{letter.offset, 1, {}})
        .then(
            [this](const event_batch& batch) {
              auto& event = errand_->letter.event;
              if (!batch.events.empty()) event = batch.events.front().body;
              if (event.empty()) return fail_errand_again(damaged_event);
              replay();
            },
            [this](const caf::error&) {
              finish_errand(error{errc::service_away, "The log cannot be read at present."});
            });
  }

  std::optional<std::size_t> log_of(std::string_view consumer) const {
    for (std::size_t i = 0; i < reader_.size(); ++i)
      if (reader_.consumer_of(i).name == consumer) return i;
    return std::nullopt;
  }

  const service of_;
  std::vector<event_log_actor> logs_;
  std::optional<letter_errand> errand_;  ///< Carried out in place of a turn.
};

}  // namespace skanu
