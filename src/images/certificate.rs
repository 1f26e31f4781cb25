//! A badge as a page to print: a tagged PDF that follows PDF/UA-1 (ISO 14289-1).

use std::num::NonZeroU16;
use std::sync::LazyLock;

use krilla::action::{Action, LinkAction};
use krilla::annotation::{Annotation, LinkAnnotation, Target};
use krilla::color::rgb;
use krilla::configure::{Accessibility, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::geom::{PathBuilder, Point, Rect, Size, Transform};
use krilla::image::Image;
use krilla::metadata::Metadata;
use krilla::num::NormalizedF32;
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule, Stroke};
use krilla::surface::Surface;
use krilla::tagging::{
    Artifact, ArtifactType, ContentTag, Node, SpanTag, Tag, TagGroup, TagKind, TagTree,
};
use krilla::text::{Font as PdfFont, TextDirection};
use krilla::{Document, SerializeSettings};

use super::artwork::Artwork;
use super::badge::{BadgeFace, badge_png, language_tag};
use super::drawing::DrawError;
use super::qr::Qr;
use super::text::{Font, Lines, SANS, SERIF, Widths, clean, fit_by, is_mark};

/// US letter, landscape, in points.
const PAGE: (f32, f32) = (792.0, 612.0);
/// The left edges of the two columns.
const LEFT: f32 = 66.0;
const RIGHT: f32 = 330.0;
/// How wide the columns are.
const LEFT_WIDTH: f32 = 216.0;
const RIGHT_WIDTH: f32 = 396.0;

/// From one base line to the next, in parts of the size.
const LEADING: f32 = 1.22;

const INK: (u8, u8, u8) = (0x1a, 0x28, 0x2d);
const SOFT: (u8, u8, u8) = (0x4b, 0x5a, 0x60);
const BRAND: (u8, u8, u8) = (0x17, 0x42, 0x4a);
const GOLD: (u8, u8, u8) = (0xe3, 0xc2, 0x7a);
const BROWN: (u8, u8, u8) = (0x7c, 0x5a, 0x12);
const RED: (u8, u8, u8) = (0x8a, 0x1a, 0x1a);

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Title, issuer, day of issuing, language and look.
    pub face: BadgeFace,
    /// The name of the person, where somebody who may know it asks. A public badge has none.
    pub holder: Option<String>,
    /// How the work was scored, one sentence or two.
    pub scoring: String,
    /// Why the badge does not count, if it does not.
    pub status_note: Option<String>,
    /// Where everybody can look the badge up.
    pub credential_url: String,
}

/// The certificate as one page of PDF. The same certificate gives the same bytes.
pub fn certificate_pdf(
    certificate: &Certificate,
    artwork: Option<&Artwork>,
) -> Result<Vec<u8>, DrawError> {
    let face = &certificate.face;
    let failed = |what: &str| DrawError::Document(what.to_owned());
    let configuration = ConfigurationBuilder::new()
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .map_err(|error| DrawError::Document(format!("{error:?}")))?;
    let settings =
        SerializeSettings { configuration, enable_tagging: true, ..SerializeSettings::default() };
    let mut document = Document::new_with(settings);
    let language = language_tag(&face.language);
    let title = clean(&face.title);
    document.set_metadata(
        Metadata::new()
            .title(format!("Micro-credential: {title}"))
            .authors(vec![clean(&face.issuer_name)])
            .language(language.clone())
            .document_id(certificate.credential_url.clone()),
    );
    let mut outline = Outline::new();
    outline.push_child(OutlineNode::new(
        format!("Micro-credential: {title}"),
        XyzDestination::new(0, Point::from_xy(0.0, 0.0)),
    ));
    document.set_outline(outline);

    let picture = badge_png(face, artwork, 900)?;
    let picture = Image::from_png(picture.into(), true)
        .map_err(|error| DrawError::Document(error.clone()))?;
    let qr = Qr::new(&certificate.credential_url)?;
    let page_settings =
        PageSettings::from_wh(PAGE.0, PAGE.1).ok_or_else(|| failed("the page has no size"))?;
    let mut page = document.start_page_with(page_settings);
    let (mut nodes, link_place) = draw(page.surface(), certificate, picture, &qr)?;

    let url = certificate.credential_url.clone();
    let link = LinkAnnotation::new(link_place, Target::Action(Action::Link(LinkAction::new(url))));
    let description = "The page of this badge, which tells whether it counts today".to_owned();
    let link = page.add_tagged_annotation(Annotation::new_link(link, Some(description)));
    page.finish();
    let mut tree = TagTree::new().with_lang(Some(language));
    // The words of the address are the last thing that was drawn; they and the place to click are one link.
    let address = nodes.pop().ok_or_else(|| failed("nothing was drawn"))?;
    nodes.into_iter().for_each(|node| tree.push(node));
    let mut group = TagGroup::new(Tag::Link);
    group.push(address);
    group.push(link);
    let mut paragraph = TagGroup::new(Tag::P);
    paragraph.push(group);
    tree.push(paragraph);
    document.set_tag_tree(tree);
    document.finish().map_err(|error| DrawError::Document(format!("{error:?}")))
}

/// Draws the page. Returns what its parts mean, in the order in which they are read, and the place to click.
fn draw(
    surface: Surface<'_>,
    certificate: &Certificate,
    picture: Image,
    qr: &Qr,
) -> Result<(Vec<Node>, Rect), DrawError> {
    let failed = |what: &str| DrawError::Document(what.to_owned());
    let fonts = Fonts::new().ok_or_else(|| failed("a font cannot be read"))?;
    let mut sheet = Sheet { surface, fonts, nodes: Vec::new() };
    sheet.draw_frame();
    sheet.draw_words(certificate);
    sheet.draw_picture(picture, &certificate.face);
    let (top, bottom) = sheet.draw_address(certificate, qr);
    let link_place = Rect::from_xywh(LEFT, top, LEFT_WIDTH, bottom - top)
        .ok_or_else(|| failed("the address has no place"))?;
    sheet.surface.finish();
    Ok((sheet.nodes, link_place))
}

const REGULAR: &[u8] = include_bytes!("fonts/SourceSans3-Regular.ttf");

/// A font of the page.
#[derive(Clone, Copy)]
enum Face {
    Serif,
    Sans,
    Regular,
}

impl Face {
    fn widths(self) -> &'static Widths {
        static REGULAR_WIDTHS: LazyLock<Widths> = LazyLock::new(|| Widths::of(REGULAR));
        match self {
            Face::Serif => Font::Serif.widths(),
            Face::Sans => Font::Sans.widths(),
            Face::Regular => &REGULAR_WIDTHS,
        }
    }

    fn fit(self, text: &str, width: f32, sizes: &[(f32, usize)]) -> Lines {
        let measure = |text: &str, size: f32| {
            text.chars().map(|c| self.widths().of_char(c)).sum::<f32>() * size
        };
        fit_by(text, &measure, width, sizes)
    }

    /// The text with a question mark for each character that the font does not have. The standard allows no empty boxes.
    fn drawable(self, text: &str) -> String {
        let is_private = |c: char| matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..);
        text.chars()
            .filter_map(|c| match self.widths().has(c) && !is_private(c) {
                true => Some(c),
                false if is_mark(c) => None,
                false => Some('?'),
            })
            .collect()
    }
}

/// Lines of one look.
struct Block {
    face: Face,
    lines: Lines,
    colour: (u8, u8, u8),
    /// Free space above.
    space: f32,
}

impl Block {
    fn height(&self) -> f32 {
        self.space + self.lines.lines.len() as f32 * self.lines.size * LEADING
    }
}

/// The words of the right column: what each part means, and its lines.
fn parts(certificate: &Certificate) -> Vec<(TagKind, Vec<Block>)> {
    let face = &certificate.face;
    let title = clean(&face.title);
    let block = |face: Face, text: &str, colour, space, sizes: &[(f32, usize)]| Block {
        face,
        lines: face.fit(text, RIGHT_WIDTH, sizes),
        colour,
        space,
    };
    let fact = |label: &str, face: Face, text: &str, sizes: &[(f32, usize)]| {
        let label = block(Face::Sans, label, SOFT, 13.0, &[(10.0, 1)]);
        (TagKind::from(Tag::P), vec![label, block(face, text, INK, 1.0, sizes)])
    };
    let heading = Tag::Hn(NonZeroU16::MIN, Some(format!("Micro-credential: {title}")));
    let title_sizes = [(38.0, 2), (32.0, 3), (27.0, 4), (22.0, 5)];
    let heading_blocks = vec![
        block(Face::Sans, "MICRO-CREDENTIAL", BROWN, 0.0, &[(14.0, 1)]),
        block(Face::Serif, &title, INK, 6.0, &title_sizes),
    ];
    let holder = certificate.holder.as_deref().map(clean).filter(|name| !name.is_empty());
    let holder = holder.unwrap_or_else(|| "The holder of this badge".to_owned());
    let issuer = clean(&face.issuer_name);
    let mut awarded = fact("Awarded to", Face::Serif, &holder, &[(25.0, 1), (20.0, 2)]);
    if let Some(label) = awarded.1.first_mut() {
        label.space += 9.0;
    }
    let mut parts = vec![
        (heading.into(), heading_blocks),
        awarded,
        fact("Issued by", Face::Sans, &issuer, &[(15.0, 1), (13.0, 2)]),
    ];
    if let Some(day) = &face.issued_on {
        parts.push(fact("Date", Face::Sans, &clean(day), &[(15.0, 1)]));
    }
    let scoring_sizes = [(12.0, 3), (10.5, 4), (9.0, 6)];
    let scoring = clean(&certificate.scoring);
    parts.push(fact("How it was scored", Face::Regular, &scoring, &scoring_sizes));
    if let Some(note) = &certificate.status_note {
        let note = block(Face::Sans, &clean(note), RED, 14.0, &[(13.0, 2), (11.0, 3)]);
        parts.push((Tag::P.into(), vec![note]));
    }
    parts
}

struct Fonts {
    serif: PdfFont,
    sans: PdfFont,
    regular: PdfFont,
}

impl Fonts {
    fn new() -> Option<Fonts> {
        Some(Fonts {
            serif: PdfFont::new(SERIF.into(), 0)?,
            sans: PdfFont::new(SANS.into(), 0)?,
            regular: PdfFont::new(REGULAR.into(), 0)?,
        })
    }

    fn of(&self, face: Face) -> PdfFont {
        match face {
            Face::Serif => self.serif.clone(),
            Face::Sans => self.sans.clone(),
            Face::Regular => self.regular.clone(),
        }
    }
}

/// A page while it is drawn, with what its parts mean, in the order in which they are read.
struct Sheet<'a> {
    surface: Surface<'a>,
    fonts: Fonts,
    nodes: Vec<Node>,
}

impl Sheet<'_> {
    /// A border with the cut corners of the shield.
    fn draw_frame(&mut self) {
        let artifact = Artifact::with_kind(ArtifactType::Layout);
        self.surface.start_tagged(ContentTag::Artifact(artifact));
        self.surface.set_fill(None);
        for (inset, width, colour) in [(24.0, 3.0, BRAND), (31.0, 1.0, GOLD)] {
            self.surface.set_stroke(Some(stroke(colour, width)));
            let (right, bottom, cut) = (PAGE.0 - inset, PAGE.1 - inset, 26.0);
            let mut path = PathBuilder::new();
            path.move_to(inset + cut, inset);
            for (x, y) in [
                (right - cut, inset),
                (right, inset + cut),
                (right, bottom - cut),
                (right - cut, bottom),
                (inset + cut, bottom),
                (inset, bottom - cut),
                (inset, inset + cut),
            ] {
                path.line_to(x, y);
            }
            path.close();
            if let Some(path) = path.finish() {
                self.surface.draw_path(&path);
            }
        }
        self.surface.set_stroke(None);
        self.surface.end_tagged();
    }

    fn draw_words(&mut self, certificate: &Certificate) {
        let parts = parts(certificate);
        let height: f32 = parts.iter().flat_map(|(_, lines)| lines).map(Block::height).sum();
        let mut y = ((PAGE.1 - height) / 2.0).max(70.0);
        for (tag, blocks) in parts {
            let mut group = TagGroup::new(tag);
            for block in blocks {
                y += block.space;
                self.draw_lines(&mut group, &block, (RIGHT, &mut y), " ");
            }
            self.push(group);
        }
    }

    fn draw_picture(&mut self, picture: Image, face: &BadgeFace) {
        let (width, height) = picture.size();
        let scale = LEFT_WIDTH / width.max(height) as f32;
        let (width, height) = (width as f32 * scale, height as f32 * scale);
        let place = (LEFT + (LEFT_WIDTH - width) / 2.0, 88.0 + (LEFT_WIDTH - height) / 2.0);
        let id = self.surface.start_tagged(ContentTag::Other);
        if let Some(size) = Size::from_wh(width, height) {
            self.surface.push_transform(&Transform::from_translate(place.0, place.1));
            self.surface.draw_image(picture, size);
            self.surface.pop();
        }
        self.surface.end_tagged();
        let mut figure = TagGroup::new(Tag::Figure(Some(face.alternative())));
        figure.push(id);
        self.push(figure);
    }

    /// The code, and the address in letters; returns where the address begins and ends.
    fn draw_address(&mut self, certificate: &Certificate, qr: &Qr) -> (f32, f32) {
        let (side, top) = (108.0, 336.0);
        let left = LEFT + (LEFT_WIDTH - side) / 2.0;
        let id = self.surface.start_tagged(ContentTag::Other);
        self.surface.set_fill(Some(fill((0, 0, 0))));
        let unit = side / qr.side() as f32;
        let mut path = PathBuilder::new();
        for &(x, y, length) in qr.runs() {
            let place = (left + x as f32 * unit, top + y as f32 * unit);
            if let Some(run) = Rect::from_xywh(place.0, place.1, length as f32 * unit, unit) {
                path.push_rect(run);
            }
        }
        if let Some(path) = path.finish() {
            self.surface.draw_path(&path);
        }
        self.surface.end_tagged();
        let alternative = format!("QR code of the address {}", clean(&certificate.credential_url));
        let mut figure = TagGroup::new(Tag::Figure(Some(alternative)));
        figure.push(id);
        self.push(figure);

        let mut y = top + side + 14.0;
        let words = "This page is a copy. Whether the badge counts today, and what was done for it, is told at:";
        let lines = Face::Regular.fit(words, LEFT_WIDTH, &[(10.0, 3)]);
        let block = Block { face: Face::Regular, lines, colour: SOFT, space: 0.0 };
        let mut paragraph = TagGroup::new(Tag::P);
        self.draw_lines(&mut paragraph, &block, (LEFT, &mut y), " ");
        self.push(paragraph);
        y += 3.0;
        let start = y;
        let url = clean(&certificate.credential_url);
        let lines = Face::Sans.fit(&url, LEFT_WIDTH, &[(10.0, 2), (9.0, 4), (7.0, 9)]);
        let block = Block { face: Face::Sans, lines, colour: BRAND, space: 0.0 };
        let mut address = TagGroup::new(Tag::Span);
        // An address stays one word where it is copied.
        self.draw_lines(&mut address, &block, (LEFT, &mut y), "");
        self.nodes.push(address.into());
        (start, y)
    }

    fn push(&mut self, group: TagGroup) {
        if !group.children.is_empty() {
            self.nodes.push(group.into());
        }
    }

    /// Draws lines below each other, each as a piece of the group and with this end, and moves `y` below them.
    fn draw_lines(
        &mut self,
        group: &mut TagGroup,
        block: &Block,
        (x, y): (f32, &mut f32),
        end: &str,
    ) {
        let size = block.lines.size;
        let font = self.fonts.of(block.face);
        self.surface.set_fill(Some(fill(block.colour)));
        for line in &block.lines.lines {
            *y += size * LEADING;
            let drawn = block.face.drawable(line);
            // Where a character is missing, whoever copies or hears the text still gets it.
            let actual = format!("{line}{end}");
            let actual = (drawn != *line).then_some(actual.as_str());
            let tag = ContentTag::Span(SpanTag::empty().with_actual_text(actual));
            let id = self.surface.start_tagged(tag);
            let base_line = Point::from_xy(x, *y - size * 0.28);
            let drawn = drawn + end;
            self.surface.draw_text(
                base_line,
                font.clone(),
                size,
                &drawn,
                false,
                TextDirection::Auto,
            );
            self.surface.end_tagged();
            group.push(id);
        }
    }
}

fn fill((red, green, blue): (u8, u8, u8)) -> Fill {
    Fill {
        paint: rgb::Color::new(red, green, blue).into(),
        opacity: NormalizedF32::ONE,
        rule: FillRule::NonZero,
    }
}

fn stroke((red, green, blue): (u8, u8, u8), width: f32) -> Stroke {
    Stroke { paint: rgb::Color::new(red, green, blue).into(), width, ..Stroke::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(certificate: &Certificate) -> Vec<String> {
        let blocks = parts(certificate).into_iter().flat_map(|(_, blocks)| blocks);
        blocks.map(|block| block.lines.lines.join(" ")).collect()
    }

    #[test]
    fn the_holder_is_named_only_where_the_name_is_given() {
        let mut certificate = Certificate {
            face: BadgeFace {
                title: "Students as Leaders".to_owned(),
                issuer_name: "Example District".to_owned(),
                fingerprint: String::new(),
                language: "en".to_owned(),
                issued_on: Some("21 November 2026".to_owned()),
            },
            holder: None,
            scoring: "Two readers, blind.".to_owned(),
            status_note: Some("Revoked.".to_owned()),
            credential_url: "https://badges.example.org/credentials/1".to_owned(),
        };
        let expected = [
            "MICRO-CREDENTIAL",
            "Students as Leaders",
            "Awarded to",
            "The holder of this badge",
            "Issued by",
            "Example District",
            "Date",
            "21 November 2026",
            "How it was scored",
            "Two readers, blind.",
            "Revoked.",
        ];
        assert_eq!(words(&certificate), expected);
        certificate.holder = Some("  ".to_owned());
        assert_eq!(words(&certificate), expected);
        certificate.holder = Some("María Núñez".to_owned());
        assert_eq!(words(&certificate)[3], "María Núñez");
    }

    #[test]
    fn characters_without_a_glyph_are_replaced_and_marks_left_out() {
        assert_eq!(Face::Regular.drawable("Ño 山\u{200d}\u{e000}"), "Ño ??");
    }
}
