//! What people see of a badge: its picture, the issuer's own artwork, the preview for other sites, and a certificate to print; and the plots of reports.
//!
//! Everything is drawn from values. Nothing is read from a disk or a network, the fonts are inside the program, and the
//! same values give the same drawing.

mod artwork;
mod badge;
#[cfg(feature = "pdf")]
mod certificate;
mod drawing;
mod motif;
mod plot;
mod preview;
mod qr;
mod text;

pub use artwork::{ARTWORK_LIMIT, Artwork, ArtworkError, MOST_PIXELS, SIDES};
pub use badge::{BadgeFace, badge_png, draw_badge};
#[cfg(feature = "pdf")]
pub use certificate::{Certificate, certificate_pdf};
pub use drawing::{DrawError, Drawing};
pub use plot::{Interval, Mark, Plot, Row, Threshold, Unit, draw_plot, draw_plot_as};
pub use preview::{PREVIEW_SIZE, Standing, draw_preview, preview_png};
pub use qr::Qr;
