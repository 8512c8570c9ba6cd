#include "persistence/tables/memory_tables.hpp"

#include <array>
#include <chrono>
#include <map>
#include <mutex>

#include "persistence/tables/write_turn.hpp"

namespace skanu {

namespace {

using sorted_rows = std::map<std::string, std::string, std::less<>>;

/// An unchanging snapshot of all tables.
using picture = std::array<std::shared_ptr<const sorted_rows>, service_count * table_kind_count>;

constexpr std::chrono::seconds longest_wait{10};

std::optional<std::string_view> get_from(const sorted_rows& rows, std::string_view key) {
  const auto found = rows.find(key);
  if (found == rows.end()) return std::nullopt;
  return found->second;
}

void scan_up_from(const sorted_rows& rows, std::string_view from,
                  const table_reader::visitor& visit) {
  for (auto i = rows.lower_bound(from); i != rows.end(); ++i)
    if (!visit(i->first, i->second)) return;
}

void scan_down_from(const sorted_rows& rows, std::string_view below,
                    const table_reader::visitor& visit) {
  auto i = below.empty() ? rows.end() : rows.lower_bound(below);
  while (i != rows.begin()) {
    --i;
    if (!visit(i->first, i->second)) return;
  }
}

class memory_reader final : public table_reader {
 public:
  explicit memory_reader(picture p) : picture_(std::move(p)) {}

  std::optional<std::string_view> get(table t, std::string_view key) const override {
    return get_from(*picture_[t.index()], key);
  }
  void scan_up(table t, std::string_view from, const visitor& visit) const override {
    scan_up_from(*picture_[t.index()], from, visit);
  }
  void scan_down(table t, std::string_view below, const visitor& visit) const override {
    scan_down_from(*picture_[t.index()], below, visit);
  }

 private:
  picture picture_;
};

class memory_tables final : public ordered_tables {
 public:
  memory_tables() { current_.fill(std::make_shared<const sorted_rows>()); }

  std::unique_ptr<table_writer> begin_write() override;

  std::unique_ptr<table_reader> begin_read() const override {
    return std::make_unique<memory_reader>(now());
  }

  std::unique_ptr<ordered_tables> make_empty(const std::string& folder,
                                             const std::vector<service>&) const override {
    throw store_error(errc::store_failed, "a store in memory cannot be copied to " + folder);
  }

  picture now() const {
    const std::scoped_lock lock(mutex_);
    return current_;
  }

  void replace(picture next) {
    const std::scoped_lock lock(mutex_);
    current_.swap(next);
  }

 private:
  write_turn turn_;
  mutable std::mutex mutex_;
  picture current_;
};

/// Works on copies of the changed tables.
class memory_writer final : public table_writer {
 public:
  memory_writer(memory_tables& tables, write_turn::held turn)
      : turn_(std::move(turn)), tables_(tables), picture_(tables.now()) {}

  std::optional<std::string_view> get(table t, std::string_view key) const override {
    return get_from(*picture_[t.index()], key);
  }
  void scan_up(table t, std::string_view from, const visitor& visit) const override {
    scan_up_from(*picture_[t.index()], from, visit);
  }
  void scan_down(table t, std::string_view below, const visitor& visit) const override {
    scan_down_from(*picture_[t.index()], below, visit);
  }
  void put(table t, std::string_view key, std::string_view value, put_mode mode) override {
    auto& rows = changed(t);
    if (mode == put_mode::append && !rows.empty() && rows.rbegin()->first >= key)
      throw store_error(errc::store_failed, "a key appended to " + name_of(t) + " is not its last");
    rows.insert_or_assign(std::string(key), std::string(value));
  }
  void erase(table t, std::string_view key) override {
    auto& rows = changed(t);
    if (const auto found = rows.find(key); found != rows.end()) rows.erase(found);
  }
  void commit() override { tables_.replace(picture_); }

 private:
  sorted_rows& changed(table t) {
    auto& mine = changed_[t.index()];
    if (!mine) {
      mine = std::make_shared<sorted_rows>(*picture_[t.index()]);
      picture_[t.index()] = mine;
    }
    return *mine;
  }

  write_turn::held turn_;
  memory_tables& tables_;
  picture picture_;
  std::array<std::shared_ptr<sorted_rows>, service_count * table_kind_count> changed_;
};

std::unique_ptr<table_writer> memory_tables::begin_write() {
  auto turn = turn_.take(longest_wait);
  if (!turn)
    throw store_error(errc::store_failed, "the store in memory is being written by another thread");
  return std::make_unique<memory_writer>(*this, std::move(turn));
}

}  // namespace

std::unique_ptr<ordered_tables> make_memory_tables() { return std::make_unique<memory_tables>(); }

}  // namespace skanu
