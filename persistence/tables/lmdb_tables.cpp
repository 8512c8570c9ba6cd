#include "persistence/tables/lmdb_tables.hpp"

#include <lmdb.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>

#include "persistence/tables/database_in_use.hpp"
#include "persistence/tables/lmdb_environment.hpp"
#include "persistence/tables/lmdb_free_pages.hpp"
#include "persistence/tables/lmdb_readers.hpp"

namespace skanu {

namespace {

using shared_environment = std::shared_ptr<lmdb_environment>;

/// True if a failed commit may reappear after a crash. If LMDB fails to write a commit's meta page,
/// LMDB refuses every later transaction with MDB_PANIC: the only sign of an unknown fate.
bool outcome_is_unknown(MDB_env* env) {
  MDB_txn* next = nullptr;
  const auto status = mdb_txn_begin(env, nullptr, 0, &next);
  if (status == MDB_SUCCESS) mdb_txn_abort(next);
  return status == MDB_PANIC;
}

/// The fate of a commit whose last step failed.
enum class fate : std::uint8_t { durable, undone, unknown };

/// Finds the fate of a transaction; call after the environment is released.
using lookup = std::function<fate(std::size_t transaction)>;

/// The reads of a transaction, for readers and the writer.
template <class Base>
class transaction : public Base {
 public:
  transaction(shared_environment in, MDB_txn* txn)
      : in_use_(in->path()), in_(std::move(in)), txn_(txn) {}

  std::optional<std::string_view> get(table t, std::string_view key) const override {
    MDB_val k = lmdb_value(key), v;
    const auto status = mdb_get(txn_, in_->handle_of(t), &k, &v);
    if (status == MDB_NOTFOUND) return std::nullopt;
    check_lmdb("read", status);
    return text_of(v);
  }

  void scan_up(table t, std::string_view from, const table_reader::visitor& visit) const override {
    const cursor c(txn_, in_->handle_of(t));
    MDB_val k = lmdb_value(from), v;
    auto status = from.empty() ? c.move(k, v, MDB_FIRST) : c.move(k, v, MDB_SET_RANGE);
    while (status == MDB_SUCCESS && visit(text_of(k), text_of(v))) status = c.move(k, v, MDB_NEXT);
    if (status != MDB_NOTFOUND) check_lmdb("read", status);
  }

  void scan_down(table t, std::string_view below,
                 const table_reader::visitor& visit) const override {
    const cursor c(txn_, in_->handle_of(t));
    MDB_val k = lmdb_value(below), v;
    auto status = below.empty() ? MDB_NOTFOUND : c.move(k, v, MDB_SET_RANGE);
    status = c.move(k, v, status == MDB_SUCCESS ? MDB_PREV : MDB_LAST);
    while (status == MDB_SUCCESS && visit(text_of(k), text_of(v))) status = c.move(k, v, MDB_PREV);
    if (status != MDB_NOTFOUND) check_lmdb("read", status);
  }

 protected:
  class cursor {
   public:
    cursor(MDB_txn* txn, MDB_dbi dbi) { check_lmdb("read", mdb_cursor_open(txn, dbi, &cursor_)); }
    cursor(const cursor&) = delete;
    cursor& operator=(const cursor&) = delete;
    ~cursor() { mdb_cursor_close(cursor_); }
    int move(MDB_val& k, MDB_val& v, MDB_cursor_op op) const {
      return mdb_cursor_get(cursor_, &k, &v, op);
    }

   private:
    MDB_cursor* cursor_ = nullptr;
  };

  database_in_use in_use_;
  shared_environment in_;
  MDB_txn* txn_;
};

class writer final : public transaction<table_writer> {
 public:
  writer(shared_environment in, MDB_txn* txn, lookup look_up)
      : transaction(std::move(in), txn), look_up_(std::move(look_up)) {}
  ~writer() override {
    if (txn_ != nullptr) mdb_txn_abort(txn_);
  }

  void put(table t, std::string_view key, std::string_view value, put_mode mode) override {
    MDB_val k = lmdb_value(key), v = lmdb_value(value);
    check_lmdb("write",
               mdb_put(txn_, in_->handle_of(t), &k, &v, mode == put_mode::append ? MDB_APPEND : 0));
  }

  void erase(table t, std::string_view key) override {
    MDB_val k = lmdb_value(key);
    const auto status = mdb_del(txn_, in_->handle_of(t), &k, nullptr);
    if (status != MDB_NOTFOUND) check_lmdb("write", status);
  }

  void commit() override {
    check_lmdb("lengthen its file", in_->lengthen_file());
    const auto own = mdb_txn_id(txn_);
    auto status = mdb_txn_commit(std::exchange(txn_, nullptr));
    // LMDB reports EIO for a short write, the symptom of a full disk.
    if (status == EIO && in_->disk_is_full()) status = ENOSPC;
    if (status != MDB_SUCCESS && outcome_is_unknown(in_->env())) {
      in_.reset();
      const auto became = look_up_(own);
      if (became == fate::durable) return;
      if (became == fate::unknown)
        throw store_error(errc::outcome_unknown,
                          std::string("LMDB cannot commit: ") + mdb_strerror(status));
    }
    check_lmdb("commit", status);
    in_->lengthen_file();  // the commit is already durable; the next commit tries again
  }

 private:
  lookup look_up_;
};

/// Idle read transactions of a thread, by environment: renewing a read transaction costs far less
/// than beginning one, and takes no lock of LMDB's. The transactions end with the environment, on
/// any thread.
class thread_readers {
 public:
  ~thread_readers() {
    for (auto& [owner, txn] : held_)
      if (const auto in = owner.lock()) in->give_back(txn);
  }

  MDB_txn* take(const shared_environment& owner) {
    for (auto i = held_.begin(); i != held_.end(); ++i) {
      if (same(i->first, owner)) {
        auto* txn = i->second;
        held_.erase(i);
        return txn;
      }
    }
    return owner->take_reader();
  }

  void keep(const shared_environment& owner, MDB_txn* txn) {
    std::erase_if(held_, [](const auto& h) { return h.first.expired(); });
    if (held_.size() >= 4) {
      owner->give_back(txn);
    } else {
      held_.emplace_back(owner, txn);
    }
  }

 private:
  static bool same(const std::weak_ptr<lmdb_environment>& a, const shared_environment& b) {
    return !a.owner_before(b) && !b.owner_before(a);
  }
  std::vector<std::pair<std::weak_ptr<lmdb_environment>, MDB_txn*>> held_;
};

thread_readers& readers_of_this_thread() {
  thread_local thread_readers readers;
  return readers;
}

class reader final : public transaction<table_reader> {
 public:
  explicit reader(const shared_environment& in)
      : transaction(in, readers_of_this_thread().take(in)) {
    auto status = mdb_txn_renew(txn_);
    while (status == MDB_SUCCESS && overtaken()) {
      mdb_txn_reset(txn_);
      status = mdb_txn_renew(txn_);
    }
    if (status != MDB_SUCCESS) {
      in_->give_back(txn_);
      fail_lmdb("LMDB cannot begin to read", status);
    }
  }
  void check_free_pages() const override { check_pages_of_lmdb(in_->env(), txn_, in_->path()); }

  ~reader() override {
    mdb_txn_reset(txn_);
    readers_of_this_thread().keep(in_, txn_);
  }

 private:
  /// True if the snapshot may be unflushed. LMDB first announces a snapshot's id, then reads the
  /// root from either of two places, written in turn by every second commit. If two commits come
  /// between, the root belongs to the second commit, perhaps before the flush.
  bool overtaken() const { return in_->last_transaction() > mdb_txn_id(txn_) + 1; }
};

/// LMDB serves no request after a failed write of a meta page. So the environment is closed, once
/// all readers are done, and opened again; a commit without changes then makes certain which
/// transaction is the last on the disk. Until then no read or write succeeds, and callers retry the
/// opening, a few times a second at most.
class lmdb_tables final : public ordered_tables {
 public:
  lmdb_tables(lmdb_options options, std::chrono::milliseconds reader_check)
      : options_(std::move(options)),
        reader_check_(reader_check),
        now_(std::make_shared<lmdb_environment>(options_)),
        closed_(now_->closed()) {
    forget_dead_readers(*now_);
  }

  std::unique_ptr<table_writer> begin_write() override {
    auto in = environment();
    forget_dead_readers(*in);
    if (const auto now = std::chrono::steady_clock::now(); now >= next_look_) {
      next_look_ = now + between_looks;
      readers_.look_closely(*in, options_.folder, now);
    }
    MDB_txn* txn = nullptr;
    check_lmdb("begin to write", mdb_txn_begin(in->env(), nullptr, 0, &txn));
    return std::make_unique<writer>(std::move(in), txn, [this](std::size_t own) {
      {
        const std::lock_guard lock(mutex_);
        now_.reset();
        // the first attempt belongs to this thread
        next_attempt_ = std::chrono::steady_clock::time_point::max();
      }
      spdlog::error("event=store_closed folder=\"{}\" reason=\"a commit's last step failed\"",
                    options_.folder);
      return open_again(own);
    });
  }

  std::unique_ptr<table_reader> begin_read() const override {
    return std::make_unique<reader>(environment());
  }

  std::unique_ptr<ordered_tables> make_empty(const std::string& folder,
                                             const std::vector<service>& services) const override {
    std::error_code failure;
    if (std::filesystem::exists(std::filesystem::path(folder) / "data.mdb", failure))
      throw store_error(errc::store_failed, "the database " + folder + " is there already");
    return open_lmdb_tables(folder, services);
  }

  reader_figures readers() const override {
    const auto in = environment();
    return readers_.look(in->env(), std::chrono::steady_clock::now());
  }

  bool is_open() const override {
    try {
      environment();
      return true;
    } catch (const store_error&) {
      return false;
    }
  }

 private:
  static constexpr std::chrono::milliseconds between_attempts{250};
  static constexpr std::chrono::seconds readers_wait{5};
  static constexpr std::chrono::seconds between_looks{5};

  /// Returns the open environment. Throws store_error while closed.
  shared_environment environment() const {
    {
      const std::lock_guard lock(mutex_);
      if (now_) return now_;
      if (std::chrono::steady_clock::now() < next_attempt_) refuse();
    }
    open_again({});
    const std::lock_guard lock(mutex_);
    if (!now_) refuse();
    return now_;
  }

  [[noreturn]] void refuse() const {
    throw store_error(errc::store_failed,
                      "the database " + options_.folder + " is closed after a failed commit");
  }

  /// Opens the environment on a single thread; other threads do not wait. Returns the fate of the
  /// transaction `own`.
  fate open_again(std::optional<std::size_t> own) const {
    const std::unique_lock turn(opening_, std::try_to_lock);
    if (!turn) {
      const std::lock_guard lock(mutex_);
      next_attempt_ = std::min(next_attempt_, std::chrono::steady_clock::now() + between_attempts);
      return fate::unknown;
    }
    std::shared_ptr<closed_latch> before;
    {
      const std::lock_guard lock(mutex_);
      if (now_) return fate::unknown;  // opened meanwhile by another thread
      before = closed_;
    }
    auto became = fate::unknown;
    try {
      if (!before->wait(readers_wait)) {
        spdlog::error("event=store_still_read folder=\"{}\"", options_.folder);
      } else {
        auto opened = std::make_shared<lmdb_environment>(options_);
        {
          const std::lock_guard lock(mutex_);
          closed_ = opened->closed();
        }
        const bool is_last = own && opened->last_transaction() >= *own;
        opened->settle();
        became = is_last ? fate::durable : fate::undone;
        const std::lock_guard lock(mutex_);
        now_ = std::move(opened);
      }
    } catch (const store_error& problem) {
      if (!std::exchange(said_that_it_stays_closed_, true))
        spdlog::error("event=store_stays_closed folder=\"{}\" reason=\"{}\"", options_.folder,
                      problem.what());
    }
    const std::lock_guard lock(mutex_);
    next_attempt_ = std::chrono::steady_clock::now() + between_attempts;
    if (!now_) return became;
    said_that_it_stays_closed_ = false;
    spdlog::warn("event=store_opened_again folder=\"{}\"", options_.folder);
    return became;
  }

  void forget_dead_readers(const lmdb_environment& in) {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_reader_check_) return;
    next_reader_check_ = now + reader_check_;
    check_lmdb("look for readers that died", mdb_reader_check(in.env(), nullptr));
  }

  lmdb_options options_;
  std::chrono::milliseconds reader_check_;
  std::chrono::steady_clock::time_point next_reader_check_{};
  std::chrono::steady_clock::time_point next_look_{};
  mutable lmdb_readers readers_;
  mutable std::mutex mutex_;  ///< For the members below, except `opening_`.
  mutable shared_environment now_;
  mutable std::shared_ptr<closed_latch> closed_;  ///< For the last environment.
  mutable std::chrono::steady_clock::time_point next_attempt_{};
  mutable std::mutex opening_;
  mutable bool said_that_it_stays_closed_ = false;  ///< For the holder of `opening_`.
};

}  // namespace

std::unique_ptr<ordered_tables> open_lmdb_tables(const std::string& folder,
                                                 const std::vector<service>& services,
                                                 std::int64_t max_bytes, page_use pages,
                                                 std::chrono::milliseconds reader_check) {
  return std::make_unique<lmdb_tables>(lmdb_options{folder, services, max_bytes, pages},
                                       reader_check);
}

}  // namespace skanu
