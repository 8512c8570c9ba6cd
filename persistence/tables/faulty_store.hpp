// A store whose writes and reads fail when a test says so.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "persistence/store.hpp"

namespace skanu {

enum class fault_point : std::uint8_t {
  before_write,  ///< Nothing is stored, and the caller is told so.
  after_write,   ///< It is stored, and the caller is told that it failed.
  read,          ///< No snapshot can be taken.
};

/// What is to go wrong, how often and for which commits.
struct store_fault {
  std::string name = {};  ///< To ask for it with faulty_store::hits.
  fault_point at = fault_point::before_write;
  errc code = errc::store_failed;
  std::size_t times = 1;  ///< Batches (or reads) that meet it before it is spent.
  std::function<bool(const commit&)> when = {};  ///< None: every commit.
};

/// Passes everything on to another store, but for its faults. A fault is met by a batch in which
/// one commit is its `when`; then, as from a real database, the whole batch gets its code. Only
/// conflicting_commit and undecodable, which a database answers commit by commit, are before_write
/// for the matching commits alone. The oldest fault that matches is met first, one per batch.
/// Thread-safe where the other store is.
class faulty_store final : public store {
 public:
  explicit faulty_store(std::unique_ptr<store> target);

  void inject(store_fault fault);
  /// Forgets the faults that are not spent, not the hits.
  void heal();
  /// How many batches or reads met the faults of that name.
  std::size_t hits(const std::string& name) const;

  std::vector<commit_result> write(std::span<const commit* const> batch) override;
  std::unique_ptr<snapshot> read() const override;
  writers_held hold_writers() override { return target_->hold_writers(); }
  index_changes rebuild_index(service s, const listing_reader& listing_in) override {
    return target_->rebuild_index(s, listing_in);
  }
  void copy_to(const std::string& to, const snapshot& moment) const override {
    target_->copy_to(to, moment);
  }
  bool is_open() const override { return target_->is_open(); }
  reader_figures readers() const override { return target_->readers(); }
  const std::vector<service>& services() const override { return target_->services(); }

 private:
  /// Takes one pass of the oldest fault that matches.
  template <class Predicate>
  std::optional<store_fault> first_that(Predicate matches) const;

  std::unique_ptr<store> target_;
  mutable std::mutex mutex_;
  mutable std::vector<store_fault> faults_;
  mutable std::map<std::string, std::size_t> hits_;
};

}  // namespace skanu
