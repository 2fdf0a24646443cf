#include "plot/gnuplot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace dini::plot {
namespace {

constexpr std::array kColours = {"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"};
constexpr std::array kDashes = {"1", "(10,4)", "(2,3)", "(10,3,2,3)", "(16,5)", "(5,2)"};

const char* colour(size_t k) { return kColours[k % kColours.size()]; }
const char* dash(size_t k) { return kDashes[k % kDashes.size()]; }

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'') out += '\'';
    if (c != '\n' && c != '\r') out += c;
  }
  return out + "'";
}

std::string number(double x) { return std::isfinite(x) ? fmt::format("{:.9g}", x) : "NaN"; }

std::string block(const std::string& name, const Line& line) {
  std::string out = fmt::format("${} << END\n", name);
  for (const Point& p : line) out += std::isfinite(p.y) ? fmt::format("{} {}\n", number(p.x), number(p.y)) : "\n";
  return out + "END\n";
}

// A picture of width times height in SVG units, PNG of twice the resolution.
std::string opening(Format format, const std::string& output, int width, int height) {
  bool png = format == Format::Png || output.ends_with(".png");
  std::string terminal =
      png ? fmt::format("set terminal pngcairo noenhanced size {},{} font 'DejaVu Sans,11' fontscale 1.8 linewidth 1.8 "
                        "pointscale 1.8 background rgb 'white'", 2 * width, 2 * height)
          : fmt::format("set terminal svg noenhanced size {},{} dynamic font 'DejaVu Sans,Verdana,sans-serif,13' "
                        "background rgb 'white'", width, height);
  return fmt::format("{}\nset encoding utf8\nset output {}\nset border lc rgb '#555555'\n"
                     "set tics nomirror textcolor rgb '#333333'\nset grid lc rgb '#e4e4e4' lt 1 lw 0.7\n",
                     terminal, quoted(output));
}

struct Extent {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  void take(double y) {
    if (!std::isfinite(y)) return;
    low = std::min(low, y);
    high = std::max(high, y);
  }
};

// What most of the values span; poles and steep ends are cut off, but only where they would hide
// the rest. A little air above and below.
std::string yRange(const std::vector<const Line*>& lines) {
  std::vector<double> ys;
  Extent all;
  for (const Line* line : lines)
    for (const Point& p : *line)
      if (std::isfinite(p.y)) ys.push_back(p.y), all.take(p.y);
  if (ys.empty()) return "set yrange [-1:1]\n";
  std::sort(ys.begin(), ys.end());
  size_t cut = ys.size() / 25;
  double low = ys[cut], high = ys[ys.size() - 1 - cut];
  if (all.high - all.low > 6 * (high - low) && high > low) {
    double more = high - low;
    low = std::max(all.low, low - more / 2), high = std::min(all.high, high + more / 2);
  } else {
    low = all.low, high = all.high;
  }
  double air = high > low ? 0.07 * (high - low) : std::max(0.5, 0.1 * std::abs(high));
  return fmt::format("set yrange [{}:{}]\n", number(low - air), number(high + air));
}

// One `plot` command from its parts.
std::string plotCommand(const std::vector<std::string>& parts) {
  return fmt::format("plot {}\n", fmt::join(parts, ", \\\n     "));
}

struct Marks {
  Line kinks, limits, chosen, ends;
};

// The points that both panels mark.
Marks valueMarks(const CurvePicture& picture) {
  Marks marks;
  for (const Curve& curve : picture.curves) {
    for (const Kink& k : curve.kinks) marks.kinks.push_back({k.x, k.value});
    for (const Jump& j : curve.jumps)
      if (!j.pole) marks.ends.push_back({j.x, j.left}), marks.ends.push_back({j.x, j.right});
  }
  return marks;
}

Marks slopeMarks(const CurvePicture& picture) {
  Marks marks;
  for (const Curve& curve : picture.curves)
    for (const Kink& k : curve.kinks) {
      for (double limit : {k.left, k.right})
        if (std::isfinite(limit)) marks.limits.push_back({k.x, limit});
      if (std::isfinite(k.chosen)) marks.chosen.push_back({k.x, k.chosen});
    }
  return marks;
}

// Each curve's name for the variable, once.
std::string variables(const CurvePicture& picture) {
  std::vector<std::string> names;
  for (const Curve& curve : picture.curves)
    if (std::find(names.begin(), names.end(), curve.variable) == names.end()) names.push_back(curve.variable);
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string panel(const CurvePicture& picture, bool derivative) {
  std::string out;
  std::vector<const Line*> lines;
  std::vector<std::string> parts;
  const char* panel_name = derivative ? "slope" : "value";
  bool one = picture.curves.size() == 1;
  for (size_t k = 0; k < picture.curves.size(); ++k) {
    const Curve& curve = picture.curves[k];
    const Line& line = derivative ? curve.derivative : curve.value;
    lines.push_back(&line);
    std::string name = fmt::format("{}{}", panel_name, k + 1);
    out += block(name, line);
    // A function without a name of its own is its text.
    bool named = curve.name.find_first_of(" =({[") == std::string::npos;
    std::string title = !named      ? fmt::format("{}{}", derivative ? "derivative of " : "", curve.name)
                        : derivative ? fmt::format("{}'({})", curve.name, curve.variable)
                                     : fmt::format("{}({})", curve.name, curve.variable);
    size_t style = one && derivative ? 1 : k;
    parts.push_back(fmt::format("${} using 1:2 with lines lw 2.2 lc rgb '{}' dt {} title {}", name, colour(style),
                                one ? "1" : dash(k), quoted(title)));
  }
  auto points = [&](const char* name, const Line& at, const std::string& style, const char* title) {
    if (at.empty()) return;
    out += block(name, at);
    parts.push_back(fmt::format("${} using 1:2 with points {} title '{}'", name, style, title));
  };
  if (derivative) {
    Marks marks = slopeMarks(picture);
    points("limits", marks.limits, "pt 6 ps 0.75 lw 1.4 lc rgb '#000000'", "one-sided limits");
    points("chosen", marks.chosen, "pt 13 ps 0.95 lc rgb '#000000'", "at the kink");
  } else {
    Marks marks = valueMarks(picture);
    points("kinks", marks.kinks, "pt 7 ps 0.6 lc rgb '#000000'", "kink");
    points("ends", marks.ends, "pt 6 ps 0.75 lw 1.4 lc rgb '#000000'", "jump");
  }
  out += yRange(lines);
  return out + plotCommand(parts);
}

// The values at the nodes; for contours without those beside a jump, where lines would bunch.
std::string gridBlock(const FieldPicture& picture, bool for_contours) {
  const Field& field = picture.field;
  std::string out = for_contours ? "$levels << END\n" : "$grid << END\n";
  for (size_t row = 0; row < field.rows; ++row) {
    for (size_t column = 0; column < field.columns; ++column) {
      double tx = static_cast<double>(column) / static_cast<double>(field.columns - 1);
      double ty = static_cast<double>(row) / static_cast<double>(field.rows - 1);
      size_t node = row * field.columns + column;
      bool shown = std::isfinite(field.values[node]) && !(for_contours && field.beside_jump[node]);
      out += fmt::format("{:.6g} {:.6g} {}\n", (1 - tx) * picture.x.from + tx * picture.x.to,
                         (1 - ty) * picture.y.from + ty * picture.y.to,
                         shown ? fmt::format("{:.6g}", field.values[node]) : "NaN");
    }
    out += '\n';
  }
  return out + "END\n";
}

// About a dozen levels at quantiles of the values: a valley shows as well as a cliff.
std::string levels(const std::vector<double>& values) {
  std::vector<double> sorted;
  for (double v : values)
    if (std::isfinite(v)) sorted.push_back(v);
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::string> texts;
  constexpr size_t kLevels = 14;
  for (size_t k = 1; k <= kLevels && !sorted.empty(); ++k)
    texts.push_back(fmt::format("{:.6g}", sorted[k * (sorted.size() - 1) / (kLevels + 1)]));
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  return fmt::format("{}", fmt::join(texts, ","));
}

}  // namespace

std::string script(const CurvePicture& picture, Format format, const std::string& output) {
  std::string out = opening(format, output, 760, 620);
  out += fmt::format("set multiplot layout 2,1 title {} noenhanced font ',13'\nset xrange [{}:{}]\n"
                     "set lmargin 11\nset rmargin 3\nset key outside top center horizontal maxrows 1 samplen 2.5\n"
                     "set zeroaxis lt 1 lc rgb '#999999' lw 0.8\n",
                     quoted(picture.title), number(picture.over.from), number(picture.over.to));
  out += "set ylabel 'value'\nset format x ''\nset bmargin 0.6\n" + panel(picture, false);
  out += fmt::format("set ylabel 'derivative'\nset xlabel {}\nset format x '%g'\nset bmargin 3.2\n", quoted(variables(picture)));
  return out + panel(picture, true) + "unset multiplot\n";
}

std::string script(const FieldPicture& picture, Format format, const std::string& output) {
  const Field& field = picture.field;
  std::string out = opening(format, output, 760, 640) + gridBlock(picture, false) + gridBlock(picture, true);
  out += fmt::format("set contour base\nunset surface\nset cntrparam levels discrete {}\nset table $contours\n"
                     "splot $levels using 1:2:3\nunset table\nunset contour\nunset grid\n", levels(field.values));
  out += "set palette defined (0 '#5a92bd', 0.3 '#94bfda', 0.65 '#d9e8f0', 1 '#fdf6e3')\n";
  out += fmt::format("set title {} noenhanced\nset xlabel {}\nset ylabel {}\nset cblabel {}\nset xrange [{}:{}]\nset yrange [{}:{}]\n"
                     "set key outside below horizontal maxrows 2 samplen 2.5\n",
                     quoted(picture.title), quoted(picture.x_name), quoted(picture.y_name), quoted(picture.name),
                     number(picture.x.from), number(picture.x.to), number(picture.y.from), number(picture.y.to));
  double ratio = picture.y.width() / picture.x.width();
  if (ratio >= 0.4 && ratio <= 2.5) out += "set size ratio -1\n";
  std::vector<std::string> parts = {
      "$grid using 1:2:3 with image notitle",
      "$contours using 1:2 with lines lw 0.8 lc rgb '#55ffffff' notitle"};
  out += "$arrows << END\n";
  for (const Arrow& a : field.arrows)
    out += fmt::format("{:.5g} {:.5g} {:.4g} {:.4g}\n", a.x - a.dx / 2, a.y - a.dy / 2, a.dx, a.dy);
  out += "END\n";
  if (!field.arrows.empty())
    parts.push_back("$arrows using 1:2:3:4 with vectors filled size screen 0.007,22,60 lw 0.9 lc rgb '#444444' title 'minus the gradient'");
  auto dots = [&](const char* name, const std::vector<Point>& at, const char* style, const char* title) {
    if (at.empty()) return;
    out += block(name, at);
    parts.push_back(fmt::format("${} using 1:2 with points {} title '{}'", name, style, title));
  };
  dots("kinks", field.kinks, "pt 7 ps 0.28 lc rgb '#000000'", "kinks");
  dots("jumps", field.jumps, "pt 7 ps 0.4 lc rgb '#CC79A7'", "jumps");
  for (size_t k = 0; k < field.descents.size(); ++k) {
    const Descent& descent = field.descents[k];
    std::string name = fmt::format("descent{}", k + 1);
    out += block(name, descent.path) + block(name + "_start", {descent.path.begin(), descent.path.begin() + !descent.path.empty()});
    const char* hue = kColours[(k + 1) % kColours.size()];
    parts.push_back(fmt::format("${} using 1:2 with lines lw 2 lc rgb '{}' dt {} title 'descent from ({:.4g}, {:.4g})'",
                                name, hue, dash(k),
                                descent.path.empty() ? NAN : descent.path[0].x, descent.path.empty() ? NAN : descent.path[0].y));
    parts.push_back(fmt::format("${}_start using 1:2 with points pt 7 ps 0.9 lc rgb '{}' notitle", name, hue));
  }
  return out + plotCommand(parts);
}

std::string script(const PathPicture& picture, Format format, const std::string& output) {
  std::string out = opening(format, output, 760, 560);
  Extent x, y;
  std::vector<std::string> parts;
  for (size_t k = 0; k < picture.lines.size(); ++k) {
    for (const Point& p : picture.lines[k]) x.take(p.x), y.take(p.y);
    std::string name = fmt::format("path{}", k + 1);
    out += block(name, picture.lines[k]);
    bool alone = picture.lines.size() == 1;
    std::string title = alone || picture.names[k].empty() ? "notitle" : "title " + quoted(picture.names[k]);
    parts.push_back(fmt::format("${} using 1:2 with lines lw 1.3 lc rgb '{}' dt {} {}", name, colour(k), dash(k), title));
  }
  out += fmt::format("set title {} noenhanced\nset xlabel {}\nset ylabel {}\nset key outside top center horizontal maxrows 1\n"
                     "set offsets graph 0.03, graph 0.03, graph 0.04, graph 0.04\n",
                     quoted(picture.title), quoted(picture.x_name), quoted(picture.y_name));
  return out + plotCommand(parts);
}

}  // namespace dini::plot
