// The residual of a ball that rests on a spring plate between the ground and a stop, as it might stand in a
// simulator: ordinary C++, annotated. Contact is Hunt's and Crossley's law (Journal of Applied Mechanics 42, 1975):
// the force grows with the penetration (to the power 1, for flat surfaces), is damped, and never pulls.
#include <algorithm>

namespace {

struct Surface {
  double stiffness;
  double damping;
};

constexpr Surface kGround{4.0e4, 0.15};
constexpr Surface kStop{9.0e4, 0.05};

double contact_force(const Surface &surface, double depth, double rate) {
  const double pressed = std::max(depth, 0.0);
  const double force = surface.stiffness * pressed * (1 + 1.5 * surface.damping * rate);
  return std::max(force, 0.0);
}

}  // namespace

// Forces on the ball at `height` that moves with `velocity` under a push from above, in newtons. Below 0 it
// presses on the ground, above 0.02 m on the stop; a spring that hangs slack when it is pushed together holds it.
[[clang::annotate("dini")]] double net_force(double height, double velocity, double push) {
  const double weight = 0.5 * 9.81;
  const double ground = contact_force(kGround, -height, -velocity);
  const double stop = contact_force(kStop, height - 0.02, velocity);
  const double stretch = 0.015 - height;
  const double spring = stretch > 0 ? 250 * stretch : 0;
  return spring + ground - stop - weight - push;
}
