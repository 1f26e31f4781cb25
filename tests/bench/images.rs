//! What putting a badge into an image and taking it out again costs, and what drawing the image costs.

use assay::credential::bake::{Baked, bake_png, bake_svg, unbake};
use assay::images::{Artwork, BadgeFace, badge_png, draw_badge};
use divan::{Bencher, black_box};

/// As long as a badge of ours.
fn baked() -> Baked {
    Baked::Json(format!("{{\"a\":\"{}\"}}", "x".repeat(5_000)))
}

/// An image of 600 by 600 pixels with as much structure as a drawing has.
fn png() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 600, 600);
    encoder.set_color(png::ColorType::Rgba);
    let mut writer = encoder.write_header().unwrap();
    let pixels: Vec<u8> = (0..600 * 600_u32)
        .flat_map(|n| (n / 600 * (n % 600) / 32).wrapping_mul(0x0103_0507).to_le_bytes())
        .collect();
    writer.write_image_data(&pixels).unwrap();
    writer.finish().unwrap();
    bytes
}

fn svg() -> String {
    let path = "<path d='M0 0h8v8z'/>".repeat(400);
    format!("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'>{path}</svg>")
}

#[divan::bench]
fn bake_into_png(bencher: Bencher) {
    let (image, baked) = (png(), baked());
    bencher.bench_local(|| bake_png(black_box(&image), &baked).unwrap());
}

#[divan::bench]
fn unbake_from_png(bencher: Bencher) {
    let image = bake_png(&png(), &baked()).unwrap();
    bencher.bench_local(|| unbake(black_box(&image)).unwrap());
}

#[divan::bench]
fn bake_into_svg(bencher: Bencher) {
    let (image, baked) = (svg(), baked());
    bencher.bench_local(|| bake_svg(black_box(&image), &baked).unwrap());
}

#[divan::bench]
fn unbake_from_svg(bencher: Bencher) {
    let image = bake_svg(&svg(), &baked()).unwrap();
    bencher.bench_local(|| unbake(black_box(image.as_bytes())).unwrap());
}

fn face() -> BadgeFace {
    BadgeFace {
        title: "Small-Group Support for Multilingual Learners".to_owned(),
        issuer_name: "Example District".to_owned(),
        fingerprint: "seven".to_owned(),
        language: "en".to_owned(),
        issued_on: Some("21 November 2026".to_owned()),
    }
}

#[divan::bench]
fn draw_badge_as_svg(bencher: Bencher) {
    let face = face();
    bencher.bench_local(|| draw_badge(black_box(&face), None));
}

#[divan::bench]
fn draw_badge_as_png(bencher: Bencher) {
    let face = face();
    bencher.bench_local(|| badge_png(black_box(&face), None, 600).unwrap());
}

#[divan::bench]
fn read_artwork(bencher: Bencher) {
    let image = png();
    bencher.bench_local(|| Artwork::parse(black_box(&image)).unwrap());
}
