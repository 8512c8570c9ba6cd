// The contract of every store: what a commit is, and what can be read. START READING HERE.
//
// A store is one database. It holds the tables of one or more services, each under the service's
// own name; no service touches another's. Writing is for one thread at a time (the journal's);
// reading is for any thread at any time, from a snapshot that never changes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "messages/errors.hpp"
#include "messages/field_list.hpp"
#include "messages/reply.hpp"
#include "messages/values.hpp"

namespace skanu {

/// The database cannot be opened, read or written; code() says how, what() what to tell the
/// operator.
class store_error : public std::runtime_error {
 public:
  store_error(errc code, const std::string& what) : std::runtime_error(what), code_(code) {}
  errc code() const { return code_; }

 private:
  errc code_;
};

/// What to tell a client whose request needed something that could not be read.
constexpr std::string_view unreadable(errc code) {
  return code == errc::damaged ? "What is stored of it is damaged. Nothing was changed."
                               : "The store cannot be read at present.";
}

/// What one commit does to one entity.
struct entity_change {
  entity_id id = 0;
  version_number expected = 0;  ///< What the store must hold, or the commit is refused; 0: nothing.
  version_number next = 0;      ///< What it holds afterwards; equal to `expected`: nothing changes.
  std::shared_ptr<const std::string> document = nullptr;
  /// The entity's status as a small number, before and after. Listed entities are counted and can
  /// be listed by it; those that are not listed are tombstones, found by their id alone.
  std::uint8_t status_before = 0;
  std::uint8_t status = 0;
  bool listed_before = false;
  bool listed = false;
};

/// Tables of rows with keys of the service's own making, read by key and by prefix.
enum class row_space : std::uint8_t {
  rows,              ///< What grows beside an entity: a ledger, a history.
  meta,              ///< One value each: positions, reserved ids.
  dead_letters,      ///< Events set aside, by consumer and entity.
  operations,        ///< Results by operation id.
  operation_expiry,  ///< (time, operation), to forget clients' keys by.
};

struct row_write {
  row_space space = row_space::rows;
  std::string key;
  std::optional<std::string> value;  ///< None erases the row.
  bool must_be_new = false;          ///< The commit is refused where the row is there already.
  /// The commit is refused unless the row holds this text; an empty one: unless there is no row.
  std::optional<std::string> replaces = std::nullopt;
};

/// One atomic change of one service: all of it becomes durable, or none.
struct commit {
  service of = service::order;
  std::int64_t epoch = 1;  ///< The owner's; a commit of another epoch than the store's is refused.
  std::vector<entity_change> changes = {};
  std::vector<std::string> events = {};  ///< Appended to the service's log in this order.
  std::vector<row_write> rows = {};
  /// Refused unless this entity is stored before it, here or earlier in the same batch.
  std::optional<entity_name> requires_entity = std::nullopt;
};

/// A stored event with its place in the log.
struct logged_event {
  log_offset offset = 0;
  std::string body;
  bool damaged = false;  ///< It is not what was written; then `body` is empty.
};

struct stored_entity {
  entity_id id = 0;
  std::string document;
  bool damaged = false;  ///< It is not what was written; then `document` is empty.

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("id", self.id);
    visit("document", self.document);
    visit.local(self.damaged);  // a page names them beside its items
  }
};

struct stored_row {
  std::string key;
  std::string value;
  bool damaged = false;  ///< It is not what was written; then `value` is empty.
};

/// The values of one table, and how many of them are not what was written.
struct table_check {
  std::string table;
  std::int64_t values = 0;
  std::int64_t without_checksum = 0;  ///< Of a program that wrote none.
  std::int64_t damaged = 0;
  std::vector<std::string> named = {};  ///< The first of the damaged ones.
};

/// An entry of the index that lists by status read.
struct index_entry {
  std::uint8_t status = 0;
  entity_id id = 0;
  auto operator<=>(const index_entry&) const = default;
};

/// Which listed entities, by id.
struct list_query {
  std::optional<std::uint8_t> status = {};
  entity_id after =
      0;  ///< Only ids beyond this one, in the direction of the list; 0: from its start.
  bool descending = false;
  std::size_t skip = 0;  ///< How many of them to pass over; costs time in proportion.
  std::size_t limit = 20;
};

/// At most so many items on one page.
inline constexpr std::size_t largest_page = 1'000;
/// Pages further from the start than this are reached by key only.
inline constexpr std::int64_t deepest_skip = 100'000;

/// Which page of a list, by id or number.
struct page_query {
  std::optional<std::uint8_t> status = {};  ///< Entities in it only.
  std::optional<entity_id> after = {};  ///< The page behind this key; costs the same at any depth.
  std::int64_t number = 0;              ///< Else the page of this number, from 0.
  std::size_t size = 20;                ///< 1 to largest_page.
  bool descending = false;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("status", self.status);
    visit("after", self.after);
    visit("number", self.number);
    visit("size", self.size);
    visit("descending", self.descending);
  }
};

/// One page of a list, with the keys behind which the pages around it begin.
struct stored_page {
  std::vector<stored_entity> items = {};     ///< Of rows: each row's number and value.
  std::int64_t total = 0;                    ///< Of the whole list.
  std::optional<entity_id> next_after = {};  ///< The last key here, where there is more.
  std::optional<entity_id> prev_after = {};  ///< 0: the page before is the very start.
  std::optional<entity_id> last_after = {};  ///< 0: the last page is the very start.
  std::vector<entity_id> damaged = {};       ///< What belongs here and cannot be shown.

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("items", self.items);
    visit("total", self.total);
    visit("nextAfter", self.next_after);
    visit("prevAfter", self.prev_after);
    visit("lastAfter", self.last_after);
    visit("damaged", self.damaged, since_protocol{4});
  }
};

/// What a service shows of itself: what is durable, each answer from one moment. Throws
/// store_error, with errc::damaged where the one thing that was asked for is not what was written;
/// lists name such things and go on.
class reading {
 public:
  virtual ~reading() = default;

  /// The document of an entity that is there and listed.
  virtual std::optional<std::string> listed_entity(service s, entity_id id) const = 0;
  virtual stored_page page(service s, const page_query& wanted) const = 0;
  /// A page of the rows of a listed entity, where it is there: they are numbered 1, 2, 3 … up to
  /// its version, behind the prefix of their keys.
  virtual std::optional<stored_page> rows_page(service s, entity_id id, std::string_view prefix,
                                               const page_query& wanted) const = 0;
};

/// An unchanging picture of one database. Belongs to the thread that took it and ends before its
/// store; short-lived, except for audit and backup, since it keeps old pages from being used again.
class snapshot : public reading {
 public:
  stored_page page(service s, const page_query& wanted) const final;
  std::optional<stored_page> rows_page(service s, entity_id id, std::string_view prefix,
                                       const page_query& wanted) const final;

  virtual std::vector<stored_entity> list(service s, const list_query& query) const = 0;
  /// How many listed entities there are, in one status or in all: the same cost however many, but
  /// for a count that is damaged, which is counted anew.
  virtual std::int64_t count(service s, std::optional<std::uint8_t> status) const = 0;
  /// Rows whose key begins with `prefix` and lies beyond `after` (a whole key, or empty).
  virtual std::vector<stored_row> rows(service s, row_space space, std::string_view prefix,
                                       std::string_view after, std::size_t limit,
                                       bool descending = false) const = 0;

  /// The document of an entity, listed or not.
  virtual std::optional<std::string> entity(service s, entity_id id) const = 0;
  /// Tombstones by id, for the audit.
  virtual std::vector<stored_entity> tombstones(service s, entity_id after,
                                                std::size_t limit) const = 0;
  /// The index that lists by status read, by status and id beyond `after`, for the audit.
  virtual std::vector<index_entry> status_index(service s, index_entry after,
                                                std::size_t limit) const = 0;

  /// Events from an offset on; at most `limit` events and about `max_bytes` bytes.
  virtual std::vector<logged_event> events(service s, log_offset from, std::size_t limit,
                                           std::size_t max_bytes = 1 << 20) const = 0;
  /// The offset of the last event, 0 for an empty log.
  virtual log_offset log_end(service s) const = 0;

  virtual std::optional<std::string> row(service s, row_space space,
                                         std::string_view key) const = 0;

  /// Reads every value of a service, table by table.
  virtual std::vector<table_check> check_values(service s) const = 0;
};

/// How an entity is to be found: in lists by its status, or as a tombstone by its id alone.
struct listing {
  bool listed = false;
  std::uint8_t status = 0;
};

/// Reads the listing of a service's document. Throws decode_error.
using listing_reader = std::function<listing(service s, std::string_view document)>;

/// The changes that a rebuild made in the index and the counts of a service.
struct index_changes {
  std::int64_t documents = 0;   ///< All that were looked at.
  std::int64_t moved = 0;       ///< Documents from the listed ones to the tombstones, or back.
  std::int64_t added = 0;       ///< Entries of the index.
  std::int64_t removed = 0;     ///< Entries of the index.
  std::int64_t counts = 0;      ///< Counts that were wrong or missing.
  std::int64_t unreadable = 0;  ///< Documents that keep the entries that they have.
  std::vector<entity_id> named = {};  ///< The first of those.
};

/// What became of one commit: nothing means durable.
using commit_result = std::optional<errc>;

/// Who reads one moment for long, in whatever process: pages that were replaced since cannot be
/// used again, and the database grows.
struct reader_figures {
  std::int64_t oldest_seconds = 0;
  std::int64_t held_bytes = 0;
};

/// Keeps the writers of every process out of a database until its destruction. Movable; empty after
/// a move and by default.
class writers_held {
 public:
  writers_held() = default;
  /// Owns the database's turn to write.
  template <class Turn>
  explicit writers_held(std::unique_ptr<Turn> turn) : turn_(std::move(turn)) {}
  writers_held(writers_held&&) noexcept = default;
  writers_held& operator=(writers_held&&) noexcept = default;

 private:
  std::shared_ptr<void> turn_;
};

/// One database.
class store {
 public:
  virtual ~store() = default;

  /// Carries out a batch in one transaction with one flush. A commit whose conditions do not hold
  /// is refused alone with conflicting_commit, one that needs a damaged value alone with damaged;
  /// where the database itself refuses, the whole batch is refused with one code and nothing of it
  /// is there. Returns one result per commit. One thread.
  virtual std::vector<commit_result> write(std::span<const commit* const> batch) = 0;

  /// A picture of what is durable now. Any thread.
  virtual std::unique_ptr<snapshot> read() const = 0;

  /// For a cut through several databases; taken in the order of their names.
  virtual writers_held hold_writers() = 0;

  /// Makes a service's index and counts fit its documents. A service that is not served: one
  /// writer, in transactions of a bounded size, so that a rebuild that ended early is repeated.
  /// Throws store_error.
  virtual index_changes rebuild_index(service s, const listing_reader& listing_in) = 0;

  /// Writes what one of its own snapshots shows into the folder `to`, as a database of the same
  /// kind. Folders of its path are not flushed. Throws store_error, also where a database is there
  /// already; then what was written of the copy stays.
  virtual void copy_to(const std::string& to, const snapshot& moment) const = 0;

  /// False while it can neither be read nor written, after a failure that it had no mend for yet;
  /// asking may bring it back. Any thread.
  virtual bool is_open() const { return true; }

  /// Any thread. Throws store_error.
  virtual reader_figures readers() const { return {}; }

  /// The services whose tables are here.
  virtual const std::vector<service>& services() const = 0;
};

// Keys.

/// A key part that sorts as its number does; `value` is not negative.
std::string ordered_key(std::int64_t value);
void append_ordered_key(std::string& key, std::int64_t value);
/// The inverse, of the eight bytes at the front.
std::int64_t number_of_key(std::string_view key);

}  // namespace skanu
