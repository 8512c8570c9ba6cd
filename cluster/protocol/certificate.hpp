// A node's certificate: whom it names, and until when.
#pragma once

#include <string>
#include <vector>

#include "messages/values.hpp"

struct x509_st;

namespace skanu {

/// Common name and DNS names of a certificate.
std::vector<std::string> names_in(x509_st* certificate);

/// Whether one of them is the node's name; in any case, as DNS has it.
bool name_node(const std::vector<std::string>& names, const std::string& node);

struct certificate {
  std::vector<std::string> names;
  instant begins, ends;
};

/// Reads the first certificate of a PEM file. Throws std::runtime_error that names the file.
certificate read_certificate(const std::string& file);

/// What keeps a node of that name from showing this certificate to its peers, or nothing.
std::string why_unfit(const certificate& own, const std::string& file, const std::string& node,
                      instant now);

/// Says in the log how many days are left, where they are fewer than 30.
void warn_of_end(const certificate& own, instant now);

}  // namespace skanu
