// The list of a type's fields: written once, it makes the JSON that is stored and shown
// (messages/fields.hpp) and the bytes between nodes (cluster/protocol/wire_format.hpp).
//
//   template <class Self, class Visitor>
//   static constexpr void fields(Self& self, Visitor& visit) {
//     visit("id", self.id);                          // a field
//     visit(self.details);                           // a part, whose fields stand among the others
//     visit("note", self.note, since_protocol{5});   // a field that older nodes do not know
//     visit.local(self.answer);                      // a member that never leaves the process
//   }
//
// A list `internal_fields` beside it names members that are stored and not shown. Each member
// stands once in one of the lists, or the type does not compile where its lists are used.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

namespace skanu {

/// The first version of the protocol between nodes that has a field (wire_format.hpp).
struct since_protocol {
  std::uint32_t version = 0;
};

namespace field_lists {

/// A value of every type, for questions about types alone.
struct anything {
  template <class T>
  operator T() const;
};

template <class T, std::size_t... I>
constexpr bool takes(std::index_sequence<I...>) {
  return requires { T{(static_cast<void>(I), anything{})...}; };
}

/// The number of an aggregate's members; a base counts as one of them.
template <class T, std::size_t Known = 0>
constexpr std::size_t member_count() {
  static_assert(std::is_aggregate_v<T>, "the members of other types cannot be counted");
  if constexpr (takes<T>(std::make_index_sequence<Known + 1>{})) {
    return member_count<T, Known + 1>();
  } else {
    return Known;
  }
}

/// Collects the members that a list names, by their addresses: another member named twice does not
/// stand in for a forgotten member.
struct collector {
  static constexpr std::size_t most = 64;  ///< More members do not compile.

  std::array<const void*, most> members = {};
  std::size_t count = 0;
  bool distinct = true;

  template <class T>
  constexpr void operator()(std::string_view, const T& member, since_protocol = {}) {
    add(std::addressof(member));
  }
  template <class Part>
  constexpr void operator()(const Part& part) {
    add(std::addressof(part));
  }
  template <class... Members>
  constexpr void local(const Members&... members_of_the_process) {
    (add(std::addressof(members_of_the_process)), ...);
  }

 private:
  constexpr void add(const void* member) {
    for (std::size_t i = 0; i < count; ++i) distinct = distinct && members[i] != member;
    members[count++] = member;
  }
};

/// Room for a value that is never made: lists are collected without reading one.
template <class T>
union unmade {
  char nothing = 0;
  T value;
  constexpr unmade() {}
  constexpr ~unmade() {}
};
template <class T>
inline constinit unmade<T> room;

template <class T>
constexpr collector listed_members() {
  collector listed;
  T::fields(room<T>.value, listed);
  if constexpr (requires { T::internal_fields(room<T>.value, listed); })
    T::internal_fields(room<T>.value, listed);
  return listed;
}

}  // namespace field_lists

/// True where the lists name each member of the type once; an heir with members of its own names
/// its base as a part. A type with a single member or base may list the fields of that member as
/// its own.
template <class T>
inline constexpr bool lists_every_member = [] {
  constexpr auto members = field_lists::member_count<T>();
  constexpr auto listed = field_lists::listed_members<T>();
  return listed.distinct && (members == 1 ? listed.count >= 1 : listed.count == members);
}();

/// Shows the fields of a value to a visitor, in their order.
template <class T, class Visitor>
constexpr void visit_fields(T& value, Visitor& visit) {
  using type = std::remove_const_t<T>;
  static_assert(lists_every_member<type>,
                "a member stands in no list of fields, or twice (field_list.hpp)");
  type::fields(value, visit);
}

/// The part of a value that its type inherits.
template <class Base, class T>
constexpr auto& part_of(T& value) {
  if constexpr (std::is_const_v<T>) {
    return static_cast<const Base&>(value);
  } else {
    return static_cast<Base&>(value);
  }
}

}  // namespace skanu
