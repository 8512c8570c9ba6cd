// What comes back for a command, and the handle through which it comes back.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "messages/errors.hpp"
#include "messages/trace_context.hpp"
#include "messages/values.hpp"

namespace skanu {

class commit_owner;

/// What a command did.
enum class effect : std::uint8_t { created, changed, unchanged };

/// The durable answer to a command: the entity as the command left it.
struct accepted {
  effect what = effect::unchanged;
  entity_id id = 0;
  version_number version = 0;
  /// The stored document (persistence/document.hpp), shared with the commit.
  std::shared_ptr<const std::string> document = nullptr;
  /// Where it was answered when it was queued: whose commit it is, for command_context::builds_on.
  std::shared_ptr<commit_owner> queued_by = nullptr;
};

using outcome = std::variant<accepted, error>;

/// Where an outcome goes.
class reply_sink {
 public:
  virtual ~reply_sink() = default;
  /// Takes the outcome. Called at most once, on any thread; must not block or throw.
  virtual void deliver(outcome result) noexcept = 0;
};

/// The one right to answer a command. Copies share it; the first answer counts. When the last copy
/// goes away unanswered (the actor that held it crashed or stopped before it decided), the sink
/// gets errc::entity_failed, so nobody waits in vain.
class reply {
 public:
  reply() = default;
  explicit reply(std::unique_ptr<reply_sink> sink)
      : pending_(std::make_shared<pending>(std::move(sink))) {}

  /// Answers, unless an answer was given already. Thread-safe.
  void operator()(outcome result) const {
    if (pending_) pending_->deliver(std::move(result));
  }

  /// Gives the right up without a word, as a lost message does: whoever waits learns nothing.
  void lose() const {
    if (pending_) pending_->lose();
  }

  explicit operator bool() const { return pending_ != nullptr; }

 private:
  class pending {
   public:
    explicit pending(std::unique_ptr<reply_sink> sink) : sink_(std::move(sink)) {}
    pending(const pending&) = delete;
    pending& operator=(const pending&) = delete;
    ~pending() { deliver(error{errc::entity_failed, "It was not carried out. Please try again."}); }
    void deliver(outcome result) {
      if (!answered_.exchange(true)) sink_->deliver(std::move(result));
    }

    void lose() { answered_ = true; }

   private:
    std::unique_ptr<reply_sink> sink_;
    std::atomic<bool> answered_ = false;
  };

  std::shared_ptr<pending> pending_;
};

/// The right to answer that hands the outcome to `take`, on any thread; `take` must not block or
/// throw.
template <class Take>
reply reply_through(Take take) {
  class sink final : public reply_sink {
   public:
    explicit sink(Take take) : take_(std::move(take)) {}
    void deliver(outcome result) noexcept override { take_(std::move(result)); }

   private:
    Take take_;
  };
  return reply(std::make_unique<sink>(std::move(take)));
}

/// Names one attempt of a client, the gateway or a policy; the same id is carried out once.
/// Made by the gateway, it begins with the time (48 bits of milliseconds), so that the table of
/// operations grows at its end; made from a client's key, it is a hash of method, path and key.
struct operation_id {
  std::array<unsigned char, 16> bytes{};
  bool from_client = false;

  /// The key of the operations table: clients' keys apart from the gateway's.
  std::string key() const {
    std::string k;
    k.reserve(1 + bytes.size());
    k += from_client ? 'c' : 'g';
    k.append(bytes.begin(), bytes.end());
    return k;
  }
  bool operator==(const operation_id&) const = default;
};

/// An If-Match condition: any existing version, or one of a few.
struct version_condition {
  bool any = false;
  std::vector<version_number> versions;
};

/// One entity of a service.
struct entity_name {
  service of = service::order;
  entity_id id = 0;
};

/// What travels with every command.
struct command_context {
  reply answer;
  /// The asker's own commit goes to the same journal and names this entity in `requires_entity`: so
  /// a change may be answered once it is queued there, and both become durable with one flush.
  bool answer_when_queued = false;
  /// The commit that follows is refused unless this entity is stored by then …
  std::optional<entity_name> requires_entity;
  /// … and fails with the code with which this owner's commits failed, if they did.
  std::shared_ptr<commit_owner> builds_on;
  std::optional<operation_id> operation;  ///< None for policies: their effects have natural keys.
  std::uint64_t fingerprint = 0;          ///< Of a client's request body, beside its key.
  bool maybe_repeated = false;            ///< The operation may have been carried out before.
  std::optional<version_condition> condition;
  /// What the client calls what it wants done; goes into the events, and on with what follows from
  /// them.
  std::optional<trace_context> trace;
  /// When a call to another node on its behalf gives up, if before a call's own deadline.
  std::optional<std::chrono::steady_clock::time_point> until;
};

}  // namespace skanu
