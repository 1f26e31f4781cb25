//! What a file says about whoever made it does not reach a reader.

use lopdf::Document;
use serde_json::{Value, json};

use crate::harness::TestApp;
use crate::harness::canaries::{CANARIES, page, photograph, text_document};

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
    // This requirement takes no Office documents.
    let office = earner.upload(&id, "a3", "plan.docx", &text_document());
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
