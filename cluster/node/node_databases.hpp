// The databases of a node with their journals, and the node's knowledge of orders.
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "actors/entities/environment.hpp"
#include "actors/operations/faults.hpp"
#include "actors/rules/id_recovery.hpp"
#include "actors/supervision/journal_watch.hpp"
#include "cluster/node/node_options.hpp"
#include "http/operations/actuator.hpp"
#include "persistence/directory/data_directory.hpp"
#include "persistence/directory/directory_watch.hpp"
#include "persistence/journal.hpp"

namespace skanu {

class node_databases {
 public:
  /// Opens the data directory and its databases, and starts the journals. The arguments must
  /// outlive the object. Throws store_error and decode_error.
  node_databases(const node_options& options, node_metrics& metrics, fault_plan& faults,
                 seed_source& seeds);
  node_databases(const node_databases&) = delete;
  node_databases& operator=(const node_databases&) = delete;

  const directory_identity& identity() { return directory_.identity(); }
  /// Returns the tools of the actors of each service here; null for services elsewhere.
  std::array<const service_environment*, service_count> environments() const;
  /// Returns the stores of the services here; null for services elsewhere.
  std::array<const store*, service_count> stores();
  std::vector<database_view> views() const;
  bool is_there() { return directory_watch_.is_there(); }

  /// The log's hints of growth come from the journal. Call before the log's first commit.
  void set_log(service s, const event_log_actor& log) { database_of(s).watch.set_log(s, log); }

  bool orders_and_payments_share();
  /// Reads the first rows of the actors: a damaged row refuses the start, and would later end an
  /// actor. Returns the ids that checkout begins with. Throws store_error and decode_error.
  id_recovery read_what_actors_begin_with();

  /// Returns the order knowledge in the databases, or the last values read if a read fails now. Any
  /// thread.
  order_knowledge orders();
  /// Submits the cluster's identity to every database. The commits are not awaited: a node without
  /// the identity joins again. Any thread.
  void keep_cluster(const std::string& cluster);

  /// Writes all waiting commits and ends the journals.
  void close();

 private:
  /// A database with a journal.
  struct written_database {
    written_database(std::string n, store& s, directory_watch& directory, node_metrics& metrics,
                     fault_plan& faults);
    std::string name;
    store& data;
    journal_watch watch;
    std::unique_ptr<journal> writer;
  };

  written_database& database_of(service s);
  order_knowledge read_orders();

  const node_options& options_;
  data_directory directory_;
  directory_watch directory_watch_{directory_};
  std::vector<std::unique_ptr<written_database>> databases_;
  std::array<std::unique_ptr<service_environment>, service_count> environments_;
  std::mutex orders_mutex_;
  order_knowledge orders_;  ///< As last read.
};

}  // namespace skanu
