//! Bars for the rows of a table, as SVG: the ratio, and a mark where it is wanted.

use std::fmt::Write as _;

use crate::Row;

/// Returns a picture of so many bars. A ratio is drawn as its logarithm: from a thousandth at the
/// left to ten at the right.
pub(crate) fn bars(rows: &[Row]) -> String {
    let height = TOP + rows.len() * STEP + TOP;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for (mark, name) in [
        (0.001, "1/1000"),
        (0.01, "1/100"),
        (0.1, "1/10"),
        (1.0, "1"),
        (10.0, "10"),
    ] {
        let x = place(mark);
        let end = height - TOP;
        let _ = writeln!(
            text,
            "<line x1=\"{x:.0}\" y1=\"{TOP}\" x2=\"{x:.0}\" y2=\"{end}\" stroke=\"#ccc\"/>\
             <text x=\"{x:.0}\" y=\"{}\" text-anchor=\"middle\">{name}</text>",
            TOP - 6
        );
    }
    for (at, row) in rows.iter().enumerate() {
        let y = TOP + at * STEP;
        let (start, end) = (place(0.001), place(row.ratio));
        let color = if row.is_missed { "#d98c5f" } else { "#5f8dd9" };
        let label = row.label.replace('&', "&amp;").replace('<', "&lt;");
        let _ = writeln!(
            text,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{label}</text>\
             <rect x=\"{start:.0}\" y=\"{}\" width=\"{:.0}\" height=\"12\" fill=\"{color}\"/>\
             <text x=\"{:.0}\" y=\"{}\">{:.3}</text>",
            LEFT - 8,
            y + 14,
            y + 4,
            (end - start).max(1.0),
            end + 4.0,
            y + 14,
            row.ratio
        );
        if let Some(target) = row.target {
            let x = place(target);
            let _ = writeln!(
                text,
                "<line x1=\"{x:.0}\" y1=\"{}\" x2=\"{x:.0}\" y2=\"{}\" stroke=\"black\"/>",
                y + 2,
                y + 18
            );
        }
    }
    text.push_str("</svg>\n");
    text
}

/// Returns where a ratio stands, from the left.
fn place(ratio: f64) -> f64 {
    let share = (ratio.clamp(0.001, 10.0).log10() + 3.0) / 4.0;
    LEFT as f64 + share * (WIDTH - LEFT - RIGHT) as f64
}

const WIDTH: usize = 1200;
/// The width of the labels.
const LEFT: usize = 620;
/// The width of the last figure.
const RIGHT: usize = 60;
const TOP: usize = 28;
/// The height of a row.
const STEP: usize = 22;
