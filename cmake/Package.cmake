# The Debian package: target skanu_package_texts, then cpack -G DEB. `./dev package` does both.
set(package_source "${PROJECT_SOURCE_DIR}/cluster/deploy/debian")
set(package_texts "${PROJECT_BINARY_DIR}/package_texts")
find_program(GZIP_PROGRAM gzip)

# The manual page and the completion are made from --help, the changelog from the version.
set(writer "${package_source}/program_texts.py")
add_custom_target(skanu_package_texts DEPENDS skanu
  COMMAND "${CMAKE_COMMAND}" -E make_directory "${package_texts}"
  COMMAND "${writer}" man $<TARGET_FILE:skanu> > "${package_texts}/skanu.1"
  COMMAND "${writer}" completion $<TARGET_FILE:skanu> > "${package_texts}/skanu"
  COMMAND "${GZIP_PROGRAM}" -9nf "${package_texts}/skanu.1"
  COMMAND "${GZIP_PROGRAM}" -9nc "${PROJECT_BINARY_DIR}/debian_changelog"
    > "${package_texts}/changelog.gz"
  VERBATIM)
string(TIMESTAMP package_date "%a, %d %b %Y %H:%M:%S +0000" UTC)
set(package_contact "SKANU maintainers <maintainers@skanu.example>")
file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/debian_changelog" @ONLY CONTENT
"skanu (@PROJECT_VERSION@) bookworm; urgency=medium

  * See CHANGELOG.md beside this file.

 -- @package_contact@  @package_date@
")
file(READ LICENSE license)
string(REGEX REPLACE "^MIT License\n+Copyright [^\n]*\n+" "" license "${license}")
string(STRIP "${license}" license)
string(REPLACE "\n\n" "\n.\n" license "${license}")
string(REPLACE "\n" "\n " license "${license}")
file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/copyright" @ONLY CONTENT
"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2026 The SKANU developers
License: MIT
 @license@
")

set(CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
  GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
install(TARGETS skanu RUNTIME DESTINATION usr/bin)
install(PROGRAMS "${package_source}/backup" DESTINATION usr/libexec/skanu)
install(FILES "${package_texts}/skanu.1.gz" DESTINATION usr/share/man/man1)
install(FILES "${package_texts}/skanu" DESTINATION usr/share/bash-completion/completions)
install(FILES "${package_texts}/changelog.gz" "${PROJECT_BINARY_DIR}/copyright" README.md
  CHANGELOG.md SECURITY.md DESTINATION usr/share/doc/skanu)
install(FILES "${package_source}/skanu.toml" DESTINATION etc/skanu)
install(FILES "${package_source}/skanu.service" "${package_source}/skanu-backup.service"
  "${package_source}/skanu-backup.timer" DESTINATION lib/systemd/system)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME skanu)
set(CPACK_PACKAGE_CONTACT "${package_contact}")
set(CPACK_PACKAGING_INSTALL_PREFIX /)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "coffee orders, payments, deliveries and stamps
SKANU serves a chain of cafés: orders, payments, kitchen and delivery progress
and stamps over a REST API, with pages for customers, staff and managers. What
was acknowledged is on disk and counted once.
.
The package has a service for systemd, and a timer that copies the data daily.")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "init-system-helpers (>= 1.54)")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA "${package_source}/postinst" "${package_source}/prerm"
  "${package_source}/postrm" "${PROJECT_BINARY_DIR}/conffiles")
file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/conffiles" CONTENT "/etc/skanu/skanu.toml\n")
include(CPack)
