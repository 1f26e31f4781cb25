//! Office documents: archives of parts that refer to one another (ISO/IEC 29500-2).
//!
//! A copy is made of what can be reached from the document and of nothing else. Parts with properties of the document are not reached any
//! more, parts of XML are written anew, pictures are stripped like pictures that stand alone, a document within is treated like the outer
//! one. What is of any other kind, macros and old embedded objects above all, nobody here can look into: the whole document is refused then.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{Cursor, Read, Write};

use quick_xml::escape::escape;
use quick_xml::events::Event;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::markup::{Part, attributes, each_event, local, rewrite};
use super::{StripError, strip_jpeg, strip_png};
use crate::files::media::{DOCX, PPTX, XLSX};

/// The most parts, with those of documents within.
const MOST_PARTS: usize = 5000;
/// The most bytes of all parts unpacked: 256 MiB, so that the original, the parts and the copy have room in the process.
const MOST_UNPACKED: u64 = 256 * 1024 * 1024;
/// How many times its own size a document may unpack to, once it unpacks to more than [`ANY_RATIO`].
const MOST_RATIO: u64 = 100;
/// Up to this many bytes nobody asks how well they were packed: 16 MiB.
const ANY_RATIO: u64 = 16 * 1024 * 1024;
/// How deep documents may lie within documents.
const DEEPEST: usize = 3;

/// Relations that are not followed, by the last part of their type: properties, thumbnails, people, printers, stores of other programs' data,
/// signatures (they would not hold any more, and name the signer).
const DROPPED: [&str; 23] = [
    "core-properties",
    "extended-properties",
    "extendedproperties",
    "custom-properties",
    "customproperties",
    "thumbnail",
    "people",
    "customxml",
    "printersettings",
    "revisionheaders",
    "usernames",
    "changesinfo",
    "revisioninfo",
    "classificationlabels",
    "documenttasks",
    "attachedtemplate",
    "origin",
    "extensibility",
    "usercustomization",
    "mailmergesource",
    "mailmergeheadersource",
    "recipientdata",
    "webextensiontaskpanes",
];
/// Relations of which what they lead to says on whose machines the data lies, and cannot be left out.
const REFUSED: [&str; 2] = ["connections", "vbaproject"];
/// Where an outside relation leads when it is no link that a reader may open.
const NOWHERE: &str = "about:blank";

/// Whether this is a kind of Office document that is taken apart.
pub(super) fn is_office(media_type: &str) -> bool {
    [DOCX, XLSX, PPTX].contains(&media_type)
}

/// What is left to spend on one upload, with the documents within it.
struct Budget {
    bytes: u64,
    parts: usize,
}

/// A part with its type.
type Parts = BTreeMap<String, Vec<u8>>;

/// One line of a part's relations.
struct Relation {
    id: String,
    kind: String,
    target: Target,
}

enum Target {
    /// A part, by its name.
    Part(String),
    /// A place in the document itself.
    Place(String),
    /// Outside.
    Outside(String),
}

/// The same document without what says whose it is.
pub(super) fn strip_office(media_type: &str, file: &[u8]) -> Result<Vec<u8>, StripError> {
    let packed = u64::try_from(file.len()).unwrap_or(u64::MAX);
    let most = packed.saturating_mul(MOST_RATIO).clamp(ANY_RATIO, MOST_UNPACKED);
    strip_package(media_type, file, &mut Budget { bytes: most, parts: MOST_PARTS }, 0)
}

fn strip_package(
    media_type: &str,
    file: &[u8],
    budget: &mut Budget,
    depth: usize,
) -> Result<Vec<u8>, StripError> {
    if depth > DEEPEST {
        return Err(StripError::Unreadable);
    }
    let mut parts = unpack(file, budget)?;
    let types = Types::read(&parts.remove("[Content_Types].xml").ok_or(StripError::Unreadable)?)?;
    let reached = reach(&parts)?;
    let main = reached.get("").and_then(|relations| {
        relations.iter().find(|relation| last_word(&relation.kind) == "officedocument")
    });
    let is_named = main.is_some_and(|relation| match &relation.target {
        Target::Part(name) => types.find(name) == Some(format!("{media_type}.main+xml").as_str()),
        Target::Place(_) | Target::Outside(_) => false,
    });
    if !is_named {
        // Another kind, a template, or one with macros.
        return Err(StripError::Kind);
    }
    let names = neutral_names(reached.keys().filter(|name| !name.is_empty()), &types)?;
    let mut copy = Parts::new();
    for (source, relations) in &reached {
        if !source.is_empty() {
            let kind = types.find(source).ok_or(StripError::Unreadable)?;
            let part = parts.remove(source).ok_or(StripError::Unreadable)?;
            let stripped = strip_part(kind, part, budget, depth)?;
            copy.insert(names.get(source).ok_or(StripError::Unreadable)?.clone(), stripped);
        }
        if !relations.is_empty() {
            let source = names.get(source).map_or("", String::as_str);
            copy.insert(relations_of(source), write_relations(relations, &names)?);
        }
    }
    let listed: BTreeMap<&str, &str> = names
        .iter()
        .filter_map(|(old, new)| types.find(old).map(|kind| (new.as_str(), kind)))
        .collect();
    pack(write_types(&listed), &copy)
}

/// The part that holds the document itself, unpacked within the same limits.
pub(super) fn main_part(media_type: &str, file: &[u8]) -> Result<Vec<u8>, StripError> {
    let packed = u64::try_from(file.len()).unwrap_or(u64::MAX);
    let most = packed.saturating_mul(MOST_RATIO).clamp(ANY_RATIO, MOST_UNPACKED);
    let mut parts = unpack(file, &mut Budget { bytes: most, parts: MOST_PARTS })?;
    let types = Types::read(&parts.remove("[Content_Types].xml").ok_or(StripError::Unreadable)?)?;
    let name = format!("{media_type}.main+xml");
    let found = parts.keys().find(|part| types.find(part) == Some(name.as_str())).cloned();
    found.and_then(|part| parts.remove(&part)).ok_or(StripError::Kind)
}

/// The parts of an archive by name. Entries that are encrypted, or of one name, are refused.
fn unpack(file: &[u8], budget: &mut Budget) -> Result<Parts, StripError> {
    let mut archive = ZipArchive::new(Cursor::new(file)).ok().ok_or(StripError::Unreadable)?;
    budget.parts = budget.parts.checked_sub(archive.len()).ok_or(StripError::Unreadable)?;
    let mut parts = Parts::new();
    let mut seen = BTreeSet::new();
    for index in 0..archive.len() {
        let entry = archive.by_index(index).ok().ok_or(StripError::Unreadable)?;
        let name = entry.name().ok().ok_or(StripError::Unreadable)?.into_owned();
        if entry.is_dir() {
            continue;
        }
        // Names of parts differ in more than their case (ISO/IEC 29500-2, 6.2.2.3).
        if !seen.insert(name.to_ascii_lowercase()) || name.contains('\\') {
            return Err(StripError::Unreadable);
        }
        let mut part = Vec::new();
        // What the archive says about sizes is not believed.
        entry.take(budget.bytes + 1).read_to_end(&mut part).ok().ok_or(StripError::Unreadable)?;
        let size = u64::try_from(part.len()).unwrap_or(u64::MAX);
        budget.bytes = budget.bytes.checked_sub(size).ok_or(StripError::Unreadable)?;
        parts.insert(name, part);
    }
    Ok(parts)
}

/// Everything that the document refers to, with its relations; the document itself is the empty name.
fn reach(parts: &Parts) -> Result<BTreeMap<String, Vec<Relation>>, StripError> {
    let mut reached = BTreeMap::new();
    let mut waiting = VecDeque::from([String::new()]);
    while let Some(source) = waiting.pop_front() {
        if reached.contains_key(&source) {
            continue;
        }
        let relations = match parts.get(&relations_of(&source)) {
            Some(xml) => read_relations(xml, &source, parts)?,
            None => Vec::new(),
        };
        waiting.extend(relations.iter().filter_map(|relation| match &relation.target {
            Target::Part(name) => Some(name.clone()),
            Target::Place(_) | Target::Outside(_) => None,
        }));
        reached.insert(source, relations);
    }
    Ok(reached)
}

/// Where a part's relations stand: `word/document.xml` has them in `word/_rels/document.xml.rels`.
fn relations_of(source: &str) -> String {
    match source.rsplit_once('/') {
        Some((folder, name)) => format!("{folder}/_rels/{name}.rels"),
        None => format!("_rels/{source}.rels"),
    }
}

fn last_word(kind: &str) -> String {
    kind.rsplit('/').next().unwrap_or_default().to_ascii_lowercase()
}

fn read_relations(xml: &[u8], source: &str, parts: &Parts) -> Result<Vec<Relation>, StripError> {
    let mut relations = Vec::new();
    each_element(xml, |name, attributes| {
        if name != "Relationship" {
            return Ok(());
        }
        let find = |key: &str| attributes.iter().find(|(known, _)| known == key);
        let read = |key: &str| find(key).map(|(_, value)| value.clone());
        let kind = read("Type").ok_or(StripError::Unreadable)?;
        let target = read("Target").ok_or(StripError::Unreadable)?;
        let word = last_word(&kind);
        if REFUSED.contains(&word.as_str()) {
            return Err(StripError::Unreadable);
        }
        if DROPPED.contains(&word.as_str()) {
            return Ok(());
        }
        let target = if target.starts_with('#') {
            Target::Place(target)
        } else if read("TargetMode").as_deref() == Some("External") {
            let is_link = word == "hyperlink"
                && ["https://", "http://", "mailto:"]
                    .iter()
                    .any(|scheme| target.to_ascii_lowercase().starts_with(scheme));
            Target::Outside(if is_link { target } else { NOWHERE.to_owned() })
        } else {
            Target::Part(resolve(source, &target, parts).ok_or(StripError::Unreadable)?)
        };
        relations.push(Relation { id: read("Id").ok_or(StripError::Unreadable)?, kind, target });
        Ok(())
    })?;
    Ok(relations)
}

/// The part that a relative target names, as the archive spells it.
fn resolve(source: &str, target: &str, parts: &Parts) -> Option<String> {
    let mut steps: Vec<&str> = match target.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => {
            source.rsplit_once('/').map_or(Vec::new(), |(folder, _)| folder.split('/').collect())
        }
    };
    for step in target.split('/').filter(|step| !step.is_empty() && *step != ".") {
        if step == ".." {
            steps.pop()?;
        } else {
            steps.push(step);
        }
    }
    let name = steps.join("/");
    if parts.contains_key(&name) {
        return Some(name);
    }
    parts.keys().find(|known| known.eq_ignore_ascii_case(&name)).cloned()
}

fn each_element(
    xml: &[u8],
    mut take: impl FnMut(&str, &[(String, String)]) -> Result<(), StripError>,
) -> Result<(), StripError> {
    each_event(xml, |event| match event {
        Event::Start(start) | Event::Empty(start) => {
            take(&local(start.local_name().as_ref())?, &attributes(&start)?)
        }
        Event::DocType(_) => Err(StripError::Unreadable),
        Event::End(_)
        | Event::Text(_)
        | Event::CData(_)
        | Event::Comment(_)
        | Event::Decl(_)
        | Event::PI(_)
        | Event::GeneralRef(_)
        | Event::Eof => Ok(()),
    })
}

/// What the parts are, as `[Content_Types].xml` has it.
struct Types {
    by_ending: BTreeMap<String, String>,
    by_name: BTreeMap<String, String>,
}

impl Types {
    fn read(xml: &[u8]) -> Result<Types, StripError> {
        let mut types = Types { by_ending: BTreeMap::new(), by_name: BTreeMap::new() };
        each_element(xml, |name, attributes| {
            let find = |key: &str| {
                let found = attributes.iter().find(|(known, _)| known == key);
                found.map(|(_, value)| value.clone()).ok_or(StripError::Unreadable)
            };
            match name {
                "Default" => {
                    let ending = find("Extension")?.to_ascii_lowercase();
                    types.by_ending.insert(ending, find("ContentType")?);
                }
                "Override" => {
                    let part = find("PartName")?.to_ascii_lowercase();
                    types.by_name.insert(part, find("ContentType")?);
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(types)
    }

    fn find(&self, part: &str) -> Option<&str> {
        let part = part.to_ascii_lowercase();
        let ending = part.rsplit_once('.').map_or("", |(_, ending)| ending);
        let found = self.by_name.get(&format!("/{part}")).or_else(|| self.by_ending.get(ending));
        found.map(String::as_str)
    }
}

/// Whether a part of this type is XML.
fn is_xml(kind: &str) -> bool {
    kind.ends_with("+xml")
        || matches!(kind, "application/xml" | "text/xml")
        || kind == "application/vnd.openxmlformats-officedocument.vmlDrawing"
}

/// New names for what people or programs name: pictures, fonts and documents within. Parts of XML are named by the programs that write them.
fn neutral_names<'a>(
    parts: impl Iterator<Item = &'a String>,
    types: &Types,
) -> Result<BTreeMap<String, String>, StripError> {
    let mut names = BTreeMap::new();
    for (number, old) in parts.enumerate() {
        let kind = types.find(old).ok_or(StripError::Unreadable)?;
        let folder = old.split('/').next().filter(|folder| *folder != old);
        let new = if is_xml(kind) && kind != "image/svg+xml" {
            old.clone()
        } else {
            let ending = old.rsplit_once('.').map_or("bin", |(_, ending)| ending);
            let ending = ending.to_ascii_lowercase();
            if ending.len() > 8 || !ending.chars().all(|c| c.is_ascii_alphanumeric()) {
                return Err(StripError::Unreadable);
            }
            let folder = match folder {
                Some(folder @ ("word" | "xl" | "ppt")) => folder,
                Some(_) | None => "parts",
            };
            format!("{folder}/media/part{}.{ending}", number + 1)
        };
        names.insert(old.clone(), new);
    }
    Ok(names)
}

fn strip_part(
    kind: &str,
    part: Vec<u8>,
    budget: &mut Budget,
    depth: usize,
) -> Result<Vec<u8>, StripError> {
    if kind == "image/svg+xml" {
        rewrite(&part, Part::Svg)
    } else if kind.ends_with("spreadsheetml.comments+xml") {
        rewrite(&part, Part::SheetComments)
    } else if is_xml(kind) {
        rewrite(&part, Part::Document)
    } else if part.starts_with(&[0xff, 0xd8]) {
        strip_jpeg(part)
    } else if part.starts_with(b"\x89PNG") {
        strip_png(part)
    } else if is_office(kind) {
        strip_package(kind, &part, budget, depth + 1)
    } else if is_font(kind) {
        Ok(part)
    } else {
        Err(StripError::Unreadable)
    }
}

/// Whether it is a font that was embedded: it says who drew the letters.
fn is_font(kind: &str) -> bool {
    matches!(
        kind,
        "application/x-fontdata"
            | "application/x-font-ttf"
            | "application/vnd.openxmlformats-officedocument.obfuscatedFont"
    )
}

fn write_relations(
    relations: &[Relation],
    names: &BTreeMap<String, String>,
) -> Result<Vec<u8>, StripError> {
    let mut xml = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">"#.to_owned();
    for Relation { id, kind, target } in relations {
        let (target, mode) = match target {
            Target::Part(name) => {
                (format!("/{}", names.get(name).ok_or(StripError::Unreadable)?), "")
            }
            Target::Place(place) => (place.clone(), ""),
            Target::Outside(address) => (address.clone(), r#" TargetMode="External""#),
        };
        let (id, kind, target) = (escape(id), escape(kind), escape(&target));
        xml.push_str(&format!(
            r#"<Relationship Id="{id}" Type="{kind}" Target="{target}"{mode}/>"#
        ));
    }
    xml.push_str("</Relationships>");
    Ok(xml.into_bytes())
}

fn write_types(parts: &BTreeMap<&str, &str>) -> Vec<u8> {
    let mut endings = BTreeMap::from([
        ("rels", "application/vnd.openxmlformats-package.relationships+xml"),
        ("xml", "application/xml"),
    ]);
    let mut overrides = String::new();
    for (name, kind) in parts {
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        // A type that the ending has already needs no line of its own.
        if !ending.is_empty() && *endings.entry(ending).or_insert(kind) == *kind {
            continue;
        }
        let (name, kind) = (escape(*name), escape(*kind));
        overrides.push_str(&format!(r#"<Override PartName="/{name}" ContentType="{kind}"/>"#));
    }
    let mut xml = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">"#.to_owned();
    for (ending, kind) in endings {
        let kind = escape(kind);
        xml.push_str(&format!(r#"<Default Extension="{ending}" ContentType="{kind}"/>"#));
    }
    xml.push_str(&overrides);
    xml.push_str("</Types>");
    xml.into_bytes()
}

/// Writes the archive: every entry from the first day that the form can say, without extra fields, comments or anybody's rights.
fn pack(types: Vec<u8>, parts: &Parts) -> Result<Vec<u8>, StripError> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(zip::DateTime::default());
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let first = [("[Content_Types].xml", &types)];
    let rest = parts.iter().map(|(name, part)| (name.as_str(), part));
    for (name, part) in first.into_iter().chain(rest) {
        archive.start_file(name, options).ok().ok_or(StripError::Unreadable)?;
        archive.write_all(part).ok().ok_or(StripError::Unreadable)?;
    }
    let packed = archive.finish().ok().ok_or(StripError::Unreadable)?;
    Ok(packed.into_inner())
}
