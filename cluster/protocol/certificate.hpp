// A node's certificate: the names in the certificate, and the period of validity.
#pragma once

#include <string>
#include <vector>

#include "messages/values.hpp"

struct x509_st;

namespace skanu {

/// Returns the common names and the DNS names of a certificate.
std::vector<std::string> names_in(x509_st* certificate);

/// True if the names contain the node's, in upper or lower case, as in DNS.
bool name_node(const std::vector<std::string>& names, const std::string& node);

struct certificate {
  std::vector<std::string> names;
  instant begins, ends;
};

/// Reads the first certificate of a PEM file. Throws std::runtime_error with the file's name.
certificate read_certificate(const std::string& file);

/// Returns the reason against the node's use of the certificate; empty without a reason.
std::string why_unfit(const certificate& own, const std::string& file, const std::string& node,
                      instant now);

/// Logs the days left if fewer than 30 are.
void warn_of_end(const certificate& own, instant now);

}  // namespace skanu
