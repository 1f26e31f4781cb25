//! Copies of Office documents: they say nothing of whose they are, and are whole documents of their kind.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read};

use assay::files::{ALLOWED_MEDIA, media_type_for_extension, strip};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::json;
use zip::ZipArchive;

use crate::harness::canaries::{
    CANARIES, CONTENT, NAME, archive, content_types, presentation, relations, text_document,
    text_document_parts, workbook,
};
use crate::harness::{TestApp, definition};

/// A document by its file name's ending.
fn documents() -> [(&'static str, Vec<u8>); 3] {
    [("docx", text_document()), ("xlsx", workbook()), ("pptx", presentation())]
}

fn type_of(ending: &str) -> &'static str {
    media_type_for_extension(ending).unwrap()
}

fn copy_of(ending: &str, file: Vec<u8>) -> Vec<u8> {
    strip(type_of(ending), file).unwrap()
}

/// The parts of an archive by name.
fn parts(file: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(file)).unwrap();
    (0..archive.len())
        .map(|index| {
            let mut entry = archive.by_index(index).unwrap();
            let name = entry.name().unwrap().into_owned();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            (name, content)
        })
        .collect()
}

/// Everything in the archive, and in the archives within: the bytes as they stand, then each part under its path.
fn everything(path: &str, file: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut found = vec![(path.to_owned(), file.to_vec())];
    for (name, part) in parts(file) {
        let inner = format!("{path}/{name}");
        found.push((format!("the name {inner}"), name.into_bytes()));
        if part.starts_with(b"PK\x03\x04") {
            found.extend(everything(&inner, &part));
        } else {
            found.push((inner, part));
        }
    }
    found
}

/// Where a text stands: as it is, in another case, and in UTF-16.
fn places(file: &[u8], text: &str) -> Vec<String> {
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    everything("", file)
        .into_iter()
        .filter(|(_, bytes)| {
            let lower = bytes.to_ascii_lowercase();
            [text.to_lowercase().into_bytes(), wide.to_ascii_lowercase()]
                .iter()
                .any(|wanted| lower.windows(wanted.len()).any(|part| part == wanted))
        })
        .map(|(path, _)| path)
        .collect()
}

fn elements(xml: &[u8], mut take: impl FnMut(&BytesStart<'_>)) {
    let mut reader = Reader::from_str(std::str::from_utf8(xml).unwrap());
    loop {
        let event = reader.read_event().unwrap();
        if event == Event::Eof {
            return;
        }
        if let Event::Start(start) | Event::Empty(start) = event {
            take(&start);
        }
    }
}

fn attribute(start: &BytesStart<'_>, key: &str) -> Option<String> {
    let found =
        start.attributes().map(Result::unwrap).find(|found| found.key.as_ref() == key.as_bytes());
    found.map(|found| String::from_utf8(found.value.into_owned()).unwrap())
}

/// A whole package: each part has a type, each relation leads to a part, each reference to a relation, and all of XML is well formed.
#[track_caller]
fn check_package(file: &[u8]) {
    let parts = parts(file);
    let (mut endings, mut overrides) = (BTreeSet::new(), BTreeSet::new());
    elements(&parts["[Content_Types].xml"], |start| match start.name().as_ref() {
        b"Default" => drop(endings.insert(attribute(start, "Extension").unwrap())),
        b"Override" => drop(overrides.insert(attribute(start, "PartName").unwrap())),
        other => assert_eq!(other, b"Types"),
    });
    for part in &overrides {
        assert!(parts.contains_key(&part[1..]), "{part} has a type and is not there");
    }
    let mut referred = BTreeSet::from(["[Content_Types].xml".to_owned()]);
    for (name, content) in &parts {
        let ending = name.rsplit('.').next().unwrap();
        assert!(endings.contains(ending) || overrides.contains(&format!("/{name}")), "{name}");
        if !matches!(ending, "xml" | "rels") {
            continue;
        }
        let mut used = BTreeSet::new();
        elements(content, |start| {
            for found in start.attributes().map(Result::unwrap) {
                if found.key.as_ref().starts_with(b"r:") {
                    used.insert(String::from_utf8(found.value.into_owned()).unwrap());
                }
            }
        });
        let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
        let relations = format!("{folder}/_rels/{file}.rels");
        let mut known = BTreeSet::new();
        for relations in [relations.trim_start_matches('/'), "_rels/.rels"] {
            let Some(content) = parts.get(relations) else { continue };
            referred.insert(relations.to_owned());
            elements(content, |start| {
                let Some(target) = attribute(start, "Target") else { return };
                if relations != "_rels/.rels" {
                    known.insert(attribute(start, "Id").unwrap());
                }
                if attribute(start, "TargetMode").is_none() {
                    assert!(parts.contains_key(&target[1..]), "{relations} leads to {target}");
                    referred.insert(target[1..].to_owned());
                }
            });
        }
        assert!(used.is_subset(&known), "{name} refers to {used:?} and has {known:?}");
    }
    let all: BTreeSet<String> = parts.into_keys().collect();
    assert_eq!(all, referred, "nothing stands there that nobody refers to");
}

#[test]
fn copy_of_an_office_document_says_nothing_of_whose_it_is() {
    for (ending, original) in documents() {
        for canary in CANARIES {
            assert!(!places(&original, canary).is_empty(), "{canary} in the original {ending}");
        }
        let copy = copy_of(ending, original);
        for canary in CANARIES.into_iter().chain(["quillfeather", "zora", "marigold", "ZQ"]) {
            assert_eq!(places(&copy, canary), Vec::<String>::new(), "{canary} in the {ending}");
        }
    }
}

#[test]
fn copy_is_a_whole_document_with_the_same_content() {
    for (ending, original) in documents() {
        let copy = copy_of(ending, original);
        check_package(&copy);
        assert!(!places(&copy, CONTENT).is_empty(), "{ending}");
        let again = copy_of(ending, copy.clone());
        check_package(&again);
        assert_eq!(parts(&again).len(), parts(&copy).len());
    }
    let copy = parts(&copy_of("docx", text_document()));
    let document = String::from_utf8(copy["word/document.xml"].clone()).unwrap();
    for kept in [
        "w:ins w:id=\"1\" w:author=\"Author\">",
        "A &amp; B",
        "Before.",
        "<w:commentReference w:id=\"0\"/>",
        "the standard",
    ] {
        assert!(document.contains(kept), "{kept} in {document}");
    }
    let comments = String::from_utf8(copy["word/comments.xml"].clone()).unwrap();
    assert!(comments.contains("x:author=\"Author\" x:initials=\"A\">"), "{comments}");
    assert!(comments.contains("Say more here."));
    let links = String::from_utf8(copy["word/_rels/document.xml.rels"].clone()).unwrap();
    assert!(links.contains("\"https://example.org/standard\""), "{links}");
    // The pictures are there, and the workbook within is a whole one.
    let kinds = |start: &[u8]| copy.values().filter(|part| part.starts_with(start)).count();
    assert_eq!((kinds(&[0xff, 0xd8]), kinds(b"\x89PNG")), (1, 1));
    let inner = copy.values().find(|part| part.starts_with(b"PK\x03\x04")).unwrap();
    check_package(inner);
    // What people write to describe a picture stays.
    let deck = copy_of("pptx", presentation());
    assert!(!places(&deck, "Three learners. They share a map.").is_empty());
}

#[test]
fn entries_of_a_copy_have_no_day_and_nothing_beside_their_content() {
    for (ending, original) in documents() {
        let copy = copy_of(ending, original);
        let mut archive = ZipArchive::new(Cursor::new(&copy)).unwrap();
        assert_eq!(archive.comment(), b"");
        for index in 0..archive.len() {
            let entry = archive.by_index(index).unwrap();
            assert_eq!(entry.last_modified(), Some(zip::DateTime::default()));
            assert_eq!(entry.comment(), "");
            assert_eq!(entry.extra_data().unwrap_or_default(), b"");
        }
    }
}

/// The text document with one part changed, or added.
fn with(name: &'static str, content: Vec<u8>) -> Vec<u8> {
    let mut parts = text_document_parts();
    parts.retain(|(known, _)| *known != name);
    parts.push((name, content));
    archive(&parts)
}

/// A document of one part that refers to these.
fn small(kind: &str, lines: &[(&str, &str)], parts: &[(&'static str, Vec<u8>)]) -> Vec<u8> {
    let types = [("word/document.xml", kind)];
    let endings = [("bin", "application/vnd.ms-office.vbaProject"), ("jpg", "image/jpeg")];
    let mut all = vec![
        ("[Content_Types].xml", content_types(&endings, &types)),
        ("_rels/.rels", relations(&[("officeDocument", "word/document.xml")])),
        ("word/document.xml", b"<d/>".to_vec()),
        ("word/_rels/document.xml.rels", relations(lines)),
    ];
    all.extend(parts.iter().cloned());
    archive(&all)
}

const MAIN: &str = "wordprocessingml.document.main";

#[test]
fn what_cannot_be_taken_apart_is_refused_whole() {
    let macros = "application/vnd.ms-word.document.macroEnabled.main+xml";
    let vba = "http://schemas.microsoft.com/office/2006/relationships/vbaProject";
    let whole = text_document();
    let mut encrypted = whole.clone();
    // The flag of the first entry, in its own header and in the directory (APPNOTE.TXT, 4.4.4).
    let directory = encrypted.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
    encrypted[6] |= 1;
    encrypted[directory + 8] |= 1;
    let doctype = b"<!DOCTYPE w [<!ENTITY a \"b\">]><w>&a;</w>".to_vec();
    let deep = [b"<a>".repeat(300), b"</a>".repeat(300)].concat();
    for (what, file) in [
        ("no archive", b"PK\x03\x04 word/document.xml".to_vec()),
        ("the half of one", whole[..whole.len() / 2].to_vec()),
        ("one with a password", encrypted),
        ("a type with macros", small(macros, &[], &[])),
        ("a part with macros", small(MAIN, &[(vba, "vba.bin")], &[("word/vba.bin", vec![1])])),
        (
            "an object that nobody knows",
            small(MAIN, &[("oleObject", "ole.bin")], &[("word/ole.bin", vec![1])]),
        ),
        (
            "a picture that is none",
            small(MAIN, &[("image", "a.jpg")], &[("word/a.jpg", b"GIF89a".to_vec())]),
        ),
        ("a relation to nothing", small(MAIN, &[("image", "a.jpg")], &[])),
        ("a part twice", with("WORD/document.xml", b"<d/>".to_vec())),
        ("no list of types", with("[Content_Types].xml", b"<Types/>".to_vec())),
        ("a type of document", with("word/comments.xml", doctype)),
        ("an element that is not closed", with("word/comments.xml", b"<w><p></w>".to_vec())),
        ("an element that stays open", with("word/comments.xml", b"<w><p></p>".to_vec())),
        ("elements too deep", with("word/comments.xml", deep)),
        ("another encoding", with("word/comments.xml", vec![0xff, 0xfe, b'<', 0, b'w', 0])),
    ] {
        assert!(strip(type_of("docx"), file).is_err(), "{what}");
    }
    assert!(strip(type_of("xlsx"), whole.clone()).is_err(), "a text is no table");
    assert!(strip(type_of("docx"), whole).is_ok());
    assert!(strip(type_of("docx"), small(MAIN, &[], &[])).is_ok());
}

#[test]
fn archives_that_unpack_to_too_much_are_refused() {
    const FREE: usize = 16 * 1024 * 1024;
    // What nobody refers to counts as well: it is unpacked before that is known.
    let bomb = |size: usize| small(MAIN, &[], &[("word/media/zeros", vec![0; size])]);
    assert!(strip(type_of("docx"), bomb(FREE - 10_000)).is_ok());
    assert!(strip(type_of("docx"), bomb(FREE + 10_000)).is_err());

    let entries = |count: usize| {
        let names: Vec<String> = (0..count).map(|number| format!("n/{number}")).collect();
        let mut all = vec![
            ("[Content_Types].xml", content_types(&[], &[("word/document.xml", MAIN)])),
            ("_rels/.rels", relations(&[("officeDocument", "word/document.xml")])),
            ("word/document.xml", b"<d/>".to_vec()),
        ];
        all.extend(names.iter().map(|name| (name.as_str(), Vec::new())));
        archive(&all)
    };
    assert!(strip(type_of("docx"), entries(4997)).is_ok());
    assert!(strip(type_of("docx"), entries(4998)).is_err());

    let within = |inner: Vec<u8>| {
        let parts = [("word/media/inner.docx", inner)];
        let types = [("word/document.xml", MAIN), ("word/media/inner.docx", type_of("docx"))];
        let mut all = vec![
            ("[Content_Types].xml", content_types(&[], &types)),
            ("_rels/.rels", relations(&[("officeDocument", "word/document.xml")])),
            ("word/document.xml", b"<d/>".to_vec()),
            ("word/_rels/document.xml.rels", relations(&[("package", "media/inner.docx")])),
        ];
        all.extend(parts);
        archive(&all)
    };
    let mut nested = small(MAIN, &[], &[]);
    for depth in 1..=4 {
        nested = within(nested);
        assert_eq!(strip(type_of("docx"), nested.clone()).is_ok(), depth <= 3, "{depth}");
    }
}

#[test]
fn readers_get_copies_of_office_documents_and_the_earner_is_told_what_is_not_copied() {
    let app = TestApp::new();
    let district = app.district();
    let mut wanted = definition("mc-ia-small-group-support");
    let media = json!(["docx", "xlsx", "pptx"].map(type_of));
    assert!(["docx", "xlsx", "pptx"].map(type_of).iter().all(|kind| ALLOWED_MEDIA.contains(kind)));
    wanted["submission"]["part2"]["evidence"][2]["media"] = media;
    wanted["submission"]["part2"]["evidence"][2]["max_items"] = json!(9);
    let family = district.publish(&wanted);
    let earner = &district.earner;
    let id = district.fill(earner, &family);
    let mut removed = Vec::new();
    for (ending, original) in documents() {
        let name = format!("plan of {NAME}.{ending}");
        let item = earner.upload(&id, "a3", &name, &original).expect(201);
        assert_eq!(item["metadata"], "removed", "{item}");
        assert_eq!(earner.get(item["content_path"].as_str().unwrap()).bytes, original);
        removed.push((item["id"].clone(), copy_of(ending, original)));
    }
    let vba = "http://schemas.microsoft.com/office/2006/relationships/vbaProject";
    let macros = small(MAIN, &[(vba, "vba.bin")], &[("word/vba.bin", vec![1])]);
    let kept = earner.upload(&id, "a3", "macros.docx", &macros).expect(201);
    assert_eq!(kept["metadata"], "kept");
    // An archive of other things, and one that is a table by its name's ending where no table is taken.
    let other = archive(&[("holiday.jpg", vec![1, 2, 3])]);
    assert_eq!(earner.upload(&id, "a3", "holiday.docx", &other).status, 415);
    assert_eq!(earner.upload(&id, "a3", "plan.docm", &macros).status, 415);
    earner.act(&format!("/api/v1/submissions/{id}/submit")).expect(200);

    let review = district.assessor.post("/api/v1/reviews/claim", &json!({})).expect(201);
    for (item, copy) in removed {
        let items = review["work"]["evidence"].as_array().unwrap();
        let shown = items.iter().find(|shown| shown["id"] == item).unwrap();
        let answer = district.assessor.get(shown["content_path"].as_str().unwrap());
        assert_eq!(answer.status, 200);
        assert_eq!(answer.bytes, copy);
    }
}
