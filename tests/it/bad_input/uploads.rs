//! Forms with files, also large ones that are never whole in memory.

use std::io::Read;

use reqwest::Method;
use reqwest::blocking::RequestBuilder;
use reqwest::blocking::multipart::{Form, Part};

use crate::harness::Person;

/// A file of a form.
pub struct File(Part);

impl From<Vec<u8>> for File {
    fn from(bytes: Vec<u8>) -> File {
        File(Part::bytes(bytes))
    }
}

/// An upload with these fields before the file.
pub fn upload(
    person: &Person,
    path: &str,
    fields: &[(&'static str, &str)],
    file_name: &str,
    file: File,
) -> RequestBuilder {
    let form = fields
        .iter()
        .fold(Form::new(), |form, (name, value)| form.text(*name, (*value).to_owned()))
        .part("file", file.0.file_name(file_name.to_owned()));
    person.request(Method::POST, path).multipart(form)
}

/// So many bytes that begin like a PDF.
pub struct Pdf {
    left: u64,
    begun: bool,
}

impl Pdf {
    /// A file of `size` bytes, made while it is sent.
    pub fn part(size: u64) -> File {
        File(Part::reader_with_length(Pdf { left: size, begun: false }, size))
    }
}

impl Read for Pdf {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let size = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let buffer = &mut buffer[..size];
        buffer.fill(b'x');
        if !self.begun && size >= 9 {
            buffer[..9].copy_from_slice(b"%PDF-1.7\n");
            self.begun = true;
        }
        self.left -= size as u64;
        Ok(size)
    }
}
