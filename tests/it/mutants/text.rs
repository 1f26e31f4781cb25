//! Mutants of bytes: bits, cuts and encodings.

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::good::{Carrier, Good};
use super::kinds::{Dice, Mutant};

/// Where a change of the file is a change of the badge. A PNG file has checksums all over; in an SVG file the drawing is nobody's business.
fn sensitive(good: &Good, bytes: &[u8]) -> Range<usize> {
    match good.carrier {
        Carrier::Plain | Carrier::Png => 0..bytes.len(),
        Carrier::Svg => {
            let text = std::str::from_utf8(bytes).unwrap();
            let start = text.find("<openbadges:credential").unwrap();
            let end = "</openbadges:credential>";
            start..text.find(end).unwrap() + end.len()
        }
    }
}

/// One bit, sometimes a few.
pub fn flipped(good: &Good, dice: &mut Dice) -> Option<Mutant> {
    let mut bytes = good.bytes();
    let places = sensitive(good, &bytes);
    let n_bits = if dice.once_in(4) { 2 + dice.below(3) } else { 1 };
    for _ in 0..n_bits {
        bytes[places.start + dice.below(places.len())] ^= 1 << dice.below(8);
    }
    (bytes != good.bytes()).then(|| Mutant::of_file(good, bytes))
}

/// The end of the file, or something out of its middle.
pub fn cut(good: &Good, dice: &mut Dice) -> Option<Mutant> {
    let mut bytes = good.bytes();
    let places = sensitive(good, &bytes);
    let start = places.start + dice.below(places.len());
    let end = match dice.below(3) {
        0 => start + 1 + dice.below(16).min(places.end - start - 1),
        _ => bytes.len(),
    };
    bytes.drain(start..end);
    Some(Mutant::of_file(good, bytes))
}

/// The same letters in another alphabet, or other letters that a careless reader takes for the same.
pub fn encoded(good: &Good, dice: &mut Dice) -> Option<Mutant> {
    let text = good.text.as_str();
    if good.carrier == Carrier::Svg && dice.once_in(2) {
        // The file as a whole: in another encoding than it says, or with a declaration that lies.
        let file = String::from_utf8(good.bytes()).unwrap();
        let bytes = match dice.below(4) {
            0 => utf16(&file, u16::to_le_bytes),
            1 => utf16(&file, u16::to_be_bytes),
            2 => format!("<?xml version=\"1.0\" encoding=\"utf-16\"?>{file}").into_bytes(),
            _ => format!("<?xml version=\"1.0\" encoding=\"utf-7\"?>{file}").into_bytes(),
        };
        return Some(Mutant { bytes, text: None, pages: None });
    }
    let is_token = good.is_token();
    let text: Vec<u8> = match dice.below(12) {
        0 => utf16(text, u16::to_le_bytes),
        1 => utf16(text, u16::to_be_bytes),
        2 => STANDARD.encode(text).into_bytes(),
        3 => json!(text).to_string().into_bytes(),
        4 => format!("[{text}]").into_bytes(),
        5 => format!("{text}{text}").into_bytes(),
        6 => format!("{text}{}", dice.pick(&[".", ",", "x", "\0", "{}", ";", "=", "\u{a0}"]))
            .into_bytes(),
        7 => format!("\u{feff}{text}").into_bytes(),
        8 => text.bytes().flat_map(|byte| format!("%{byte:02X}").into_bytes()).collect(),
        _ if is_token => return token(good, dice),
        _ => return json_text(good, dice),
    };
    Some(Mutant::of_text(good, text))
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    ['\u{feff}']
        .into_iter()
        .chain(text.chars())
        .flat_map(|c| {
            let mut units = [0; 2];
            c.encode_utf16(&mut units).iter().flat_map(|unit| bytes(*unit)).collect::<Vec<_>>()
        })
        .collect()
}

/// The other serializations of a token, and base64 that is not strict.
fn token(good: &Good, dice: &mut Dice) -> Option<Mutant> {
    let parts: Vec<&str> = good.text.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("no token") };
    let at = dice.below(3);
    let with = |change: &dyn Fn(&str) -> String| {
        let mut parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        parts[at] = change(&parts[at]);
        parts.join(".")
    };
    let text = match dice.below(9) {
        0 => json!({"protected": header, "payload": payload, "signature": signature}).to_string(),
        1 => json!({"payload": payload, "signatures": [{"protected": header, "signature": signature}]})
            .to_string(),
        2 => with(&|part| format!("{part}=")),
        3 => with(&|part| format!("{part}==")),
        4 => with(&|part| URL_SAFE.encode(part)),
        5 => with(&|part| format!("{}\n{}", &part[..part.len() / 2], &part[part.len() / 2..])),
        6 => with(&|part| part.replace('-', "+").replace('_', "/")),
        // Bits behind the end.
        7 => with(&|part| {
            let (rest, last) = part.split_at(part.len() - 1);
            format!("{rest}{}", char::from(last.as_bytes()[0].wrapping_add(1)))
        }),
        // The same JSON with white space in it: other bytes than the signed ones.
        _ => with(&|part| match URL_SAFE_NO_PAD.decode(part).map(|bytes| serde_json::from_slice::<Value>(&bytes)) {
            Ok(Ok(value)) => URL_SAFE_NO_PAD.encode(serde_json::to_string_pretty(&value).unwrap()),
            Ok(Err(_)) | Err(_) => part.to_owned(),
        }),
    };
    Some(Mutant::of_text(good, text))
}

/// Escapes that give other letters, letters that are no UTF-8, and what only some readers take for JSON.
fn json_text(good: &Good, dice: &mut Dice) -> Option<Mutant> {
    let text = good.text.as_str();
    let letters: Vec<usize> =
        text.char_indices().filter(|(_, c)| c.is_ascii_alphanumeric()).map(|(at, _)| at).collect();
    let at = *dice.pick(&letters);
    let letter = text.as_bytes()[at];
    let with = |replacement: &[u8]| {
        [&text.as_bytes()[..at], replacement, &text.as_bytes()[at + 1..]].concat()
    };
    let text = match dice.below(9) {
        0 => with(format!("\\u{:04x}", u32::from(letter) + 0x100).as_bytes()),
        1 => with(b"\\ud800"),
        2 => with(b"\\udc00\\ud800"),
        // The letter in two bytes, which UTF-8 forbids.
        3 => with(&[0xc0 | letter >> 6, 0x80 | letter & 0x3f]),
        4 => with(&[letter | 0x80]),
        5 => with(format!("{}\u{200b}", char::from(letter)).as_bytes()),
        6 => with(format!("{}\0", char::from(letter)).as_bytes()),
        7 => text.replace('"', "'").into_bytes(),
        _ => format!("/* */{}", text.replacen('}', ",}", 1)).into_bytes(),
    };
    Some(Mutant::of_text(good, text))
}
