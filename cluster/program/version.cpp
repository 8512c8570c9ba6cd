#include "cluster/program/version.hpp"

#include "cluster/protocol/wire_format.hpp"
#include "persistence/tables/sealed_value.hpp"

namespace skanu {

std::string version_text() {
  return std::string("skanu ")
      .append(program_version)
      .append(" (commit ")
      .append(program_commit)
      .append(", protocol ")
      .append(std::to_string(oldest_protocol_version))
      .append(" to ")
      .append(std::to_string(protocol_version))
      .append(", data format \"")
      .append(stored_format)
      .append("\", reads \"")
      .append(stored_format_without_checksums)
      .append("\" too)");
}

}  // namespace skanu
