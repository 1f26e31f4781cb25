//! The picture that other sites show beside a link to a badge.

use std::fmt::Write as _;

use resvg::tiny_skia::{FilterQuality, Pixmap, PixmapPaint, PremultipliedColorU8, Transform};

use super::artwork::Artwork;
use super::badge::{
    BadgeFace, HALLMARK, SHIELD, language_tag, write_block, write_scales, write_shield,
};
use super::drawing::{DrawError, Drawing, png_of};
use super::motif::{GOLD, INK, Motif, PAPER};
use super::text::{Font, Style, clean, escape, fit, write_line};

/// Width and height of a preview.
pub const PREVIEW_SIZE: (u32, u32) = (1200, 630);

/// Where the artwork goes: left, top, side.
const PLACE: (f32, f32, f32) = (70.0, 115.0, 400.0);

/// How a badge stands, as far as its preview tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing<'a> {
    /// It counts.
    Active,
    /// It does not count; the word says why, such as `Revoked`.
    Ended(&'a str),
}

/// The preview of a badge: 1200 by 630 units. The issuer's artwork is left out; [`preview_png`] has it.
#[must_use]
pub fn draw_preview(face: &BadgeFace, standing: Standing<'_>) -> Drawing {
    draw(face, standing, false)
}

/// The preview of a badge as a PNG image.
pub fn preview_png(
    face: &BadgeFace,
    artwork: Option<&Artwork>,
    standing: Standing<'_>,
) -> Result<Vec<u8>, DrawError> {
    let mut pixmap = draw(face, standing, artwork.is_some()).pixels(PREVIEW_SIZE.0)?;
    if let Some(artwork) = artwork {
        put_artwork(&mut pixmap, artwork)?;
    }
    png_of(pixmap)
}

fn put_artwork(pixmap: &mut Pixmap, artwork: &Artwork) -> Result<(), DrawError> {
    let (width, height) = artwork.size();
    let mut picture = Pixmap::new(width, height).ok_or(DrawError::Size)?;
    let pixels = artwork.pixels()?;
    for (to, from) in picture.pixels_mut().iter_mut().zip(pixels.chunks_exact(4)) {
        if let [red, green, blue, alpha] = *from {
            let fade = |part: u8| {
                u8::try_from((u16::from(part) * u16::from(alpha) + 127) / 255).unwrap_or(alpha)
            };
            if let Some(pixel) =
                PremultipliedColorU8::from_rgba(fade(red), fade(green), fade(blue), alpha)
            {
                *to = pixel;
            }
        }
    }
    let (left, top, side) = PLACE;
    let scale = side / width.max(height) as f32;
    let left = left + (side - width as f32 * scale) / 2.0;
    let top = top + (side - height as f32 * scale) / 2.0;
    let paint = PixmapPaint { quality: FilterQuality::Bicubic, ..PixmapPaint::default() };
    let transform = Transform::from_row(scale, 0.0, 0.0, scale, left, top);
    pixmap.draw_pixmap(0, 0, picture.as_ref(), &paint, transform, None);
    Ok(())
}

fn draw(face: &BadgeFace, standing: Standing<'_>, has_artwork: bool) -> Drawing {
    let (width, height) = PREVIEW_SIZE;
    let palette = Motif::new(&face.fingerprint).palette();
    let mut svg = String::with_capacity(32 * 1024);
    let (kicker, ink, chip) = match standing {
        Standing::Active => ("VERIFIED MICRO-CREDENTIAL", INK, None),
        Standing::Ended(word) => ("MICRO-CREDENTIAL", "#4b5a60", Some(clean(word))),
    };
    let alternative = match &chip {
        None => format!("{} {}", clean(&face.title), face.alternative()),
        Some(word) => format!("{} {} {word}.", clean(&face.title), face.alternative()),
    };
    // Writing to a string cannot fail.
    let _ = write!(
        svg,
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-labelledby="preview-title" xml:lang="{}"><title id="preview-title">{}</title><path fill="{PAPER}" d="M0 0h{width}v{height}H0z"/><path fill="{}" d="M0 0h540v{height}H0z"/><path fill="{GOLD}" d="M540 0h6v{height}h-6z"/>"##,
        escape(&language_tag(&face.language)),
        escape(&alternative),
        palette.shade,
    );
    if has_artwork {
        // Many are drawn for a light ground, and have none of their own.
        svg.push_str(r##"<rect x="40" y="85" width="460" height="460" rx="18" fill="#ffffff"/>"##);
    } else {
        // A light edge sets the shield off from the dark side.
        let _ = write!(
            svg,
            r##"<g transform="translate(0 45) scale(.9)"><path fill="none" stroke="{PAPER}" stroke-width="9" stroke-linejoin="round" transform="translate(48 6)" d="{SHIELD}"/>"##
        );
        write_shield(&mut svg, face);
        svg.push_str("</g>");
    }
    let left = 596.0;
    let style =
        Style { font: Font::Sans, size: 24.0, fill: "#7c5a12", anchor: "start", spacing: 3.0 };
    write_line(&mut svg, kicker, left, 110.0, &style);
    let sizes = [(66.0, 2), (60.0, 3), (52.0, 3), (46.0, 4), (40.0, 4), (34.0, 5), (30.0, 6)];
    let title = fit(&clean(&face.title), Font::Serif, 546.0, &sizes);
    let issuer = fit(&clean(&face.issuer_name), Font::Sans, 546.0, &[(34.0, 1), (28.0, 2)]);
    let title_height = title.size * 1.18 * title.lines.len() as f32;
    let issuer_height = issuer.size * 1.2 * issuer.lines.len() as f32;
    // Both stand together, in the middle between the lines above and below.
    let top = 315.0 - (title_height + 26.0 + issuer_height) / 2.0;
    let style =
        Style { font: Font::Serif, size: title.size, fill: ink, anchor: "start", spacing: 0.0 };
    write_block(
        &mut svg,
        &title.lines,
        (left, top + title_height / 2.0),
        title.size * 1.18,
        &style,
    );
    let middle = top + title_height + 26.0 + issuer_height / 2.0;
    let style = Style {
        font: Font::Sans,
        size: issuer.size,
        fill: "#4b5a60",
        anchor: "start",
        spacing: 0.0,
    };
    write_block(&mut svg, &issuer.lines, (left, middle), issuer.size * 1.2, &style);
    write_foot(&mut svg, left, chip.as_deref(), &face.issued_on);
    svg.push_str("</svg>");
    Drawing { svg, width, height }
}

/// The line at the bottom: how the badge stands, and whose work the picture is.
fn write_foot(svg: &mut String, left: f32, chip: Option<&str>, issued_on: &Option<String>) {
    let _ = write!(svg, r##"<path fill="#dcd8cc" d="M{left} 506h546v2H{left}z"/>"##);
    match chip {
        Some(word) => {
            let word = word.to_uppercase();
            let width = Font::Sans.width(&word, 26.0) + 2.0 * word.chars().count() as f32 + 44.0;
            let _ = write!(
                svg,
                r##"<rect x="{left}" y="530" width="{width}" height="50" rx="6" fill="#8a1a1a"/>"##
            );
            let style = Style {
                font: Font::Sans,
                size: 26.0,
                fill: "#ffffff",
                anchor: "start",
                spacing: 2.0,
            };
            write_line(svg, &word, left + 23.0, 564.0, &style);
        }
        None => {
            if let Some(day) = issued_on {
                let style = Style {
                    font: Font::Sans,
                    size: 26.0,
                    fill: INK,
                    anchor: "start",
                    spacing: 0.0,
                };
                write_line(svg, &clean(day), left, 564.0, &style);
            }
        }
    }
    let _ = write!(
        svg,
        r##"<path fill="#17424a" transform="translate(1006 526) scale(.72)" d="{HALLMARK}"/>"##
    );
    write_scales(svg, 1032.0, 553.0, 0.62);
    let style =
        Style { font: Font::Serif, size: 31.0, fill: "#17424a", anchor: "start", spacing: 0.0 };
    write_line(svg, "Assay", 1066.0, 565.0, &style);
}
