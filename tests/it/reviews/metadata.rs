//! What a file says about whoever made it does not reach a reader.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lopdf::{Dictionary, Document, Object, Stream, dictionary};
use serde_json::{Value, json};

use crate::harness::TestApp;

const CANARIES: [&str; 3] =
    ["Zora Quillfeather", "Marigold Primary School", "zora.quillfeather@marigold.example.org"];

/// A photograph with a person, a school and an address in EXIF, in a comment and behind its end; the camera was held on its side.
const PHOTOGRAPH: &str = "/9j/4AAQSkZJRgABAQAAAQABAAD/4QBkRXhpZgAATU0AKgAAAAgAAwEOAAIAAAAYAAAAMgESAAMAAAABAAYAAAE7AAIAAAASAAAASgAAAABNYXJpZ29sZCBQcmltYXJ5IFNjaG9vbABab3JhIFF1aWxsZmVhdGhlcgD//gAoem9yYS5xdWlsbGZlYXRoZXJAbWFyaWdvbGQuZXhhbXBsZS5vcmf/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKT/wAARCAAIAAgDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAP/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFAEBAAAAAAAAAAAAAAAAAAAABP/EABQRAQAAAAAAAAAAAAAAAAAAAAD/2gAMAwEAAhEDEQA/AJABHP/Z/9ggWm9yYSBRdWlsbGZlYXRoZXIg/9k=";

fn photograph() -> Vec<u8> {
    STANDARD.decode(PHOTOGRAPH).unwrap()
}

/// A page with the photograph on it, and the canaries wherever a PDF has room for them; the second save has only been appended.
fn page() -> Vec<u8> {
    let text = |text: &str| Object::string_literal(text);
    let mut document = Document::with_version("1.7");
    let info = document
        .add_object(dictionary! { "Author" => text(CANARIES[0]), "Title" => text(CANARIES[1]) });
    let xmp = Stream::new(
        dictionary! { "Type" => "Metadata", "Subtype" => "XML" },
        format!("<x:xmpmeta>{}</x:xmpmeta>", CANARIES[2]).into_bytes(),
    );
    let xmp = document.add_object(xmp);
    let image = Stream::new(
        dictionary! {
            "Type" => "XObject", "Subtype" => "Image", "Width" => 8, "Height" => 8,
            "ColorSpace" => "DeviceRGB", "BitsPerComponent" => 8, "Filter" => "DCTDecode",
        },
        photograph(),
    );
    let image = document.add_object(image);
    let comment = document.add_object(dictionary! {
        "Type" => "Annot", "Subtype" => "Text", "Rect" => vec![0.into(), 0.into(), 9.into(), 9.into()],
        "T" => text(CANARIES[0]), "Contents" => text("a comment that stays"),
    });
    let content =
        document.add_object(Stream::new(Dictionary::new(), b"q 8 0 0 8 0 0 cm /P Do Q".to_vec()));
    let pages = document.new_object_id();
    let page = document.add_object(dictionary! {
        "Type" => "Page", "Parent" => pages, "MediaBox" => vec![0.into(), 0.into(), 99.into(), 99.into()],
        "Contents" => content, "Annots" => vec![comment.into()], "LastModified" => text(CANARIES[0]),
        "Resources" => dictionary! { "XObject" => dictionary! { "P" => image } },
    });
    let kids = dictionary! { "Type" => "Pages", "Kids" => vec![page.into()], "Count" => 1 };
    document.objects.insert(pages, Object::Dictionary(kids));
    let catalog = document
        .add_object(dictionary! { "Type" => "Catalog", "Pages" => pages, "Metadata" => xmp });
    document.trailer.set("Root", catalog);
    document.trailer.set("Info", info);
    let mut file = Vec::new();
    document.save_to(&mut file).unwrap();
    file
}

fn contains(file: &[u8], text: &str) -> bool {
    file.windows(text.len()).any(|part| part == text.as_bytes())
}

#[track_caller]
fn has_no_canary(file: &[u8]) {
    for canary in CANARIES {
        assert!(!contains(file, canary), "{canary} in {}", String::from_utf8_lossy(file));
    }
}

#[test]
fn readers_get_copies_without_metadata_and_the_earner_keeps_the_original() {
    for canary in CANARIES {
        assert!(contains(&photograph(), canary) && contains(&page(), canary), "{canary}");
    }
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let earner = &district.earner;
    let id = district.fill(earner, &family);
    let submission = format!("/api/v1/submissions/{id}");
    let photo = earner.upload(&id, "a3", "holiday.jpg", &photograph()).expect(201);
    let paper = earner.upload(&id, "a3", "lesson.pdf", &page()).expect(201);
    for (item, original) in [(&photo, photograph()), (&paper, page())] {
        assert_eq!(item["metadata"], "removed");
        assert_eq!(item["size_bytes"], original.len());
        assert_eq!(earner.get(item["content_path"].as_str().unwrap()).bytes, original);
    }
    earner.act(&format!("{submission}/submit")).expect(200);

    let assessor = &district.assessor;
    let claimed = assessor.post("/api/v1/reviews/claim", &json!({}));
    has_no_canary(&claimed.bytes);
    let review = claimed.expect(201);
    let seen = |own: &Value| -> (Value, Vec<u8>) {
        let item = review["work"]["evidence"]
            .as_array()
            .unwrap()
            .iter()
            .find(|item| item["id"] == own["id"])
            .unwrap();
        let answer = assessor.get(item["content_path"].as_str().unwrap());
        assert_eq!(answer.status, 200);
        has_no_canary(format!("{:?}", answer.headers).as_bytes());
        has_no_canary(&answer.bytes);
        assert_eq!(item["size_bytes"], answer.bytes.len());
        assert_ne!(item["sha256"], own["sha256"]);
        (item.clone(), answer.bytes)
    };
    let (_, copy) = seen(&photo);
    // It is the same picture, still on its side: the coded data is untouched.
    let original = photograph();
    let scan = original.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap();
    let end = original.windows(2).position(|pair| pair == [0xff, 0xd9]).unwrap() + 2;
    assert!(copy.ends_with(&original[scan..end]));
    assert!(copy.windows(12).any(|entry| entry == [1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0]));

    let (_, copy) = seen(&paper);
    let read = Document::load_mem(&copy).unwrap();
    assert_eq!(read.get_pages().len(), 1);
    assert!(read.trailer.get(b"Info").is_err());
    assert!(contains(&copy, "a comment that stays"));
    assert!(contains(&copy, "DCTDecode"));
}

#[test]
fn what_cannot_be_taken_out_is_said_to_the_earner_before_the_work_is_handed_in() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let earner = &district.earner;
    let id = district.fill(earner, &family);
    let damaged = earner.upload(&id, "a3", "lesson.pdf", b"%PDF-1.7\nno page").expect(201);
    assert_eq!(damaged["metadata"], "kept");
    let text = earner.get(&format!("/api/v1/submissions/{id}")).expect(200)["evidence"][0].clone();
    assert_eq!(text["metadata"], "none");
    // An Office document is an archive of properties; it is no evidence here.
    let office = earner.upload(&id, "a3", "plan.docx", b"PK\x03\x04 word/document.xml");
    assert_eq!(office.status, 415);
}

#[test]
fn copy_goes_with_its_item() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let earner = &district.earner;
    let id = district.fill(earner, &family);
    let stored = || std::fs::read_dir(app.folder().join("evidence/sealed")).unwrap().count();
    let before = stored();
    let photo = earner.upload(&id, "a3", "holiday.jpg", &photograph()).expect(201);
    assert_eq!(stored(), before + 2);
    let item = photo["content_path"].as_str().unwrap().strip_suffix("/content").unwrap();
    assert_eq!(earner.delete(item).status, 204);
    assert_eq!(stored(), before);
}
