#include "persistence/tables/faulty_store.hpp"

#include <algorithm>

namespace skanu {

namespace {

bool meets(const store_fault& fault, const commit& c) { return !fault.when || fault.when(c); }

bool is_of_single_commits(const store_fault& fault) {
  return fault.at == fault_point::before_write &&
         (fault.code == errc::conflicting_commit || fault.code == errc::undecodable);
}

/// Refuses the commits that match the fault, and writes the others.
std::vector<commit_result> write_the_others(store& target, const store_fault& fault,
                                            std::span<const commit* const> batch) {
  std::vector<const commit*> others;
  for (const auto* c : batch)
    if (!meets(fault, *c)) others.push_back(c);
  const auto written = target.write(others);
  std::vector<commit_result> results;
  auto next = written.begin();
  for (const auto* c : batch) results.push_back(meets(fault, *c) ? fault.code : *next++);
  return results;
}

}  // namespace

faulty_store::faulty_store(std::unique_ptr<store> target) : target_(std::move(target)) {}

void faulty_store::inject(store_fault fault) {
  const std::scoped_lock lock(mutex_);
  faults_.push_back(std::move(fault));
}

void faulty_store::heal() {
  const std::scoped_lock lock(mutex_);
  faults_.clear();
}

std::size_t faulty_store::hits(const std::string& name) const {
  const std::scoped_lock lock(mutex_);
  const auto found = hits_.find(name);
  return found == hits_.end() ? 0 : found->second;
}

std::vector<commit_result> faulty_store::write(std::span<const commit* const> batch) {
  const auto fault = first_that([&](const store_fault& f) {
    return f.at != fault_point::read &&
           std::any_of(batch.begin(), batch.end(), [&](const auto* c) { return meets(f, *c); });
  });
  if (!fault) return target_->write(batch);
  if (is_of_single_commits(*fault)) return write_the_others(*target_, *fault, batch);
  if (fault->at == fault_point::after_write) target_->write(batch);
  return std::vector<commit_result>(batch.size(), fault->code);
}

std::unique_ptr<snapshot> faulty_store::read() const {
  const auto fault = first_that([](const store_fault& f) { return f.at == fault_point::read; });
  if (fault) throw store_error(fault->code, "injected: " + fault->name);
  return target_->read();
}

template <class Predicate>
std::optional<store_fault> faulty_store::first_that(Predicate matches) const {
  const std::scoped_lock lock(mutex_);
  const auto found = std::find_if(faults_.begin(), faults_.end(), matches);
  if (found == faults_.end()) return std::nullopt;
  auto met = *found;
  ++hits_[met.name];
  if (--found->times == 0) faults_.erase(found);
  return met;
}

}  // namespace skanu
