// Handlers besides resources: the pages and their files, the root, the API's description, and the
// explanations of problems. Only another build changes the bytes, so every answer has an ETag.
#pragma once

#include <string_view>

#include <httplib.h>

#include "messages/phone.hpp"

namespace skanu::pages {

/// Sets the country whose phone numbers are typed without its code. Called before the first
/// request.
void set_country(const phone_country& country);
/// The customer's page for browsers, links to the collections for programs, behind `base`
/// (link_base.hpp).
void home(const httplib::Request& in, httplib::Response& out, std::string_view base);
void board(const httplib::Request& in, httplib::Response& out, std::string_view);
void display(const httplib::Request& in, httplib::Response& out, std::string_view);
void manager(const httplib::Request& in, httplib::Response& out, std::string_view);
void reference(const httplib::Request& in, httplib::Response& out, std::string_view);
void openapi(const httplib::Request& in, httplib::Response& out, std::string_view);
/// A file of http/page/, except the pages.
void file(const httplib::Request& in, httplib::Response& out, std::string_view name);
/// The explanation of a problem type.
void problem(const httplib::Request& in, httplib::Response& out, std::string_view type);

}  // namespace skanu::pages
