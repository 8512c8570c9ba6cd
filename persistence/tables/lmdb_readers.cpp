#include "persistence/tables/lmdb_readers.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <vector>

#include <spdlog/spdlog.h>

#include "persistence/tables/lmdb_process_number.hpp"

namespace skanu {

namespace {

/// Returns the bytes of the pages given up since the transaction, inclusive.
std::int64_t bytes_given_up_since(std::size_t transaction, lmdb_environment& in) {
  constexpr MDB_dbi free_pages = 0;
  constexpr int most_looked_at = 200'000;
  MDB_stat stat;
  check_lmdb("look at its file", mdb_env_stat(in.env(), &stat));
  auto* const txn = in.take_reader();
  const auto give_back = [&in](MDB_txn* used) {
    mdb_txn_reset(used);
    in.give_back(used);
  };
  const std::unique_ptr<MDB_txn, decltype(give_back)> given_back(txn, give_back);
  check_lmdb("begin to read", mdb_txn_renew(txn));
  MDB_cursor* opened = nullptr;
  check_lmdb("read", mdb_cursor_open(txn, free_pages, &opened));
  const std::unique_ptr<MDB_cursor, void (*)(MDB_cursor*)> cursor(opened, mdb_cursor_close);
  MDB_val key{sizeof transaction, &transaction}, value;
  std::size_t pages = 0;
  auto status = mdb_cursor_get(opened, &key, &value, MDB_SET_RANGE);
  for (int i = 0; status == MDB_SUCCESS && i < most_looked_at; ++i) {
    std::size_t count = 0;
    std::memcpy(&count, value.mv_data, sizeof count);
    pages += count;
    status = mdb_cursor_get(opened, &key, &value, MDB_NEXT);
  }
  return static_cast<std::int64_t>(pages * stat.ms_psize);
}

}  // namespace

std::string process_name(int pid) {
  std::string name;
  std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/comm"), name);
  std::erase_if(name, [](char c) { return c <= ' ' || c > '~' || c == '"'; });
  return name;
}

void lmdb_readers::list(MDB_env* env, time_point now) {
  MDB_envinfo info;
  check_lmdb("look at its readers", mdb_env_info(env, &info));
  std::vector<reader> found;
  mdb_reader_list(
      env,
      [](const char* line, void* to) {
        int pid = 0;
        std::size_t thread = 0, transaction = 0;
        if (std::sscanf(line, "%d %zx %zu", &pid, &thread, &transaction) == 3)
          static_cast<std::vector<reader>*>(to)->emplace_back(pid, thread, transaction);
        return 0;
      },
      &found);
  std::map<reader, time_point> behind;
  for (const auto& r : found) {
    if (std::get<2>(r) >= info.me_last_txnid) continue;
    const auto known = behind_.find(r);
    behind.emplace(r, known == behind_.end() ? now : known->second);
  }
  behind_ = std::move(behind);
  if (behind_.empty()) held_bytes_ = 0;
}

reader_figures lmdb_readers::look(MDB_env* env, time_point now) {
  const std::lock_guard lock(mutex_);
  list(env, now);
  reader_figures figures{.held_bytes = held_bytes_};
  for (const auto& [who, since] : behind_)
    figures.oldest_seconds = std::max<std::int64_t>(
        figures.oldest_seconds, std::chrono::floor<std::chrono::seconds>(now - since).count());
  return figures;
}

void lmdb_readers::look_closely(lmdb_environment& in, const std::string& folder, time_point now) {
  const std::lock_guard lock(mutex_);
  list(in.env(), now);
  if (behind_.empty()) return;
  const auto oldest =
      std::ranges::min_element(behind_, {}, [](const auto& b) { return std::get<2>(b.first); });
  const auto since = oldest->second;
  if (since == now) return;  // most readers have gone by the next check
  const auto [number, thread, transaction] = oldest->first;
  held_bytes_ = bytes_given_up_since(transaction, in);
  if (now - since < patience || (said_at_ != time_point{} && now - said_at_ < patience)) return;
  said_at_ = now;
  const auto pid = process_id_of(number);
  spdlog::warn("event=reader_holds_pages database=\"{}\" pid={} process=\"{}\" seconds={} bytes={}",
               folder, pid, process_name(pid),
               std::chrono::floor<std::chrono::seconds>(now - since).count(), held_bytes_);
}

}  // namespace skanu
