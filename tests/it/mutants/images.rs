//! Mutants of images: more than one badge, and badges that are compressed.

use std::io::Write;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use serde_json::json;

use super::good::{Carrier, Good, KEYWORD, chunk, itxt, png, svg};
use super::kinds::{Dice, Mutant};

fn file(bytes: Vec<u8>) -> Option<Mutant> {
    Some(Mutant { bytes, text: None, pages: None })
}

/// The badge again, or another text that could be one.
fn second(good: &Good, dice: &mut Dice) -> String {
    match dice.below(4) {
        0 | 1 => good.text.clone(),
        2 => json!({"type": ["VerifiableCredential"], "id": "urn:uuid:1"}).to_string(),
        _ => "e30.e30.".to_owned(),
    }
}

/// Two badges in one image.
pub fn doubled(good: &Good, dice: &mut Dice) -> Option<Mutant> {
    let (first, second) = (good.text.as_bytes(), second(good, dice));
    if good.carrier == Carrier::Png {
        let own = itxt(first);
        let other = match dice.below(4) {
            0 | 1 => itxt(second.as_bytes()),
            2 => chunk(b"tEXt", &[KEYWORD, second.as_bytes()].concat()),
            _ => chunk(b"zTXt", &[KEYWORD, &[0], &zlib(second.as_bytes())].concat()),
        };
        return file(match dice.below(4) {
            0 => png(&[own, other], &[]),
            1 => png(&[other, own], &[]),
            2 => png(&[own], &[other]),
            _ => png(&[], &[other, own]),
        });
    }
    let own = good.element(&good.text);
    // A token in the attribute, JSON in the element, whatever the other one is.
    let other = if second.starts_with('{') {
        format!("<openbadges:credential><![CDATA[{second}]]></openbadges:credential>")
    } else {
        format!("<openbadges:credential verify=\"{second}\"/>")
    };
    let elements = match dice.below(5) {
        0 => format!("{own}{other}"),
        1 => format!("{other}{own}"),
        2 => format!("{own}<g><g>{other}</g></g>"),
        // Another prefix for the same namespace.
        3 => format!(
            "{own}<g xmlns:b=\"https://purl.imsglobal.org/ob/v3p0\">{}</g>",
            other.replace("openbadges:", "b:")
        ),
        _ if good.is_token() => own.replace("></", &format!("><![CDATA[{second}]]></")),
        _ => own.replacen('>', " verify=\"e30.e30.e30\">", 1),
    };
    file(svg(&elements).into_bytes())
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A badge that is there in full, but compressed, or said to be.
pub fn compressed(good: &Good, dice: &mut Dice) -> Option<Mutant> {
    let text = good.text.as_bytes();
    // A badge that becomes large when it is inflated must not be inflated either.
    let long =
        if dice.once_in(4) { [text, &vec![b' '; 2_000_000]].concat() } else { text.to_vec() };
    if good.carrier == Carrier::Png {
        let (method, packed) = (u8::try_from(dice.below(3)).unwrap(), zlib(&long));
        let chunk = match dice.below(4) {
            0 | 1 => chunk(b"iTXt", &[KEYWORD, &[1, method, 0, 0], &packed].concat()),
            2 => chunk(b"zTXt", &[KEYWORD, &[method], &packed].concat()),
            _ => chunk(b"iTXt", &[KEYWORD, &[1, method, 0, 0], text].concat()),
        };
        return file(png(&[chunk], &[]));
    }
    let gzip = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    file(match dice.below(3) {
        0 => gzip(&good.bytes()),
        1 => zlib(&good.bytes()),
        _ => {
            use base64::Engine;
            let packed = base64::engine::general_purpose::STANDARD.encode(zlib(&long));
            svg(&good.element(&packed)).into_bytes()
        }
    })
}
