//! Which kinds of file are evidence, and how content shows its kind.
//!
//! A kind is believed only when the first bytes and the name's ending agree. Office documents are
//! archives whose first entry has one of the names that such documents have; which of them it is, the
//! name says, and what takes the metadata out finds it inside. Those with macros have endings of their
//! own, which are not in the list.

use crate::files::incoming::Limits;

/// The media types that evidence may have.
pub const ALLOWED_MEDIA: [&str; 14] =
    [PDF, JPEG, PNG, HEIC, MP4, QUICKTIME, MP3, M4A, TEXT, CSV, MARKDOWN, DOCX, XLSX, PPTX];

const PDF: &str = "application/pdf";
const JPEG: &str = "image/jpeg";
const PNG: &str = "image/png";
const HEIC: &str = "image/heic";
const MP4: &str = "video/mp4";
const QUICKTIME: &str = "video/quicktime";
const MP3: &str = "audio/mpeg";
const M4A: &str = "audio/mp4";
const TEXT: &str = "text/plain";
const CSV: &str = "text/csv";
const MARKDOWN: &str = "text/markdown";
/// Word's, by ISO/IEC 29500.
pub(super) const DOCX: &str =
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
/// Excel's.
pub(super) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/// PowerPoint's.
pub(super) const PPTX: &str =
    "application/vnd.openxmlformats-officedocument.presentationml.presentation";

/// The media type that a name's ending stands for, without its dot and in any case.
pub fn media_type_for_extension(extension: &str) -> Option<&'static str> {
    match extension.to_ascii_lowercase().as_str() {
        "pdf" => Some(PDF),
        "jpg" | "jpeg" => Some(JPEG),
        "png" => Some(PNG),
        "heic" | "heif" => Some(HEIC),
        "mp4" | "m4v" => Some(MP4),
        "mov" | "qt" => Some(QUICKTIME),
        "mp3" => Some(MP3),
        "m4a" => Some(M4A),
        "txt" | "text" => Some(TEXT),
        "csv" => Some(CSV),
        "md" | "markdown" => Some(MARKDOWN),
        "docx" => Some(DOCX),
        "xlsx" => Some(XLSX),
        "pptx" => Some(PPTX),
        _ => None,
    }
}

/// The ending for a neutral download name of this media type.
pub fn extension_for(media_type: &str) -> Option<&'static str> {
    match media_type {
        PDF => Some("pdf"),
        JPEG => Some("jpg"),
        PNG => Some("png"),
        HEIC => Some("heic"),
        MP4 => Some("mp4"),
        QUICKTIME => Some("mov"),
        MP3 => Some("mp3"),
        M4A => Some("m4a"),
        TEXT => Some("txt"),
        CSV => Some("csv"),
        MARKDOWN => Some("md"),
        DOCX => Some("docx"),
        XLSX => Some("xlsx"),
        PPTX => Some("pptx"),
        _ => None,
    }
}

/// The media type that a declared file name claims.
pub(super) fn media_type_for_name(file_name: &str) -> Option<&'static str> {
    let (_, extension) = file_name.rsplit_once('.')?;
    media_type_for_extension(extension)
}

/// The byte limit of a media type.
pub fn limit_for(media_type: &str, limits: Limits) -> u64 {
    if media_type.starts_with("video/") { limits.video } else { limits.other }
}

/// What the first bytes of a file say about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The kind in words for the person who sent it.
    pub(super) label: &'static str,
    /// The media types a file with such bytes may have; none if it is no evidence.
    pub(super) candidates: &'static [&'static str],
}

impl Found {
    const fn one(candidates: &'static [&'static str; 1]) -> Found {
        Found { label: candidates[0], candidates }
    }

    const fn other(label: &'static str) -> Found {
        Found { label, candidates: &[] }
    }

    /// The largest byte limit of what this may still turn out to be.
    pub(super) fn limit(&self, limits: Limits) -> u64 {
        self.candidates
            .iter()
            .map(|media_type| limit_for(media_type, limits))
            .max()
            .unwrap_or(limits.other)
    }
}

/// Reads a file's kind from its first bytes.
///
/// `is_text` says whether everything seen of the file is plain text.
pub(super) fn sniff(head: &[u8], is_text: bool) -> Found {
    if head.starts_with(b"%PDF-") {
        Found::one(&[PDF])
    } else if head.starts_with(&[0xff, 0xd8, 0xff]) {
        Found::one(&[JPEG])
    } else if head.starts_with(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR") {
        Found::one(&[PNG])
    } else if let Some(brands) = Brands::read(head) {
        brands.sniff()
    } else if is_text {
        if looks_like_markup(head) {
            Found::other("a web page")
        } else {
            // Nothing in the bytes tells these apart; the ending of the name does.
            Found { label: TEXT, candidates: &[TEXT, CSV, MARKDOWN] }
        }
    } else if is_id3(head) || is_mp3_frame(head) {
        Found::one(&[MP3])
    } else if is_office(head) {
        // All three begin alike; the ending of the name tells them apart.
        Found { label: "an Office document", candidates: &[DOCX, XLSX, PPTX] }
    } else {
        Found::other(foreign_label(head))
    }
}

/// Names the commonest kinds that are refused, so that the sender knows what went wrong.
fn foreign_label(head: &[u8]) -> &'static str {
    const KNOWN: [(&[u8], &str); 10] = [
        (b"PK\x03\x04", "an archive"),
        (b"PK\x05\x06", "an archive"),
        (b"\xd0\xcf\x11\xe0", "an Office document that is old or has a password"),
        (b"\x7fELF", "a program"),
        (b"MZ", "a program"),
        (b"\xcf\xfa\xed\xfe", "a program"),
        (b"GIF8", "a GIF image"),
        (b"RIFF", "a WebP, WAV or AVI file"),
        (b"\x1a\x45\xdf\xa3", "a WebM or Matroska video"),
        (b"\x1f\x8b", "a compressed file"),
    ];
    KNOWN
        .iter()
        .find(|(magic, _)| head.starts_with(magic))
        .map_or("of an unknown kind", |&(_, label)| label)
}

/// Whether it is an archive (APPNOTE.TXT, 4.3.7) whose first entry is one that an Office document has.
fn is_office(head: &[u8]) -> bool {
    const FIRST: [&[u8]; 7] =
        [b"[Content_Types].xml", b"_rels/", b"docProps/", b"customXml/", b"word/", b"xl/", b"ppt/"];
    head.strip_prefix(b"PK\x03\x04")
        .and_then(|rest| rest.split_at_checked(26))
        .is_some_and(|(_, name)| FIRST.iter().any(|first| name.starts_with(first)))
}

/// Whether a browser that guesses would take this text for a page or a drawing.
///
/// The openings are those of the WHATWG MIME Sniffing Standard, section 7.1, and of SVG.
fn looks_like_markup(head: &[u8]) -> bool {
    const OPENINGS: [&str; 19] = [
        "<!doctype html",
        "<html",
        "<head",
        "<script",
        "<iframe",
        "<h1",
        "<div",
        "<font",
        "<table",
        "<a",
        "<style",
        "<title",
        "<b",
        "<body",
        "<br",
        "<p",
        "<!--",
        "<?xml",
        "<svg",
    ];
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    OPENINGS.iter().any(|opening| {
        head.split_at_checked(opening.len()).is_some_and(|(start, rest)| {
            start.eq_ignore_ascii_case(opening.as_bytes())
                && rest.first().is_none_or(|&next| !next.is_ascii_alphanumeric())
        })
    })
}

/// An ID3v2 tag: version and size bytes below 0x80 (ID3v2.4, section 3.1).
fn is_id3(head: &[u8]) -> bool {
    head.strip_prefix(b"ID3").and_then(|rest| rest.first_chunk::<7>()).is_some_and(
        |&[major, revision, _flags, ref size @ ..]| {
            (2..=4).contains(&major) && revision != 0xff && size.iter().all(|&byte| byte < 0x80)
        },
    )
}

/// An MPEG audio layer III frame header (ISO/IEC 11172-3, section 2.4.1.3), reserved values refused.
fn is_mp3_frame(head: &[u8]) -> bool {
    head.first_chunk::<3>().is_some_and(|&[sync, kind, rates]| {
        let version = (kind >> 3) & 0b11;
        let layer = (kind >> 1) & 0b11;
        let bit_rate = rates >> 4;
        let sample_rate = (rates >> 2) & 0b11;
        sync == 0xff
            && kind & 0xe0 == 0xe0
            && version != 0b01
            && layer == 0b01
            && bit_rate != 0b1111
            && bit_rate != 0
            && sample_rate != 0b11
    })
}

/// The brands in the file type box of an ISO base media file (ISO/IEC 14496-12, section 4.3).
struct Brands<'a> {
    major: &'a [u8],
    compatible: &'a [u8],
}

impl<'a> Brands<'a> {
    fn read(head: &'a [u8]) -> Option<Brands<'a>> {
        let (size, rest) = head.split_first_chunk::<4>()?;
        let size = usize::try_from(u32::from_be_bytes(*size)).ok()?;
        let contents = rest.strip_prefix(b"ftyp")?.get(..size.checked_sub(8)?)?;
        let (major, rest) = contents.split_at_checked(4)?;
        let (_minor_version, compatible) = rest.split_at_checked(4)?;
        compatible.len().is_multiple_of(4).then_some(Brands { major, compatible })
    }

    fn sniff(&self) -> Found {
        match self.major {
            b"qt  " => Found::one(&[QUICKTIME]),
            b"heic" | b"heix" | b"heim" | b"heis" => Found::one(&[HEIC]),
            b"mif1" if self.is_compatible(b"heic") || self.is_compatible(b"heix") => {
                Found::one(&[HEIC])
            }
            b"M4A " | b"M4B " => Found::one(&[M4A]),
            b"M4V " | b"M4VH" | b"M4VP" => Found::one(&[MP4]),
            b"mif1" | b"msf1" | b"avif" | b"avis" => Found::other("an image of an unknown kind"),
            // These brands say MPEG-4 and leave open whether there is a picture; the name decides.
            b"isom" | b"mp41" | b"mp42" | b"avc1" | b"dash" | b"mmp4" | b"MSNV" => Found::MPEG_4,
            [b'i', b's', b'o', b'2'..=b'9'] | [b'3', b'g', b'p', _] => Found::MPEG_4,
            _ if self.is_compatible(b"isom")
                || self.is_compatible(b"mp41")
                || self.is_compatible(b"mp42") =>
            {
                Found::MPEG_4
            }
            _ => Found::other("a video of an unknown kind"),
        }
    }

    fn is_compatible(&self, brand: &[u8; 4]) -> bool {
        self.compatible.as_chunks::<4>().0.contains(brand)
    }
}

impl Found {
    const MPEG_4: Found = Found { label: "MPEG-4", candidates: &[MP4, M4A] };
}
