//! The graph as a picture that needs no other program.

use std::fmt::Write as _;

use super::layout::{BOX, Boxed, LETTER, Layout, Line, MARGIN, layout};
use super::{Graph, Kind, Node};

/// Longer names are drawn with their middle left out.
const LONGEST: usize = 40;
/// Room for the key below the picture.
const KEY: f64 = 40.0;

/// Each box has its own ground and dark letters on it; lines and the key are of a grey
/// that stands out from white and from black.
const STYLE: &str = "\
text{font-family:ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;font-size:12px;fill:#1f2328;text-anchor:middle}\
rect{stroke-width:1.5px}\
.managed rect{fill:#ddf4ff;stroke:#0969da;stroke-width:2px}\
.external rect{fill:#fff8c5;stroke:#9a6700;stroke-dasharray:5 3}\
.base rect{fill:#f6f8fa;stroke:#57606a}\
.line{fill:none;stroke:#768390;stroke-width:1.3px}\
.head{fill:#768390}";

/// An SVG document, the same for the same graph. Names are complete in the titles that
/// viewers show and screen readers read.
#[must_use]
pub fn svg(graph: &Graph) -> String {
    let Layout {
        width,
        height,
        boxes,
        lines,
    } = layout(graph, LONGEST);
    let width = width.max(2.0 * MARGIN + 360.0);
    let height = height + KEY;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-labelledby=\"title desc\">\n\
         <title id=\"title\">Which image is built on which</title>\n<desc id=\"desc\">{}</desc>\n\
         <style>{STYLE}</style>\n",
        escaped(&summary(graph))
    );
    text.push_str("<g class=\"lines\">\n");
    for line in &lines {
        draw_line(&mut text, line);
    }
    text.push_str("</g>\n<g class=\"images\">\n");
    for found in &boxes {
        if let Some(node) = graph.node(found.at) {
            draw_box(&mut text, graph, node, found);
        }
    }
    text.push_str("</g>\n");
    key(&mut text, height - KEY);
    text.push_str("</svg>\n");
    text
}

/// The graph in words.
fn summary(graph: &Graph) -> String {
    let [managed, external, bases] =
        [Kind::Managed, Kind::External, Kind::Base].map(|kind| graph.count(kind));
    format!(
        "{managed} managed, {external} external and {bases} base images. An arrow leads from an \
         image to one that is built on it; the longest way has {} steps.",
        graph.depth()
    )
}

fn draw_line(text: &mut String, line: &Line) {
    let ((x, y), (end, to)) = (line.from, line.to);
    // The head of an arrow is drawn by itself: markers are beyond some viewers.
    let tip = if line.arrow { end - 7.0 } else { end };
    let middle = (line.bend + tip) / 2.0;
    let _ = writeln!(
        text,
        "<path class=\"line\" d=\"M{x:.0} {y:.0}H{:.0}C{middle:.0} {y:.0} {middle:.0} {to:.0} {tip:.0} {to:.0}\"/>",
        line.bend
    );
    if line.arrow {
        let (above, below) = (to - 4.0, to + 4.0);
        let _ = writeln!(
            text,
            "<path class=\"head\" d=\"M{tip:.0} {above:.0}L{end:.0} {to:.0}L{tip:.0} {below:.0}Z\"/>"
        );
    }
}

fn draw_box(text: &mut String, graph: &Graph, node: &Node, found: &Boxed) {
    let what = match node.kind {
        Kind::Managed => "managed image",
        Kind::External => "external image",
        Kind::Base => "base image",
    };
    let mut title = format!("{}: {what} {}", node.name, node.reference);
    let bases: Vec<&str> = graph.at(&node.bases).map(|base| &*base.name).collect();
    if !bases.is_empty() {
        let _ = write!(title, ", built on {}", bases.join(", "));
    }
    let class = node.kind.as_str();
    let _ = writeln!(
        text,
        "<g class=\"{class}\"><title>{}</title>{}</g>",
        escaped(&title),
        labelled(found.x, found.y, found.width, node.kind, &found.text)
    );
}

fn labelled(x: f64, y: f64, width: f64, kind: Kind, label: &str) -> String {
    // Also who sees no colours can tell them apart.
    let round = match kind {
        Kind::Managed => 6,
        Kind::External => 14,
        Kind::Base => 0,
    };
    // Where letters stand, not their middle, which some viewers do not heed.
    let (centre, foot) = (x + width / 2.0, y + BOX / 2.0 + 4.0);
    let long = u32::try_from(label.chars().count()).map_or(0.0, f64::from) * LETTER;
    format!(
        "<rect x=\"{x:.0}\" y=\"{y:.0}\" width=\"{width:.0}\" height=\"{BOX:.0}\" rx=\"{round}\"/>\
         <text x=\"{centre:.1}\" y=\"{foot:.1}\" textLength=\"{long:.1}\" \
         lengthAdjust=\"spacingAndGlyphs\">{}</text>",
        escaped(label)
    )
}

fn key(text: &mut String, top: f64) {
    let mut x = MARGIN;
    text.push_str("<g class=\"key\">\n");
    for kind in [Kind::Managed, Kind::External, Kind::Base] {
        let name = kind.as_str();
        let _ = writeln!(
            text,
            "<g class=\"{name}\">{}</g>",
            labelled(x, top, 104.0, kind, name)
        );
        x += 120.0;
    }
    text.push_str("</g>\n");
}

/// Text that is no markup; what XML cannot hold at all becomes a replacement character.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\t' | '\n' | '\r' => escaped.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                escaped.push(char::REPLACEMENT_CHARACTER);
            }
            c => escaped.push(c),
        }
    }
    escaped
}
