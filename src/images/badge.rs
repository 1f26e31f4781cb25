//! The face of a badge.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::artwork::Artwork;
use super::drawing::{DrawError, Drawing};
use super::motif::{GOLD, INK, Motif, PAPER};
use super::text::{Font, Style, clean, escape, fit, write_line};

/// The side of the drawing.
pub(super) const SIDE: u32 = 600;

/// What a badge shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadgeFace {
    /// The name of the micro-credential.
    pub title: String,
    /// The name of its issuer.
    pub issuer_name: String,
    /// What is assessed, as a hash in any form. It decides colour and pattern: versions that are scored alike look alike.
    pub fingerprint: String,
    /// The language of title and issuer, as a tag of BCP 47.
    pub language: String,
    /// The day of issuing in words, where the picture is of somebody's badge and not of the micro-credential.
    pub issued_on: Option<String>,
}

impl BadgeFace {
    /// What stands in for the picture where it cannot be seen.
    #[must_use]
    pub fn alternative(&self) -> String {
        let issued = match &self.issued_on {
            Some(day) => format!(", issued on {}", clean(day)),
            None => String::new(),
        };
        format!(
            "Badge of the micro-credential {}, by {}{issued}.",
            clean(&self.title),
            clean(&self.issuer_name)
        )
    }
}

/// The badge as a drawing of 600 by 600 units: the issuer's artwork where there is one, else a shield with the words of the face.
#[must_use]
pub fn draw_badge(face: &BadgeFace, artwork: Option<&Artwork>) -> Drawing {
    let mut svg = String::with_capacity(24 * 1024);
    // Writing to a string cannot fail.
    let _ = write!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE} {SIDE}" role="img" aria-labelledby="badge-title badge-description" xml:lang="{}"><title id="badge-title">{}</title><desc id="badge-description">{}</desc>"#,
        escape(&language_tag(&face.language)),
        escape(&clean(&face.title)),
        escape(&face.alternative()),
    );
    match artwork {
        Some(artwork) => {
            let _ = write!(
                svg,
                r#"<image width="{SIDE}" height="{SIDE}" href="data:image/png;base64,{}"/>"#,
                STANDARD.encode(artwork.png())
            );
        }
        None => write_shield(&mut svg, face),
    }
    svg.push_str("</svg>");
    Drawing { svg, width: SIDE, height: SIDE }
}

/// The badge as a PNG image: the artwork as it is, else the drawing with this many pixels from left to right.
pub fn badge_png(
    face: &BadgeFace,
    artwork: Option<&Artwork>,
    width: u32,
) -> Result<Vec<u8>, DrawError> {
    match artwork {
        Some(artwork) => Ok(artwork.png().to_vec()),
        None => draw_badge(face, None).png(width),
    }
}

/// The tag without anything that no tag has.
pub(super) fn language_tag(tag: &str) -> String {
    let tag: String =
        tag.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(35).collect();
    if tag.is_empty() { "en".to_owned() } else { tag }
}

/// The outline of the hallmark, in its own units of 72 by 80.
pub(super) const HALLMARK: &str = "M12 2h48l10 10v34c0 15-14 24-34 32C16 70 2 61 2 46V12z";
/// The same with longer sides, which make room for words: 504 by 571 units.
pub(super) const SHIELD: &str =
    "M84 14h336l70 70v329c0 70-105 112-238 157.5C119 525 14 483 14 413V84z";
const SHIELD_LINE: &str = "M95.2 39.2h313.6L464.8 95.2V410.2c0 56-88.2 93.8-212.8 134.4C127.4 504 39.2 466.2 39.2 410.2V95.2z";

/// Everything of the drawing but its frame.
pub(super) fn write_shield(svg: &mut String, face: &BadgeFace) {
    let motif = Motif::new(&face.fingerprint);
    let palette = motif.palette();
    let (ground, shade, tint) = (palette.ground, palette.shade, palette.tint);
    let pattern = motif.pattern(84.0);
    let _ = write!(
        svg,
        r##"<clipPath id="badge-shield"><path transform="translate(48 6)" d="{SHIELD}"/></clipPath><path fill="{ground}" transform="translate(48 6)" d="{SHIELD}"/><g clip-path="url(#badge-shield)"><path fill="none" stroke="{tint}" stroke-width=".9" transform="translate(300 136) scale(3.9)" d="{pattern}"/></g><path fill="none" stroke="{GOLD}" stroke-width="3.5" transform="translate(48 6)" d="{SHIELD_LINE}"/>"##
    );
    // The medallion.
    let _ = write!(
        svg,
        r##"<circle cx="300" cy="136" r="98" fill="{shade}"/><circle cx="300" cy="136" r="92" fill="none" stroke="{GOLD}" stroke-width="2.5"/><path fill="none" stroke="{GOLD}" stroke-width="1.5" stroke-linejoin="round" transform="translate(300 136)" d="{pattern}"/><circle cx="300" cy="136" r="39" fill="{shade}" stroke="{GOLD}" stroke-width="2"/>"##
    );
    write_scales(svg, 300.0, 137.0, 0.98);
    let kicker = Style { font: Font::Sans, size: 19.0, fill: GOLD, anchor: "middle", spacing: 3.4 };
    write_line(svg, "MICRO-CREDENTIAL", 301.7, 264.0, &kicker);
    write_ribbon(svg, shade, &face.title);
    write_issuer(svg, face);
}

/// The band with the title.
fn write_ribbon(svg: &mut String, shade: &str, title: &str) {
    let _ = write!(
        svg,
        r##"<path fill="{shade}" d="M34 418h28v24zM566 418h-28v24z"/><path fill="{PAPER}" stroke="#cdb98a" stroke-width="1.5" d="M34 282h532v138H34z"/><path fill="none" stroke="{GOLD}" stroke-width="2" d="M34 289h532M34 413h532"/>"##
    );
    let sizes =
        [(50.0, 1), (44.0, 2), (40.0, 2), (36.0, 2), (31.0, 3), (27.0, 3), (23.0, 4), (20.0, 5)];
    let found = fit(&clean(title), Font::Serif, 496.0, &sizes);
    let style =
        Style { font: Font::Serif, size: found.size, fill: INK, anchor: "middle", spacing: 0.0 };
    write_block(svg, &found.lines, (300.0, 351.0), found.size * 1.17, &style);
}

fn write_issuer(svg: &mut String, face: &BadgeFace) {
    let sizes = [(23.0, 1), (20.0, 2), (17.0, 2)];
    let found = fit(&clean(&face.issuer_name), Font::Sans, 336.0, &sizes);
    let style = Style {
        font: Font::Sans,
        size: found.size,
        fill: "#ffffff",
        anchor: "middle",
        spacing: 0.0,
    };
    write_block(svg, &found.lines, (300.0, 461.0), found.size * 1.18, &style);
    if let Some(day) = &face.issued_on {
        let found = fit(&clean(day), Font::Sans, 170.0, &[(16.0, 1)]);
        let style = Style {
            font: Font::Sans,
            size: found.size,
            fill: GOLD,
            anchor: "middle",
            spacing: 0.4,
        };
        write_block(svg, &found.lines, (300.0, 512.0), 18.0, &style);
    }
}

/// Lines around a middle.
pub(super) fn write_block(
    svg: &mut String,
    lines: &[String],
    (x, middle): (f32, f32),
    leading: f32,
    style: &Style<'_>,
) {
    // The base line of the first line: half of the height of a capital letter below the middle of its line.
    let first = middle - leading * (lines.len() as f32 - 1.0) / 2.0 + style.size * 0.34;
    for (n, line) in lines.iter().enumerate() {
        write_line(svg, line, x, first + leading * n as f32, style);
    }
}

/// The balance of the hallmark around (x, y).
pub(super) fn write_scales(svg: &mut String, x: f32, y: f32, scale: f32) {
    let _ = write!(
        svg,
        r##"<g transform="translate({x} {y}) scale({scale}) translate(-36 -37)"><g fill="none" stroke="#ffffff" stroke-width="4" stroke-linecap="round" stroke-linejoin="round"><path d="M25 58 36 17l11 41"/><path stroke-width="3" d="M17 33h38"/></g><path fill="none" stroke="{GOLD}" stroke-width="1.5" stroke-linejoin="round" d="m11.5 41 5.5-8 5.5 8M49.5 41l5.5-8 5.5 8"/><g fill="{GOLD}"><path d="M10.5 41h13a6.5 6.5 0 0 1-13 0z"/><path d="M48.5 41h13a6.5 6.5 0 0 1-13 0z"/><circle cx="36" cy="16" r="3.5"/></g></g>"##
    );
}
