#include "cluster/protocol/certificate.hpp"

#include <strings.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <memory>
#include <stdexcept>
#include <system_error>

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <spdlog/spdlog.h>

namespace skanu {

namespace {

constexpr std::chrono::days warned_before{30};

std::string text_of(const ASN1_STRING* name) {
  const auto* bytes = ::ASN1_STRING_get0_data(name);
  return {reinterpret_cast<const char*>(bytes),
          static_cast<std::size_t>(::ASN1_STRING_length(name))};
}

instant time_of(const ASN1_TIME* time) {
  std::tm parts{};
  ::ASN1_TIME_to_tm(time, &parts);
  return instant{std::chrono::seconds(::timegm(&parts))};
}

}  // namespace

std::vector<std::string> names_in(x509_st* certificate) {
  std::vector<std::string> names;
  auto* subject = ::X509_get_subject_name(certificate);
  for (int i = -1; (i = ::X509_NAME_get_index_by_NID(subject, NID_commonName, i)) >= 0;)
    names.push_back(text_of(::X509_NAME_ENTRY_get_data(::X509_NAME_get_entry(subject, i))));
  auto* others = static_cast<GENERAL_NAMES*>(
      ::X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(others); ++i) {
    const auto* other = sk_GENERAL_NAME_value(others, i);
    if (other->type == GEN_DNS) names.push_back(text_of(other->d.dNSName));
  }
  ::GENERAL_NAMES_free(others);
  return names;
}

bool name_node(const std::vector<std::string>& names, const std::string& node) {
  return std::ranges::any_of(names, [&](const std::string& name) {
    return name.size() == node.size() && ::strcasecmp(name.c_str(), node.c_str()) == 0;
  });
}

certificate read_certificate(const std::string& file) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> in{std::fopen(file.c_str(), "re"),
                                                           &std::fclose};
  if (!in) throw std::system_error(errno, std::generic_category(), "cannot read the file " + file);
  const std::unique_ptr<X509, void (*)(X509*)> read{
      ::PEM_read_X509(in.get(), nullptr, nullptr, nullptr), &::X509_free};
  if (!read) throw std::runtime_error("there is no certificate in the file " + file);
  return {names_in(read.get()), time_of(::X509_get0_notBefore(read.get())),
          time_of(::X509_get0_notAfter(read.get()))};
}

std::string why_unfit(const certificate& own, const std::string& file, const std::string& node,
                      instant now) {
  if (now >= own.ends)
    return "the certificate in " + file + " has expired: " + to_rfc3339(own.ends);
  if (now < own.begins)
    return "the certificate in " + file + " is not valid before " + to_rfc3339(own.begins);
  if (!name_node(own.names, node))
    return "the certificate in " + file + " does not name this node, " + node +
           ", as its common name or a DNS name";
  return {};
}

void warn_of_end(const certificate& own, instant now) {
  const auto left = std::chrono::floor<std::chrono::days>(own.ends - now);
  if (left < warned_before)
    spdlog::warn("event=certificate_ends_soon days={} ends={}", left.count(), to_rfc3339(own.ends));
}

}  // namespace skanu
