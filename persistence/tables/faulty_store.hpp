// A store with injected failures of writes and reads, for tests.
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
  before_write,  ///< Not stored; the caller gets the failure.
  after_write,   ///< Stored; the caller still gets the failure.
  read,          ///< No snapshot can be taken.
};

/// A failure to inject, with the number of hits and the affected commits.
struct store_fault {
  std::string name = {};  ///< For faulty_store::hits.
  fault_point at = fault_point::before_write;
  errc code = errc::store_failed;
  std::size_t times = 1;  ///< Batches (or reads) hit before the fault is spent.
  std::function<bool(const commit&)> when = {};  ///< Empty: every commit.
};

/// Forwards to another store, except for faults. A fault hits a batch if `when` matches a commit of
/// the batch; the whole batch then gets the code, as from a real database. Only conflicting_commit
/// and undecodable, which a database answers commit by commit, hit the matching commits alone at
/// before_write. A batch meets at most a single fault, the oldest that matches. Thread-safe if the
/// other store is.
class faulty_store final : public store {
 public:
  explicit faulty_store(std::unique_ptr<store> target);

  void inject(store_fault fault);
  /// Removes the unspent faults, and keeps the hits.
  void heal();
  /// Returns the number of batches or reads hit by the faults of the name.
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
  /// Uses up a hit of the oldest matching fault.
  template <class Predicate>
  std::optional<store_fault> first_that(Predicate matches) const;

  std::unique_ptr<store> target_;
  mutable std::mutex mutex_;
  mutable std::vector<store_fault> faults_;
  mutable std::map<std::string, std::size_t> hits_;
};

}  // namespace skanu
