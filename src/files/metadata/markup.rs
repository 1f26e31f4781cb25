//! Taking out of one part of an Office document, which is XML, what says who wrote it.
//!
//! Elements and attributes are known by their local names: writers choose prefixes freely, and the names below mean the same in all parts
//! in which they occur. Names are those of ISO/IEC 29500-1 and of Microsoft's extensions to it (MS-DOCX, MS-XLSX, MS-PPTX).

use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, BytesText, Event};
use quick_xml::{Reader, Writer};

use super::StripError;

/// Who wrote every comment and every change.
const SOMEBODY: &str = "Author";
/// Their initials.
const INITIALS: &str = "A";
/// The deepest nesting of elements.
const DEEPEST: usize = 256;
/// The most different authors of the comments of one sheet.
const MOST_AUTHORS: usize = 1000;

/// Elements that go with all that is in them: settings that name files, machines, servers and people.
const DROPPED: [&str; 13] = [
    "attachedTemplate",
    "docVars",
    "mailMerge",
    "saveThroughXslt",
    "attachedSchema",
    "docId",
    "printerSettings",
    "custData",
    "absPath",
    "revisionPtr",
    "fileSharing",
    "customWorkbookViews",
    "customSheetViews",
];

/// What kind of part is rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// One of the document.
    Document,
    /// The older kind of comments of a sheet: authors are a list, and their names open the texts.
    SheetComments,
    /// A drawing.
    Svg,
}

/// The part without names. Comments of XML and instructions to programs go; a part with a document type is refused.
pub(super) fn rewrite(xml: &[u8], part: Part) -> Result<Vec<u8>, StripError> {
    let names = if part == Part::SheetComments { sheet_authors(xml)? } else { Vec::new() };
    let mut writer = Writer::new(Vec::with_capacity(xml.len()));
    // The names of the open elements; how many of the innermost are left out.
    let mut open: Vec<String> = Vec::new();
    let mut n_dropped = 0_usize;
    each_event(xml, |event| {
        let written = match event {
            Event::Start(start) => {
                let name = local(start.local_name().as_ref())?;
                if n_dropped > 0 || is_dropped(&start, &name, part) {
                    n_dropped += 1;
                }
                open.push(name);
                if open.len() > DEEPEST {
                    return Err(StripError::Unreadable);
                }
                if n_dropped > 0 {
                    return Ok(());
                }
                let name = open.last().map_or("", String::as_str);
                Event::Start(neutral_tag(&start, name, part)?)
            }
            Event::Empty(start) => {
                let name = local(start.local_name().as_ref())?;
                if n_dropped > 0 || is_dropped(&start, &name, part) {
                    return Ok(());
                }
                Event::Empty(neutral_tag(&start, &name, part)?)
            }
            Event::End(end) => {
                open.pop();
                if n_dropped > 0 {
                    n_dropped -= 1;
                    return Ok(());
                }
                Event::End(end)
            }
            Event::Text(text) if n_dropped == 0 => {
                let raw = text.decode().ok().ok_or(StripError::Unreadable)?;
                Event::Text(BytesText::from_escaped(neutral_text(&raw, &open, part, &names)))
            }
            Event::CData(text) if n_dropped == 0 => {
                let raw = text.escape().ok().ok_or(StripError::Unreadable)?;
                let raw = raw.decode().ok().ok_or(StripError::Unreadable)?.into_owned();
                Event::Text(BytesText::from_escaped(neutral_text(&raw, &open, part, &names)))
            }
            // What stands in the list of authors is one word, whatever it was made of.
            Event::GeneralRef(_) if is_author(&open, part) => return Ok(()),
            Event::GeneralRef(reference) if n_dropped == 0 => Event::GeneralRef(reference),
            Event::Decl(declaration) => Event::Decl(declaration),
            Event::DocType(_) => return Err(StripError::Unreadable),
            Event::Text(_)
            | Event::CData(_)
            | Event::GeneralRef(_)
            | Event::Comment(_)
            | Event::PI(_)
            | Event::Eof => return Ok(()),
        };
        writer.write_event(written).ok().ok_or(StripError::Unreadable)
    })?;
    if !open.is_empty() {
        return Err(StripError::Unreadable);
    }
    Ok(writer.into_inner())
}

/// Hands every piece of the part to `take`.
pub(super) fn each_event<'a>(
    xml: &'a [u8],
    mut take: impl FnMut(Event<'a>) -> Result<(), StripError>,
) -> Result<(), StripError> {
    let text = std::str::from_utf8(xml).ok().ok_or(StripError::Unreadable)?;
    let mut reader = Reader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    loop {
        let event = reader.read_event().ok().ok_or(StripError::Unreadable)?;
        if event == Event::Eof {
            return Ok(());
        }
        take(event)?;
    }
}

/// The attributes of a tag by their local names, the values as they are meant.
pub(super) fn attributes(start: &BytesStart<'_>) -> Result<Vec<(String, String)>, StripError> {
    start
        .attributes()
        .map(|attribute| {
            let attribute = attribute.ok().ok_or(StripError::Unreadable)?;
            let value = std::str::from_utf8(&attribute.value).ok().ok_or(StripError::Unreadable)?;
            let value = unescape(value).ok().ok_or(StripError::Unreadable)?.into_owned();
            Ok((local(attribute.key.local_name().as_ref())?, value))
        })
        .collect()
}

pub(super) fn local(name: &[u8]) -> Result<String, StripError> {
    String::from_utf8(name.to_vec()).ok().ok_or(StripError::Unreadable)
}

/// The names that the list of authors of a sheet's comments has, the longest first.
fn sheet_authors(xml: &[u8]) -> Result<Vec<String>, StripError> {
    let mut names = Vec::new();
    let mut is_inside = false;
    each_event(xml, |event| {
        match event {
            Event::Start(start) => is_inside = start.local_name().as_ref() == b"author",
            Event::End(_) => is_inside = false,
            Event::Text(text) if is_inside => {
                let name = text.decode().ok().ok_or(StripError::Unreadable)?.trim().to_owned();
                if name.chars().count() >= 2 && !is_thread(&name) {
                    names.push(name);
                }
            }
            Event::Text(_)
            | Event::Empty(_)
            | Event::CData(_)
            | Event::GeneralRef(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_)
            | Event::Eof => {}
        }
        if names.len() > MOST_AUTHORS { Err(StripError::Unreadable) } else { Ok(()) }
    })?;
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    Ok(names)
}

/// Whether the author of a comment is a thread (`tc={…}`), which is found by this very word (MS-XLSX).
fn is_thread(name: &str) -> bool {
    name.strip_prefix("tc={")
        .and_then(|rest| rest.strip_suffix('}'))
        .is_some_and(|id| id.len() == 36 && id.chars().all(|c| c.is_ascii_hexdigit() || c == '-'))
}

fn is_author(open: &[String], part: Part) -> bool {
    part == Part::SheetComments && open.last().is_some_and(|name| name == "author")
}

fn neutral_text(raw: &str, open: &[String], part: Part, names: &[String]) -> String {
    let is_in = |element: &str| open.last().is_some_and(|name| name == element);
    if is_author(open, part) {
        return if is_thread(raw.trim()) { raw.to_owned() } else { SOMEBODY.to_owned() };
    }
    if is_in("instrText") && names_a_file(raw) {
        return String::new();
    }
    names.iter().fold(raw.to_owned(), |text, name| text.replace(name.as_str(), SOMEBODY))
}

fn is_dropped(start: &BytesStart<'_>, name: &str, part: Part) -> bool {
    match part {
        Part::Document | Part::SheetComments => DROPPED.contains(&name),
        Part::Svg => name == "metadata" || is_of_editor(start.name().as_ref()),
    }
}

/// Whether a name of a drawing is one with which a drawing program notes its own affairs.
fn is_of_editor(name: &[u8]) -> bool {
    [b"sodipodi:".as_slice(), b"inkscape:", b"rdf:", b"dc:", b"cc:", b"xmp"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

/// The tag with what it says about people made neutral.
fn neutral_tag(
    start: &BytesStart<'_>,
    name: &str,
    part: Part,
) -> Result<BytesStart<'static>, StripError> {
    let tag = local(start.name().as_ref())?;
    let mut neutral = BytesStart::new(tag);
    let known = attributes(start)?;
    let has = |wanted: &str| known.iter().any(|(key, _)| key == wanted);
    for attribute in start.attributes() {
        let attribute = attribute.ok().ok_or(StripError::Unreadable)?;
        let key = attribute.key.as_ref();
        let value = attribute.value.as_ref();
        if key == b"xmlns" || key.starts_with(b"xmlns:") {
            neutral.push_attribute((key, value));
            continue;
        }
        if part == Part::Svg {
            if value.windows(5).any(|part| part.eq_ignore_ascii_case(b"data:")) {
                return Err(StripError::Unreadable);
            }
            if !is_of_editor(key) {
                neutral.push_attribute((key, value));
            }
            continue;
        }
        let local_key = local(attribute.key.local_name().as_ref())?;
        let text = known.iter().find(|(known, _)| *known == local_key);
        let text = text.map_or("", |(_, value)| value.as_str());
        match replacement(name, &local_key, text, &has) {
            Said::Kept => neutral.push_attribute((key, value)),
            Said::Instead(word) => neutral.push_attribute((key, word.as_bytes())),
            Said::Nothing => {}
        }
    }
    Ok(neutral)
}

/// What becomes of an attribute.
enum Said {
    /// It stays.
    Kept,
    /// This stands there.
    Instead(&'static str),
    /// It goes.
    Nothing,
}

/// What an attribute says in a copy. Attributes that the standard requires keep a word, others go.
fn replacement(element: &str, key: &str, value: &str, has: &dyn Fn(&str) -> bool) -> Said {
    let is_person = match element {
        // Authors of the comments of a presentation; whoever wrote in a thread of a workbook.
        "cmAuthor" | "author" | "person" => true,
        _ => has("userId"),
    };
    match (element, key) {
        (_, "author" | "userName") => Said::Instead(SOMEBODY),
        ("person", "displayName") => Said::Instead(SOMEBODY),
        (_, "name") if is_person => Said::Instead(SOMEBODY),
        (_, "initials") => Said::Instead(INITIALS),
        (_, "userId") => Said::Instead(SOMEBODY),
        (_, "providerId" | "userProvider") => Said::Instead("None"),
        (_, "date" | "dateUtc") if has("author") => Said::Nothing,
        (_, "refreshedBy" | "lastModifiedBy" | "lastEditedBy" | "createdBy") => Said::Nothing,
        ("cm", "dt") | ("threadedComment", "dT") => Said::Nothing,
        ("permStart", "ed") | ("scenario", "user" | "comment") => Said::Nothing,
        ("pageSetup", "id") => Said::Nothing,
        ("imagedata", "title") => Said::Nothing,
        ("tag", "val") if has("name") => Said::Instead(""),
        // Programs write the name of the file that a picture came from here.
        ("cNvPr" | "docPr", "name") => Said::Instead(""),
        (_, "descr" | "alt" | "title") if is_file_name(value) => Said::Nothing,
        (_, "instr") if names_a_file(value) => Said::Instead(""),
        _ => Said::Kept,
    }
}

/// Whether a description is nothing but the name of a file, as programs fill it in.
fn is_file_name(text: &str) -> bool {
    let text = text.trim();
    let ending = text.rsplit_once('.').map(|(_, ending)| ending);
    text.contains(":\\")
        || text.starts_with("file:")
        || (!text.contains('\n')
            && ending.is_some_and(|ending| {
                (2..=4).contains(&ending.len())
                    && ending.chars().all(|c| c.is_ascii_alphanumeric())
                    && ending.chars().any(|c| c.is_ascii_alphabetic())
            }))
}

/// Whether the instruction of a field has a path of somebody's computer in it.
fn names_a_file(text: &str) -> bool {
    text.contains(":\\") || text.contains("\\\\") || text.to_ascii_lowercase().contains("file:")
}
