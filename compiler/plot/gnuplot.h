// Pictures as gnuplot scripts with their data inside, and running gnuplot on them. Colours are those
// of Okabe and Ito (2008), which people with any kind of colour vision can tell apart; lines of several
// functions differ in their dashes too.
#pragma once

#include <string>
#include <vector>

#include "plot/picture.h"

namespace dini::plot {

// By the ending of the output's name; Script is the gnuplot source itself (.gp).
enum class Format { Svg, Png, Script };

// `output` is the picture's file that the script will write.
std::string script(const CurvePicture& picture, Format format, const std::string& output);
std::string script(const FieldPicture& picture, Format format, const std::string& output);
std::string script(const PathPicture& picture, Format format, const std::string& output);

enum class Drawn { Done, NoGnuplot, Failed };
struct DrawResult {
  Drawn drawn = Drawn::Done;
  std::string said;  // by gnuplot, where it failed
};
// Runs gnuplot on the script.
DrawResult draw(const std::string& script);

}  // namespace dini::plot
