//! Owns which charts a run gives: one for each size that was tried at several values.

use std::fs;
use std::path::Path;

use crate::failed::Failed;
use crate::failed::cannot;
use crate::measured::Figures;
use crate::measured::Ratio;
use crate::plan::Arrivals;
use crate::plot::Line;
use crate::plot::Plot;
use crate::report::Report;
use crate::run::Pair;
use crate::sweep::Point;

/// A size, and where a point lies on it.
type Across = (&'static str, &'static str, fn(&Point) -> Option<f64>);
/// A figure of one side.
type Figure = fn(&Figures) -> f64;

const SIZES: [Across; 5] = [
    ("load", "calls a second that arrive", rate),
    ("connections", "connections", |point| Some(point.plan.connections as f64)),
    ("lines", "fee lines a stay", |point| Some(point.plan.lines as f64)),
    ("population", "insured", |point| Some(point.population as f64)),
    ("history", "settlements in the ledger beforehand", |point| Some(point.history as f64)),
];

const FIGURES: [(&str, &str, Figure); 5] = [
    ("latency", "p99, ms", |figures| figures.whole.p99 as f64 / 1000.0),
    ("throughput", "journeys a second", |figures| figures.per_second),
    ("cores", "cores in use", |figures| figures.server_us * figures.per_second / 1e6),
    ("cost", "processor time, µs each", |figures| figures.server_us),
    ("written", "bytes written, each", |figures| figures.written_bytes),
];

fn rate(point: &Point) -> Option<f64> {
    match point.plan.arrivals {
        Arrivals::Saturating => None,
        Arrivals::PerSecond(rate) => Some(f64::from(rate)),
    }
}

/// Every chart that has something to show, by its name.
pub fn charts(report: &Report) -> Vec<(String, String)> {
    let mut charts = Vec::new();
    for (size, across, place) in SIZES {
        for (name, up, figure) in FIGURES {
            let plot = Plot {
                title: format!("{name} over {size}, {}, {}", report.store.name(), report.proof.name()),
                across: across.to_owned(),
                up: up.to_owned(),
                logarithmic: size != "load" && size != "history",
                lines: lines(&report.points, place, figure),
            };
            charts.extend(plot.svg().map(|svg| (format!("{name}-over-{size}.svg"), svg)));
        }
    }
    charts
}

/// Gateway and floor, where the size was tried at several values.
fn lines(points: &[Point], place: fn(&Point) -> Option<f64>, figure: Figure) -> Vec<Line> {
    let side = |name: &str, of: fn(&Pair) -> &Figures| {
        let mut line: Vec<(f64, f64)> = Vec::new();
        for point in points {
            let Some(across) = place(point) else { continue };
            // What else was tried at this place is another chart's.
            if line.iter().all(|(known, _)| *known < across) {
                line.push((across, Ratio::of(point.pairs.iter().map(|pair| figure(of(pair)))).median));
            }
        }
        Line { name: name.to_owned(), points: line }
    };
    vec![side("gateway", |pair| &pair.gateway), side("floor", |pair| &pair.opponent)]
}

/// Before anything is driven, so that no figure is lost for want of it.
pub fn make(folder: &Path) -> Result<(), Failed> {
    fs::create_dir_all(folder).map_err(cannot("make the folder of --charts"))
}

/// Writes them into the folder.
pub fn write(report: &Report, folder: &Path) -> Result<(), Failed> {
    charts(report)
        .into_iter()
        .try_for_each(|(name, svg)| fs::write(folder.join(name), svg).map_err(cannot("write a chart")))
}
