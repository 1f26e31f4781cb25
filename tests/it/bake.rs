//! Badges in images: what is put in comes out again, pixels stay as they are, and what could mislead is refused.

use std::time::{Duration, Instant};

use assay::credential::bake::{
    BakeError, Baked, CREDENTIAL_LIMIT, IMAGE_LIMIT, UnbakeError, bake_png, bake_svg, unbake,
};
use proptest::prelude::*;

use crate::standards::{published, published_json};

const SVG: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><rect fill="#123" width="8" height="8"/></svg>"##;
const SAMPLES: &str = "examples/validator-samples";

fn json_badge() -> Baked {
    Baked::Json(
        r#"{"name":"Señales ]]> & <b> \"x\" 🏅","type":["OpenBadgeCredential"]}"#.to_owned(),
    )
}

fn jwt_badge() -> Baked {
    Baked::Jwt("eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJ4In0.c2ln-_A".to_owned())
}

/// A small image with a palette, so that a chunk has to stay in front of the pixels.
fn png() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 4, 4);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_palette(vec![0, 0, 0, 255, 200, 100]);
    encoder.add_text_chunk("Author".to_owned(), "nobody".to_owned()).unwrap();
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 1, 0, 1, 0]).unwrap();
    writer.finish().unwrap();
    bytes
}

fn pixels(png: &[u8]) -> Vec<u8> {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    reader.finish().unwrap();
    pixels
}

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(kind);
    hasher.update(data);
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    [&length[..], kind, data, &hasher.finalize().to_be_bytes()].concat()
}

/// Kind, data and place of every chunk.
fn chunks(png: &[u8]) -> Vec<(String, Vec<u8>, std::ops::Range<usize>)> {
    let mut found = Vec::new();
    let mut at = 8;
    while at < png.len() {
        let length = u32::from_be_bytes(png[at..at + 4].try_into().unwrap()) as usize;
        let kind = String::from_utf8(png[at + 4..at + 8].to_vec()).unwrap();
        found.push((kind, png[at + 8..at + 8 + length].to_vec(), at..at + 12 + length));
        at += 12 + length;
    }
    found
}

/// The image with these chunks in front of its end.
fn with_chunks(added: &[Vec<u8>]) -> Vec<u8> {
    let image = png();
    let end = image.len() - 12;
    [&image[..end], &added.concat(), &image[end..]].concat()
}

fn itxt(rest: &[u8]) -> Vec<u8> {
    chunk(b"iTXt", &[b"openbadgecredential\0", rest].concat())
}

#[track_caller]
fn refused(image: &[u8], expected: &UnbakeError) {
    match (unbake(image).unwrap_err(), expected) {
        // Which fault it was is told by the words; that it is one is what matters.
        (UnbakeError::Malformed(why), UnbakeError::Malformed(expected)) => {
            assert!(why.contains(expected), "{why}");
        }
        (error, expected) => assert_eq!(error, *expected),
    }
}

#[track_caller]
fn malformed(image: &[u8], why: &'static str) {
    refused(image, &UnbakeError::Malformed(why));
}

#[test]
fn published_images_give_their_badges() {
    let json = published_json(&format!("{SAMPLES}/simple.json"));
    for name in ["simple-json.png", "simple-json.svg"] {
        let baked = unbake(&published(&format!("{SAMPLES}/{name}"))).unwrap();
        let Baked::Json(text) = baked else { panic!("{name}: {baked:?}") };
        let found: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(found["credentialSubject"], json["credentialSubject"], "{name}");
    }
    for name in ["simple-jwt.png", "simple-jwt.svg", "simple-jwt_v1.png", "simple-jwt_v1.svg"] {
        let baked = unbake(&published(&format!("{SAMPLES}/{name}"))).unwrap();
        let Baked::Jwt(text) = baked else { panic!("{name}: {baked:?}") };
        assert!(text.starts_with("eyJhbGciOi"), "{name}: {text}");
    }
}

#[test]
fn what_was_baked_comes_out_again() {
    for baked in [json_badge(), jwt_badge()] {
        assert_eq!(unbake(&bake_png(&png(), &baked).unwrap()).unwrap(), baked);
        assert_eq!(unbake(bake_svg(SVG, &baked).unwrap().as_bytes()).unwrap(), baked);
    }
}

#[test]
fn pixels_and_all_other_chunks_stay_as_they_are() {
    let image = png();
    let baked = bake_png(&image, &json_badge()).unwrap();
    assert_eq!(pixels(&baked), pixels(&image));
    let found = chunks(&baked);
    let places: Vec<&str> = found.iter().map(|(kind, ..)| kind.as_str()).collect();
    let at = places.iter().position(|kind| *kind == "iTXt").unwrap();
    assert_eq!(places[at + 1], "IDAT");
    assert!(places[..at].contains(&"PLTE"));
    let place = found[at].2.clone();
    assert_eq!([&baked[..place.start], &baked[place.end..]].concat(), image);
    // Section 5.3.1.1: not compressed, and language and translation mean nothing.
    let expected = [b"openbadgecredential\0\0\0\0\0", json_badge().text().as_bytes()].concat();
    assert_eq!(found[at].1, expected);
    for name in ["simple-json.png", "simple-jwt_v1.png"] {
        let image = published(&format!("{SAMPLES}/{name}"));
        let baked = bake_png(&image, &json_badge()).unwrap();
        assert_eq!(pixels(&baked), pixels(&image), "{name}");
    }
}

#[test]
fn the_element_stands_directly_behind_the_opening_tag() {
    let image = bake_svg(SVG, &jwt_badge()).unwrap();
    let expected = format!(
        r#"<svg xmlns:openbadges="https://purl.imsglobal.org/ob/v3p0" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><openbadges:credential verify="{}"></openbadges:credential><rect"#,
        jwt_badge().text()
    );
    assert!(image.starts_with(&expected), "{image}");
    let image = bake_svg(SVG, &json_badge()).unwrap();
    assert!(
        image.contains("<openbadges:credential><![CDATA[{\"name\":\"Señales ]]]]><![CDATA[> &")
    );
}

#[test]
fn a_second_badge_takes_the_place_of_the_first() {
    for first in [json_badge(), jwt_badge()] {
        for second in [json_badge(), jwt_badge()] {
            let once = bake_png(&png(), &second).unwrap();
            let twice = bake_png(&bake_png(&png(), &first).unwrap(), &second).unwrap();
            assert_eq!(twice, once);
            let once = bake_svg(SVG, &second).unwrap();
            let twice = bake_svg(&bake_svg(SVG, &first).unwrap(), &second).unwrap();
            assert_eq!(twice, once);
        }
    }
    // Others write in other places, and compressed, and in the format of old.
    let olds = [
        chunk(b"zTXt", b"openbadgecredential\0\0xyz"),
        chunk(b"tEXt", b"openbadgecredential\0{}"),
        chunk(b"iTXt", b"openbadges\0\0\0\0\0{}"),
        itxt(b"\0\0\0\0{}"),
    ];
    let image = with_chunks(&olds);
    assert_eq!(bake_png(&image, &jwt_badge()), bake_png(&png(), &jwt_badge()));
    let published = String::from_utf8(published(&format!("{SAMPLES}/simple-json.svg"))).unwrap();
    let image = bake_svg(&published, &jwt_badge()).unwrap();
    assert_eq!(unbake(image.as_bytes()).unwrap(), jwt_badge());
    assert_eq!(image.matches("<openbadges:credential").count(), 1, "{image}");
    let (_, behind) = published.split_once("</openbadges:credential>").unwrap();
    assert!(image.ends_with(behind), "{image}");
}

#[test]
fn a_badge_of_old_makes_room_in_an_svg_image() {
    let svg = |inside: &str| format!("<svg xmlns='http://www.w3.org/2000/svg'>{inside}</svg>");
    let old = |inside: &str| {
        format!("<a:assertion xmlns:a='http://openbadges.org'>{inside}</a:assertion>")
    };
    let present = "<c:credential xmlns:c='https://purl.imsglobal.org/ob/v3p0'>{}</c:credential>";
    for badges in [
        old(""),
        old(&old("{}")),
        old(present),
        format!("{}{present}{}", old("x"), old("")),
        "<a:assertion xmlns:a='http://openbadges.org' verify='https://x.example'/>".to_owned(),
    ] {
        let image = bake_svg(&svg(&format!("{badges}<g/>")), &json_badge()).unwrap();
        assert_eq!(image, bake_svg(&svg("<g/>"), &json_badge()).unwrap(), "{badges}");
        assert_eq!(unbake(image.as_bytes()).unwrap(), json_badge());
    }
    // What only looks like a badge is not ours to take away.
    for other in
        ["<openbadges:credential/>", "<g xmlns:openbadges='urn:x'><openbadges:credential/></g>"]
    {
        let refused = bake_svg(&svg(other), &json_badge());
        assert!(matches!(refused, Err(BakeError::Image(UnbakeError::Malformed(_)))), "{other}");
    }
}

#[test]
fn an_svg_image_of_one_tag_can_be_baked() {
    let image = bake_svg("<svg xmlns='http://www.w3.org/2000/svg'/>", &json_badge()).unwrap();
    assert!(image.ends_with("</openbadges:credential></svg>"), "{image}");
    assert_eq!(unbake(image.as_bytes()).unwrap(), json_badge());
    let prefixed = "\u{feff}<?xml version='1.0' encoding='UTF-8'?>\n<v:svg xmlns:v='http://www.w3.org/2000/svg' />";
    let image = bake_svg(prefixed, &jwt_badge()).unwrap();
    assert!(image.ends_with("</openbadges:credential></v:svg>"), "{image}");
    assert_eq!(unbake(image.as_bytes()).unwrap(), jwt_badge());
}

#[test]
fn any_prefix_of_the_namespace_counts_and_no_other_namespace_does() {
    let badge = |opening: &str| {
        format!(
            "<svg xmlns='http://www.w3.org/2000/svg' xmlns:a='https://purl.imsglobal.org/ob/v3p0' xmlns:openbadges='urn:x'>{opening}</svg>"
        )
    };
    let found = |opening: &str| unbake(badge(opening).as_bytes());
    let json = Baked::Json("{\"a\":\"<&>\"}".to_owned());
    assert_eq!(found("<a:credential>{\"a\":\"&lt;&#38;&gt;\"}</a:credential>"), Ok(json.clone()));
    let own = "<credential xmlns='https://purl.imsglobal.org/ob/v3p0'> <![CDATA[{\"a\":\"<&>\"}]]></credential>";
    assert_eq!(found(own), Ok(json));
    let other = "<openbadges:credential>{}</openbadges:credential>";
    assert_eq!(found(other), Err(UnbakeError::NotBaked));
    assert_eq!(found("<a:other>{}</a:other>"), Err(UnbakeError::NotBaked));
    // We do not give a prefix a second meaning.
    let image = badge("");
    assert!(matches!(
        bake_svg(&image, &json_badge()),
        Err(BakeError::Image(UnbakeError::Malformed(_)))
    ));
}

#[test]
fn chunks_of_foreign_writers_are_read() {
    let baked = Ok(Baked::Json("{}".to_owned()));
    assert_eq!(unbake(&with_chunks(&[itxt(b"\0\0en\0nombre \xc3\xa9\0 {} \n")])), baked);
}

#[test]
fn a_png_image_that_could_mislead_is_refused() {
    let good = itxt(b"\0\0\0\0{}");
    refused(&with_chunks(&[]), &UnbakeError::NotBaked);
    refused(&with_chunks(&[good.clone(), good.clone()]), &UnbakeError::Doubled);
    let as_text = chunk(b"tEXt", b"openbadgecredential\0{}");
    refused(&with_chunks(&[good.clone(), as_text.clone()]), &UnbakeError::Doubled);
    malformed(&with_chunks(&[as_text]), "not iTXt");
    refused(&with_chunks(&[itxt(b"\x01\0\0\0x")]), &UnbakeError::Compressed);
    let as_ztxt = chunk(b"zTXt", b"openbadgecredential\0\0x");
    refused(&with_chunks(&[as_ztxt]), &UnbakeError::Compressed);
    malformed(&with_chunks(&[itxt(b"\x02\0\0\0{}")]), "compression");
    malformed(&with_chunks(&[itxt(b"\0")]), "compression");
    malformed(&with_chunks(&[itxt(b"\0\0\0{}")]), "before its text");
    malformed(&with_chunks(&[itxt(b"\0\0\0\0{\"\xff\"}")]), "UTF-8");
    malformed(&with_chunks(&[itxt(b"\0\0\0\xff\0{}")]), "UTF-8");
    malformed(&with_chunks(&[itxt(b"\0\0\0\0")]), "no badge");
    malformed(&with_chunks(&[itxt(b"\0\0\0\0https://x.example/1")]), "no badge");
    refused(&with_chunks(&[chunk(b"iTXt", b"openbadges\0\0\0\0\0{}")]), &UnbakeError::Legacy);
    // A reader of old would see another badge.
    let old = chunk(b"tEXt", b"openbadges\0https://x.example");
    refused(&with_chunks(&[old.clone(), good.clone()]), &UnbakeError::Doubled);
    refused(&with_chunks(&[good.clone(), old]), &UnbakeError::Doubled);
    let long = vec![b' '; CREDENTIAL_LIMIT - 2];
    let fits = itxt(&[b"\0\0\0\0{}", &long[..]].concat());
    assert!(unbake(&with_chunks(&[fits])).is_ok());
    let too_long = itxt(&[b"\0\0\0\0{} ", &long[..]].concat());
    refused(&with_chunks(&[too_long]), &UnbakeError::TooLarge { limit: CREDENTIAL_LIMIT });
}

#[test]
fn a_png_image_with_wrong_structure_is_refused() {
    let image = with_chunks(&[itxt(b"\0\0\0\0{}")]);
    let found = chunks(&image);
    let part = |kind: &str| {
        let (.., place) = found.iter().find(|(found, ..)| found == kind).unwrap();
        image[place.clone()].to_vec()
    };
    let build = |kinds: &[&str]| {
        let parts: Vec<u8> = kinds.iter().flat_map(|kind| part(kind)).collect();
        [&image[..8], &parts[..]].concat()
    };
    assert!(unbake(&build(&["IHDR", "PLTE", "IDAT", "iTXt", "IEND"])).is_ok());
    malformed(&build(&["iTXt", "IHDR", "IDAT", "IEND"]), "IHDR");
    malformed(&build(&["IHDR", "IHDR", "iTXt", "IDAT", "IEND"]), "IHDR");
    malformed(&build(&["IHDR", "iTXt", "IEND"]), "no pixels");
    malformed(&build(&["IHDR", "IDAT", "iTXt", "IDAT", "IEND"]), "one place");
    malformed(&build(&["IHDR", "IDAT", "iTXt"]), "end is missing");
    malformed(&build(&["IHDR", "IDAT", "IEND", "iTXt"]), "behind its end");
    malformed(&build(&[]), "end is missing");
    malformed(&[&image[..], b"x"].concat(), "behind its end");
    let full_end = chunk(b"IEND", b"x");
    malformed(&[&image[..image.len() - 12], &full_end].concat(), "behind its end");
    malformed(&with_chunks(&[chunk(b"i-Xt", b"")]), "proper name");
    for end in 8..image.len() {
        assert!(matches!(unbake(&image[..end]), Err(UnbakeError::Malformed(_))), "{end}");
    }
    for at in 8..image.len() {
        let mut altered = image.clone();
        altered[at] ^= 0x20;
        assert!(matches!(unbake(&altered), Err(UnbakeError::Malformed(_))), "{at}");
    }
    let endless = [&image[..8], &u32::MAX.to_be_bytes(), b"IHDR", &[0; 64]].concat();
    malformed(&endless, "cut short");
}

#[test]
fn an_svg_image_that_could_mislead_is_refused() {
    let svg = |inside: &str| {
        format!(
            "<svg xmlns='http://www.w3.org/2000/svg' xmlns:o='https://purl.imsglobal.org/ob/v3p0'>{inside}</svg>"
        )
    };
    let refused = |inside: &str, expected: &UnbakeError| refused(svg(inside).as_bytes(), expected);
    let malformed = |inside: &str, why: &'static str| malformed(svg(inside).as_bytes(), why);
    let jwt = "<o:credential verify='a.b.c'/>";
    let json = "<o:credential>{}</o:credential>";
    assert!(unbake(svg(jwt).as_bytes()).is_ok());
    assert!(unbake(svg(json).as_bytes()).is_ok());
    refused("", &UnbakeError::NotBaked);
    refused("<!-- <o:credential>{}</o:credential> -->", &UnbakeError::NotBaked);
    refused("<text><![CDATA[<o:credential>{}</o:credential>]]></text>", &UnbakeError::NotBaked);
    refused(&format!("{json}{json}"), &UnbakeError::Doubled);
    refused(&format!("{jwt}<g>{json}</g>"), &UnbakeError::Doubled);
    refused("<o:credential verify='a.b.c'>{}</o:credential>", &UnbakeError::Doubled);
    let legacy = "<a:assertion xmlns:a='http://openbadges.org' verify='https://x.example'/>";
    refused(legacy, &UnbakeError::Legacy);
    // A reader of old, or one that goes by the prefix alone, would see another badge.
    let undeclared = "<openbadges:credential>{}</openbadges:credential>";
    let foreign = "<g xmlns:openbadges='urn:x'><openbadges:credential verify='a.b.d'/></g>";
    refused(undeclared, &UnbakeError::NotBaked);
    for other in [legacy, undeclared, foreign] {
        refused(&format!("{other}{json}"), &UnbakeError::Doubled);
        refused(&format!("<g>{jwt}</g>{other}"), &UnbakeError::Doubled);
    }
    malformed("<o:credential/>", "no badge");
    malformed("<o:credential verify=''/>", "no badge");
    malformed("<o:credential verify='https://x.example/1'/>", "no badge");
    malformed("<o:credential verify='{}'/>", "no JWT");
    malformed("<o:credential>a.b.c</o:credential>", "attribute verify");
    malformed("<o:credential>{<o:b/>}</o:credential>", "inside of the badge");
    malformed("<o:credential verify='a.b.c' verify='a.b.d'/>", "well-formed");
    malformed("<o:credential>&nbsp;{}</o:credential>", "entity");
    malformed("<text>&xxe;</text>", "entity");
    malformed("<o:credential>{}</o:other>", "well-formed");
    malformed("<g>", "well-formed");
    malformed(&"<g>".repeat(64), "nested too deeply");
    malformed(&"<a/>".repeat(200_000), "too many");
    malformed(&"<a:credential/>".repeat(1_000), "too many");
    let attributes: String = (0..257).map(|n| format!(" a{n}=''")).collect();
    malformed(&format!("<o:credential{attributes}/>"), "too many attributes");
    let namespaces: String = (0..33).map(|n| format!(" xmlns:a{n}='urn:x'")).collect();
    malformed(&format!("<g{namespaces}/>"), "well-formed");
    let long = " ".repeat(CREDENTIAL_LIMIT);
    refused(
        &format!("<o:credential>{{{long}}}</o:credential>"),
        &UnbakeError::TooLarge { limit: CREDENTIAL_LIMIT },
    );
}

#[test]
fn a_file_that_is_no_plain_svg_document_is_refused() {
    let json = "<o:credential xmlns:o='https://purl.imsglobal.org/ob/v3p0'>{}</o:credential>";
    let svg = format!("<svg xmlns='http://www.w3.org/2000/svg'>{json}</svg>");
    assert!(unbake(svg.as_bytes()).is_ok());
    assert!(unbake(format!("\u{feff}{svg}").as_bytes()).is_ok());
    assert!(unbake(format!("<!DOCTYPE svg PUBLIC 'a' 'b'>{svg}<!-- -->\n").as_bytes()).is_ok());
    assert!(unbake(format!("<?xml version='1.0' encoding='utf-8'?>{svg}").as_bytes()).is_ok());
    malformed(format!("<?xml version='1.0' encoding='latin1'?>{svg}").as_bytes(), "UTF-8");
    malformed(format!("<!DOCTYPE svg [<!ENTITY a '{{}}'>]>{svg}").as_bytes(), "declares");
    malformed(format!("{svg}{svg}").as_bytes(), "more than one");
    malformed(format!("{svg}x").as_bytes(), "outside");
    malformed(&[svg.as_bytes(), b"\xff"].concat(), "UTF-8");
    let utf16: Vec<u8> = svg.encode_utf16().flat_map(u16::to_le_bytes).collect();
    refused(&[b"\xff\xfe", &utf16[..]].concat(), &UnbakeError::NotAnImage);
    for end in 1..svg.len() {
        assert!(unbake(&svg.as_bytes()[..end]).is_err(), "{end}");
    }
    for other in ["", "{}", "GIF89a", "<html><svg/></html>", "<svg><g/></svg>", "\u{feff}"] {
        refused(other.as_bytes(), &UnbakeError::NotAnImage);
    }
    malformed(b"<", "well-formed");
}

#[test]
fn images_have_a_largest_size() {
    let limit = UnbakeError::TooLarge { limit: IMAGE_LIMIT };
    refused(&vec![b'<'; IMAGE_LIMIT + 1], &limit);
    let fill = IMAGE_LIMIT - bake_png(&png(), &json_badge()).unwrap().len() - 12;
    let fitting = with_chunks(&[chunk(b"prVt", &vec![0; fill])]);
    let full = bake_png(&fitting, &json_badge()).unwrap();
    assert_eq!((full.len(), unbake(&full)), (IMAGE_LIMIT, Ok(json_badge())));
    let larger = with_chunks(&[chunk(b"prVt", &vec![0; fill + 1])]);
    let too_large = Err(BakeError::TooLarge { limit: IMAGE_LIMIT });
    assert_eq!(bake_png(&larger, &json_badge()), too_large);
    let svg = SVG.replace("><rect", &format!(">{}<rect", " ".repeat(IMAGE_LIMIT - SVG.len())));
    assert_eq!(svg.len(), IMAGE_LIMIT);
    assert_eq!(bake_svg(&svg, &json_badge()), Err(BakeError::TooLarge { limit: IMAGE_LIMIT }));
}

#[test]
fn only_credentials_are_baked() {
    let refused = |baked: Baked, expected: &BakeError| {
        assert_eq!(bake_png(&png(), &baked).as_ref(), Err(expected), "{baked:?}");
        assert_eq!(bake_svg(SVG, &baked).as_ref(), Err(expected), "{baked:?}");
    };
    for text in ["", "a.b", "a.b.c", "[]", " {}", "{}\n", "{\0}", "{\u{b}}", "{\"\u{ffff}\"}"] {
        refused(Baked::Json(text.to_owned()), &BakeError::NotACredential);
    }
    for text in ["", "a.b", "a..c", ".b.c", "a.b.c.d", "a.b.c\"", "a.b.ç", "{}", "a.b.c "] {
        refused(Baked::Jwt(text.to_owned()), &BakeError::NotACredential);
    }
    let too_large = BakeError::TooLarge { limit: CREDENTIAL_LIMIT };
    refused(Baked::Json(format!("{{{}}}", " ".repeat(CREDENTIAL_LIMIT))), &too_large);
    assert!(matches!(bake_png(b"GIF89a", &jwt_badge()), Err(BakeError::Image(_))));
    assert!(matches!(bake_svg("<html/>", &jwt_badge()), Err(BakeError::Image(_))));
}

/// Looking for the badge takes a time that grows with the file, and not faster.
#[test]
fn hostile_images_are_refused_within_a_second() {
    let declarations: String = (0..32).map(|n| format!(" xmlns:a{n}='u'")).collect();
    let deep = format!("<g{declarations}>").repeat(63) + &"<credential/>".repeat(190_000);
    let attributes: String = (0..300_000).map(|n| format!(" a{n}=''")).collect();
    let images = [
        with_chunks(&vec![chunk(b"tEXt", b""); 200_000]),
        with_chunks(&vec![itxt(b""); 80_000]),
        format!("<svg xmlns='http://www.w3.org/2000/svg'>{deep}").into_bytes(),
        format!("<svg xmlns='http://www.w3.org/2000/svg'{attributes}>").into_bytes(),
        format!("<svg xmlns='http://www.w3.org/2000/svg'><g {}", "<".repeat(4_000_000))
            .into_bytes(),
        format!("<svg xmlns='http://www.w3.org/2000/svg'><!--{}", "--".repeat(2_000_000))
            .into_bytes(),
    ];
    for image in images {
        let start = Instant::now();
        assert!(image.len() <= IMAGE_LIMIT, "{}", image.len());
        assert!(unbake(&image).is_err());
        let head = String::from_utf8_lossy(&image[..60]).into_owned();
        assert!(start.elapsed() < Duration::from_secs(1), "{head}: {:?}", start.elapsed());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_altered_image_gives_the_same_badge_or_none(
        at in any::<prop::sample::Index>(),
        replaced in 0..12_usize,
        new in prop::collection::vec(any::<u8>(), 0..12),
    ) {
        let image = bake_png(&png(), &json_badge()).unwrap();
        let at = at.index(image.len());
        let end = (at + replaced).min(image.len());
        let altered = [&image[..at], &new[..], &image[end..]].concat();
        // The checksums find every alteration.
        if altered != image {
            prop_assert!(unbake(&altered).is_err());
        }
        let svg = bake_svg(SVG, &jwt_badge()).unwrap();
        let at = at.min(svg.len());
        let end = (at + replaced).min(svg.len());
        // An SVG file has no checksum; the signature of the badge is one. Here it is enough that there is an answer.
        let _ = unbake(&[&svg.as_bytes()[..at], &new[..], &svg.as_bytes()[end..]].concat());
    }

    #[test]
    fn any_markup_gets_an_answer(
        pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..24),
    ) {
        let text = pieces.concat();
        // Whatever is read without complaint can be baked, and gives what was baked.
        if let Ok(image) = bake_svg(&text, &json_badge()) {
            prop_assert_eq!(unbake(image.as_bytes()), Ok(json_badge()));
        }
        let _ = unbake(text.as_bytes());
    }

    #[test]
    fn any_text_survives_in_both_kinds_of_image(text in "[^\\p{Cc}\u{fffe}\u{ffff}]{0,40}", n_ends in 0..4_usize) {
        let baked = Baked::Json(format!("{{\"a\":\"{text}{}\"}}", "]]>".repeat(n_ends)));
        prop_assert_eq!(unbake(&bake_png(&png(), &baked).unwrap()), Ok(baked.clone()));
        prop_assert_eq!(unbake(bake_svg(SVG, &baked).unwrap().as_bytes()), Ok(baked));
    }

    #[test]
    fn any_bytes_get_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(unbake(&bytes).is_err());
        prop_assert!(unbake(&[b"\x89PNG\r\n\x1a\n", &bytes[..]].concat()).is_err());
    }
}

const PIECES: [&str; 18] = [
    "<svg xmlns='http://www.w3.org/2000/svg'>",
    "<svg xmlns='http://www.w3.org/2000/svg' xmlns:openbadges='https://purl.imsglobal.org/ob/v3p0'>",
    "<svg xmlns='http://www.w3.org/2000/svg'/>",
    "</svg>",
    "<g>",
    "</g>",
    "<openbadges:credential>",
    "<openbadges:credential verify='a.b.c'/>",
    "</openbadges:credential>",
    "{}",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "&amp;",
    "&#x41;",
    "<?pi?>",
    "é",
];
