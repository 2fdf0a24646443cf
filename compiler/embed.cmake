# Writes the C++ source of dini_embed (CMakeLists.txt): FILES, separated by |, as raw strings. MSVC's
# limit on their length does not concern us; a delimiter that no document holds ends them.
string(REPLACE "|" ";" files "${FILES}")
set(code "// Generated from text files by compiler/embed.cmake.\n#include \"${HEADER}\"\n\n")
string(APPEND code "namespace dini {\nnamespace {\nconstexpr EmbeddedText kTexts[] = {\n")
foreach(file IN LISTS files)
  get_filename_component(name "${file}" NAME_WE)
  file(READ "${file}" text)
  string(APPEND code "{\"${name}\", R\"EMBED~(${text})EMBED~\"},\n")
endforeach()
string(APPEND code "{\"\", \"\"}};\n}  // namespace\n")
string(APPEND code "std::span<const EmbeddedText> ${SYMBOL}() {\n")
string(APPEND code "  return std::span(kTexts).first(std::size(kTexts) - 1);\n}\n}  // namespace dini\n")
file(WRITE "${OUT}" "${code}")
