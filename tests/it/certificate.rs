//! Certificates to print: accessible, about the right badge, and silent about the person unless told.

use assay::images::{Artwork, BadgeFace, Certificate, DrawError, certificate_pdf};
use proptest::prelude::*;

fn certificate() -> Certificate {
    Certificate {
        face: BadgeFace {
            title: "Students as Leaders".to_owned(),
            issuer_name: "Example District".to_owned(),
            fingerprint: "seven".to_owned(),
            language: "es-US".to_owned(),
            issued_on: Some("21 November 2026".to_owned()),
        },
        holder: None,
        scoring: "Two readers scored the evidence without knowing whose work it was.".to_owned(),
        status_note: None,
        credential_url: "https://badges.example.org/credentials/0193a5c2".to_owned(),
    }
}

/// The parts of the file that are not compressed: structure, links, metadata.
#[track_caller]
fn plain_text(certificate: &Certificate) -> String {
    let pdf = certificate_pdf(certificate, None).unwrap();
    assert!(pdf.starts_with(b"%PDF-1.7"));
    assert!(pdf.trim_ascii_end().ends_with(b"%%EOF"));
    String::from_utf8_lossy(&pdf).into_owned()
}

#[test]
fn a_certificate_is_a_tagged_document_with_title_and_language() {
    let text = plain_text(&certificate());
    for part in [
        "/StructTreeRoot",
        "/Marked true",
        "/DisplayDocTitle true",
        "/Lang(es-US)",
        "/Title(Micro-credential: Students as Leaders)",
        "<pdfuaid:part>1</pdfuaid:part>",
    ] {
        assert!(text.contains(part), "{part}");
    }
    assert!(text.contains("/Type/Pages/Count 1/"));
}

#[test]
fn pictures_are_described_and_the_address_can_be_followed() {
    let text = plain_text(&certificate());
    let described = "/Alt(Badge of the micro-credential Students as Leaders, by Example District, issued on 21 November 2026.)";
    assert!(text.contains(described));
    let url = "https://badges.example.org/credentials/0193a5c2";
    assert!(text.contains(&format!("/Alt(QR code of the address {url})")));
    assert!(text.contains(&format!("/URI({url})")));
}

#[test]
fn the_parts_are_read_in_order() {
    let text = plain_text(&certificate());
    let (_, document) = text.split_once("/S/Document").unwrap();
    let (_, children) = document.split_once("/K[").unwrap();
    let (children, _) = children.split_once(']').unwrap();
    let kinds: Vec<&str> = children
        .split(" 0 R")
        .map(str::trim)
        .filter(|id| !id.is_empty())
        .map(|id| {
            let (_, object) = text.split_once(&format!("\n{id} 0 obj")).unwrap();
            let (_, kind) = object.split_once("/S/").unwrap();
            kind.split('/').next().unwrap()
        })
        .collect();
    // The heading, four facts, the badge, the code, what the address is for, and the address.
    assert_eq!(kinds, ["H1", "P", "P", "P", "P", "Figure", "Figure", "P", "P"]);
}

#[test]
fn the_name_of_the_holder_is_in_no_metadata() {
    let named = Certificate { holder: Some("Zenobia Quixote".to_owned()), ..certificate() };
    assert!(!plain_text(&named).contains("Zenobia"));
    assert_ne!(certificate_pdf(&named, None), certificate_pdf(&certificate(), None));
}

#[test]
fn the_same_certificate_gives_the_same_bytes() {
    assert_eq!(certificate_pdf(&certificate(), None), certificate_pdf(&certificate(), None));
}

#[test]
fn artwork_takes_the_place_of_the_drawn_badge() {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 120, 90);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[200; 120 * 90 * 3]).unwrap();
    writer.finish().unwrap();
    let artwork = Artwork::parse(&file).unwrap();
    let pdf = certificate_pdf(&certificate(), Some(&artwork)).unwrap();
    let text = String::from_utf8_lossy(&pdf);
    assert!(text.contains("/Width 120") && text.contains("/Height 90"));
}

#[test]
fn an_address_too_long_for_a_code_is_an_error() {
    let url = format!("https://badges.example.org/{}", "x".repeat(500));
    let certificate = Certificate { credential_url: url, ..certificate() };
    assert_eq!(certificate_pdf(&certificate, None), Err(DrawError::TooLong));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_words_make_a_document_that_the_standard_allows(
        title in any::<String>(),
        name in "\\PC{0,120}",
        scoring in any::<String>(),
    ) {
        let mut certificate = certificate();
        certificate.face.issuer_name = name.clone();
        certificate.face.language = scoring.clone();
        certificate.face.title = title;
        certificate.holder = Some(name.clone());
        certificate.status_note = Some(scoring.clone());
        certificate.scoring = scoring;
        let pdf = certificate_pdf(&certificate, None);
        prop_assert!(pdf.is_ok(), "{:?}", pdf);
    }
}
