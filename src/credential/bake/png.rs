//! PNG: one `iTXt` chunk. The chunks are taken as they are; nothing is decoded.

use super::{BakeError, Baked, UnbakeError, check_size, read};

/// The first eight bytes of every PNG file.
pub(super) const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The keyword of Open Badges 3.0, section 5.3.1.1.
const KEYWORD: &[u8] = b"openbadgecredential";
/// The keyword of Open Badges 2.0 and older.
const LEGACY_KEYWORD: &[u8] = b"openbadges";
/// Length, kind and checksum.
const FRAME: usize = 12;

/// Puts the credential into a PNG image, in front of the pixels. A badge that is in the image already is taken out.
///
/// All other bytes stay as they are. The order of the chunks and their checksums are checked first; the pixels are not decoded.
pub fn bake_png(png: &[u8], baked: &Baked) -> Result<Vec<u8>, BakeError> {
    let text = baked.checked_text()?;
    check_size(png.len())?;
    let chunks = chunks(png).map_err(BakeError::Image)?;
    let mut data = Vec::with_capacity(KEYWORD.len() + 5 + text.len());
    data.extend_from_slice(KEYWORD);
    // The end of the keyword, not compressed, method 0, no language, no translated keyword.
    data.extend_from_slice(&[0; 5]);
    data.extend_from_slice(text.as_bytes());
    let mut image = Vec::with_capacity(png.len() + FRAME + data.len());
    image.extend_from_slice(SIGNATURE);
    let mut is_written = false;
    for chunk in chunks {
        if chunk.keyword().is_some_and(|keyword| [KEYWORD, LEGACY_KEYWORD].contains(&keyword)) {
            continue;
        }
        if chunk.kind == b"IDAT" && !is_written {
            write_chunk(&mut image, b"iTXt", &data)?;
            is_written = true;
        }
        image.extend_from_slice(chunk.whole);
    }
    check_size(image.len())?;
    Ok(image)
}

fn write_chunk(image: &mut Vec<u8>, kind: &[u8], data: &[u8]) -> Result<(), BakeError> {
    let length =
        u32::try_from(data.len()).ok().ok_or(BakeError::TooLarge { limit: u32::MAX as usize })?;
    image.extend_from_slice(&length.to_be_bytes());
    image.extend_from_slice(kind);
    image.extend_from_slice(data);
    image.extend_from_slice(&checksum(kind, data).to_be_bytes());
    Ok(())
}

pub(super) fn unbake(png: &[u8]) -> Result<Baked, UnbakeError> {
    let mut found = None;
    let mut is_legacy = false;
    for chunk in chunks(png)? {
        match chunk.keyword() {
            Some(KEYWORD) if found.is_some() => return Err(UnbakeError::Doubled),
            Some(KEYWORD) => found = Some(chunk),
            Some(LEGACY_KEYWORD) => is_legacy = true,
            Some(_) | None => {}
        }
    }
    match found {
        Some(_) if is_legacy => Err(UnbakeError::Doubled),
        Some(chunk) => read(credential_text(&chunk)?),
        None if is_legacy => Err(UnbakeError::Legacy),
        None => Err(UnbakeError::NotBaked),
    }
}

/// The text of a chunk with our keyword.
fn credential_text<'a>(chunk: &Chunk<'a>) -> Result<&'a str, UnbakeError> {
    match chunk.kind {
        b"iTXt" => {}
        b"zTXt" => return Err(UnbakeError::Compressed),
        _ => return Err(UnbakeError::Malformed("the badge is in a chunk that is not iTXt")),
    }
    let rest = &chunk.data[KEYWORD.len() + 1..];
    let rest = match rest {
        [0, _method, rest @ ..] => rest,
        [1, ..] => return Err(UnbakeError::Compressed),
        _ => return Err(UnbakeError::Malformed("the iTXt chunk has no such compression")),
    };
    // Other programs may name a language and translate the keyword; neither means anything here.
    let [_language, translated, text] =
        parts(rest).ok_or(UnbakeError::Malformed("the iTXt chunk ends before its text begins"))?;
    let is_utf8 = std::str::from_utf8(translated).is_ok();
    match std::str::from_utf8(text) {
        Ok(text) if is_utf8 => Ok(text),
        Ok(_) | Err(_) => Err(UnbakeError::Malformed("the iTXt chunk is not UTF-8")),
    }
}

/// Language tag, translated keyword, and the text behind them.
fn parts(rest: &[u8]) -> Option<[&[u8]; 3]> {
    let mut parts = rest.splitn(3, |&byte| byte == 0);
    Some([parts.next()?, parts.next()?, parts.next()?])
}

struct Chunk<'a> {
    kind: &'a [u8],
    data: &'a [u8],
    /// With length, kind and checksum.
    whole: &'a [u8],
}

impl<'a> Chunk<'a> {
    /// The keyword of a chunk that has one.
    fn keyword(&self) -> Option<&'a [u8]> {
        if ![&b"iTXt"[..], b"tEXt", b"zTXt"].contains(&self.kind) {
            return None;
        }
        let end = self.data.iter().position(|&byte| byte == 0)?;
        self.data.get(..end)
    }
}

/// The chunks of a file in which every length, checksum and place is right.
fn chunks(png: &[u8]) -> Result<Vec<Chunk<'_>>, UnbakeError> {
    let mut rest = png.strip_prefix(SIGNATURE).ok_or(UnbakeError::NotAnImage)?;
    let mut chunks: Vec<Chunk<'_>> = Vec::new();
    let mut pixels = Pixels::Before;
    while !rest.is_empty() {
        let chunk = first_chunk(rest)?;
        rest = &rest[chunk.whole.len()..];
        if (chunk.kind == b"IHDR") != chunks.is_empty() {
            return Err(UnbakeError::Malformed("its first chunk, and no other, has to be IHDR"));
        }
        match (chunk.kind == b"IDAT", &pixels) {
            (true, Pixels::After) => {
                return Err(UnbakeError::Malformed("its pixels are not in one place"));
            }
            (true, Pixels::Before | Pixels::Inside) => pixels = Pixels::Inside,
            (false, Pixels::Inside) => pixels = Pixels::After,
            (false, Pixels::Before | Pixels::After) => {}
        }
        if chunk.kind == b"IEND" && (!rest.is_empty() || !chunk.data.is_empty()) {
            return Err(UnbakeError::Malformed("something stands behind its end"));
        }
        chunks.push(chunk);
    }
    if chunks.last().is_none_or(|chunk| chunk.kind != b"IEND") {
        return Err(UnbakeError::Malformed("its end is missing"));
    }
    match pixels {
        Pixels::Before => Err(UnbakeError::Malformed("it has no pixels")),
        Pixels::Inside | Pixels::After => Ok(chunks),
    }
}

enum Pixels {
    Before,
    Inside,
    After,
}

fn first_chunk(bytes: &[u8]) -> Result<Chunk<'_>, UnbakeError> {
    const CUT_SHORT: UnbakeError = UnbakeError::Malformed("it is cut short");
    let (length, _) = bytes.split_first_chunk::<4>().ok_or(CUT_SHORT)?;
    // A length that does not fit is longer than any file that is read.
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    let end = length.checked_add(FRAME).ok_or(CUT_SHORT)?;
    let whole = bytes.get(..end).ok_or(CUT_SHORT)?;
    let (rest, stored) = whole.split_last_chunk::<4>().ok_or(CUT_SHORT)?;
    let (kind, data) = rest[4..].split_at_checked(4).ok_or(CUT_SHORT)?;
    if !kind.iter().all(u8::is_ascii_alphabetic) {
        return Err(UnbakeError::Malformed("a chunk has no proper name"));
    }
    if checksum(kind, data) != u32::from_be_bytes(*stored) {
        return Err(UnbakeError::Malformed("the checksum of a chunk is wrong"));
    }
    Ok(Chunk { kind, data, whole })
}

fn checksum(kind: &[u8], data: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(kind);
    hasher.update(data);
    hasher.finalize()
}
