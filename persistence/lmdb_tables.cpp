#include "persistence/lmdb_tables.hpp"

#include <fcntl.h>
#include <lmdb.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <mutex>
#include <set>
#include <utility>

namespace skanu {

namespace {

constexpr unsigned max_readers = 4096;

/// What the lock file holds: a line of cache for each reader and a page for the rest.
constexpr off_t lock_file_size = max_readers * 64 + 4096;

/// How far the data file reaches beyond its last page, at least and when it is lengthened; a tail
/// without data takes no room on the disk. More than most transactions add.
constexpr std::uintmax_t least_tail = 4U << 20;
constexpr std::uintmax_t whole_tail = 2 * least_tail;

errc code_of(int status) {
  switch (status) {
    case MDB_MAP_FULL:
    case ENOSPC:
    case EFBIG:
    case EDQUOT: return errc::store_full;
    default: return errc::store_failed;
  }
}

[[noreturn]] void fail(const std::string& what, int status) {
  throw store_error(code_of(status), what + ": " + mdb_strerror(status));
}

void check(const char* what, int status) {
  if (status != MDB_SUCCESS) fail(std::string("LMDB cannot ") + what, status);
}

MDB_val value_of(std::string_view text) {
  return {text.size(),
          const_cast<char*>(text.data())};  // LMDB's keys and values are not written to
}

std::string_view text_of(const MDB_val& v) {
  return {static_cast<const char*>(v.mv_data), v.mv_size};
}

/// True where an environment's disk, or its file, has less room than a large batch may take.
bool disk_is_full(MDB_env* env) {
  constexpr std::uintmax_t a_large_batch = 16 << 20;
  rlimit longest{};
  struct stat file {};
  int fd = -1;
  if (::getrlimit(RLIMIT_FSIZE, &longest) == 0 && longest.rlim_cur != RLIM_INFINITY &&
      mdb_env_get_fd(env, &fd) == MDB_SUCCESS && ::fstat(fd, &file) == 0 &&
      static_cast<std::uintmax_t>(file.st_size) + a_large_batch > longest.rlim_cur)
    return true;
  const char* folder = nullptr;
  if (mdb_env_get_path(env, &folder) != MDB_SUCCESS) return false;
  std::error_code problem;
  const auto space = std::filesystem::space(folder, problem);
  return !problem && space.available < a_large_batch;
}

/// True where a commit that failed may come back after a crash. When LMDB could not write the page
/// that makes a commit the last one, it begins no transaction any more; that is how it tells.
bool outcome_is_unknown(MDB_env* env) {
  MDB_txn* next = nullptr;
  const auto status = mdb_txn_begin(env, nullptr, 0, &next);
  if (status == MDB_SUCCESS) mdb_txn_abort(next);
  return status == MDB_PANIC;
}

using handles = std::array<std::optional<MDB_dbi>, service_count * table_kind_count>;

MDB_dbi handle_of(const handles& all, table t) {
  const auto handle = all.at(t.index());
  if (!handle)
    throw store_error(errc::store_failed, "no table " + name_of(t) + " in this database");
  return *handle;
}

/// Reads of one transaction, whatever its kind.
template <class Base>
class transaction : public Base {
 public:
  transaction(MDB_txn* txn, const handles& tables) : txn_(txn), tables_(tables) {}

  std::optional<std::string_view> get(table t, std::string_view key) const override {
    MDB_val k = value_of(key), v;
    const auto status = mdb_get(txn_, handle_of(tables_, t), &k, &v);
    if (status == MDB_NOTFOUND) return std::nullopt;
    check("read", status);
    return text_of(v);
  }

  void scan_up(table t, std::string_view from, const table_reader::visitor& visit) const override {
    const cursor c(txn_, handle_of(tables_, t));
    MDB_val k = value_of(from), v;
    auto status = from.empty() ? c.move(k, v, MDB_FIRST) : c.move(k, v, MDB_SET_RANGE);
    while (status == MDB_SUCCESS && visit(text_of(k), text_of(v))) status = c.move(k, v, MDB_NEXT);
    if (status != MDB_NOTFOUND) check("read", status);
  }

  void scan_down(table t, std::string_view below,
                 const table_reader::visitor& visit) const override {
    const cursor c(txn_, handle_of(tables_, t));
    MDB_val k = value_of(below), v;
    auto status = below.empty() ? MDB_NOTFOUND : c.move(k, v, MDB_SET_RANGE);
    status = c.move(k, v, status == MDB_SUCCESS ? MDB_PREV : MDB_LAST);
    while (status == MDB_SUCCESS && visit(text_of(k), text_of(v))) status = c.move(k, v, MDB_PREV);
    if (status != MDB_NOTFOUND) check("read", status);
  }

 protected:
  class cursor {
   public:
    cursor(MDB_txn* txn, MDB_dbi dbi) { check("read", mdb_cursor_open(txn, dbi, &cursor_)); }
    cursor(const cursor&) = delete;
    cursor& operator=(const cursor&) = delete;
    ~cursor() { mdb_cursor_close(cursor_); }
    int move(MDB_val& k, MDB_val& v, MDB_cursor_op op) const {
      return mdb_cursor_get(cursor_, &k, &v, op);
    }

   private:
    MDB_cursor* cursor_ = nullptr;
  };

  MDB_txn* txn_;
  const handles& tables_;
};

/// The file that LMDB reads through memory, where a page that is not there would end the process.
///
/// LMDB does not write pages that were added and given up within one transaction, so its file may
/// end before its last page although nothing is lost. Kept longer than that, a file that is too
/// short is one that was truncated.
class data_file {
 public:
  data_file(MDB_env* env, std::filesystem::path path) : env_(env), path_(std::move(path)) {}

  /// To be called before every commit, and after it: one may add more than the tail. Returns what
  /// check() takes.
  int lengthen() const {
    const auto end = end_of_pages();
    struct stat now {};
    int fd = -1;
    if (const auto status = mdb_env_get_fd(env_, &fd); status != MDB_SUCCESS) return status;
    if (::fstat(fd, &now) != 0) return errno;
    if (static_cast<std::uintmax_t>(now.st_size) >= end + least_tail) return MDB_SUCCESS;
    if (::ftruncate(fd, static_cast<off_t>(end + whole_tail)) != 0 || ::fsync(fd) != 0)
      return errno;
    return MDB_SUCCESS;
  }

  void refuse_if_truncated() const {
    if (std::filesystem::file_size(path_) < end_of_pages())
      throw store_error(errc::store_failed, "the database " + path_.string() + " is truncated");
  }

 private:
  std::uintmax_t end_of_pages() const {
    MDB_envinfo info;
    MDB_stat stat;
    check("look at its file", mdb_env_info(env_, &info));
    check("look at its file", mdb_env_stat(env_, &stat));
    return (info.me_last_pgno + 1) * stat.ms_psize;
  }

  MDB_env* env_;
  std::filesystem::path path_;
};

class writer final : public transaction<table_writer> {
 public:
  writer(MDB_txn* txn, const handles& tables, const data_file& file)
      : transaction(txn, tables), file_(file) {}
  ~writer() override {
    if (txn_ != nullptr) mdb_txn_abort(txn_);
  }

  void put(table t, std::string_view key, std::string_view value, put_mode mode) override {
    MDB_val k = value_of(key), v = value_of(value);
    check("write",
          mdb_put(txn_, handle_of(tables_, t), &k, &v, mode == put_mode::append ? MDB_APPEND : 0));
  }

  void erase(table t, std::string_view key) override {
    MDB_val k = value_of(key);
    const auto status = mdb_del(txn_, handle_of(tables_, t), &k, nullptr);
    if (status != MDB_NOTFOUND) check("write", status);
  }

  void commit() override {
    check("lengthen its file", file_.lengthen());
    auto* const env = mdb_txn_env(txn_);
    auto status = mdb_txn_commit(std::exchange(txn_, nullptr));
    // LMDB says EIO where a write stopped short, which is how a disk that fills up looks to it.
    if (status == EIO && disk_is_full(env)) status = ENOSPC;
    if (status != MDB_SUCCESS && outcome_is_unknown(env))
      throw store_error(errc::outcome_unknown,
                        std::string("LMDB cannot commit: ") + mdb_strerror(status));
    check("commit", status);
    file_.lengthen();  // what fails here was durable before, and is tried again before the next one
  }

 private:
  const data_file& file_;
};

/// Read transactions that are not in use. Renewing one costs far less than beginning one, and takes
/// no lock of LMDB's; each thread keeps a few at hand and gives them back here when it ends. All of
/// them end with the environment, wherever they are.
class idle_readers {
 public:
  explicit idle_readers(MDB_env* env) : env_(env) {}
  idle_readers(const idle_readers&) = delete;
  idle_readers& operator=(const idle_readers&) = delete;
  ~idle_readers() {
    for (auto* txn : all_) mdb_txn_abort(txn);
  }

  MDB_txn* take() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        auto* txn = idle_.back();
        idle_.pop_back();
        return txn;
      }
    }
    MDB_txn* txn = nullptr;
    check("begin to read", mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn));
    mdb_txn_reset(txn);
    const std::lock_guard lock(mutex_);
    all_.push_back(txn);
    return txn;
  }

  void give_back(MDB_txn* txn) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(txn);
  }

 private:
  MDB_env* env_;
  std::mutex mutex_;
  std::vector<MDB_txn*> all_;
  std::vector<MDB_txn*> idle_;
};

/// What one thread has at hand of each environment it reads.
class thread_readers {
 public:
  ~thread_readers() {
    for (auto& [owner, txn] : held_)
      if (const auto idle = owner.lock()) idle->give_back(txn);
  }

  MDB_txn* take(const std::shared_ptr<idle_readers>& owner) {
    for (auto i = held_.begin(); i != held_.end(); ++i) {
      if (same(i->first, owner)) {
        auto* txn = i->second;
        held_.erase(i);
        return txn;
      }
    }
    return owner->take();
  }

  void keep(const std::shared_ptr<idle_readers>& owner, MDB_txn* txn) {
    std::erase_if(held_, [](const auto& h) { return h.first.expired(); });
    if (held_.size() >= 4) {
      owner->give_back(txn);
    } else {
      held_.emplace_back(owner, txn);
    }
  }

 private:
  static bool same(const std::weak_ptr<idle_readers>& a, const std::shared_ptr<idle_readers>& b) {
    return !a.owner_before(b) && !b.owner_before(a);
  }
  std::vector<std::pair<std::weak_ptr<idle_readers>, MDB_txn*>> held_;
};

thread_readers& readers_of_this_thread() {
  thread_local thread_readers readers;
  return readers;
}

class reader final : public transaction<table_reader> {
 public:
  reader(std::shared_ptr<idle_readers> owner, const handles& tables)
      : transaction(readers_of_this_thread().take(owner), tables), owner_(std::move(owner)) {
    auto status = mdb_txn_renew(txn_);
    while (status == MDB_SUCCESS && overtaken()) {
      mdb_txn_reset(txn_);
      status = mdb_txn_renew(txn_);
    }
    if (status != MDB_SUCCESS) {
      owner_->give_back(txn_);
      fail("LMDB cannot begin to read", status);
    }
  }
  ~reader() override {
    mdb_txn_reset(txn_);
    readers_of_this_thread().keep(owner_, txn_);
  }

 private:
  /// LMDB names a snapshot first and then reads where it begins, from the one of two places that
  /// every second commit writes. Where two commits came between, what it read is the second's,
  /// which may not be flushed yet.
  bool overtaken() const {
    MDB_envinfo info;
    check("begin to read", mdb_env_info(mdb_txn_env(txn_), &info));
    return info.me_last_txnid > mdb_txn_id(txn_) + 1;
  }

  std::shared_ptr<idle_readers> owner_;
};

class lmdb_tables final : public ordered_tables {
 public:
  lmdb_tables(const std::string& folder, const std::vector<service>& services,
              std::int64_t max_bytes, page_use pages, std::chrono::milliseconds reader_check)
      : reader_check_(reader_check) {
    check("make an environment", mdb_env_create(&env_));
    try {
      open(folder, services, max_bytes, pages);
    } catch (...) {
      readers_.reset();
      mdb_env_close(env_);
      throw;
    }
  }
  lmdb_tables(const lmdb_tables&) = delete;
  lmdb_tables& operator=(const lmdb_tables&) = delete;
  ~lmdb_tables() override {
    readers_.reset();
    mdb_env_close(env_);
  }

  std::unique_ptr<table_writer> begin_write() override {
    forget_dead_readers();
    MDB_txn* txn = nullptr;
    check("begin to write", mdb_txn_begin(env_, nullptr, 0, &txn));
    return std::make_unique<writer>(txn, tables_, *file_);
  }

  std::unique_ptr<table_reader> begin_read() const override {
    return std::make_unique<reader>(readers_, tables_);
  }

  std::unique_ptr<ordered_tables> make_empty(const std::string& folder,
                                             const std::vector<service>& services) const override {
    std::error_code failure;
    if (std::filesystem::exists(std::filesystem::path(folder) / "data.mdb", failure))
      throw store_error(errc::store_failed, "the database " + folder + " is there already");
    return open_lmdb_tables(folder, services);
  }

  /// A file shorter than its two meta pages is one that LMDB would take for new, or crash on.
  static void refuse_unless_whole(const std::string& folder) {
    std::error_code ignored;
    const auto file = std::filesystem::path(folder) / "data.mdb";
    if (!std::filesystem::exists(file, ignored)) return;
    if (const auto size = std::filesystem::file_size(file, ignored); !ignored && size < 2 * 4096)
      throw store_error(errc::store_failed, "the database " + file.string() + " is truncated");
  }

 private:
  void open(const std::string& folder, const std::vector<service>& services, std::int64_t max_bytes,
            page_use pages) {
    std::error_code made;
    std::filesystem::create_directories(folder, made);
    if (made)
      throw store_error(errc::store_failed,
                        "cannot make the folder " + folder + ": " + made.message());
    check("set its limits",
          mdb_env_set_mapsize(
              env_, static_cast<std::size_t>(max_bytes > 0 ? max_bytes : default_lmdb_limit)));
    check("set its limits", mdb_env_set_maxreaders(env_, max_readers));
    check("set its limits",
          mdb_env_set_maxdbs(env_, static_cast<MDB_dbi>(service_count * table_kind_count)));
    if (!std::filesystem::exists(std::filesystem::path(folder) / "data.mdb", made))
      create_data_file(folder);
    refuse_unless_whole(folder);
    reserve_lock_file(folder);
    const unsigned no_read_ahead = pages == page_use::scattered ? MDB_NORDAHEAD : 0;
    if (const auto status = mdb_env_open(env_, folder.c_str(), MDB_NOTLS | no_read_ahead, 0644);
        status != MDB_SUCCESS)
      fail("cannot open the database " + folder, status);
    file_.emplace(env_, std::filesystem::path(folder) / "data.mdb");
    file_->refuse_if_truncated();
    forget_dead_readers();
    readers_ = std::make_shared<idle_readers>(env_);
    open_tables(folder, services);
  }

  /// Once in a while. Without it, an audit or a backup that was killed would keep its pages.
  void forget_dead_readers() {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_reader_check_) return;
    next_reader_check_ = now + reader_check_;
    check("look for readers that died", mdb_reader_check(env_, nullptr));
  }

  /// Makes an empty file beside its place and moves it there whole, so that an empty or half a file
  /// under its own name is always damage.
  static void create_data_file(const std::filesystem::path& folder) {
    const auto unfinished = folder / "new";
    std::error_code failure;
    std::filesystem::remove_all(unfinished, failure);
    std::filesystem::create_directory(unfinished, failure);
    const auto cannot = "cannot make the database " + folder.string();
    MDB_env* env = nullptr;
    check("make an environment", mdb_env_create(&env));
    {
      const std::unique_ptr<MDB_env, void (*)(MDB_env*)> closed(env, mdb_env_close);
      auto status = failure ? failure.value() : mdb_env_open(env, unfinished.c_str(), 0, 0644);
      if (status == MDB_SUCCESS) status = mdb_env_sync(env, 1);
      if (status != MDB_SUCCESS) fail(cannot, status);
    }
    std::filesystem::rename(unfinished / "data.mdb", folder / "data.mdb", failure);
    if (failure) fail(cannot, failure.value());
    const int fd = ::open(folder.c_str(), O_RDONLY | O_CLOEXEC);
    const bool flushed = fd >= 0 && ::fsync(fd) == 0;
    const int why = errno;
    if (fd >= 0) ::close(fd);
    if (!flushed) fail(cannot, why);
    std::filesystem::remove_all(unfinished, failure);
  }

  /// Takes the room of the lock file, which is written through memory as well: where a full disk
  /// cannot give a page of it, the process ends. Not while the environment is open, since closing
  /// the file gives up LMDB's locks on it.
  static void reserve_lock_file(const std::filesystem::path& folder) {
    const int fd = ::open((folder / "lock.mdb").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return;  // opening the environment says why
    struct stat now {};
    const bool reserved =
        ::fstat(fd, &now) == 0 && ::fallocate(fd, 0, 0, std::max(now.st_size, lock_file_size)) == 0;
    const int why = errno;
    ::close(fd);
    if (!reserved && why != EOPNOTSUPP) fail("cannot open the database " + folder.string(), why);
  }

  /// The names of its tables are all that the main table of an environment of ours holds.
  static void refuse_if_foreign(MDB_txn* txn, const std::string& folder) {
    std::set<std::string, std::less<>> ours;
    for (const auto s : all_services)
      for (std::size_t kind = 0; kind < table_kind_count; ++kind)
        ours.insert(name_of(table{s, static_cast<table_kind>(kind)}));
    MDB_dbi main = 0;
    check("open its tables", mdb_dbi_open(txn, nullptr, 0, &main));
    MDB_cursor* cursor = nullptr;
    check("open its tables", mdb_cursor_open(txn, main, &cursor));
    const std::unique_ptr<MDB_cursor, void (*)(MDB_cursor*)> closed(cursor, mdb_cursor_close);
    MDB_val name, value;
    while (mdb_cursor_get(cursor, &name, &value, MDB_NEXT) == MDB_SUCCESS)
      if (!ours.contains(text_of(name)))
        throw store_error(errc::store_failed,
                          "the database " + folder + " is an LMDB database of another program");
  }

  void open_tables(const std::string& folder, const std::vector<service>& services) {
    MDB_txn* begun = nullptr;
    check("open its tables", mdb_txn_begin(env_, nullptr, 0, &begun));
    std::unique_ptr<MDB_txn, void (*)(MDB_txn*)> txn(begun, mdb_txn_abort);
    refuse_if_foreign(begun, folder);
    for (const auto s : services) {
      for (std::size_t kind = 0; kind < table_kind_count; ++kind) {
        const table t{s, static_cast<table_kind>(kind)};
        MDB_dbi dbi = 0;
        const auto status = mdb_dbi_open(begun, name_of(t).c_str(), MDB_CREATE, &dbi);
        if (status != MDB_SUCCESS) fail("cannot open the table " + name_of(t), status);
        tables_[t.index()] = dbi;
      }
    }
    check("open its tables", mdb_txn_commit(txn.release()));
  }

  MDB_env* env_ = nullptr;
  std::chrono::milliseconds reader_check_;
  std::chrono::steady_clock::time_point next_reader_check_{};
  handles tables_{};
  std::optional<data_file> file_;
  std::shared_ptr<idle_readers> readers_;
};

}  // namespace

std::unique_ptr<ordered_tables> open_lmdb_tables(const std::string& folder,
                                                 const std::vector<service>& services,
                                                 std::int64_t max_bytes, page_use pages,
                                                 std::chrono::milliseconds reader_check) {
  return std::make_unique<lmdb_tables>(folder, services, max_bytes, pages, reader_check);
}

std::vector<service> services_in_lmdb(const std::string& folder) {
  lmdb_tables::refuse_unless_whole(folder);
  MDB_env* env = nullptr;
  check("make an environment", mdb_env_create(&env));
  const std::unique_ptr<MDB_env, void (*)(MDB_env*)> closed(env, mdb_env_close);
  check("set its limits",
        mdb_env_set_maxdbs(env, static_cast<MDB_dbi>(service_count * table_kind_count)));
  if (const auto status = mdb_env_open(env, folder.c_str(), MDB_RDONLY | MDB_NOTLS, 0644);
      status != MDB_SUCCESS)
    fail("cannot open the database " + folder, status);
  data_file(env, std::filesystem::path(folder) / "data.mdb").refuse_if_truncated();
  MDB_txn* txn = nullptr;
  check("look at its tables", mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn));
  const std::unique_ptr<MDB_txn, void (*)(MDB_txn*)> ended(txn, mdb_txn_abort);
  std::vector<service> found;
  for (const auto s : all_services) {
    MDB_dbi dbi = 0;
    const auto status = mdb_dbi_open(txn, name_of(table{s, table_kind::meta}).c_str(), 0, &dbi);
    if (status == MDB_SUCCESS) found.push_back(s);
    if (status != MDB_NOTFOUND) check("look at its tables", status);
  }
  return found;
}

}  // namespace skanu
