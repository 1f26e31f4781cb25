//! SVG: one element directly behind the opening tag. The text is spliced; everything else stays as it is.

use std::ops::Range;

use quick_xml::NsReader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, PrefixDeclaration, QName, ResolveResult};

use super::{BakeError, Baked, UnbakeError, check_size, is_json_space, read};

/// The namespace of Open Badges 3.0, section 5.3.2.1.
const NAMESPACE: &[u8] = b"https://purl.imsglobal.org/ob/v3p0";
/// The namespace of Open Badges 2.0 and older.
const LEGACY_NAMESPACE: &[u8] = b"http://openbadges.org";
const SVG_NAMESPACE: &[u8] = b"http://www.w3.org/2000/svg";

/// Most pieces (tags, texts, comments) of a document.
const MOST_EVENTS: usize = 200_000;
/// Deepest nesting of elements.
const MOST_LEVELS: usize = 64;
/// Most namespaces that one tag declares.
const MOST_NAMESPACES: usize = 32;
/// Most elements of which the namespace is looked up.
const MOST_LOOK_UPS: usize = 1_000;
/// Most attributes of a tag that is looked into.
const MOST_ATTRIBUTES: usize = 256;

const BOM: &str = "\u{feff}";
const TOO_MANY: UnbakeError = UnbakeError::Malformed("it has too many elements");
const NOT_XML: UnbakeError = UnbakeError::Malformed("it is not well-formed XML");

/// Puts the credential into an SVG image, directly behind its opening tag. A badge that is in the image already is taken out.
///
/// The image has to be one that [`unbake`](super::unbake) can read. JSON becomes a CDATA section, a JWT an attribute.
pub fn bake_svg(svg: &str, baked: &Baked) -> Result<String, BakeError> {
    let text = baked.checked_text()?;
    check_size(svg.len())?;
    let svg = svg.strip_prefix(BOM).unwrap_or(svg);
    let Scan { root, credential, legacy, has_lookalike } = scan(svg).map_err(BakeError::Image)?;
    let element = match baked {
        Baked::Json(_) => format!(
            "<openbadges:credential><![CDATA[{}]]></openbadges:credential>",
            // A section ends at the first `]]>`; what has one in it becomes two sections.
            text.replace("]]>", "]]]]><![CDATA[>")
        ),
        Baked::Jwt(_) => {
            format!("<openbadges:credential verify=\"{text}\"></openbadges:credential>")
        }
    };
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    match root.prefix {
        Prefix::Free if !has_lookalike => {
            let declaration =
                format!(" xmlns:openbadges=\"{}\"", String::from_utf8_lossy(NAMESPACE));
            edits.push((root.name.end..root.name.end, declaration));
        }
        Prefix::Ours if !has_lookalike => {}
        Prefix::Free | Prefix::Ours | Prefix::Taken => {
            let why = "its prefix openbadges stands for something else";
            return Err(BakeError::Image(UnbakeError::Malformed(why)));
        }
    }
    if root.is_empty {
        let name = svg.get(root.name).unwrap_or_default();
        edits.push((root.tag_end - "/>".len()..root.tag_end, format!(">{element}</{name}>")));
    } else {
        edits.push((root.tag_end..root.tag_end, element));
    }
    let is_around = |inner: &Range<usize>| {
        legacy.iter().any(|outer| outer.start <= inner.start && inner.end <= outer.end)
    };
    let current = credential.map(|credential| credential.place).filter(|place| !is_around(place));
    let mut old: Vec<Range<usize>> = legacy.iter().cloned().chain(current).collect();
    old.sort_by_key(|place| place.start);
    edits.extend(old.into_iter().map(|place| (place, String::new())));
    let image = edit(svg, &edits);
    check_size(image.len())?;
    Ok(image)
}

/// Replaces ranges of the text, which come in order and do not overlap.
fn edit(text: &str, edits: &[(Range<usize>, String)]) -> String {
    let n_added: usize = edits.iter().map(|(_, added)| added.len()).sum();
    let mut edited = String::with_capacity(text.len() + n_added);
    let mut at = 0;
    for (place, added) in edits {
        edited.push_str(text.get(at..place.start).unwrap_or_default());
        edited.push_str(added);
        at = place.end;
    }
    edited.push_str(text.get(at..).unwrap_or_default());
    edited
}

/// Whether the bytes begin like a document of XML, so that [`unbake`] can say what is wrong with them.
pub(super) fn is_markup(bytes: &[u8]) -> bool {
    bytes.strip_prefix(BOM.as_bytes()).unwrap_or(bytes).trim_ascii_start().starts_with(b"<")
}

pub(super) fn unbake(svg: &[u8]) -> Result<Baked, UnbakeError> {
    let text = std::str::from_utf8(svg).ok().ok_or(UnbakeError::Malformed("it is not in UTF-8"))?;
    let scan = scan(text.strip_prefix(BOM).unwrap_or(text))?;
    let Some(credential) = scan.credential else {
        let is_legacy = !scan.legacy.is_empty();
        return Err(if is_legacy { UnbakeError::Legacy } else { UnbakeError::NotBaked });
    };
    if scan.has_lookalike || !scan.legacy.is_empty() {
        return Err(UnbakeError::Doubled);
    }
    let is_blank = credential.text.trim_matches(is_json_space).is_empty();
    match (credential.verify, is_blank) {
        (Some(_), false) => Err(UnbakeError::Doubled),
        (Some(jwt), true) => match read(&jwt)? {
            baked @ Baked::Jwt(_) => Ok(baked),
            Baked::Json(_) => Err(UnbakeError::Malformed("the attribute verify is no JWT")),
        },
        (None, _) => match read(&credential.text)? {
            baked @ Baked::Json(_) => Ok(baked),
            Baked::Jwt(_) => Err(UnbakeError::Malformed("a JWT belongs in the attribute verify")),
        },
    }
}

/// What matters of a document.
struct Scan {
    root: Root,
    credential: Option<Credential>,
    /// Where badges of Open Badges 2.0 and older stand.
    legacy: Vec<Range<usize>>,
    /// Whether something is written like a credential, but is none in its namespace. Some readers go by the prefix.
    has_lookalike: bool,
}

struct Root {
    /// Where the element's name stands in its opening tag.
    name: Range<usize>,
    tag_end: usize,
    is_empty: bool,
    prefix: Prefix,
}

/// What the prefix `openbadges` stands for in the root.
enum Prefix {
    Free,
    Ours,
    Taken,
}

struct Credential {
    place: Range<usize>,
    verify: Option<String>,
    text: String,
}

/// What a name means.
#[derive(PartialEq, Eq)]
enum Meaning {
    Svg,
    Credential,
    Lookalike,
    Legacy,
    Other,
}

fn scan(text: &str) -> Result<Scan, UnbakeError> {
    let mut reader = NsReader::from_str(text);
    reader.resolver_mut().set_max_declarations_per_element(MOST_NAMESPACES);
    let mut scanner = Scanner::default();
    for _ in 0..MOST_EVENTS {
        let start = position(&reader)?;
        let event = reader.read_event().ok().ok_or(NOT_XML)?;
        let place = start..position(&reader)?;
        match event {
            Event::Start(tag) => {
                scanner.open(&reader, &tag, place, false)?;
                scanner.level += 1;
                if scanner.level > MOST_LEVELS {
                    return Err(UnbakeError::Malformed("it is nested too deeply"));
                }
            }
            Event::Empty(tag) => scanner.open(&reader, &tag, place, true)?,
            Event::End(_) => scanner.close(place.end)?,
            Event::Text(text) => scanner.text(&text.decode().ok().ok_or(NOT_XML)?)?,
            Event::CData(text) => scanner.text(&text.decode().ok().ok_or(NOT_XML)?)?,
            Event::GeneralRef(reference) => scanner.text(character(&reference)?.as_ref())?,
            Event::Decl(declaration) => check_encoding(&declaration)?,
            Event::DocType(declaration) => {
                // A name and an address of a DTD are harmless, since nobody reads it. Declarations are not.
                if declaration.contains(&b'[') {
                    return Err(UnbakeError::Malformed("it declares entities or elements"));
                }
            }
            Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => return scanner.finish(),
        }
    }
    Err(TOO_MANY)
}

fn position(reader: &NsReader<&[u8]>) -> Result<usize, UnbakeError> {
    usize::try_from(reader.buffer_position()).ok().ok_or(NOT_XML)
}

#[derive(Default)]
struct Scanner {
    level: usize,
    root: Option<Root>,
    credential: Option<Credential>,
    /// The level of the element of the credential while it is open.
    inside: Option<usize>,
    legacy: Vec<Range<usize>>,
    /// The level of the outermost element of a badge of old while it is open.
    inside_legacy: Option<usize>,
    has_lookalike: bool,
    n_looked_up: usize,
}

impl Scanner {
    fn open(
        &mut self,
        reader: &NsReader<&[u8]>,
        tag: &BytesStart<'_>,
        place: Range<usize>,
        is_empty: bool,
    ) -> Result<(), UnbakeError> {
        if self.inside.is_some() {
            return Err(UnbakeError::Malformed("an element stands inside of the badge"));
        }
        let meaning = self.meaning(reader, tag.name())?;
        if self.level == 0 {
            if self.root.is_some() {
                return Err(UnbakeError::Malformed("it is more than one element"));
            }
            if meaning != Meaning::Svg {
                return Err(UnbakeError::NotAnImage);
            }
            // Behind the opening bracket.
            let start = place.start + 1;
            let name = start..start + tag.name().as_ref().len();
            self.root = Some(Root { name, tag_end: place.end, is_empty, prefix: prefix(reader) });
        }
        match meaning {
            Meaning::Credential if self.credential.is_some() => return Err(UnbakeError::Doubled),
            Meaning::Credential => {
                let verify = verify(tag)?;
                self.credential = Some(Credential { place, verify, text: String::new() });
                self.inside = (!is_empty).then_some(self.level);
            }
            Meaning::Lookalike => self.has_lookalike = true,
            Meaning::Legacy if self.inside_legacy.is_some() => {}
            Meaning::Legacy => {
                self.legacy.push(place);
                self.inside_legacy = (!is_empty).then_some(self.level);
            }
            Meaning::Svg | Meaning::Other => {}
        }
        Ok(())
    }

    fn close(&mut self, end: usize) -> Result<(), UnbakeError> {
        self.level = self.level.checked_sub(1).ok_or(NOT_XML)?;
        if self.inside == Some(self.level) {
            self.inside = None;
            if let Some(credential) = &mut self.credential {
                credential.place.end = end;
            }
        }
        if self.inside_legacy == Some(self.level) {
            self.inside_legacy = None;
            if let Some(place) = self.legacy.last_mut() {
                place.end = end;
            }
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), UnbakeError> {
        if self.level == 0 && !text.chars().all(is_json_space) {
            return Err(UnbakeError::Malformed("text stands outside of its element"));
        }
        if let (Some(_), Some(credential)) = (self.inside, &mut self.credential) {
            credential.text.push_str(text);
        }
        Ok(())
    }

    /// What a name means. Only names that could matter are looked up, and not without end, since that takes time.
    fn meaning(
        &mut self,
        reader: &NsReader<&[u8]>,
        name: QName<'_>,
    ) -> Result<Meaning, UnbakeError> {
        let local = name.local_name();
        if ![&b"svg"[..], b"credential", b"assertion"].contains(&local.as_ref()) {
            return Ok(Meaning::Other);
        }
        self.n_looked_up += 1;
        if self.n_looked_up > MOST_LOOK_UPS {
            return Err(TOO_MANY);
        }
        Ok(match (reader.resolver().resolve_element(name).0, local.as_ref()) {
            (ResolveResult::Bound(Namespace(SVG_NAMESPACE)), b"svg") => Meaning::Svg,
            (ResolveResult::Bound(Namespace(NAMESPACE)), b"credential") => Meaning::Credential,
            (ResolveResult::Bound(Namespace(LEGACY_NAMESPACE)), b"assertion") => Meaning::Legacy,
            _ if name.as_ref() == b"openbadges:credential" => Meaning::Lookalike,
            _ => Meaning::Other,
        })
    }

    fn finish(self) -> Result<Scan, UnbakeError> {
        match self.root {
            Some(root) if self.level == 0 => {
                let Scanner { credential, legacy, has_lookalike, .. } = self;
                Ok(Scan { root, credential, legacy, has_lookalike })
            }
            Some(_) | None => Err(UnbakeError::Malformed("it is cut short")),
        }
    }
}

fn prefix(reader: &NsReader<&[u8]>) -> Prefix {
    let mut bindings = reader.resolver().bindings();
    match bindings.find(|(prefix, _)| *prefix == PrefixDeclaration::Named(b"openbadges")) {
        Some((_, Namespace(NAMESPACE))) => Prefix::Ours,
        Some(_) => Prefix::Taken,
        None => Prefix::Free,
    }
}

/// The attribute in which a JWT stands.
fn verify(tag: &BytesStart<'_>) -> Result<Option<String>, UnbakeError> {
    let mut found = None;
    for (n_read, attribute) in tag.attributes().enumerate() {
        if n_read == MOST_ATTRIBUTES {
            return Err(UnbakeError::Malformed("a tag has too many attributes"));
        }
        let attribute = attribute.ok().ok_or(NOT_XML)?;
        if attribute.key.as_ref() == b"verify" {
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok().ok_or(NOT_XML)?;
            found = Some(value.into_owned());
        }
    }
    Ok(found)
}

/// The character that a reference in the text stands for. Only the five names that XML itself has are known.
fn character(reference: &BytesRef<'_>) -> Result<String, UnbakeError> {
    if let Some(found) = reference.resolve_char_ref().ok().ok_or(NOT_XML)? {
        return Ok(found.to_string());
    }
    let name = reference.decode().ok().ok_or(NOT_XML)?;
    let text = quick_xml::escape::resolve_xml_entity(&name)
        .ok_or(UnbakeError::Malformed("it names an entity that XML does not have"))?;
    Ok(text.to_owned())
}

fn check_encoding(declaration: &BytesDecl<'_>) -> Result<(), UnbakeError> {
    match declaration.encoding() {
        None => Ok(()),
        Some(Ok(name))
            if [&b"utf-8"[..], b"utf8", b"us-ascii"]
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known)) =>
        {
            Ok(())
        }
        Some(Ok(_) | Err(_)) => Err(UnbakeError::Malformed("it is not in UTF-8")),
    }
}
