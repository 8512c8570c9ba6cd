// The API's reference as a page: the OpenAPI document for readers. No CAF, no httplib.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace skanu {

/// Renders an OpenAPI 3.1 document with references only into its own components. Throws
/// nlohmann::json::exception for any other document. The page needs no script.
std::string render_reference(const nlohmann::ordered_json& api);

/// Renders links to the operations, problem types and schemas of the document that contain each of
/// the words, in any case.
std::string render_search(const nlohmann::ordered_json& api, std::string_view words);

}  // namespace skanu
