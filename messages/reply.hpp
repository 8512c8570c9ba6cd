// The answer to a command, and the handle for the answer.
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

/// The effect of a command. The numbers travel between nodes: a new effect takes the next free
/// number.
enum class effect : std::uint8_t { created = 0, changed = 1, unchanged = 2 };

constexpr effect last_of(effect) { return effect::unchanged; }

/// The durable answer to a command: the entity after the command.
struct accepted {
  effect what = effect::unchanged;
  entity_id id = 0;
  version_number version = 0;
  /// The stored document (persistence/document.hpp), shared with the commit.
  std::shared_ptr<const std::string> document = nullptr;
  /// For an answer given at queueing: the owner of the commit, for command_context::builds_on.
  std::shared_ptr<commit_owner> queued_by = nullptr;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("effect", self.what);
    visit("id", self.id);
    visit("version", self.version);
    visit("document", self.document);
    visit.local(self.queued_by);
  }
};

using outcome = std::variant<accepted, error>;

/// The receiver of an outcome.
class reply_sink {
 public:
  virtual ~reply_sink() = default;
  /// Takes the outcome. Called at most once, on any thread; must not block or throw.
  virtual void deliver(outcome result) noexcept = 0;
};

/// The single right to answer a command. Copies share the right; the first answer counts. If the
/// last copy ends unanswered (the actor crashed or stopped before a decision), the sink gets
/// errc::entity_failed, so that no caller waits in vain.
class reply {
 public:
  reply() = default;
  explicit reply(std::unique_ptr<reply_sink> sink)
      : pending_(std::make_shared<pending>(std::move(sink))) {}

  /// Answers, unless an answer has been given. Thread-safe.
  void operator()(outcome result) const {
    if (pending_) pending_->deliver(std::move(result));
  }

  /// Gives the right up without an answer, like a lost message: the caller gets no outcome.
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

/// Identifies an attempt of a client, the gateway or a policy; an id is carried out once. An id
/// from the gateway begins with the time (48 bits of milliseconds), so that the operations table
/// grows at the end; an id from a client's key is a hash of method, path and key.
struct operation_id {
  std::array<unsigned char, 16> bytes{};
  bool from_client = false;

  /// Returns the key in the operations table; clients' keys are separate from the gateway's.
  std::string key() const {
    std::string k;
    k.reserve(1 + bytes.size());
    k += from_client ? 'c' : 'g';
    k.append(bytes.begin(), bytes.end());
    return k;
  }

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("bytes", self.bytes);
    visit("fromClient", self.from_client);
  }
  bool operator==(const operation_id&) const = default;
};

/// A precondition on the version of an entity: If-Match names any existing version, or versions of
/// a list; If-None-Match is met by every version that it does not name, and by an absent entity.
struct version_condition {
  bool any = false;
  std::vector<version_number> versions = {};
  bool negated = false;  ///< An If-None-Match.

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("any", self.any);
    visit("versions", self.versions);
    visit("negated", self.negated);
  }
};

/// An entity of a service.
struct entity_name {
  service of = service::order;
  entity_id id = 0;
};

/// Context of every command.
struct command_context {
  reply answer;
  /// The sender's own commit goes to the same journal and names the entity in `requires_entity`. So
  /// a change may be answered once queued, and both commits become durable with a single flush.
  bool answer_when_queued = false;
  /// The following commit is refused unless the entity is stored by then …
  std::optional<entity_name> requires_entity;
  /// … and fails with the owner's failure, if a commit of the owner has failed.
  std::shared_ptr<commit_owner> builds_on;
  std::optional<operation_id> operation;  ///< Empty for policies: their effects have natural keys.
  std::uint64_t fingerprint = 0;          ///< Hash of a client's request body, beside the key.
  bool maybe_repeated = false;            ///< The operation may have been carried out before.
  std::optional<version_condition> condition;
  /// The client's trace, passed on to the events and to all later commands caused by the events.
  std::optional<trace_context> trace;
  /// Earlier deadline of calls to other nodes for the command, before a call's default.
  std::optional<std::chrono::steady_clock::time_point> until;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("operation", self.operation);
    visit("fingerprint", self.fingerprint);
    visit("maybeRepeated", self.maybe_repeated);
    visit("condition", self.condition);
    visit("traceparent", self.trace);
    visit.local(self.answer, self.answer_when_queued, self.requires_entity, self.builds_on,
                self.until);
  }
};

}  // namespace skanu
