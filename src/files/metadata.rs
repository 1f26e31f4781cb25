//! Taking out of a file what says whose it is: EXIF, comments, properties of PDF and Office documents.
//!
//! This reads what strangers have made. It runs in a process of its own with little memory and time (see [`super::Stripper`]), never in the
//! server.

mod markup;
mod office;
mod tables;

use img_parts::Bytes;
use img_parts::jpeg::{Jpeg, JpegSegment, markers};
use img_parts::png::Png;
use lopdf::{Dictionary, Document, LoadOptions, Object};

pub use tables::{Table, read_table};

/// The longest file that is taken apart.
pub const STRIP_LIMIT: u64 = 64 * 1024 * 1024;
/// The most bytes that one compressed part of a PDF may become.
const PDF_PART_LIMIT: usize = 64 * 1024 * 1024;

/// Why a file keeps its metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StripError {
    /// There is no way here to take metadata out of this kind of file.
    #[error("metadata cannot be taken out of this kind of file")]
    Kind,
    /// The file is too long, damaged or encrypted.
    #[error("the file cannot be taken apart")]
    Unreadable,
}

/// Whether metadata can be taken out of files of this type.
#[must_use]
pub fn can_strip(media_type: &str) -> bool {
    matches!(media_type, "image/jpeg" | "image/png" | "application/pdf")
        || office::is_office(media_type)
}

/// Whether files of this type have nothing but their content.
#[must_use]
pub fn has_no_metadata(media_type: &str) -> bool {
    media_type.starts_with("text/")
}

/// The same file without metadata.
///
/// # Errors
/// [`StripError`]; nothing half done is ever returned.
pub fn strip(media_type: &str, file: Vec<u8>) -> Result<Vec<u8>, StripError> {
    match media_type {
        "image/jpeg" => strip_jpeg(file),
        "image/png" => strip_png(file),
        "application/pdf" => strip_pdf(&file),
        _ if office::is_office(media_type) => office::strip_office(media_type, &file),
        _ => Err(StripError::Kind),
    }
}

/// Keeps what the picture needs: tables, frames, scans, the JFIF and Adobe headers and the colour profile. Of EXIF only the orientation is kept.
fn strip_jpeg(file: Vec<u8>) -> Result<Vec<u8>, StripError> {
    let end = jpeg_end(&file).ok_or(StripError::Unreadable)?;
    let mut whole = Bytes::from(file);
    // Cameras put further pictures behind the end, each with metadata of its own.
    whole.truncate(end);
    let mut jpeg = Jpeg::from_bytes(whole).ok().ok_or(StripError::Unreadable)?;
    let orientation = jpeg
        .segments_by_marker(markers::APP1)
        .find_map(|segment| exif_orientation(segment.contents()));
    jpeg.segments_mut().retain(|segment| match segment.marker() {
        markers::APP0 => segment.contents().starts_with(b"JFIF\0"),
        markers::APP2 => segment.contents().starts_with(b"ICC_PROFILE\0"),
        markers::APP14 => segment.contents().starts_with(b"Adobe"),
        markers::APP1 | markers::APP3..=markers::APP13 | markers::APP15 | markers::COM => false,
        _ => true,
    });
    if let Some(orientation) = orientation {
        let segment = JpegSegment::new_with_contents(markers::APP1, orientation_only(orientation));
        let place = jpeg.segments().len().min(1);
        jpeg.segments_mut().insert(place, segment);
    }
    let stripped = jpeg.encoder().bytes().to_vec();
    if jpeg_end(&stripped) == Some(stripped.len()) {
        Ok(stripped)
    } else {
        Err(StripError::Unreadable)
    }
}

/// Where the picture ends: behind its EOI marker.
fn jpeg_end(file: &[u8]) -> Option<usize> {
    if !file.starts_with(&[0xff, 0xd8]) {
        return None;
    }
    let mut place = 2;
    loop {
        // Between segments, and in the coded data of a scan, everything up to the next marker is passed over.
        while *file.get(place)? != 0xff {
            place += 1;
        }
        let marker = *file.get(place + 1)?;
        match marker {
            0xd9 => return Some(place + 2),
            // A stuffed byte, a restart, a marker without a length.
            0x00 | 0x01 | 0xd0..=0xd8 => place += 2,
            0xff => place += 1,
            _ => {
                let length =
                    usize::from(*file.get(place + 2)?) << 8 | usize::from(*file.get(place + 3)?);
                place += 2 + length.max(2);
            }
        }
    }
}

/// The orientation of an EXIF segment (EXIF 2.32, 4.6.4: tag 0x0112 of the first directory), when it is another than upright.
fn exif_orientation(segment: &[u8]) -> Option<u16> {
    let tiff = segment.strip_prefix(b"Exif\0\0")?;
    let is_little = match tiff.get(..4)? {
        [b'I', b'I', 42, 0] => true,
        [b'M', b'M', 0, 42] => false,
        _ => return None,
    };
    let short = |place: usize| -> Option<u16> {
        let bytes: [u8; 2] = tiff.get(place..place.checked_add(2)?)?.try_into().ok()?;
        Some(if is_little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    };
    let long = |place: usize| -> Option<usize> {
        let bytes: [u8; 4] = tiff.get(place..place.checked_add(4)?)?.try_into().ok()?;
        let number = if is_little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) };
        usize::try_from(number).ok()
    };
    let directory = long(4)?;
    (0..usize::from(short(directory)?))
        .map(|index| directory + 2 + index * 12)
        .find(|entry| short(*entry) == Some(0x0112))
        .and_then(|entry| short(entry + 8))
        .filter(|orientation| (2..=8).contains(orientation))
}

/// An EXIF segment that says the orientation and nothing else.
fn orientation_only(orientation: u16) -> Bytes {
    let mut segment = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01".to_vec();
    segment.extend(orientation.to_be_bytes());
    segment.extend([0; 6]);
    Bytes::from(segment)
}

/// Keeps the chunks that the picture needs.
fn strip_png(file: Vec<u8>) -> Result<Vec<u8>, StripError> {
    const KEPT: [[u8; 4]; 11] = [
        *b"IHDR", *b"PLTE", *b"IDAT", *b"IEND", *b"tRNS", *b"gAMA", *b"cHRM", *b"sRGB", *b"sBIT",
        *b"bKGD", *b"pHYs",
    ];
    let mut png = Png::from_bytes(Bytes::from(file)).ok().ok_or(StripError::Unreadable)?;
    png.chunks_mut().retain(|chunk| KEPT.contains(&chunk.kind()));
    Ok(png.encoder().bytes().to_vec())
}

/// Names of a dictionary that are about the file and whoever made it, not about the pages.
const PDF_PROPERTIES: [&[u8]; 6] =
    [b"Metadata", b"PieceInfo", b"LastModified", b"AF", b"EmbeddedFiles", b"Perms"];

/// Writes the document anew, so that no earlier state of it is left, without properties, and its photographs without theirs.
fn strip_pdf(file: &[u8]) -> Result<Vec<u8>, StripError> {
    let options =
        LoadOptions { max_decompressed_size: Some(PDF_PART_LIMIT), ..LoadOptions::default() };
    let mut document =
        Document::load_mem_with_options(file, options).ok().ok_or(StripError::Unreadable)?;
    if document.is_encrypted() || document.was_encrypted() || document.catalog().is_err() {
        return Err(StripError::Unreadable);
    }
    document.trailer.remove(b"Info");
    document.trailer.remove(b"ID");
    for object in document.objects.values_mut() {
        strip_object(object, 0)?;
    }
    document.prune_objects();
    let mut stripped = Vec::new();
    document.save_to(&mut stripped).ok().ok_or(StripError::Unreadable)?;
    Ok(stripped)
}

fn strip_object(object: &mut Object, depth: usize) -> Result<(), StripError> {
    if depth > 64 {
        return Err(StripError::Unreadable);
    }
    match object {
        Object::Dictionary(dictionary) => strip_dictionary(dictionary, depth),
        Object::Array(objects) => {
            objects.iter_mut().try_for_each(|object| strip_object(object, depth + 1))
        }
        Object::Stream(stream) => {
            strip_dictionary(&mut stream.dict, depth)?;
            let is_photograph =
                stream.filters().is_ok_and(|filters| filters == [b"DCTDecode".as_slice()]);
            if is_photograph {
                let photograph = strip_jpeg(std::mem::take(&mut stream.content))?;
                stream.set_content(photograph);
            }
            Ok(())
        }
        Object::Null
        | Object::Boolean(_)
        | Object::Integer(_)
        | Object::Real(_)
        | Object::Name(_)
        | Object::String(..)
        | Object::Reference(_) => Ok(()),
    }
}

fn strip_dictionary(dictionary: &mut Dictionary, depth: usize) -> Result<(), StripError> {
    for name in PDF_PROPERTIES {
        dictionary.remove(name);
    }
    // Comments on a page carry the name of whoever wrote them, and signatures that of the signer.
    let is_kind = |dictionary: &Dictionary, key: &[u8], name: &[u8]| {
        dictionary.get(key).and_then(Object::as_name).is_ok_and(|found| found == name)
    };
    let is_form_field = dictionary.has(b"FT") || is_kind(dictionary, b"Subtype", b"Widget");
    if dictionary.has(b"Subtype") && dictionary.has(b"Rect") && !is_form_field {
        for name in [b"T".as_slice(), b"M", b"CreationDate", b"NM"] {
            dictionary.remove(name);
        }
    }
    if is_kind(dictionary, b"Type", b"Sig") {
        for name in [b"Name".as_slice(), b"Location", b"Reason", b"ContactInfo", b"M"] {
            dictionary.remove(name);
        }
    }
    dictionary.iter_mut().try_for_each(|(_, object)| strip_object(object, depth + 1))
}
