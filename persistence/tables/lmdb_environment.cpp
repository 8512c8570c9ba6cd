#include "persistence/tables/lmdb_environment.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "persistence/files/new_files.hpp"
#include "persistence/tables/database_in_use.hpp"
#include "persistence/tables/lmdb_process_number.hpp"

namespace skanu {

namespace {

namespace fs = std::filesystem;

constexpr unsigned max_readers = 4096;

/// Size of the lock file: a cache line for each reader and a page for the rest.
constexpr off_t lock_file_size = max_readers * 64 + 4096;

/// Extent of the data file beyond the last page: at least, and after lengthening. More than most
/// transactions add; a tail without data takes no space on the disk.
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

/// Returns the end of the last used page.
std::uintmax_t end_of_pages(MDB_env* env) {
  MDB_envinfo info;
  MDB_stat stat;
  check_lmdb("look at its file", mdb_env_info(env, &info));
  check_lmdb("look at its file", mdb_env_stat(env, &stat));
  return (info.me_last_pgno + 1) * stat.ms_psize;
}

void refuse_if_truncated(MDB_env* env, const fs::path& file) {
  if (fs::file_size(file) < end_of_pages(env))
    throw store_error(errc::store_failed, "the database " + file.string() + " is truncated");
}

/// Refuses a file shorter than the two meta pages: LMDB would take the file for new, or crash.
void refuse_unless_whole(const std::string& folder) {
  std::error_code ignored;
  const auto file = fs::path(folder) / "data.mdb";
  if (!fs::exists(file, ignored)) return;
  if (const auto size = fs::file_size(file, ignored); !ignored && size < 2 * std::uintmax_t{4096})
    throw store_error(errc::store_failed, "the database " + file.string() + " is truncated");
}

/// Creates an empty file beside the final place and moves the whole file there, so that an empty or
/// partial file under the final name always means damage.
void create_data_file(const fs::path& folder) {
  const auto unfinished = folder / "new";
  const auto cannot = "cannot make the database " + folder.string();
  std::error_code failure;
  fs::remove_all(unfinished, failure);
  make_data_folder(unfinished);
  MDB_env* env = nullptr;
  check_lmdb("make an environment", mdb_env_create(&env));
  {
    const std::unique_ptr<MDB_env, void (*)(MDB_env*)> closed(env, mdb_env_close);
    auto status = mdb_env_open(env, unfinished.c_str(), 0, private_file);
    if (status == MDB_SUCCESS) status = mdb_env_sync(env, 1);
    if (status != MDB_SUCCESS) fail_lmdb(cannot, status);
  }
  fs::rename(unfinished / "data.mdb", folder / "data.mdb", failure);
  if (failure) fail_lmdb(cannot, failure.value());
  flush(folder);
  fs::remove_all(unfinished, failure);
}

/// Allocates the lock file, because LMDB writes the file through memory: if a full disk cannot
/// provide a page, the process ends. Call only while the environment is closed: closing the file
/// would release LMDB's locks.
void reserve_lock_file(const fs::path& folder) {
  const int fd = open_private(folder / "lock.mdb", 0);
  if (fd < 0) return;  // opening the environment reports the reason
  struct stat now {};
  const bool reserved =
      ::fstat(fd, &now) == 0 && ::fallocate(fd, 0, 0, std::max(now.st_size, lock_file_size)) == 0;
  const int why = errno;
  ::close(fd);
  if (!reserved && why != EOPNOTSUPP) fail_lmdb("cannot open the database " + folder.string(), why);
}

/// Suppresses LMDB's message. LMDB ends the process at impossible pages; a reader of all pages runs
/// in a watched process, and the watcher prints a better message.
void end_quietly(MDB_env* env) {
  mdb_env_set_assert(env, [](MDB_env*, const char*) { std::abort(); });
}

/// Refuses an environment whose main table contains other names than the service tables', or not
/// as many entries as the meta page says: a damaged header of its page hides all tables.
void refuse_if_foreign(MDB_txn* txn, const std::string& folder) {
  std::set<std::string, std::less<>> ours;
  for (const auto s : all_services)
    for (std::size_t kind = 0; kind < table_kind_count; ++kind)
      ours.insert(name_of(table{s, static_cast<table_kind>(kind)}));
  MDB_dbi main = 0;
  check_lmdb("open its tables", mdb_dbi_open(txn, nullptr, 0, &main));
  MDB_cursor* cursor = nullptr;
  check_lmdb("open its tables", mdb_cursor_open(txn, main, &cursor));
  const std::unique_ptr<MDB_cursor, void (*)(MDB_cursor*)> closed(cursor, mdb_cursor_close);
  MDB_stat stat;
  check_lmdb("look at its tables", mdb_stat(txn, main, &stat));
  MDB_val name, value;
  std::size_t found = 0;
  for (; mdb_cursor_get(cursor, &name, &value, MDB_NEXT) == MDB_SUCCESS; ++found)
    if (!ours.contains(text_of(name)))
      throw store_error(errc::store_failed,
                        "the database " + folder + " is an LMDB database of another program");
  if (found != stat.ms_entries)
    throw store_error(errc::damaged, "the database " + folder + " is damaged: its list of " +
                                         std::to_string(stat.ms_entries) + " tables has " +
                                         std::to_string(found));
}

/// Begins the first read of an environment, at which LMDB takes the process's number.
MDB_txn* begin_first_read(MDB_env* env, const std::string& folder) {
  MDB_txn* txn = nullptr;
  const auto status = mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn);
  if (status == EAGAIN || status == EACCES)
    throw number_is_taken(errc::store_failed,
                          "the database " + folder +
                              " is read under this process's number by processes of other "
                              "containers: see Containers in the README");
  check_lmdb("begin to read", status);
  return txn;
}

/// Calls `open` with numbers by chance until no other process has the number. Throws
/// number_is_taken after many attempts, which only a program without numbers of its own needs.
template <class Open>
auto under_a_free_number(Open open) {
  constexpr int most_attempts = 16;
  for (int attempt = 1;; ++attempt) {
    const auto number = lmdb_process_number_by_chance();
    const under_lmdb_number known_as(number);
    try {
      return open(number);
    } catch (const number_is_taken&) {
      if (attempt == most_attempts) throw;
    }
  }
}

std::vector<service> services_in(const std::string& folder) {
  MDB_env* env = nullptr;
  check_lmdb("make an environment", mdb_env_create(&env));
  const std::unique_ptr<MDB_env, void (*)(MDB_env*)> closed(env, mdb_env_close);
  end_quietly(env);
  check_lmdb("set its limits",
             mdb_env_set_maxdbs(env, static_cast<MDB_dbi>(service_count * table_kind_count)));
  if (const auto status = mdb_env_open(env, folder.c_str(), MDB_RDONLY | MDB_NOTLS, private_file);
      status != MDB_SUCCESS)
    fail_lmdb("cannot open the database " + folder, status);
  refuse_if_truncated(env, fs::path(folder) / "data.mdb");
  auto* const txn = begin_first_read(env, folder);
  const std::unique_ptr<MDB_txn, void (*)(MDB_txn*)> ended(txn, mdb_txn_abort);
  refuse_if_foreign(txn, folder);
  std::vector<service> found;
  for (const auto s : all_services) {
    MDB_dbi dbi = 0;
    const auto status = mdb_dbi_open(txn, name_of(table{s, table_kind::meta}).c_str(), 0, &dbi);
    if (status == MDB_SUCCESS) found.push_back(s);
    if (status != MDB_NOTFOUND) check_lmdb("look at its tables", status);
  }
  return found;
}

}  // namespace

void fail_lmdb(const std::string& what, int status) {
  throw store_error(code_of(status), what + ": " + mdb_strerror(status));
}

void check_lmdb(const char* what, int status) {
  if (status != MDB_SUCCESS) fail_lmdb(std::string("LMDB cannot ") + what, status);
}

lmdb_environment::lmdb_environment(const lmdb_options& options)
    : path_(lasting_path(options.folder)) {
  const database_in_use opening(path_);
  under_a_free_number([&](pid_t number) {
    number_ = number;
    create(options);
  });
}

void lmdb_environment::create(const lmdb_options& options) {
  check_lmdb("make an environment", mdb_env_create(&env_));
  try {
    open(options);
    mdb_txn_abort(begin_first_read(env_, options.folder));
  } catch (...) {
    mdb_env_close(env_);
    throw;
  }
}

lmdb_environment::~lmdb_environment() {
  const under_lmdb_number known_as(number_);
  for (auto* txn : all_readers_) mdb_txn_abort(txn);
  mdb_env_close(env_);
  closed_->close();
}

MDB_dbi lmdb_environment::handle_of(table t) const {
  const auto handle = tables_.at(t.index());
  if (!handle)
    throw store_error(errc::store_failed, "no table " + name_of(t) + " in this database");
  return *handle;
}

MDB_txn* lmdb_environment::take_reader() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_readers_.empty()) {
      auto* txn = idle_readers_.back();
      idle_readers_.pop_back();
      return txn;
    }
  }
  MDB_txn* txn = nullptr;
  check_lmdb("begin to read", mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn));
  mdb_txn_reset(txn);
  const std::lock_guard lock(mutex_);
  all_readers_.push_back(txn);
  return txn;
}

void lmdb_environment::give_back(MDB_txn* reader) {
  const std::lock_guard lock(mutex_);
  idle_readers_.push_back(reader);
}

int lmdb_environment::lengthen_file() const {
  const auto end = end_of_pages(env_);
  struct stat now {};
  int fd = -1;
  if (const auto status = mdb_env_get_fd(env_, &fd); status != MDB_SUCCESS) return status;
  if (::fstat(fd, &now) != 0) return errno;
  if (static_cast<std::uintmax_t>(now.st_size) >= end + least_tail) return MDB_SUCCESS;
  if (::ftruncate(fd, static_cast<off_t>(end + whole_tail)) != 0 || ::fsync(fd) != 0) return errno;
  return MDB_SUCCESS;
}

bool lmdb_environment::disk_is_full() const {
  constexpr std::uintmax_t a_large_batch = 16 << 20;
  rlimit longest{};
  struct stat file {};
  int fd = -1;
  if (::getrlimit(RLIMIT_FSIZE, &longest) == 0 && longest.rlim_cur != RLIM_INFINITY &&
      mdb_env_get_fd(env_, &fd) == MDB_SUCCESS && ::fstat(fd, &file) == 0 &&
      static_cast<std::uintmax_t>(file.st_size) + a_large_batch > longest.rlim_cur)
    return true;
  const char* folder = nullptr;
  if (mdb_env_get_path(env_, &folder) != MDB_SUCCESS) return false;
  std::error_code problem;
  const auto space = fs::space(folder, problem);
  return !problem && space.available < a_large_batch;
}

std::size_t lmdb_environment::last_transaction() const {
  MDB_envinfo info;
  check_lmdb("look at its file", mdb_env_info(env_, &info));
  return info.me_last_txnid;
}

void lmdb_environment::settle() {
  MDB_txn* begun = nullptr;
  check_lmdb("begin to write", mdb_txn_begin(env_, nullptr, 0, &begun));
  std::unique_ptr<MDB_txn, void (*)(MDB_txn*)> txn(begun, mdb_txn_abort);
  for (const auto& handle : tables_) {
    if (!handle) continue;
    MDB_cursor* cursor = nullptr;
    check_lmdb("read", mdb_cursor_open(begun, *handle, &cursor));
    const std::unique_ptr<MDB_cursor, void (*)(MDB_cursor*)> closed(cursor, mdb_cursor_close);
    MDB_val key, value;
    if (mdb_cursor_get(cursor, &key, &value, MDB_FIRST) != MDB_SUCCESS) continue;
    // mdb_put moves the page, so the key and the value are copied first.
    const std::string same_key(text_of(key)), same_value(text_of(value));
    MDB_val k = lmdb_value(same_key), v = lmdb_value(same_value);
    check_lmdb("write", mdb_put(begun, *handle, &k, &v, 0));
    break;
  }
  check_lmdb("commit", mdb_txn_commit(txn.release()));
}

void lmdb_environment::open(const lmdb_options& o) {
  const fs::path folder = o.folder;
  make_data_folder(folder);
  check_lmdb("set its limits",
             mdb_env_set_mapsize(env_, static_cast<std::size_t>(
                                           o.max_bytes > 0 ? o.max_bytes : default_lmdb_limit)));
  if (o.pages == page_use::all) end_quietly(env_);
  check_lmdb("set its limits", mdb_env_set_maxreaders(env_, max_readers));
  check_lmdb("set its limits",
             mdb_env_set_maxdbs(env_, static_cast<MDB_dbi>(service_count * table_kind_count)));
  std::error_code unknown;
  if (!fs::exists(folder / "data.mdb", unknown)) create_data_file(folder);
  refuse_unless_whole(o.folder);
  reserve_lock_file(folder);
  const unsigned no_read_ahead = o.pages == page_use::scattered ? MDB_NORDAHEAD : 0;
  if (const auto status =
          mdb_env_open(env_, o.folder.c_str(), MDB_NOTLS | no_read_ahead, private_file);
      status != MDB_SUCCESS)
    fail_lmdb("cannot open the database " + o.folder, status);
  refuse_if_truncated(env_, folder / "data.mdb");
  open_tables(o);
}

void lmdb_environment::open_tables(const lmdb_options& o) {
  MDB_txn* begun = nullptr;
  check_lmdb("open its tables", mdb_txn_begin(env_, nullptr, 0, &begun));
  std::unique_ptr<MDB_txn, void (*)(MDB_txn*)> txn(begun, mdb_txn_abort);
  refuse_if_foreign(begun, o.folder);
  for (const auto s : o.services) {
    for (std::size_t kind = 0; kind < table_kind_count; ++kind) {
      const table t{s, static_cast<table_kind>(kind)};
      MDB_dbi dbi = 0;
      const auto status = mdb_dbi_open(begun, name_of(t).c_str(), MDB_CREATE, &dbi);
      if (status != MDB_SUCCESS) fail_lmdb("cannot open the table " + name_of(t), status);
      tables_[t.index()] = dbi;
    }
  }
  check_lmdb("open its tables", mdb_txn_commit(txn.release()));
}

std::vector<service> services_in_lmdb(const std::string& folder) {
  refuse_unless_whole(folder);
  return under_a_free_number([&](pid_t) { return services_in(folder); });
}

}  // namespace skanu
