# cmake -DFOLDER=docs/errors -DOUTPUT=error_pages.inc -P embed_pages.cmake
# Writes {code, text} initialisers, one per page, for catalogue.cpp.
file(GLOB pages ${FOLDER}/*.md)
set(all "")
foreach(page ${pages})
  get_filename_component(code ${page} NAME_WE)
  file(READ ${page} text)
  string(APPEND all "{\"${code}\", R\"page(${text})page\"},\n")
endforeach()
file(WRITE ${OUTPUT} "${all}")
