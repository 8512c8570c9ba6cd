// The contract of every store: commits and reads. START READING HERE.
//
// A store is a database with the tables of some services, each table under a service's name; no
// service touches another service's tables. A store has a single writing thread (the journal's).
// Any thread may read at any time, from a snapshot that never changes.
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

/// A database cannot be opened, read or written. code() is the kind of failure, what() the text for
/// the operator.
class store_error : public std::runtime_error {
 public:
  store_error(errc code, const std::string& what) : std::runtime_error(what), code_(code) {}
  errc code() const { return code_; }

 private:
  errc code_;
};

/// Returns the text for a client whose request needs an unreadable value.
constexpr std::string_view unreadable(errc code) {
  return code == errc::damaged ? "What is stored of it is damaged. Nothing was changed."
                               : "The store cannot be read at present.";
}

/// A commit's change of an entity.
struct entity_change {
  entity_id id = 0;
  /// Required version in the store, else the commit is refused; 0: absent.
  version_number expected = 0;
  version_number next = 0;  ///< Version after the commit; equal to `expected`: no change.
  std::shared_ptr<const std::string> document = nullptr;
  /// The entity's status as a small number, before and after. Listed entities can be counted and
  /// listed by status. An unlisted entity is a tombstone, found by id alone.
  std::uint8_t status_before = 0;
  std::uint8_t status = 0;
  bool listed_before = false;
  bool listed = false;
};

/// Tables of rows under keys chosen by the service, read by key and by prefix.
enum class row_space : std::uint8_t {
  rows,              ///< Growing data of an entity: a ledger, a history.
  meta,              ///< Single values: positions, reserved ids.
  dead_letters,      ///< Events set aside, by consumer and entity.
  operations,        ///< Results by operation id.
  operation_expiry,  ///< (time, operation), for the expiry of clients' keys.
};

struct row_write {
  row_space space = row_space::rows;
  std::string key;
  std::optional<std::string> value;  ///< nullopt erases the row.
  bool must_be_new = false;          ///< The commit is refused if the row exists.
  /// The commit is refused unless the row holds the text. An empty text demands an absent row.
  std::optional<std::string> replaces = std::nullopt;
};

/// An atomic change of a service: becomes durable as a whole or not at all.
struct commit {
  service of = service::order;
  /// The owner's epoch; the commit is refused if the store has another epoch.
  std::int64_t epoch = 1;
  std::vector<entity_change> changes = {};
  std::vector<std::string> events = {};  ///< Appended to the service's log in this order.
  std::vector<row_write> rows = {};
  /// The commit is refused unless the entity is stored before the commit, in the store or by an
  /// earlier commit of the same batch.
  std::optional<entity_name> requires_entity = std::nullopt;
};

/// A stored event with its offset in the log.
struct logged_event {
  log_offset offset = 0;
  std::string body;
  bool damaged = false;  ///< Differs from the bytes written; `body` is then empty.
};

struct stored_entity {
  entity_id id = 0;
  std::string document;
  bool damaged = false;  ///< Differs from the bytes written; `document` is then empty.

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
  bool damaged = false;  ///< Differs from the bytes written; `value` is then empty.
};

/// Result of a check of all values of a table.
struct table_check {
  std::string table;
  std::int64_t values = 0;
  std::int64_t without_checksum = 0;  ///< Written by a program without checksums.
  std::int64_t damaged = 0;
  std::vector<std::string> named = {};  ///< The first damaged values.
};

/// An entry of the index for lists by status.
struct index_entry {
  std::uint8_t status = 0;
  entity_id id = 0;
  auto operator<=>(const index_entry&) const = default;
};

/// Selects listed entities, by id.
struct list_query {
  std::optional<std::uint8_t> status = {};
  entity_id after = 0;  ///< Only ids beyond, in the list's direction; 0: from the start.
  bool descending = false;
  std::size_t skip = 0;  ///< Entities to skip; the time grows with the number.
  std::size_t limit = 20;
};

/// Limit of items on a page.
inline constexpr std::size_t largest_page = 1'000;
/// Limit of items before a page found by number; deeper pages are found by key only.
inline constexpr std::int64_t deepest_skip = 100'000;

/// Selects a page of a list, by key or by number.
struct page_query {
  std::optional<std::uint8_t> status = {};  ///< Only entities with the status.
  /// The page behind the key; the cost is the same at any depth.
  std::optional<entity_id> after = {};
  std::int64_t number = 0;  ///< Without `after`: number of the page, from 0.
  std::size_t size = 20;    ///< 1 to largest_page.
  bool descending = false;
  /// Only entities whose order was placed from this time on, and before that time.
  std::optional<instant> from = {}, until = {};

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("status", self.status);
    visit("after", self.after);
    visit("number", self.number);
    visit("size", self.size);
    visit("descending", self.descending);
    visit("from", self.from, since_protocol{5});
    visit("until", self.until, since_protocol{5});
  }
};

/// A page of a list, with the keys in front of the neighbouring pages.
struct stored_page {
  std::vector<stored_entity> items = {};     ///< For rows: each row's number and value.
  std::int64_t total = 0;                    ///< Length of the whole list.
  std::optional<entity_id> next_after = {};  ///< The last key on the page, if more items follow.
  std::optional<entity_id> prev_after = {};  ///< `after` of the previous page; 0: the list's start.
  std::optional<entity_id> last_after = {};  ///< `after` of the last page; 0: the list's start.
  std::vector<entity_id> damaged = {};       ///< Damaged items of the page, left out of `items`.
  bool in_window = false;  ///< The times of the query were looked at: no total and no last page.

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("items", self.items);
    visit("total", self.total);
    visit("nextAfter", self.next_after);
    visit("prevAfter", self.prev_after);
    visit("lastAfter", self.last_after);
    visit("damaged", self.damaged, since_protocol{4});
    visit("inWindow", self.in_window, since_protocol{5});
  }
};

/// A service's durable data, for display. Each answer shows a single moment. Throws store_error,
/// with errc::damaged if the requested value is damaged; lists name damaged items and continue.
class reading {
 public:
  virtual ~reading() = default;

  /// Returns the document of a listed entity; nullopt for any other id.
  virtual std::optional<std::string> listed_entity(service s, entity_id id) const = 0;
  virtual stored_page page(service s, const page_query& wanted) const = 0;
  /// Returns a page of a listed entity's rows; nullopt without the entity. The rows are numbered
  /// from 1 to the entity's version, in keys behind the prefix.
  virtual std::optional<stored_page> rows_page(service s, entity_id id, std::string_view prefix,
                                               const page_query& wanted) const = 0;
};

/// An unchanging snapshot of a database. Belongs to the thread of its creation, and must end before
/// the store. Short-lived except for audit and backup: an open snapshot keeps old pages from reuse.
class snapshot : public reading {
 public:
  stored_page page(service s, const page_query& wanted) const final;
  std::optional<stored_page> rows_page(service s, entity_id id, std::string_view prefix,
                                       const page_query& wanted) const final;

  virtual std::vector<stored_entity> list(service s, const list_query& query) const = 0;
  /// Counts the listed entities with a status, or all. The cost does not depend on the number,
  /// except for a damaged count: the store then counts the entities.
  virtual std::int64_t count(service s, std::optional<std::uint8_t> status) const = 0;
  /// Returns the rows with keys that begin with `prefix` and lie beyond `after` (a whole key, or
  /// empty).
  virtual std::vector<stored_row> rows(service s, row_space space, std::string_view prefix,
                                       std::string_view after, std::size_t limit,
                                       bool descending = false) const = 0;

  /// Returns the document of an entity, listed or not.
  virtual std::optional<std::string> entity(service s, entity_id id) const = 0;
  /// Like entity(), for a change: errc::damaged also says that a change would not find its place.
  virtual std::optional<std::string> entity_for_change(service s, entity_id id) const = 0;
  /// Returns tombstones by id, for the audit.
  virtual std::vector<stored_entity> tombstones(service s, entity_id after,
                                                std::size_t limit) const = 0;
  /// Returns entries of the index for lists by status, by status and id beyond `after`, for the
  /// audit.
  virtual std::vector<index_entry> status_index(service s, index_entry after,
                                                std::size_t limit) const = 0;

  /// Returns events from an offset on; at most `limit` events and about `max_bytes` bytes.
  virtual std::vector<logged_event> events(service s, log_offset from, std::size_t limit,
                                           std::size_t max_bytes = 1 << 20) const = 0;
  /// Returns the offset of the last event, 0 for an empty log.
  virtual log_offset log_end(service s) const = 0;

  virtual std::optional<std::string> row(service s, row_space space,
                                         std::string_view key) const = 0;

  /// Reads every value of a service, table by table.
  virtual std::vector<table_check> check_values(service s) const = 0;
};

/// Place of an entity: in lists by its status, or as a tombstone by the id alone.
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

/// The result of a commit; nullopt means durable.
using commit_result = std::optional<errc>;

/// The long-lived readers of all processes: pages replaced since a reader's snapshot cannot be
/// reused, and the database grows.
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

/// A database.
class store {
 public:
  virtual ~store() = default;

  /// Carries out a batch in a transaction with a single flush, and returns a result for each
  /// commit. A commit with a failed condition is refused alone with conflicting_commit; a commit
  /// that needs a damaged value, alone with damaged. If the database fails, all commits of the
  /// batch get the same code and no part of the batch is stored, except that with outcome_unknown
  /// the whole batch may reappear after a crash. Single thread.
  virtual std::vector<commit_result> write(std::span<const commit* const> batch) = 0;

  /// Returns a snapshot of the durable data. Any thread.
  virtual std::unique_ptr<snapshot> read() const = 0;

  /// Holds off the writers of every process, for a cut through several databases. Take the holds in
  /// the order of the databases' names; destruction releases a hold.
  virtual writers_held hold_writers() = 0;

  /// Makes the index and the counts of a service fit the documents, in transactions of a bounded
  /// size: a rebuild that ends early is repeated. The service must not be served meanwhile. Throws
  /// store_error.
  virtual index_changes rebuild_index(service s, const listing_reader& listing_in) = 0;

  /// Writes the content of a snapshot of the store into the folder `to`, as a database of the same
  /// kind. Does not flush the folders above. Throws store_error, also if `to` already contains a
  /// database; an unfinished copy then stays.
  virtual void copy_to(const std::string& to, const snapshot& moment) const = 0;

  /// False while the store can neither be read nor written after a failure. The call may reopen the
  /// store. Any thread.
  virtual bool is_open() const { return true; }

  /// Throws store_error. Any thread.
  virtual reader_figures readers() const { return {}; }

  /// The services with tables in the store.
  virtual const std::vector<service>& services() const = 0;
};

// Keys.

/// Returns a part of a key that sorts like the number; `value` must not be negative.
std::string ordered_key(std::int64_t value);
void append_ordered_key(std::string& key, std::int64_t value);
/// Returns the number in a key's first eight bytes.
std::int64_t number_of_key(std::string_view key);

}  // namespace skanu
