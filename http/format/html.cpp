#include "http/format/html.hpp"

namespace skanu {

std::string html_escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string html_page(std::string_view title, std::string_view content) {
  std::string out =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>";
  out += html_escaped(title);
  out +=
      "</title>\n<link rel=\"stylesheet\" href=\"/assets/docs.css\">\n</head>\n<body>\n"
      "<a class=\"skip\" href=\"#main\">To the content</a>\n"
      "<header><a href=\"/docs\">SKANU API</a></header>\n<main id=\"main\" tabindex=\"-1\">\n";
  out += content;
  out += "</main>\n</body>\n</html>\n";
  return out;
}

}  // namespace skanu
