//! A drawing as SVG text, and how it becomes pixels.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{self, ImageHrefResolver, fontdb};

use super::text;

/// Widest image that is made, in pixels.
pub(super) const MOST_WIDTH: u32 = 2_400;

/// Why a drawing did not become an image. Nothing that a person types should lead here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DrawError {
    /// The size asked for is zero or larger than what is made.
    #[error("an image cannot have this size")]
    Size,
    /// The drawing is not what the program that makes pixels understands.
    #[error("the drawing could not be read: {0}")]
    Drawing(String),
    /// The pixels could not be written as an image.
    #[error("the image could not be written: {0}")]
    Image(String),
    /// The text does not fit into a code.
    #[error("the text is too long for a code")]
    TooLong,
    /// The document could not be put together.
    #[error("the document could not be made: {0}")]
    Document(String),
}

/// A picture that this module made: SVG without scripts, styles or references to other files.
///
/// There is no other way to get one, so that pixels are never made from somebody else's SVG.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawing {
    pub(super) svg: String,
    pub(super) width: u32,
    pub(super) height: u32,
}

impl Drawing {
    /// The SVG document.
    #[must_use]
    pub fn svg(&self) -> &str {
        &self.svg
    }

    /// The drawing as a PNG image with this many pixels from left to right.
    ///
    /// An artwork that is embedded in the drawing stays blank; it has pixels of its own.
    pub fn png(&self, width: u32) -> Result<Vec<u8>, DrawError> {
        png_of(self.pixels(width)?)
    }

    pub(super) fn pixels(&self, width: u32) -> Result<Pixmap, DrawError> {
        if width == 0 || width > MOST_WIDTH {
            return Err(DrawError::Size);
        }
        let height = (u64::from(width) * u64::from(self.height)).div_ceil(u64::from(self.width));
        let height = u32::try_from(height).ok().ok_or(DrawError::Size)?;
        let mut pixmap = Pixmap::new(width, height).ok_or(DrawError::Size)?;
        let tree = usvg::Tree::from_str(&self.svg, &OPTIONS)
            .map_err(|error| DrawError::Drawing(error.to_string()))?;
        let scale = width as f32 / self.width as f32;
        resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixmap.as_mut());
        Ok(pixmap)
    }
}

/// No font but ours, and nothing outside of the drawing.
static OPTIONS: LazyLock<usvg::Options<'static>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    for font in [text::SERIF, text::SANS] {
        fonts.load_font_source(fontdb::Source::Binary(Arc::new(font)));
    }
    usvg::Options {
        font_family: "Source Sans 3".to_owned(),
        image_href_resolver: ImageHrefResolver {
            resolve_data: Box::new(|_, _, _| None),
            resolve_string: Box::new(|_, _| None),
        },
        fontdb: Arc::new(fonts),
        ..usvg::Options::default()
    }
});

pub(super) fn png_of(pixmap: Pixmap) -> Result<Vec<u8>, DrawError> {
    let (width, height) = (pixmap.width(), pixmap.height());
    encode(width, height, &pixmap.take_demultiplied())
}

/// A PNG image of these RGBA pixels.
pub(super) fn encode(width: u32, height: u32, pixels: &[u8]) -> Result<Vec<u8>, DrawError> {
    let failed = |error: png::EncodingError| DrawError::Image(error.to_string());
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(pixels).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(bytes)
}
