//! Pictures of the table (SVG): both sides of each row, the growth with a size, a request by part.

use std::fmt::Write as _;

/// A row with the times of both sides, in nanoseconds.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) label: String,
    pub(crate) ours: f64,
    pub(crate) peer: f64,
    pub(crate) is_missed: bool,
}

/// A line through points.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

/// A bar of parts one after the other, in nanoseconds.
#[derive(Debug)]
pub(crate) struct Stack {
    pub(crate) name: String,
    pub(crate) parts: Vec<(String, f64)>,
}

/// Returns two bars for each row, on a logarithmic scale.
pub(crate) fn pairs(rows: &[Pair]) -> String {
    let most = rows.iter().flat_map(|row| [row.ours, row.peer]);
    let scale = Scale {
        low: 10.0,
        high: 10_f64.powf(most.fold(100.0, f64::max).log10().ceil()),
        from: 560.0,
        to: 900.0,
    };
    let height = 60 + rows.len() * 34;
    let mut text = start(1080, height);
    let mut mark = scale.low;
    while mark <= scale.high {
        let x = scale.place(mark);
        line(&mut text, (x, 30.0), (x, height as f64 - 10.0), GRID);
        words(&mut text, (x, 22.0), "middle", &time(mark));
        mark *= 10.0;
    }
    for (at, row) in rows.iter().enumerate() {
        let y = 36.0 + at as f64 * 34.0;
        let ours = if row.is_missed { SHORT } else { OURS };
        words(&mut text, (552.0, y + 17.0), "end", &row.label);
        for (value, y, color) in [(row.ours, y, ours), (row.peer, y + 13.0, PEER)] {
            let width = scale.place(value) - scale.from;
            rect(&mut text, (scale.from, y), (width, 12.0), color);
        }
        let ratio = format!(
            "{} of {}: {:.3}",
            time(row.ours),
            time(row.peer),
            row.ours / row.peer
        );
        words(&mut text, (scale.to + 8.0, y + 17.0), "start", &ratio);
    }
    text.push_str("</svg>\n");
    text
}

/// Returns a line for each series; both scales are logarithmic.
pub(crate) fn lines(series: &[Line], below: &str) -> String {
    let all = || series.iter().flat_map(|line| &line.points);
    let bound = |pick: fn(&(f64, f64)) -> f64, over: fn(f64, f64) -> f64, start| {
        all().map(pick).fold(start, over)
    };
    let across = Scale {
        low: bound(|point| point.0, f64::min, f64::MAX),
        high: bound(|point| point.0, f64::max, 0.0),
        from: 90.0,
        to: 560.0,
    };
    let up = Scale {
        low: 10_f64.powf(bound(|point| point.1, f64::min, f64::MAX).log10().floor()),
        high: 10_f64.powf(bound(|point| point.1, f64::max, 0.0).log10().ceil()),
        from: 280.0,
        to: 20.0,
    };
    let mut text = start(900, 330);
    let mut mark = up.low;
    while mark <= up.high * 1.01 {
        let y = up.place(mark);
        line(&mut text, (across.from, y), (across.to, y), GRID);
        words(&mut text, (across.from - 8.0, y + 4.0), "end", &time(mark));
        mark *= 10.0;
    }
    let mut mark = across.low;
    while mark <= across.high * 1.01 {
        let x = across.place(mark);
        line(&mut text, (x, up.to), (x, up.from), GRID);
        words(
            &mut text,
            (x, up.from + 18.0),
            "middle",
            &format!("{mark:.0}"),
        );
        mark *= 10.0;
    }
    words(&mut text, (325.0, 318.0), "middle", below);
    for (at, one) in series.iter().enumerate() {
        let color = COLORS[at % COLORS.len()];
        let places = one
            .points
            .iter()
            .map(|(x, y)| format!("{:.0},{:.0}", across.place(*x), up.place(*y)));
        let places: Vec<String> = places.collect();
        let _ = writeln!(
            text,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>",
            places.join(" ")
        );
        let y = 30.0 + at as f64 * 20.0;
        rect(&mut text, (590.0, y), (14.0, 10.0), color);
        words(&mut text, (610.0, y + 10.0), "start", &one.name);
    }
    text.push_str("</svg>\n");
    text
}

/// Returns a bar for each stack, and below it what its parts are.
pub(crate) fn stacks(stacks: &[Stack]) -> String {
    let sum = |stack: &Stack| stack.parts.iter().map(|(_, nanos)| nanos).sum::<f64>();
    let most = stacks.iter().map(sum).fold(1.0, f64::max);
    let rows: usize = stacks.iter().map(|stack| stack.parts.len() + 3).sum();
    let mut text = start(840, 20 + rows * 20);
    let mut y = 24.0;
    for stack in stacks {
        let name = format!("{}: {}", stack.name, time(sum(stack)));
        words(&mut text, (20.0, y), "start", &name);
        let mut x = 20.0;
        for (at, (name, nanos)) in stack.parts.iter().enumerate() {
            let (width, color) = (nanos / most * 800.0, COLORS[at % COLORS.len()]);
            rect(&mut text, (x, y + 8.0), (width, 18.0), color);
            x += width;
            let y = y + 32.0 + at as f64 * 20.0;
            rect(&mut text, (20.0, y), (14.0, 10.0), color);
            let part = format!("{name}: {}", time(*nanos));
            words(&mut text, (40.0, y + 10.0), "start", &part);
        }
        y += (stack.parts.len() + 3) as f64 * 20.0;
    }
    text.push_str("</svg>\n");
    text
}

/// A logarithmic scale.
struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Scale {
    fn place(&self, value: f64) -> f64 {
        let value = value.clamp(self.low, self.high.max(self.low));
        let all = (self.high / self.low).log10().max(f64::EPSILON);
        self.from + (value / self.low).log10() / all * (self.to - self.from)
    }
}

fn start(width: usize, height: usize) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    )
}

fn line(text: &mut String, (x, y): (f64, f64), (to_x, to_y): (f64, f64), color: &str) {
    let _ = writeln!(
        text,
        "<line x1=\"{x:.0}\" y1=\"{y:.0}\" x2=\"{to_x:.0}\" y2=\"{to_y:.0}\" stroke=\"{color}\"/>"
    );
}

fn rect(text: &mut String, (x, y): (f64, f64), (width, height): (f64, f64), color: &str) {
    let width = width.max(1.0);
    let _ = writeln!(
        text,
        "<rect x=\"{x:.1}\" y=\"{y:.0}\" width=\"{width:.1}\" height=\"{height:.0}\" \
         fill=\"{color}\"/>"
    );
}

fn words(text: &mut String, (x, y): (f64, f64), anchor: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(
        text,
        "<text x=\"{x:.0}\" y=\"{y:.0}\" text-anchor=\"{anchor}\">{words}</text>"
    );
}

/// Returns a time in the unit in which it has up to three digits.
fn time(nanos: f64) -> String {
    match nanos {
        ..1e3 => format!("{nanos:.0} ns"),
        ..1e4 => format!("{:.1} µs", nanos / 1e3),
        ..1e6 => format!("{:.0} µs", nanos / 1e3),
        _ => format!("{:.0} ms", nanos / 1e6),
    }
}

const OURS: &str = "#5f8dd9";
/// The colour of a row that does not reach what is wanted.
const SHORT: &str = "#d98c5f";
const PEER: &str = "#b5b5b5";
const GRID: &str = "#dddddd";
const COLORS: [&str; 6] = [
    "#b5b5b5", "#5f8dd9", "#6fae75", "#d98c5f", "#9b7fc4", "#c9b458",
];
