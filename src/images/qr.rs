//! A code that a phone can read.

use std::fmt::Write as _;

use qrcode::{Color, EcLevel, QrCode};

use super::DrawError;

/// Longest text, in bytes. A longer one gives squares too small to read on paper.
const MOST_BYTES: usize = 512;

/// A QR code (ISO/IEC 18004) of a text, in squares of one unit. The quiet zone of four units around it is not part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qr {
    side: usize,
    /// Dark squares side by side: column, row, number.
    runs: Vec<(usize, usize, usize)>,
}

impl Qr {
    /// Codes the text so that it can be read with a seventh of it damaged (level M).
    pub fn new(text: &str) -> Result<Qr, DrawError> {
        if text.len() > MOST_BYTES {
            return Err(DrawError::TooLong);
        }
        let code =
            QrCode::with_error_correction_level(text, EcLevel::M).ok().ok_or(DrawError::TooLong)?;
        let side = code.width();
        let colours = code.into_colors();
        let mut runs: Vec<(usize, usize, usize)> = Vec::new();
        for (y, row) in colours.chunks(side).enumerate() {
            for (x, colour) in row.iter().enumerate() {
                match (colour, runs.last_mut()) {
                    (Color::Light, _) => {}
                    (Color::Dark, Some((start, line, length)))
                        if *line == y && *start + *length == x =>
                    {
                        *length += 1;
                    }
                    (Color::Dark, Some(_) | None) => runs.push((x, y, 1)),
                }
            }
        }
        Ok(Qr { side, runs })
    }

    /// How many units it is wide and high.
    #[must_use]
    pub fn side(&self) -> usize {
        self.side
    }

    /// Dark squares side by side: column, row, number.
    #[must_use]
    pub fn runs(&self) -> &[(usize, usize, usize)] {
        &self.runs
    }

    /// The dark squares as the path of an SVG element.
    #[must_use]
    pub fn svg_path(&self) -> String {
        self.runs.iter().fold(String::new(), |mut path, (x, y, length)| {
            // Writing to a string cannot fail.
            let _ = write!(path, "M{x} {y}h{length}v1h-{length}z");
            path
        })
    }
}
