//! Owns small charts: lines over one axis as an SVG that needs nothing else.

use std::fmt::Write as _;

/// One chart.
#[derive(Clone, Debug)]
pub struct Plot {
    pub title: String,
    pub across: String,
    pub up: String,
    /// Steps of ten are as far apart as each other.
    pub logarithmic: bool,
    pub lines: Vec<Line>,
}

/// One line, its points by rising place across.
#[derive(Clone, Debug)]
pub struct Line {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 52.0;
const TICKS: usize = 5;
/// Told apart by eyes that see few colours; the marks differ too.
const COLOURS: [&str; 5] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#555555"];

impl Plot {
    /// The chart, or nothing where no line has two points.
    pub fn svg(&self) -> Option<String> {
        if self.lines.iter().all(|line| line.points.len() < 2) {
            return None;
        }
        let scale = Scale::of(self);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
             font-size=\"12\" role=\"img\">\n<title>{0}</title>\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" \
             fill=\"#fff\"/>\n<text x=\"{LEFT}\" y=\"24\" font-size=\"15\">{0}</text>\n",
            escaped(&self.title)
        );
        self.frame(&scale, &mut svg);
        for (at, line) in self.lines.iter().enumerate() {
            draw(line, at, &scale, &mut svg);
        }
        svg.push_str("</svg>\n");
        Some(svg)
    }

    fn frame(&self, scale: &Scale, svg: &mut String) {
        let (right, foot) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for tick in 0..=TICKS {
            let share = tick as f64 / TICKS as f64;
            let (value, y) = (scale.up_max * share, foot - (foot - TOP) * share);
            let _infallible = writeln!(
                svg,
                "<path d=\"M{LEFT} {y:.1}H{right}\" stroke=\"#ddd\"/><text x=\"{:.1}\" y=\"{:.1}\" \
                 text-anchor=\"end\">{}</text>",
                LEFT - 6.0,
                y + 4.0,
                short(value)
            );
        }
        for place in scale.places(self) {
            let x = scale.x(place);
            let _infallible = writeln!(
                svg,
                "<path d=\"M{x:.1} {foot}v4\" stroke=\"#555\"/><text x=\"{x:.1}\" y=\"{:.1}\" \
                 text-anchor=\"middle\">{}</text>",
                foot + 18.0,
                short(place)
            );
        }
        let _infallible = writeln!(
            svg,
            "<path d=\"M{LEFT} {TOP}V{foot}H{right}\" fill=\"none\" stroke=\"#555\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\
             <text transform=\"translate(16 {:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            f64::midpoint(LEFT, right),
            HEIGHT - 12.0,
            escaped(&self.across),
            f64::midpoint(TOP, foot),
            escaped(&self.up)
        );
    }
}

fn draw(line: &Line, at: usize, scale: &Scale, svg: &mut String) {
    let colour = COLOURS[at % COLOURS.len()];
    let points: Vec<(f64, f64)> =
        line.points.iter().map(|(across, up)| (scale.x(*across), scale.y(*up))).collect();
    let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let _infallible = writeln!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
        path.join(" ")
    );
    for (x, y) in &points {
        let _infallible = match at % 2 {
            0 => writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"{colour}\"/>"),
            _ => writeln!(
                svg,
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"7\" height=\"7\" fill=\"{colour}\"/>",
                x - 3.5,
                y - 3.5
            ),
        };
    }
    let (x, y) = (WIDTH - RIGHT + 12.0, TOP + 16.0 + 20.0 * at as f64);
    let _infallible = writeln!(
        svg,
        "<path d=\"M{x:.1} {y:.1}h18\" stroke=\"{colour}\" stroke-width=\"3\"/><text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
        x + 24.0,
        y + 4.0,
        escaped(&line.name)
    );
}

/// From figures to places on the sheet.
struct Scale {
    logarithmic: bool,
    across: (f64, f64),
    up_max: f64,
}

impl Scale {
    fn of(plot: &Plot) -> Scale {
        let all = || plot.lines.iter().flat_map(|line| &line.points);
        let (low, high) = all().fold((f64::MAX, f64::MIN), |(low, high), (x, _)| (low.min(*x), high.max(*x)));
        let up = all().map(|(_, y)| *y).fold(f64::EPSILON, f64::max);
        let logarithmic = plot.logarithmic && low > 0.0;
        Scale { logarithmic, across: (low, high), up_max: round_up(up) }
    }

    fn x(&self, value: f64) -> f64 {
        let along = |value: f64| if self.logarithmic { value.log10() } else { value };
        let (low, high) = (along(self.across.0), along(self.across.1));
        LEFT + (WIDTH - RIGHT - LEFT) * (along(value) - low) / (high - low).max(f64::EPSILON)
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / self.up_max
    }

    /// Where the axis is named: at the points themselves.
    fn places(&self, plot: &Plot) -> Vec<f64> {
        let mut places: Vec<f64> =
            plot.lines.iter().flat_map(|line| line.points.iter().map(|(x, _)| *x)).collect();
        places.sort_by(f64::total_cmp);
        places.dedup();
        places
    }
}

/// 1, 2 or 5 times a power of ten, not below the value.
fn round_up(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0];
    steps.into_iter().map(|step| step * power).find(|step| *step >= value).unwrap_or(value)
}

/// A figure in few characters.
fn short(value: f64) -> String {
    let (scaled, unit) = match value.abs() {
        big if big >= 1e6 => (value / 1e6, "M"),
        big if big >= 1e4 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let text = format!("{scaled:.2}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{unit}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(points: &[(f64, f64)]) -> Plot {
        let lines = vec![Line { name: "p99 < all".into(), points: points.to_vec() }];
        let (title, across, up) = ("latency".into(), "calls a second".into(), "ms".into());
        Plot { title, across, up, logarithmic: true, lines }
    }

    #[test]
    fn a_chart_holds_its_points_and_their_names() {
        let svg = plot(&[(1.0, 3.0), (10.0, 7.0), (100.0, 90.0)]).svg().unwrap();
        assert_eq!(svg.matches("<circle").count(), 3);
        assert!(svg.contains("p99 &lt; all") && svg.contains(">100</text>"));
        // A step of ten is as wide as the next.
        assert!(svg.contains("points=\"76.0,") && svg.contains(" 323.0,"));
    }

    #[test]
    fn one_point_is_no_line() {
        assert!(plot(&[(1.0, 3.0)]).svg().is_none());
    }

    #[test]
    fn figures_are_short() {
        assert_eq!([0.25, 40.0, 12_500.0, 4e6].map(short), ["0.25", "40", "12.5k", "4M"]);
    }
}
