// Lists of fields: every member of a type stands in one, and JSON shows parts as the whole's own.
#include "messages/field_list.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "messages/fields.hpp"

namespace skanu {
namespace {

struct point {
  std::int64_t x = 0, y = 0;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("x", self.x);
    visit("y", self.y);
  }
};

/// A member of every kind that is stored or sent.
struct every_kind {
  std::string text;
  std::optional<std::string> note;
  std::optional<std::int64_t> number;
  point where;
  std::vector<point> list;
  std::variant<point, std::string> either;
  std::shared_ptr<const std::string> shared;
  bool hidden = false;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("text", self.text);
    visit("note", self.note, since_protocol{9});
    visit("number", self.number);
    visit(self.where);
    visit("list", self.list);
    visit("either", self.either);
    visit.local(self.shared);
  }
  template <class Self, class Visitor>
  static constexpr void internal_fields(Self& self, Visitor& visit) {
    visit("hidden", self.hidden);
  }
};
static_assert(lists_every_member<every_kind>);

struct forgetful {
  std::int64_t known = 0;
  std::optional<std::string> forgotten = {};

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("known", self.known);
  }
};
static_assert(!lists_every_member<forgetful>);

/// Names one member twice, and so as many as there are.
struct repetitive {
  std::int64_t known = 0;
  std::int64_t forgotten = 0;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("known", self.known);
    visit("forgotten", self.known);
  }
};
static_assert(!lists_every_member<repetitive>);

struct moved_point : point {
  bool moved = false;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit(part_of<point>(self));
    visit("moved", self.moved);
  }
};
static_assert(lists_every_member<moved_point>);

struct renamed_point : point {};
static_assert(lists_every_member<renamed_point>, "it has the list of its base");

struct forgetful_heir : point {
  bool forgotten = false, forgotten_too = false;
};
static_assert(!lists_every_member<forgetful_heir>);

struct line {
  std::string name;
  moved_point end;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("name", self.name);
    visit(self.end);
  }
};

TEST(field_lists, show_parts_among_the_fields_of_the_whole) {
  const auto text = to_json(line{"a", {{1, 2}, true}});
  EXPECT_EQ(text, R"({"name":"a","x":1,"y":2,"moved":true})");
  const auto read = from_json<line>(nlohmann::json::parse(text));
  EXPECT_EQ(read.name, "a");
  EXPECT_EQ(read.end.y, 2);
  EXPECT_TRUE(read.end.moved);
}

}  // namespace
}  // namespace skanu
