//! A badge as an image, the preview of its page, and the issuer's artwork.

use assay::credential::bake::{Baked, unbake};
use serde_json::Value;

use crate::harness::{Answer, Person, TestApp};

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.add_text_chunk("Author".to_owned(), "somebody private".to_owned()).unwrap();
    let pixels: Vec<u8> = (0..width * height)
        .flat_map(|pixel| [200, u8::try_from(pixel % 251).unwrap(), 40])
        .collect();
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    file
}

fn put(person: &Person, path: &str, file: &[u8]) -> Answer {
    person.send(person.request(reqwest::Method::PUT, path).body(file.to_vec()))
}

fn size(image: &[u8]) -> (u32, u32) {
    let decoder = png::Decoder::new(std::io::Cursor::new(image));
    decoder.read_info().unwrap().info().size()
}

#[test]
fn image_of_a_badge_holds_the_very_document_and_is_verified_as_it_is() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let (_, award) = district.award(&district.earner, &family);
    let stranger = app.anybody();
    let path = format!("/credentials/{award}");
    let document = stranger.get(&path).bytes;
    for (suffix, media_type) in [("png", "image/png"), ("svg", "image/svg+xml")] {
        let image = stranger.get(&format!("{path}.{suffix}"));
        assert_eq!(image.headers["content-type"], media_type);
        assert_eq!(stranger.get_as(&path, media_type).bytes, image.bytes);
        assert_eq!(
            unbake(&image.bytes),
            Ok(Baked::Json(String::from_utf8(document.clone()).unwrap()))
        );
        let request = stranger.request(reqwest::Method::GET, &path).header("accept", media_type);
        let known = stranger.send(request.header("if-none-match", image.etag()));
        assert_eq!((known.status, known.bytes.len()), (304, 0));
        let request = stranger.request(reqwest::Method::POST, "/api/v1/verify");
        let verdict: Value = stranger.send(request.body(image.bytes)).expect(200);
        assert_eq!(verdict["verdict"], "valid", "{verdict:#}");
    }
}

#[test]
fn preview_tells_when_a_badge_does_not_count_any_more() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let (_, award) = district.award(&district.earner, &family);
    let path = format!("/credentials/{award}/preview.png");
    let before = app.anybody().get(&path);
    assert_eq!(size(&before.bytes), (1200, 630));
    district.revoke(&award).expect(200);
    let after = app.anybody().get(&path);
    assert_ne!(before.etag(), after.etag());
    assert_ne!(before.bytes, after.bytes);
    let page = app.anybody().get_as(&format!("/credentials/{award}"), "text/html");
    let html = String::from_utf8(page.bytes).unwrap();
    assert!(html.contains(&format!("https://badges.example.org{path}")), "{html}");
}

#[test]
fn artwork_is_made_anew_and_is_the_picture_of_every_badge_of_its_issuer() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let (_, award) = district.award(&district.earner, &family);
    let stranger = app.anybody();
    let badge = format!("/credentials/{award}.png");
    let drawn = stranger.get(&badge);
    let path = format!("/api/v1/organizations/{}/artwork", district.id);
    let taken = put(&district.officer, &path, &png(300, 240)).expect(200);
    assert_eq!((taken["width"].as_u64(), taken["height"].as_u64()), (Some(300), Some(240)));
    let shown = stranger.get(taken["path"].as_str().unwrap());
    assert_eq!(shown.headers["content-type"], "image/png");
    assert_eq!(size(&shown.bytes), (300, 240));
    let private = b"somebody private";
    assert!(!shown.bytes.windows(private.len()).any(|part| part == private));
    let painted = stranger.get(&badge);
    assert_eq!(size(&painted.bytes), (300, 240));
    assert_ne!(painted.etag(), drawn.etag());
    assert_eq!(unbake(&painted.bytes), unbake(&drawn.bytes));

    // What is no picture, or too large or small for a badge, changes nothing.
    for (file, status) in [
        (b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec(), 415),
        (b"GIF89a".to_vec(), 415),
        (png(300, 240)[..200].to_vec(), 422),
        (png(20, 20), 422),
        (vec![0; 2 * 1024 * 1024 + 1], 413),
    ] {
        let refused = put(&district.officer, &path, &file);
        assert_eq!(refused.status, status, "{refused:?}");
        refused.problem();
    }
    assert_eq!(stranger.get(&badge).etag(), painted.etag());

    let gone = district.officer.send(district.officer.request(reqwest::Method::DELETE, &path));
    assert_eq!(gone.status, 204);
    assert_eq!(stranger.get(&badge).bytes, drawn.bytes);
    assert_eq!(stranger.get(taken["path"].as_str().unwrap()).problem(), "not-found");
}

#[test]
fn certificate_to_print_is_there_where_it_is_built_in() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let (_, award) = district.award(&district.earner, &family);
    let path = format!("/credentials/{award}");
    let certificate = app.anybody().get(&format!("{path}.pdf"));
    let page = app.anybody().get_as(&path, "text/html");
    let html = String::from_utf8(page.bytes).unwrap();
    if cfg!(feature = "pdf") {
        assert_eq!(certificate.status, 200, "{certificate:?}");
        assert_eq!(certificate.headers["content-type"], "application/pdf");
        assert!(certificate.bytes.starts_with(b"%PDF-"));
        assert!(html.contains(&format!("{path}.pdf")));
    } else {
        assert_eq!(certificate.problem(), "not-found");
        assert!(!html.contains(".pdf"));
    }
}
