//! Words in a drawing: what may be written, how wide it is, and how it is broken into lines.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::LazyLock;

use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};

/// A font that is compiled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Font {
    /// Literata SemiBold, for titles.
    Serif,
    /// Source Sans 3 SemiBold, for everything else.
    Sans,
}

pub(super) const SERIF: &[u8] = include_bytes!("fonts/Literata-SemiBold.ttf");
pub(super) const SANS: &[u8] = include_bytes!("fonts/SourceSans3-SemiBold.ttf");

/// The width that a character without a glyph is taken to have, in parts of the size.
const UNKNOWN_WIDTH: f32 = 1.0;

impl Font {
    /// The attributes of a text in this font, with what else may stand in for it where it is missing.
    pub(super) fn attributes(self) -> &'static str {
        match self {
            Font::Serif => {
                r#"font-family="Literata, 'Iowan Old Style', 'Palatino Linotype', Palatino, Georgia, serif" font-weight="600""#
            }
            Font::Sans => {
                r#"font-family="'Source Sans 3', 'Source Sans Pro', 'Segoe UI', 'Helvetica Neue', Arial, sans-serif" font-weight="600""#
            }
        }
    }

    pub(super) fn widths(self) -> &'static Widths {
        static SERIF_WIDTHS: LazyLock<Widths> = LazyLock::new(|| Widths::of(SERIF));
        static SANS_WIDTHS: LazyLock<Widths> = LazyLock::new(|| Widths::of(SANS));
        match self {
            Font::Serif => &SERIF_WIDTHS,
            Font::Sans => &SANS_WIDTHS,
        }
    }

    /// How wide the text is at this size. Kerning is left out: it makes the text a little narrower, if anything.
    pub(super) fn width(self, text: &str, size: f32) -> f32 {
        text.chars().map(|c| self.widths().of_char(c)).sum::<f32>() * size
    }
}

/// The widths of a font's characters, in parts of the size.
pub(super) struct Widths(Vec<(u32, f32)>);

impl Widths {
    /// Reads them from a font. A file that is no font has none.
    pub(super) fn of(font: &'static [u8]) -> Widths {
        let Ok(font) = FontRef::new(font) else { return Widths(Vec::new()) };
        let metrics = font.glyph_metrics(Size::new(1.0), LocationRef::default());
        let mut widths: Vec<(u32, f32)> = font
            .charmap()
            .mappings()
            .filter_map(|(c, glyph)| Some((c, metrics.advance_width(glyph)?)))
            .collect();
        widths.sort_unstable_by_key(|(c, _)| *c);
        Widths(widths)
    }

    /// Whether the font has a glyph for it.
    #[cfg(feature = "pdf")]
    pub(super) fn has(&self, c: char) -> bool {
        self.0.binary_search_by_key(&u32::from(c), |(c, _)| *c).is_ok()
    }

    pub(super) fn of_char(&self, c: char) -> f32 {
        match self.0.binary_search_by_key(&u32::from(c), |(c, _)| *c) {
            Ok(at) => self.0.get(at).map_or(UNKNOWN_WIDTH, |(_, width)| *width),
            // A mark that is put upon the character before it takes no place.
            Err(_) if is_mark(c) => 0.0,
            Err(_) => UNKNOWN_WIDTH,
        }
    }
}

/// Marks that belong to the character before them, so that no line begins with one.
pub(super) fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{64b}'..='\u{65f}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}')
}

/// The text in one line without what cannot be drawn: control characters, and signs that turn the direction of writing around, with
/// which a name could be made to look like another.
pub(super) fn clean(text: &str) -> String {
    let kept: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| {
            !c.is_control()
                && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
        })
        .collect();
    kept.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The text as it is written between tags and in attributes.
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    quick_xml::escape::escape(text)
}

/// Lines of text of one size.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lines {
    pub(super) size: f32,
    pub(super) lines: Vec<String>,
}

/// Breaks a clean text into lines of at most this width, in the first of the sizes at which it needs no more lines than that
/// size allows. At the last size what does not fit is left out, with an ellipsis.
pub(super) fn fit(text: &str, font: Font, width: f32, sizes: &[(f32, usize)]) -> Lines {
    let measure = |text: &str, size: f32| font.width(text, size);
    fit_by(text, &measure, width, sizes)
}

/// Like [`fit`], with any way to measure.
pub(super) fn fit_by(
    text: &str,
    measure: &dyn Fn(&str, f32) -> f32,
    width: f32,
    sizes: &[(f32, usize)],
) -> Lines {
    let largest = sizes.first().map_or(0.0, |(size, _)| *size);
    for breaks in [Breaks::Spaces, Breaks::Hyphens, Breaks::Anywhere] {
        for &(size, most) in sizes {
            let measure = |text: &str| measure(text, size);
            // A word is rather broken than set in letters half as large.
            let is_small = size < 0.55 * largest;
            if breaks != Breaks::Anywhere && (is_small || !breaks.suits(text, &measure, width)) {
                continue;
            }
            let lines = wrap(text, breaks, &measure, width);
            if lines.len() <= most {
                return Lines { size, lines: balance(text, breaks, &measure, width, lines) };
            }
        }
    }
    let &(size, most) = sizes.last().unwrap_or(&(12.0, 1));
    let measure = |text: &str| measure(text, size);
    let mut lines = wrap(text, Breaks::Anywhere, &measure, width);
    if lines.len() > most {
        lines.truncate(most.max(1));
        if let Some(last) = lines.last_mut() {
            while measure(last) + measure("…") > width && last.pop().is_some() {}
            last.truncate(last.trim_end_matches([' ', ',', '.', ';', ':', '-', '–']).len());
            last.push('…');
        }
    }
    Lines { size, lines }
}

/// The narrowest lines of the same number: two of about one length are better than a long and a short one.
fn balance(
    text: &str,
    breaks: Breaks,
    measure: &dyn Fn(&str) -> f32,
    width: f32,
    lines: Vec<String>,
) -> Vec<String> {
    let mut best = lines;
    for part in (10..20).rev() {
        let narrow = width * part as f32 / 20.0;
        let lines = wrap(text, breaks, measure, narrow);
        if lines.len() > best.len() || !breaks.suits(text, measure, narrow) {
            break;
        }
        best = lines;
    }
    best
}

/// Greedy lines. A word that is too long for a line is broken.
fn wrap(text: &str, breaks: Breaks, measure: &dyn Fn(&str) -> f32, width: f32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for (piece, has_space) in breaks.pieces(text) {
        let space = if has_space && !line.is_empty() { " " } else { "" };
        if measure(&line) + measure(space) + measure(piece) <= width {
            line.push_str(space);
            line.push_str(piece);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for c in piece.chars() {
            if !line.is_empty()
                && !is_mark(c)
                && measure(&line) + measure(c.encode_utf8(&mut [0; 4])) > width
            {
                lines.push(std::mem::take(&mut line));
            }
            line.push(c);
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Where a line may end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Breaks {
    Spaces,
    /// Behind a hyphen, a dash or a slash as well.
    Hyphens,
    /// Within a word too, if nothing else helps.
    Anywhere,
}

impl Breaks {
    /// The parts between which a line may end, each with whether a space stands before it.
    fn pieces(self, text: &str) -> impl Iterator<Item = (&str, bool)> {
        text.split(' ').filter(|word| !word.is_empty()).flat_map(move |word| {
            word.split_inclusive(move |c| self != Breaks::Spaces && "-–—/".contains(c))
                .enumerate()
                .map(|(n_before, piece)| (piece, n_before == 0))
        })
    }

    /// Whether no part is wider than a line.
    fn suits(self, text: &str, measure: &dyn Fn(&str) -> f32, width: f32) -> bool {
        self.pieces(text).all(|(piece, _)| measure(piece) <= width)
    }
}

/// How a line of text is set.
pub(super) struct Style<'a> {
    pub(super) font: Font,
    pub(super) size: f32,
    pub(super) fill: &'a str,
    /// `start`, `middle` or `end`.
    pub(super) anchor: &'a str,
    /// Extra space between letters.
    pub(super) spacing: f32,
}

/// One line of text with its base line at `y`.
pub(super) fn write_line(svg: &mut String, text: &str, x: f32, y: f32, style: &Style<'_>) {
    let Style { font, size, fill, anchor, spacing } = style;
    let attributes = font.attributes();
    let spacing =
        if *spacing == 0.0 { String::new() } else { format!(r#" letter-spacing="{spacing}""#) };
    // Writing to a string cannot fail.
    let _ = write!(
        svg,
        r#"<text x="{x}" y="{y}" {attributes} font-size="{size}" fill="{fill}" text-anchor="{anchor}"{spacing}>{}</text>"#,
        escape(text)
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, width: f32, sizes: &[(f32, usize)]) -> Lines {
        fit_by(text, &|text, size| text.chars().count() as f32 * size, width, sizes)
    }

    #[test]
    fn lines_are_balanced_and_no_longer_than_they_may_be() {
        let found = lines("one two three four", 14.0, &[(1.0, 2)]);
        assert_eq!(found.lines, ["one two", "three four"]);
        assert_eq!(lines("decision-making", 10.0, &[(1.0, 2)]).lines, ["decision-", "making"]);
        assert_eq!(lines("", 10.0, &[(1.0, 2)]).lines, Vec::<String>::new());
    }

    #[test]
    fn a_line_ends_at_a_hyphen_only_where_it_has_to() {
        let title = "Shared Decision-Making";
        assert_eq!(lines(title, 16.0, &[(1.0, 2)]).lines, ["Shared", "Decision-Making"]);
        assert_eq!(lines(title, 12.0, &[(1.0, 3)]).lines, ["Shared", "Decision-", "Making"]);
    }

    #[test]
    fn the_largest_size_that_fits_is_taken() {
        let sizes = [(3.0, 1), (2.0, 2), (1.0, 2)];
        assert_eq!(lines("abcd", 12.0, &sizes).size, 3.0);
        assert_eq!(lines("abcd efgh", 12.0, &sizes).size, 2.0);
        assert_eq!(lines("abcdefghij klm", 12.0, &sizes).size, 1.0);
    }

    #[test]
    fn what_does_not_fit_is_broken_or_left_out() {
        assert_eq!(lines("abcdefgh", 4.0, &[(1.0, 3)]).lines, ["abcd", "efgh"]);
        assert_eq!(lines("abcdefghijkl, m", 4.0, &[(1.0, 2)]).lines, ["abcd", "efg…"]);
        assert_eq!(lines("abc de fgh", 4.0, &[(1.0, 2)]).lines, ["abc", "de…"]);
        // A mark stays with its letter.
        assert_eq!(lines("aaae\u{301}aaa", 4.0, &[(1.0, 3)]).lines, ["aaae\u{301}", "aaa"]);
    }

    #[test]
    fn text_that_cannot_be_drawn_is_taken_out() {
        assert_eq!(clean(" a\n\tb\u{0}\u{202e}c\u{ffff} "), "a bc");
        assert_eq!(escape("<a&'\">"), "&lt;a&amp;&apos;&quot;&gt;");
    }

    #[test]
    fn both_fonts_have_the_letters_of_european_languages() {
        for font in [Font::Serif, Font::Sans] {
            for c in "AZaz09 ñÑáéíóúü¿¡çãõßøåčšžąęłőűğıșțΩλЖя–—’“”…·•".chars()
            {
                let found = font.widths().0.binary_search_by_key(&u32::from(c), |(c, _)| *c);
                assert!(found.is_ok(), "{font:?} {c}");
            }
            assert_eq!(
                font.width("e\u{301}", 10.0),
                font.width("e", 10.0) + font.width("\u{301}", 10.0)
            );
            assert_eq!(font.width("日", 10.0), 10.0);
        }
    }
}
