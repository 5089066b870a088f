//! Plots as inline SVG: a unit square with grid, lines and words; black on white, so
//! that a print shows what a screen shows.

use std::fmt::Write;

/// Side of the square, and room around it for words, in SVG units.
const SIDE: f64 = 220.0;
const MARGIN: f64 = 42.0;
/// Most points of a line: what 220 units can show.
const MOST_POINTS: usize = 400;

/// A plot over [0, 1] x [0, 1].
pub(super) struct Plot<'a> {
    pub title: &'a str,
    pub x: &'a str,
    pub y: &'a str,
    /// Where the vertical axis ends; 1 unless less is needed.
    pub top: f64,
}

/// What is drawn into a plot.
pub(super) enum Mark<'a> {
    /// A line through points.
    Line(&'a [(f64, f64)]),
    /// A dashed straight line for comparison.
    Dashed((f64, f64), (f64, f64)),
    /// Dots.
    Dots(&'a [(f64, f64)]),
}

impl Plot<'_> {
    pub fn draw(&self, marks: &[Mark<'_>]) -> String {
        let whole = SIDE + MARGIN + 16.0;
        let mut svg = format!(
            "<svg viewBox=\"0 0 {whole} {}\" role=\"img\" aria-label=\"{}\">\n",
            whole + 14.0,
            super::html::escaped(self.title)
        );
        self.frame(&mut svg);
        for mark in marks {
            let _ = match mark {
                Mark::Line(points) => {
                    let path: Vec<String> =
                        thinned(points).map(|p| self.at(p)).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
                    writeln!(svg, "<polyline class=\"line\" points=\"{}\"/>", path.join(" "))
                }
                Mark::Dashed(from, to) => {
                    let ((x1, y1), (x2, y2)) = (self.at(*from), self.at(*to));
                    writeln!(svg, "<path class=\"dashed\" d=\"M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}\"/>")
                }
                Mark::Dots(points) => points.iter().map(|p| self.at(*p)).try_for_each(|(x, y)| {
                    writeln!(svg, "<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>")
                }),
            };
        }
        svg + "</svg>\n"
    }

    /// Where a point stands, in SVG units.
    fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (MARGIN + x.clamp(0.0, 1.0) * SIDE, 14.0 + SIDE - (y / self.top).clamp(0.0, 1.0) * SIDE)
    }

    fn frame(&self, svg: &mut String) {
        let bottom = 14.0 + SIDE;
        let middle = MARGIN + SIDE / 2.0;
        let _ =
            writeln!(svg, "<text class=\"title\" x=\"{middle}\" y=\"9\">{}</text>", super::html::escaped(self.title));
        for step in 0..=4u8 {
            let share = f64::from(step) / 4.0;
            let (x, y) = self.at((share, share * self.top));
            let _ = writeln!(svg, "<path class=\"grid\" d=\"M{x:.1} 14V{bottom}M{MARGIN} {y:.1}H{}\"/>", MARGIN + SIDE);
            let _ = writeln!(svg, "<text class=\"tick\" x=\"{x:.1}\" y=\"{}\">{share}</text>", bottom + 12.0);
            let _ = writeln!(
                svg,
                "<text class=\"tick left\" x=\"{}\" y=\"{:.1}\">{}</text>",
                MARGIN - 4.0,
                y + 3.0,
                (share * self.top * 1e3).round() / 1e3
            );
        }
        let (below, center) = (bottom + 27.0, 14.0 + SIDE / 2.0);
        let _ = writeln!(svg, "<text class=\"axis\" x=\"{middle}\" y=\"{below}\">{}</text>", self.x);
        let _ = writeln!(svg, "<text class=\"axis\" transform=\"translate(9 {center}) rotate(-90)\">{}</text>", self.y);
    }
}

/// Evenly chosen points with the first and the last, where there are too many.
fn thinned(points: &[(f64, f64)]) -> impl Iterator<Item = (f64, f64)> + '_ {
    let step = points.len().div_ceil(MOST_POINTS).max(1);
    let last = points.len().saturating_sub(1);
    points.iter().enumerate().filter(move |(at, _)| at % step == 0 || *at == last).map(|(_, point)| *point)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_keep_their_ends_and_corners_of_the_square_are_its_corners() {
        let points: Vec<(f64, f64)> = (0..1001).map(|at| (f64::from(at) / 1000.0, 0.5)).collect();
        let thin: Vec<_> = thinned(&points).collect();
        assert!(thin.len() <= MOST_POINTS + 1 && thin[0] == points[0] && thin[thin.len() - 1] == points[1000]);
        let plot = Plot { title: "a < b", x: "x", y: "y", top: 0.5 };
        assert_eq!((plot.at((0.0, 0.0)), plot.at((1.0, 0.5))), ((42.0, 234.0), (262.0, 14.0)));
        let svg = plot.draw(&[Mark::Line(&points), Mark::Dots(&[(0.5, 0.1)]), Mark::Dashed((0.0, 0.0), (1.0, 1.0))]);
        assert!(svg.contains("a &lt; b") && svg.ends_with("</svg>\n"));
    }
}
