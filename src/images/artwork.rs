//! The picture that an issuer made for a micro-credential.

use std::ops::RangeInclusive;

use super::drawing::{DrawError, encode};

/// Longest file that is taken.
pub const ARTWORK_LIMIT: usize = 2 * 1024 * 1024;
/// Shortest and longest side that is taken, in pixels.
pub const SIDES: RangeInclusive<u32> = 90..=4_096;
/// Most pixels.
pub const MOST_PIXELS: u32 = 16_000_000;

/// The longest sides that are kept, largest first: the first is taken with which the file stays small enough.
const KEPT_SIDES: [u32; 4] = [1_024, 768, 512, 384];
/// Longest file that is kept, so that a badge in an image, also embedded as text in an SVG file, can be read again.
const KEPT_BYTES: usize = 1_536 * 1024;

/// Why a picture is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArtworkError {
    /// The file is longer than the limit.
    #[error("the picture may have at most {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The file is SVG, which can do more than show a picture.
    #[error("an SVG file is not taken as artwork; export it as PNG, 600 pixels wide or more")]
    Svg,
    /// The file is a picture of another kind, or none.
    #[error("the picture has to be a PNG file")]
    NotPng,
    /// The picture is too small or too large to be a badge.
    #[error(
        "the picture is {width} by {height} pixels; each side may have 90 to 4096, and both together 16 million"
    )]
    Dimensions {
        /// Pixels from left to right.
        width: u32,
        /// Pixels from top to bottom.
        height: u32,
    },
    /// The file begins like a PNG file and cannot be read as one.
    #[error("the PNG file is damaged")]
    Damaged,
}

/// A picture that was taken apart and put together anew, so that nothing but its pixels is left.
#[derive(Clone, PartialEq, Eq)]
pub struct Artwork {
    png: Vec<u8>,
    width: u32,
    height: u32,
}

impl Artwork {
    /// Reads somebody's picture: PNG of any colour type, checked before memory is taken. It is made smaller where it is larger than
    /// 1024 pixels; only the first picture of a moving one is kept, and no metadata.
    ///
    /// Takes up to about 150 MB of memory and a second for the largest picture, so few may run at a time.
    pub fn parse(file: &[u8]) -> Result<Artwork, ArtworkError> {
        if file.len() > ARTWORK_LIMIT {
            return Err(ArtworkError::TooLarge { limit: ARTWORK_LIMIT });
        }
        if !file.starts_with(b"\x89PNG\r\n\x1a\n") {
            let head = String::from_utf8_lossy(&file[..file.len().min(4_096)]).to_ascii_lowercase();
            return Err(if head.contains("<svg") {
                ArtworkError::Svg
            } else {
                ArtworkError::NotPng
            });
        }
        let picture = decode(file, &SIDES)?;
        for side in KEPT_SIDES {
            let kept = picture.shrunk(side);
            let png =
                encode(kept.width, kept.height, &kept.pixels).ok().ok_or(ArtworkError::Damaged)?;
            if png.len() <= KEPT_BYTES {
                return Ok(Artwork { png, width: kept.width, height: kept.height });
            }
        }
        // 384 by 384 pixels have 590,000 bytes before they are compressed.
        Err(ArtworkError::Damaged)
    }

    /// A picture that [`Artwork::parse`] made, as it was kept. Anything else is refused.
    pub fn restore(png: Vec<u8>) -> Result<Artwork, ArtworkError> {
        let decoder = png::Decoder::new(std::io::Cursor::new(&png));
        let reader = decoder.read_info().ok().ok_or(ArtworkError::Damaged)?;
        let (width, height) = reader.info().size();
        let is_ours = reader.output_color_type() == (png::ColorType::Rgba, png::BitDepth::Eight)
            && width.max(height) <= KEPT_SIDES[0]
            && png.len() <= KEPT_BYTES;
        if is_ours { Ok(Artwork { png, width, height }) } else { Err(ArtworkError::Damaged) }
    }

    /// The picture as a PNG file with 8 bits for each of red, green, blue and opacity.
    #[must_use]
    pub fn png(&self) -> &[u8] {
        &self.png
    }

    /// Its width and height in pixels.
    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// Red, green, blue and opacity of each pixel.
    pub(super) fn pixels(&self) -> Result<Vec<u8>, DrawError> {
        match decode(&self.png, &(1..=KEPT_SIDES[0])) {
            Ok(picture) => Ok(picture.pixels),
            Err(error) => Err(DrawError::Image(error.to_string())),
        }
    }
}

impl std::fmt::Debug for Artwork {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Artwork({} x {}, {} bytes)", self.width, self.height, self.png.len())
    }
}

struct Picture {
    width: u32,
    height: u32,
    /// Red, green, blue, opacity.
    pixels: Vec<u8>,
}

/// Decodes a PNG file whose length was checked already, if its sides are within the range.
fn decode(file: &[u8], sides: &RangeInclusive<u32>) -> Result<Picture, ArtworkError> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
    // What the decoder takes for itself: lines, a palette, texts. The pixels go to memory of our own.
    decoder.set_limits(png::Limits { bytes: 4 * 1024 * 1024 });
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(
        png::Transformations::normalize_to_color8() | png::Transformations::ALPHA,
    );
    let header = decoder.read_header_info().ok().ok_or(ArtworkError::Damaged)?;
    let (width, height) = header.size();
    let n_pixels = width.checked_mul(height).filter(|n_pixels| *n_pixels <= MOST_PIXELS);
    if !sides.contains(&width) || !sides.contains(&height) || n_pixels.is_none() {
        return Err(ArtworkError::Dimensions { width, height });
    }
    let mut reader = decoder.read_info().ok().ok_or(ArtworkError::Damaged)?;
    let mut bytes = vec![0; reader.output_buffer_size().ok_or(ArtworkError::Damaged)?];
    let frame = reader.next_frame(&mut bytes).ok().ok_or(ArtworkError::Damaged)?;
    bytes.truncate(frame.buffer_size());
    let pixels = match frame.color_type {
        png::ColorType::Rgba => bytes,
        png::ColorType::GrayscaleAlpha => bytes
            .chunks_exact(2)
            .flat_map(|pixel| match *pixel {
                [grey, alpha] => [grey, grey, grey, alpha],
                _ => [0; 4],
            })
            .collect(),
        png::ColorType::Rgb | png::ColorType::Grayscale | png::ColorType::Indexed => {
            return Err(ArtworkError::Damaged);
        }
    };
    // A moving picture can have a first frame that is smaller than itself.
    if (frame.width, frame.height) != (width, height) {
        return Err(ArtworkError::Damaged);
    }
    Ok(Picture { width, height, pixels })
}

impl Picture {
    /// The picture with no side longer than this. Every new pixel is the mean of the area that it stands for.
    fn shrunk(&self, side: u32) -> Picture {
        let longest = self.width.max(self.height);
        if longest <= side {
            return Picture { width: self.width, height: self.height, pixels: self.pixels.clone() };
        }
        let scaled = |length: u32| {
            let length = (u64::from(length) * u64::from(side)).div_ceil(u64::from(longest));
            u32::try_from(length).unwrap_or(side).clamp(1, side)
        };
        let (width, height) = (scaled(self.width), scaled(self.height));
        let columns = shares(self.width, width);
        let rows = shares(self.height, height);
        let mut pixels = Vec::with_capacity(width as usize * height as usize * 4);
        let line = self.width as usize * 4;
        for row in &rows {
            // The lines that fall into this row, added up, with colours weighed by their opacity.
            let mut sums = vec![[0.0_f32; 4]; self.width as usize];
            for &(y, weight) in row {
                let pixels = self.pixels.get(y * line..(y + 1) * line).unwrap_or_default();
                for (sum, pixel) in sums.iter_mut().zip(pixels.chunks_exact(4)) {
                    if let [red, green, blue, alpha] = *pixel {
                        let alpha = f32::from(alpha) * weight;
                        sum[0] += f32::from(red) * alpha;
                        sum[1] += f32::from(green) * alpha;
                        sum[2] += f32::from(blue) * alpha;
                        sum[3] += alpha;
                    }
                }
            }
            for column in &columns {
                let mut sum = [0.0_f32; 4];
                for &(x, weight) in column {
                    let part = sums.get(x).copied().unwrap_or_default();
                    for (sum, part) in sum.iter_mut().zip(part) {
                        *sum += part * weight;
                    }
                }
                let [red, green, blue, alpha] = sum;
                let colour = |part: f32| if alpha > 0.0 { byte(part / alpha) } else { 0 };
                pixels.extend([colour(red), colour(green), colour(blue), byte(alpha)]);
            }
        }
        Picture { width, height, pixels }
    }
}

/// For each of `to` new places the old ones that it covers, with the share that each has in it.
fn shares(from: u32, to: u32) -> Vec<Vec<(usize, f32)>> {
    let step = f64::from(from) / f64::from(to);
    (0..to)
        .map(|n| {
            let (start, end) = (f64::from(n) * step, f64::from(n + 1) * step);
            let (first, last) = (start.floor() as u32, (end.ceil() as u32).min(from));
            (first..last)
                .map(|at| {
                    let covered = (f64::from(at) + 1.0).min(end) - f64::from(at).max(start);
                    (at as usize, (covered / step) as f32)
                })
                .collect()
        })
        .collect()
}

/// Rounded; what is out of range is taken to its end.
fn byte(value: f32) -> u8 {
    (value + 0.5) as u8
}
