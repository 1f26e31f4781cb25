//! Finds a text in whatever form bytes may have it.

use std::io::{Cursor, Read};

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use flate2::read::{GzDecoder, ZlibDecoder};
use zip::ZipArchive;

/// How many layers are unwrapped: a base64 text of a compressed part of a document within an archive has four.
const DEEPEST: usize = 4;
/// The most bytes that one compressed part is followed for.
const LONGEST: u64 = 4 * 1024 * 1024;
/// The shortest run of letters that may be base64 of something that matters.
const SHORTEST_RUN: usize = 12;

/// Which of these texts the bytes have, in any form; upper and lower case are one.
pub fn find<'a>(bytes: &[u8], texts: &[&'a str]) -> Vec<&'a str> {
    let mut found = Vec::new();
    search(bytes, texts, 0, &mut found);
    found.sort_unstable();
    found.dedup();
    found
}

fn search<'a>(bytes: &[u8], texts: &[&'a str], depth: usize, found: &mut Vec<&'a str>) {
    let lower = bytes.to_ascii_lowercase();
    let plain = String::from_utf8_lossy(&lower);
    // Each second byte of UTF-16, from either start, is ASCII in both orders; the others are zero.
    let wide: Vec<String> = if bytes.contains(&0) {
        let halves = [0, 1].map(|start| lower.iter().skip(start).step_by(2).copied().collect());
        halves.map(|half: Vec<u8>| String::from_utf8_lossy(&half).into_owned()).to_vec()
    } else {
        Vec::new()
    };
    for text in texts {
        let wanted = text.to_lowercase();
        if plain.contains(&wanted) || wide.iter().any(|half| half.contains(&wanted)) {
            found.push(text);
        }
    }
    if depth < DEEPEST {
        for inner in unwrapped(bytes) {
            search(&inner, texts, depth + 1, found);
        }
    }
}

/// What is inside: entries, inflated streams, and the text behind each way of writing text.
fn unwrapped(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut inner = Vec::new();
    if is_text(bytes) {
        inner.extend(decoded(bytes).into_iter().filter(|form| form != bytes));
        inner.extend(base64_runs(bytes));
    } else {
        inner.extend(zip_entries(bytes));
        inner.extend(inflated(bytes));
    }
    inner
}

fn is_text(bytes: &[u8]) -> bool {
    !bytes.iter().take(4096).any(|byte| *byte < 32 && !b"\r\n\t".contains(byte))
        && std::str::from_utf8(bytes).is_ok()
}

fn zip_entries(bytes: &[u8]) -> Vec<Vec<u8>> {
    let Ok(mut archive) = ZipArchive::new(Cursor::new(bytes)) else { return Vec::new() };
    let mut entries = vec![archive.comment().to_vec()];
    for index in 0..archive.len() {
        let entry = archive.by_index(index).unwrap();
        entries.push(entry.name_raw().to_vec());
        let mut content = Vec::new();
        entry.take(LONGEST).read_to_end(&mut content).unwrap();
        entries.push(content);
    }
    entries
}

/// Everything that can be inflated, wherever it begins: the streams of a PDF, the chunks of a PNG, a compressed answer.
fn inflated(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut streams = Vec::new();
    for (place, pair) in bytes.windows(2).enumerate() {
        let mut content = Vec::new();
        // What was inflated before a fault counts as well.
        let _fault = match pair {
            // RFC 1950, 2.2: the method, and both bytes together a multiple of 31.
            [0x78, flags] if (0x7800 + u32::from(*flags)).is_multiple_of(31) => {
                ZlibDecoder::new(&bytes[place..]).take(LONGEST).read_to_end(&mut content)
            }
            [0x1f, 0x8b] => GzDecoder::new(&bytes[place..]).take(LONGEST).read_to_end(&mut content),
            _ => continue,
        };
        if !content.is_empty() {
            streams.push(content);
        }
    }
    streams
}

/// The text behind percent signs, entities, escapes of JSON and of PDF, hexadecimal strings, and equals signs of mail.
fn decoded(bytes: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(bytes);
    let mut forms = Vec::new();
    if text.contains('%') {
        forms.push(hex_after(bytes, b"%"));
    }
    if text.contains('=') {
        let joined = text.replace("=\r\n", "").replace("=\n", "");
        forms.push(hex_after(joined.as_bytes(), b"="));
    }
    if text.contains("\\u") {
        forms.push(code_points(&text, "\\u", |rest| {
            Some((u32::from_str_radix(rest.get(..4)?, 16).ok()?, 4))
        }));
    }
    if text.contains("&#") {
        forms.push(code_points(&text, "&#", |rest| {
            let (number, _) = rest.get(..rest.len().min(9))?.split_once(';')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            Some((code, number.len() + 1))
        }));
    }
    let digits: Vec<u8> = bytes.iter().copied().filter(u8::is_ascii_hexdigit).collect();
    if digits.len() == bytes.iter().filter(|byte| byte.is_ascii_graphic()).count() {
        forms.push(
            digits
                .as_chunks::<2>()
                .0
                .iter()
                .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).ok())
                .collect(),
        );
    }
    forms
}

fn hex_after(bytes: &[u8], mark: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len());
    let mut place = 0;
    while place < bytes.len() {
        let byte = bytes[place..].strip_prefix(mark).and_then(|rest| {
            let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
            u8::from_str_radix(digits, 16).ok()
        });
        match byte {
            Some(byte) => {
                text.push(byte);
                place += 3;
            }
            None => {
                text.push(bytes[place]);
                place += 1;
            }
        }
    }
    text
}

fn code_points(text: &str, mark: &str, read: impl Fn(&str) -> Option<(u32, usize)>) -> Vec<u8> {
    let mut plain = String::with_capacity(text.len());
    let mut parts = text.split(mark);
    plain.push_str(parts.next().unwrap_or_default());
    for part in parts {
        match read(part).and_then(|(code, length)| Some((char::from_u32(code)?, length))) {
            Some((character, length)) => {
                plain.push(character);
                plain.push_str(&part[length..]);
            }
            None => plain.push_str(part),
        }
    }
    plain.into_bytes()
}

/// What the long runs of letters stand for as base64, of both alphabets; a run may begin anywhere in a group of four.
fn base64_runs(bytes: &[u8]) -> Vec<Vec<u8>> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let engine = GeneralPurpose::new(&alphabet::STANDARD, config);
    let text: Vec<u8> = bytes
        .iter()
        .map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => *other,
        })
        .collect();
    // Lines of mail are joined first.
    let joined: Vec<u8> = text.iter().copied().filter(|byte| !b"\r\n".contains(byte)).collect();
    let mut found = Vec::new();
    // What is text only is gathered, so that one search is enough for all runs.
    let mut gathered = Vec::new();
    let forms = if joined.len() == text.len() { vec![text] } else { vec![text, joined] };
    for form in &forms {
        let of_alphabet = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
        for run in form.split(|byte| !of_alphabet(byte)).filter(|run| run.len() >= SHORTEST_RUN) {
            for start in 0..4 {
                let run = &run[start..];
                // A group of one letter is none.
                let whole = run.len() - usize::from(run.len() % 4 == 1);
                let Ok(content) = engine.decode(&run[..whole]) else { continue };
                if is_text(&content) || content.starts_with(b"PK") || content.starts_with(&[0x1f]) {
                    found.push(content);
                } else {
                    gathered.extend(content);
                    gathered.push(b'\n');
                }
            }
        }
    }
    found.push(gathered);
    found
}
