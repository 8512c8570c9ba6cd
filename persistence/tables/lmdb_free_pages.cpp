#include "persistence/tables/lmdb_free_pages.hpp"

#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include "persistence/tables/lmdb_environment.hpp"

namespace skanu {

namespace {

constexpr MDB_dbi free_pages = 0;  ///< LMDB's number of the list of free pages.
constexpr MDB_dbi main_table = 1;  ///< LMDB's number of the table of tables.
constexpr std::size_t meta_pages = 2;

/// LMDB's record of a table, the value of the table's name in the main table.
struct table_record {
  std::uint32_t pad;
  std::uint16_t flags;
  std::uint16_t depth;
  std::size_t branch_pages, leaf_pages, overflow_pages, entries, root;
};
static_assert(sizeof(table_record) == 48);

void each_entry(MDB_txn* txn, MDB_dbi dbi,
                const std::function<void(const MDB_val& key, const MDB_val& value)>& visit) {
  MDB_cursor* opened = nullptr;
  check_lmdb("read", mdb_cursor_open(txn, dbi, &opened));
  const std::unique_ptr<MDB_cursor, void (*)(MDB_cursor*)> cursor(opened, mdb_cursor_close);
  MDB_val key, value;
  auto status = mdb_cursor_get(opened, &key, &value, MDB_FIRST);
  for (; status == MDB_SUCCESS; status = mdb_cursor_get(opened, &key, &value, MDB_NEXT))
    visit(key, value);
  if (status != MDB_NOTFOUND) check_lmdb("read", status);
}

std::size_t pages_of(MDB_txn* txn, MDB_dbi dbi) {
  MDB_stat stat;
  check_lmdb("read", mdb_stat(txn, dbi, &stat));
  return stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
}

/// Reads the number at a place of a value, also without alignment.
std::size_t number_at(const MDB_val& value, std::size_t place) {
  std::size_t number = 0;
  std::memcpy(&number, static_cast<const char*>(value.mv_data) + place * sizeof number,
              sizeof number);
  return number;
}

/// Walks the pages of a table's tree, and checks the headers: LMDB's readers trust most bits of a
/// header, and LMDB's writers all.
class tree_check {
 public:
  tree_check(int file, std::size_t page_size, std::size_t last_page)
      : file_(file), page_size_(page_size), last_page_(last_page) {}

  /// Returns false for an impossible page.
  bool is_sound(std::size_t page, int depth) const {
    if (depth < 1 || page < meta_pages || page > last_page_) return false;
    std::string content(page_size_, '\0');
    if (::pread(file_, content.data(), page_size_, static_cast<off_t>(page * page_size_)) !=
        static_cast<ssize_t>(page_size_))
      return false;
    const char* const at = content.data();
    const auto flags = short_at(at + 10), lower = short_at(at + 12), upper = short_at(at + 14);
    if (long_at(at) != page || flags != (depth > 1 ? branch : leaf)) return false;
    if (lower < header || lower % 2 != 0 || lower > upper || upper > page_size_) return false;
    for (std::size_t place = header; place < lower; place += 2) {
      const auto node = short_at(at + place);
      if (node < upper || node + node_header > page_size_) return false;
      if (depth > 1 && !is_sound(child_at(at + node), depth - 1)) return false;
    }
    return true;
  }

 private:
  static constexpr std::size_t header = 16, node_header = 8;
  static constexpr std::uint16_t branch = 1, leaf = 2;

  static std::uint16_t short_at(const char* at) {
    std::uint16_t number = 0;
    std::memcpy(&number, at, sizeof number);
    return number;
  }
  static std::size_t long_at(const char* at) {
    std::size_t number = 0;
    std::memcpy(&number, at, sizeof number);
    return number;
  }
  /// A branch's node holds the page in the first 48 bits.
  static std::size_t child_at(const char* node) {
    return short_at(node) | std::size_t{short_at(node + 2)} << 16 |
           std::size_t{short_at(node + 4)} << 32;
  }

  int file_;
  std::size_t page_size_, last_page_;
};

/// Returns the records of the free list and the main table in the meta page of a transaction, none
/// if a later transaction has taken the page.
std::vector<table_record> records_in_meta(int file, std::size_t page_size, std::size_t txn) {
  constexpr off_t records = 16 + 24, txn_id = 16 + 128;  // behind the page's header
  for (std::size_t page = 0; page < meta_pages; ++page) {
    const auto begin = static_cast<off_t>(page * page_size);
    std::size_t id = 0;
    std::vector<table_record> found(2);
    const auto size = static_cast<ssize_t>(found.size() * sizeof(table_record));
    if (::pread(file, &id, sizeof id, begin + txn_id) != sizeof id || id != txn) continue;
    if (::pread(file, found.data(), found.size() * sizeof(table_record), begin + records) == size)
      return found;
  }
  return {};
}

}  // namespace

void check_pages_of_lmdb(MDB_env* env, MDB_txn* txn, const char* path) {
  const auto damaged = [path](std::string_view what) {
    throw store_error(errc::damaged,
                      "the database " + std::string(path) + " is damaged: " + std::string(what));
  };
  MDB_envinfo info;
  check_lmdb("look at its file", mdb_env_info(env, &info));
  const bool is_newest = info.me_last_txnid == mdb_txn_id(txn);
  const auto last_page = info.me_last_pgno;
  MDB_stat stat;
  check_lmdb("look at its file", mdb_env_stat(env, &stat));
  int file = -1;
  check_lmdb("look at its file", mdb_env_get_fd(env, &file));
  const tree_check tree(file, stat.ms_psize, last_page);
  for (const auto& record : records_in_meta(file, stat.ms_psize, mdb_txn_id(txn)))
    if (record.depth > 0 && !tree.is_sound(record.root, record.depth))
      damaged("a page of the list of tables or of free pages is none");
  std::size_t pages = meta_pages + pages_of(txn, free_pages) + pages_of(txn, main_table);
  std::size_t key_before = 0;
  each_entry(txn, free_pages, [&](const MDB_val& key, const MDB_val& value) {
    if (key.mv_size != sizeof(std::size_t) || value.mv_size < sizeof(std::size_t) ||
        value.mv_size % sizeof(std::size_t) != 0)
      return damaged("the list of free pages has an impossible entry");
    const auto freed_by = number_at(key, 0), count = number_at(value, 0);
    if (freed_by <= key_before || freed_by > mdb_txn_id(txn) ||
        count >= value.mv_size / sizeof(std::size_t))
      return damaged("the list of free pages has an impossible entry");
    key_before = freed_by;
    for (std::size_t i = 1; i <= count; ++i) {
      const auto page = number_at(value, i);
      if (page < meta_pages || page > last_page || (i > 1 && page >= number_at(value, i - 1)))
        return damaged("the list of free pages names an impossible page");
    }
    pages += count;
  });
  each_entry(txn, main_table, [&](const MDB_val& name, const MDB_val& value) {
    if (value.mv_size != sizeof(table_record)) return damaged("a table's record is no such");
    table_record record;
    std::memcpy(&record, value.mv_data, sizeof record);
    pages += record.branch_pages + record.leaf_pages + record.overflow_pages;
    if (record.depth > 0 && !tree.is_sound(record.root, record.depth))
      damaged("a page of the table " + std::string(text_of(name)) + " is none");
  });
  if (is_newest && pages != last_page + 1)
    damaged("it has " + std::to_string(last_page + 1) + " pages, and its tables and free pages " +
            std::to_string(pages));
}

}  // namespace skanu
