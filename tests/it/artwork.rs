//! Pictures: what a badge shows, whose picture is taken as artwork, and that all of it can carry a badge.

use std::time::{Duration, Instant};

use assay::credential::bake::{Baked, IMAGE_LIMIT, bake_png, bake_svg, unbake};
use assay::images::{
    ARTWORK_LIMIT, Artwork, ArtworkError, BadgeFace, DrawError, Qr, Standing, badge_png,
    draw_badge, draw_preview, preview_png,
};
use proptest::prelude::*;

fn face(title: &str) -> BadgeFace {
    BadgeFace {
        title: title.to_owned(),
        issuer_name: "Distrito de Peñasquitos & Co".to_owned(),
        fingerprint: "sha256:12ab".to_owned(),
        language: "es".to_owned(),
        issued_on: Some("21 November 2026".to_owned()),
    }
}

fn baked() -> Baked {
    Baked::Json(format!("{{\"a\":\"{}\"}}", "x".repeat(5_000)))
}

struct Pixels {
    width: u32,
    height: u32,
    bytes: Vec<u8>,
}

impl Pixels {
    #[track_caller]
    fn of(png: &[u8]) -> Pixels {
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        assert_eq!(reader.output_color_type(), (png::ColorType::Rgba, png::BitDepth::Eight));
        let (width, height) = reader.info().size();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut bytes).unwrap();
        Pixels { width, height, bytes }
    }

    fn at(&self, x: u32, y: u32) -> [u8; 4] {
        let at = (y * self.width + x) as usize * 4;
        self.bytes[at..at + 4].try_into().unwrap()
    }
}

/// A PNG file of this kind, with bytes of the pixels by their place.
fn png_file(
    (width, height): (u32, u32),
    (color, depth): (png::ColorType, png::BitDepth),
    pixel: impl Fn(usize) -> u8,
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if color == png::ColorType::Indexed {
        encoder.set_palette(vec![10, 20, 30, 40, 50, 60]);
        encoder.set_trns(vec![255, 0]);
    }
    encoder.add_text_chunk("Author".to_owned(), "Maria Secret".to_owned()).unwrap();
    let mut writer = encoder.write_header().unwrap();
    let n_bits = color.samples() * depth as usize * width as usize;
    let data: Vec<u8> = (0..n_bits.div_ceil(8) * height as usize).map(pixel).collect();
    writer.write_image_data(&data).unwrap();
    writer.finish().unwrap();
    bytes
}

const RGBA: (png::ColorType, png::BitDepth) = (png::ColorType::Rgba, png::BitDepth::Eight);

fn plain((width, height): (u32, u32)) -> Vec<u8> {
    png_file((width, height), RGBA, |_| 200)
}

/// Bytes that cannot be compressed.
fn noise(place: usize) -> u8 {
    let mixed = (place as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as u8
}

#[test]
fn a_badge_says_what_it_is_for_and_carries_its_credential() {
    let face = face("Enseñanza <bilingüe>");
    let drawing = draw_badge(&face, None);
    for text in [
        "Enseñanza",
        "&lt;bilingüe&gt;",
        "Peñasquitos &amp; Co",
        "21 November 2026",
        r#"role="img""#,
        r#"aria-labelledby="badge-title badge-description""#,
        r#"<title id="badge-title">Enseñanza &lt;bilingüe&gt;</title>"#,
        r#"xml:lang="es""#,
    ] {
        assert!(drawing.svg().contains(text), "{text}: {}", drawing.svg());
    }
    let image = bake_svg(drawing.svg(), &baked()).unwrap();
    assert_eq!(unbake(image.as_bytes()).unwrap(), baked());
    let png = badge_png(&face, None, 600).unwrap();
    let pixels = Pixels::of(&png);
    assert_eq!((pixels.width, pixels.height), (600, 600));
    assert_eq!(pixels.at(0, 0)[3], 0, "around the badge nothing is drawn");
    assert_eq!(pixels.at(50, 400), [0xfa, 0xf8, 0xf3, 255], "the band of the title is light");
    assert_eq!(unbake(&bake_png(&png, &baked()).unwrap()).unwrap(), baked());
}

#[test]
fn a_drawing_refers_to_nothing_and_does_nothing() {
    let artwork = Artwork::parse(&plain((90, 90))).unwrap();
    let face = face("Students as Leaders");
    for drawing in [
        draw_badge(&face, None),
        draw_badge(&face, Some(&artwork)),
        draw_preview(&face, Standing::Active),
    ] {
        let svg = drawing.svg();
        for word in ["<script", "<style", "style=", "<use", "<foreignObject", "<a ", "@import"] {
            assert!(!svg.contains(word), "{word}");
        }
        let without_namespace = svg.replace("http://www.w3.org/2000/svg", "");
        assert!(!without_namespace.contains("://"));
        for (at, _) in svg.match_indices("href=") {
            assert!(svg[at..].starts_with("href=\"data:image/png;base64,"));
        }
        for (at, _) in svg.match_indices("url(") {
            assert!(svg[at..].starts_with("url(#"));
        }
    }
}

#[test]
fn words_become_pixels_with_the_fonts_of_the_program() {
    let title = Pixels::of(&badge_png(&face("Students as Leaders"), None, 600).unwrap());
    let blank = Pixels::of(&badge_png(&face(""), None, 600).unwrap());
    let band = |pixels: &Pixels| pixels.bytes[300 * 2_400..400 * 2_400].to_vec();
    let dark = band(&title).chunks(4).filter(|pixel| pixel[0] < 0x40).count();
    assert!(dark > 3_000, "{dark}");
    assert_eq!(
        band(&blank).chunks(4).filter(|pixel| pixel[3] == 255 && pixel[0] < 0x40).count(),
        0
    );
}

#[test]
fn the_same_badge_is_drawn_alike_and_another_one_differently() {
    let one = face("Students as Leaders");
    assert_eq!(badge_png(&one, None, 300), badge_png(&one, None, 300));
    let other = BadgeFace { fingerprint: "sha256:other".to_owned(), ..one.clone() };
    assert_ne!(badge_png(&one, None, 300), badge_png(&other, None, 300));
}

#[test]
fn a_title_that_is_too_long_ends_with_an_ellipsis() {
    let svg = draw_badge(&face(&"Assessment of learning ".repeat(40)), None).svg().to_owned();
    let visible = &svg[svg.find("</desc>").unwrap()..];
    assert!(visible.contains("…</text>"));
    assert!(svg.contains(&"Assessment of learning ".repeat(39)), "the description has all of it");
    assert!(!draw_badge(&face("Short"), None).svg().contains('…'));
}

#[test]
fn the_size_of_an_image_is_bounded() {
    let drawing = draw_badge(&face("x"), None);
    assert_eq!(drawing.png(0), Err(DrawError::Size));
    assert_eq!(drawing.png(2_401), Err(DrawError::Size));
    assert_eq!(Pixels::of(&drawing.png(64).unwrap()).height, 64);
}

#[test]
fn a_preview_says_whether_the_badge_counts() {
    let face = face("Students as Leaders");
    let active = draw_preview(&face, Standing::Active);
    assert!(active.svg().contains(">VERIFIED MICRO-CREDENTIAL<"));
    let ended = draw_preview(&face, Standing::Ended("Revoked"));
    assert!(ended.svg().contains(">REVOKED<") && !ended.svg().contains("VERIFIED"));
    let pixels = Pixels::of(&preview_png(&face, None, Standing::Active).unwrap());
    assert_eq!((pixels.width, pixels.height), (1_200, 630));
    assert!(pixels.bytes.chunks(4).all(|pixel| pixel[3] == 255), "it has a ground of its own");
}

#[test]
fn artwork_takes_the_place_of_the_drawn_badge() {
    let file = png_file((120, 100), RGBA, |at| [255, 0, 0, 255][at % 4]);
    let artwork = Artwork::parse(&file).unwrap();
    assert_eq!(artwork.size(), (120, 100));
    let face = face("Students as Leaders");
    assert_eq!(badge_png(&face, Some(&artwork), 600).unwrap(), artwork.png());
    let drawing = draw_badge(&face, Some(&artwork));
    assert!(drawing.svg().contains("<image ") && !drawing.svg().contains("<text"));
    assert!(drawing.svg().contains(r#"<title id="badge-title">Students as Leaders</title>"#));
    let preview = Pixels::of(&preview_png(&face, Some(&artwork), Standing::Active).unwrap());
    assert_eq!(preview.at(270, 315), [255, 0, 0, 255]);
    assert_eq!(preview.at(270, 130), [255, 255, 255, 255], "it is not square: paper above it");
}

#[test]
fn artwork_of_every_kind_of_png_loses_all_but_its_pixels() {
    use png::BitDepth::{Eight, Four, One, Sixteen, Two};
    use png::ColorType::{Grayscale, GrayscaleAlpha, Indexed, Rgb, Rgba};
    let kinds = [
        (Grayscale, One, [255, 255, 255, 255]),
        (Grayscale, Two, [255, 255, 255, 255]),
        (Grayscale, Four, [255, 255, 255, 255]),
        (Grayscale, Eight, [255, 255, 255, 255]),
        (Grayscale, Sixteen, [255, 255, 255, 255]),
        (GrayscaleAlpha, Eight, [255, 255, 255, 255]),
        (GrayscaleAlpha, Sixteen, [255, 255, 255, 255]),
        (Rgb, Eight, [255, 255, 255, 255]),
        (Rgb, Sixteen, [255, 255, 255, 255]),
        (Rgba, Eight, [255, 255, 255, 255]),
        (Rgba, Sixteen, [255, 255, 255, 255]),
        (Indexed, One, [40, 50, 60, 0]),
    ];
    for (color, depth, expected) in kinds {
        let file = png_file((96, 90), (color, depth), |_| 255);
        let artwork = Artwork::parse(&file).unwrap();
        assert_eq!(Pixels::of(artwork.png()).at(50, 50), expected, "{color:?} {depth:?}");
        assert!(!artwork.png().windows(6).any(|window| window == b"Secret"));
        assert!(!artwork.png().windows(4).any(|window| window == b"tEXt"));
        assert_eq!(Artwork::parse(artwork.png()).unwrap(), artwork, "twice is once");
        assert_eq!(Artwork::restore(artwork.png().to_vec()).unwrap(), artwork);
    }
}

#[test]
fn large_artwork_is_made_smaller_by_averaging() {
    // Columns of black and white, two of each: a fourth of the width makes grey of them.
    let file =
        png_file((4_096, 2_048), RGBA, |at| if at % 4 == 3 || at / 4 % 4 < 2 { 255 } else { 0 });
    let artwork = Artwork::parse(&file).unwrap();
    assert_eq!(artwork.size(), (1_024, 512));
    assert_eq!(Pixels::of(artwork.png()).at(500, 300), [128, 128, 128, 255]);
    // What cannot be seen has no colour that could bleed.
    let file = png_file((2_048, 2_048), RGBA, |at| if at / 4 % 2 == 0 { 255 } else { 0 });
    assert_eq!(Pixels::of(Artwork::parse(&file).unwrap().png()).at(9, 9), [255, 255, 255, 128]);
    let long = Artwork::parse(&png_file((4_096, 90), RGBA, |_| 9)).unwrap();
    assert_eq!(long.size(), (1_024, 23));
    assert!(preview_png(&face("x"), Some(&long), Standing::Active).is_ok());
}

#[test]
fn the_largest_artwork_still_fits_with_its_badge() {
    let file = png_file((700, 700), RGBA, noise);
    assert!(file.len() > 1_900_000 && file.len() <= ARTWORK_LIMIT, "{}", file.len());
    let artwork = Artwork::parse(&file).unwrap();
    assert_eq!(artwork.size(), (512, 512));
    let longest = Baked::Json(format!("{{\"a\":\"{}\"}}", "x".repeat(250_000)));
    let image = bake_svg(draw_badge(&face("x"), Some(&artwork)).svg(), &longest).unwrap();
    assert!(image.len() <= IMAGE_LIMIT);
    assert_eq!(unbake(image.as_bytes()), Ok(longest.clone()));
    assert_eq!(unbake(&bake_png(artwork.png(), &longest).unwrap()), Ok(longest));
}

#[test]
fn artwork_outside_of_its_bounds_is_refused() {
    for size in [(90, 90), (4_096, 90), (90, 4_096)] {
        assert!(Artwork::parse(&plain(size)).is_ok(), "{size:?}");
    }
    for (width, height) in [(89, 90), (90, 89), (4_097, 90), (90, 4_097), (4_096, 4_096)] {
        let error = ArtworkError::Dimensions { width, height };
        assert_eq!(Artwork::parse(&plain((width, height))), Err(error));
    }
    let mut file = plain((90, 90));
    file.resize(ARTWORK_LIMIT + 1, 0);
    assert_eq!(Artwork::parse(&file), Err(ArtworkError::TooLarge { limit: ARTWORK_LIMIT }));
}

#[test]
fn what_is_no_png_is_refused_with_the_way_out() {
    for svg in ["<svg/>", "<?xml version='1.0'?>\n<!-- x --><SVG xmlns='x'>"] {
        let error = Artwork::parse(svg.as_bytes()).unwrap_err();
        assert_eq!(error, ArtworkError::Svg);
        assert!(error.to_string().contains("export it as PNG"));
    }
    for other in [&b""[..], b"GIF89a", b"\xff\xd8\xff\xe0", b"\x89PNG", b"%PDF"] {
        assert_eq!(Artwork::parse(other), Err(ArtworkError::NotPng), "{other:?}");
    }
}

#[test]
fn damaged_artwork_is_refused() {
    let file = png_file((100, 100), RGBA, noise);
    for end in [8, 20, 33, 60, 1_000, file.len() / 2, file.len() - 100] {
        assert_eq!(Artwork::parse(&file[..end]), Err(ArtworkError::Damaged), "{end}");
    }
    for at in [12, 29, 90, 5_000] {
        let mut altered = file.clone();
        altered[at] ^= 1;
        assert!(Artwork::parse(&altered).is_err(), "{at}");
    }
    assert!(Artwork::restore(file).is_ok());
    assert_eq!(Artwork::restore(plain((1_025, 90))), Err(ArtworkError::Damaged));
    let grey = png_file((90, 90), (png::ColorType::Grayscale, png::BitDepth::Eight), |_| 0);
    assert_eq!(Artwork::restore(grey), Err(ArtworkError::Damaged));
    assert_eq!(Artwork::restore(b"GIF89a".to_vec()), Err(ArtworkError::Damaged));
}

/// The header alone says how much memory a picture would need.
#[test]
fn a_picture_that_promises_too_much_costs_nothing() {
    let start = Instant::now();
    let file = plain((90, 90));
    for (width, height) in [(65_535_u32, 65_535_u32), (0x7fff_ffff, 90), (0x7fff_ffff, 0x7fff_ffff)]
    {
        let mut header = b"IHDR".to_vec();
        header.extend(width.to_be_bytes());
        header.extend(height.to_be_bytes());
        header.extend([8, 6, 0, 0, 0]);
        let checksum = crc32fast::hash(&header).to_be_bytes();
        let bomb = [&file[..12], &header, &checksum, &file[33..]].concat();
        let error = Artwork::parse(&bomb).unwrap_err();
        assert!(
            matches!(error, ArtworkError::Dimensions { .. } | ArtworkError::Damaged),
            "{error}"
        );
    }
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[test]
fn a_code_has_its_three_corners_and_a_largest_text() {
    let qr = Qr::new("https://badges.example.org/credentials/0193").unwrap();
    assert_eq!(qr.side(), 29, "version 3 at level M");
    let is_dark = |x: usize, y: usize| {
        qr.runs()
            .iter()
            .any(|(start, row, length)| *row == y && (*start..start + length).contains(&x))
    };
    for (left, top) in [(0, 0), (22, 0), (0, 22)] {
        for y in 0..7 {
            for x in 0..7 {
                // A ring, a light ring, and a square of three.
                let ring = [x, 6 - x, y, 6 - y].into_iter().min().unwrap();
                assert_eq!(is_dark(left + x, top + y), ring != 1, "{left} {top} {x} {y}");
            }
        }
    }
    let n_dark: usize = qr.runs().iter().map(|(_, _, length)| length).sum();
    assert!((300..550).contains(&n_dark), "{n_dark}");
    assert_eq!(qr.svg_path().matches('M').count(), qr.runs().len());
    assert!(qr.svg_path().starts_with("M0 0h7v1h-7z"));
    assert!(Qr::new(&"x".repeat(512)).is_ok());
    assert_eq!(Qr::new(&"x".repeat(513)), Err(DrawError::TooLong));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_words_make_a_drawing_that_can_be_baked(
        title in any::<String>(),
        issuer in "\\PC{0,80}",
        language in any::<String>(),
    ) {
        let face = BadgeFace {
            title,
            issuer_name: issuer,
            fingerprint: language.clone(),
            language,
            issued_on: None,
        };
        let image = bake_svg(draw_badge(&face, None).svg(), &baked()).unwrap();
        prop_assert_eq!(unbake(image.as_bytes()), Ok(baked()));
        prop_assert!(badge_png(&face, None, 120).is_ok());
        let ended = Standing::Ended(&face.title);
        prop_assert!(draw_preview(&face, ended).png(120).is_ok());
    }

    #[test]
    fn any_bytes_behind_the_signature_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Artwork::parse(&[b"\x89PNG\r\n\x1a\n", &bytes[..]].concat()).is_err());
    }
}
