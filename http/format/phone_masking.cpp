#include "http/format/phone_masking.hpp"

#include "messages/values.hpp"

namespace skanu {

void mask_phones(nlohmann::ordered_json& value) {
  if (value.is_string()) {
    auto& text = value.get_ref<std::string&>();
    if (!from_rfc3339(text)) text = with_phones_masked(text);
    return;
  }
  if (!value.is_structured()) return;
  for (auto& [name, member] : value.items()) {
    if (name == "phoneNumber" && member.is_string()) {
      member = masked_phone(member.get_ref<const std::string&>());
    } else if (name == "phoneNumber" && member.is_number()) {
      member = masked_phone(member.dump());
    } else {
      mask_phones(member);
    }
  }
}

}  // namespace skanu
