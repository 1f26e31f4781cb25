//! Files that say in every place they have whose they are.

use std::io::{Cursor, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lopdf::{Dictionary, Document, Object, Stream, dictionary};
use zip::write::SimpleFileOptions;
use zip::{DateTime, ZipWriter};

/// Whose work it is.
pub const NAME: &str = "Zora Quillfeather";
/// Where they work.
pub const SCHOOL: &str = "Marigold Primary School";
/// Their address.
pub const EMAIL: &str = "zora.quillfeather@marigold.example.org";
/// All of that.
pub const CANARIES: [&str; 3] = [NAME, SCHOOL, EMAIL];

/// What each Office document says to its readers.
pub const CONTENT: &str = "Each group spoke before the teacher did.";

const WORD: &str = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const SHEET: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const SLIDE: &str = "http://schemas.openxmlformats.org/presentationml/2006/main";
const OFFICE: &str = "application/vnd.openxmlformats-officedocument";

/// A photograph with a person, a school and an address in EXIF, in a comment and behind its end; the camera was held on its side.
const PHOTOGRAPH: &str = "/9j/4AAQSkZJRgABAQAAAQABAAD/4QBkRXhpZgAATU0AKgAAAAgAAwEOAAIAAAAYAAAAMgESAAMAAAABAAYAAAE7AAIAAAASAAAASgAAAABNYXJpZ29sZCBQcmltYXJ5IFNjaG9vbABab3JhIFF1aWxsZmVhdGhlcgD//gAoem9yYS5xdWlsbGZlYXRoZXJAbWFyaWdvbGQuZXhhbXBsZS5vcmf/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKT/wAARCAAIAAgDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAP/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFAEBAAAAAAAAAAAAAAAAAAAABP/EABQRAQAAAAAAAAAAAAAAAAAAAAD/2gAMAwEAAhEDEQA/AJABHP/Z/9ggWm9yYSBRdWlsbGZlYXRoZXIg/9k=";

/// A photograph that says in EXIF, in XMP, in a comment and behind its end whose it is.
pub fn photograph() -> Vec<u8> {
    let mut file = STANDARD.decode(PHOTOGRAPH).unwrap();
    let xmp = format!("http://ns.adobe.com/xap/1.0/\0{}", xmp());
    let mut segment = vec![0xff, 0xe1];
    segment.extend(u16::try_from(xmp.len() + 2).unwrap().to_be_bytes());
    segment.extend(xmp.into_bytes());
    // Behind the JFIF header, which is the first segment.
    let place = 4 + usize::from(u16::from_be_bytes([file[4], file[5]])) - 2 + 2;
    file.splice(place..place, segment);
    file
}

fn xmp() -> String {
    format!(
        r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><dc:creator>{NAME}</dc:creator><dc:publisher>{SCHOOL}</dc:publisher><Iptc4xmpCore:CiEmailWork>{EMAIL}</Iptc4xmpCore:CiEmailWork></x:xmpmeta>"#
    )
}

/// A picture with the canaries in plain, compressed and international text chunks, and in EXIF.
pub fn picture() -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 2, 2);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.add_text_chunk("Author".to_owned(), NAME.to_owned()).unwrap();
    encoder.add_ztxt_chunk("Source".to_owned(), format!("{SCHOOL} ").repeat(9)).unwrap();
    encoder.add_itxt_chunk("XML:com.adobe.xmp".to_owned(), xmp()).unwrap();
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[0, 80, 160, 240]).unwrap();
    writer.write_chunk(png::chunk::eXIf, EMAIL.as_bytes()).unwrap();
    writer.finish().unwrap();
    file
}

/// A page with the photograph on it, and the canaries wherever a PDF has room for them; the second save has only been appended.
pub fn page() -> Vec<u8> {
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

/// An archive as somebody's computer writes it: with the day, with comments, in this order.
pub fn archive(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let day = DateTime::from_date_and_time(2026, 9, 3, 14, 5, 6).unwrap();
    let options = SimpleFileOptions::default().last_modified_time(day);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.set_comment(format!("packed by {NAME}")).unwrap();
    for (name, content) in entries {
        archive.start_file(*name, options).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// The list of types: endings with theirs, then parts with theirs, which stand below the types of Office.
pub fn content_types(endings: &[(&str, &str)], parts: &[(&str, &str)]) -> Vec<u8> {
    let mut xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Default Extension=\"xml\" ContentType=\"application/xml\"/>".to_owned();
    for (ending, kind) in endings {
        xml += &format!("<Default Extension=\"{ending}\" ContentType=\"{kind}\"/>");
    }
    for (part, kind) in parts {
        let kind =
            if kind.contains('/') { (*kind).to_owned() } else { format!("{OFFICE}.{kind}+xml") };
        xml += &format!("<Override PartName=\"/{part}\" ContentType=\"{kind}\"/>");
    }
    (xml + "</Types>").into_bytes()
}

/// Relations: the last word of the type or the whole one, and the target; outside where it has a colon. Their ids count from `rId1`.
pub fn relations(lines: &[(&str, &str)]) -> Vec<u8> {
    let mut xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">".to_owned();
    for (number, (kind, target)) in lines.iter().enumerate() {
        let kind =
            if kind.contains(':') { (*kind).to_owned() } else { format!("{RELATIONS}/{kind}") };
        let mode = if target.contains(':') { " TargetMode=\"External\"" } else { "" };
        let id = number + 1;
        xml += &format!("<Relationship Id=\"rId{id}\" Type=\"{kind}\" Target=\"{target}\"{mode}/>");
    }
    (xml + "</Relationships>").into_bytes()
}

/// The relations of a document that has properties, a thumbnail and what else stands beside the main part.
fn root(main: &str) -> Vec<u8> {
    relations(&[
        ("officeDocument", main),
        (
            "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties",
            "docProps/core.xml",
        ),
        ("extended-properties", "docProps/app.xml"),
        ("custom-properties", "docProps/custom.xml"),
        (
            "http://schemas.openxmlformats.org/package/2006/relationships/metadata/thumbnail",
            "docProps/thumbnail.jpeg",
        ),
        (
            "http://schemas.microsoft.com/office/2020/02/relationships/classificationlabels",
            "docMetadata/LabelInfo.xml",
        ),
    ])
}

fn properties() -> Vec<(&'static str, Vec<u8>)> {
    let core = format!(
        "<cp:coreProperties xmlns:cp=\"http://schemas.openxmlformats.org/package/2006/metadata/core-properties\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><dc:creator>{NAME}</dc:creator><cp:lastModifiedBy>{EMAIL}</cp:lastModifiedBy></cp:coreProperties>"
    );
    let app = format!(
        "<Properties xmlns=\"http://schemas.openxmlformats.org/officeDocument/2006/extended-properties\"><Company>{SCHOOL}</Company><Manager>{NAME}</Manager></Properties>"
    );
    let custom = format!(
        "<Properties xmlns=\"http://schemas.openxmlformats.org/officeDocument/2006/custom-properties\" xmlns:vt=\"http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes\"><property fmtid=\"{{D5CDD505-2E9C-101B-9397-08002B2CF9AE}}\" pid=\"2\" name=\"Owner\"><vt:lpwstr>{EMAIL}</vt:lpwstr></property></Properties>"
    );
    vec![
        ("docProps/core.xml", core.into_bytes()),
        ("docProps/app.xml", app.into_bytes()),
        ("docProps/custom.xml", custom.into_bytes()),
        ("docProps/thumbnail.jpeg", photograph()),
        ("docMetadata/LabelInfo.xml", format!("<labels name=\"{SCHOOL}\"/>").into_bytes()),
        // Nothing refers to it.
        ("__MACOSX/._quillfeather", NAME.as_bytes().to_vec()),
    ]
}

const PROPERTY_TYPES: [(&str, &str); 4] = [
    ("docProps/core.xml", "application/vnd.openxmlformats-package.core-properties+xml"),
    ("docProps/app.xml", "extended-properties"),
    ("docProps/custom.xml", "custom-properties"),
    ("docMetadata/LabelInfo.xml", "application/vnd.ms-office.classificationlabels+xml"),
];
const PICTURES: [(&str, &str); 3] =
    [("jpeg", "image/jpeg"), ("jpg", "image/jpeg"), ("png", "image/png")];

/// A text with comments, tracked changes, two pictures, a template, a link, a workbook within and every kind of property.
pub fn text_document() -> Vec<u8> {
    archive(&text_document_parts())
}

/// The parts of [`text_document`].
pub fn text_document_parts() -> Vec<(&'static str, Vec<u8>)> {
    let shown = |id: u8| {
        format!(
            "<w:r><w:drawing><wp:inline><wp:extent cx=\"9525\" cy=\"9525\"/><wp:docPr id=\"{id}\" name=\"{NAME} {id}.jpg\" descr=\"C:\\Users\\{NAME}\\holiday.jpg\"/><a:graphic><a:graphicData uri=\"http://schemas.openxmlformats.org/drawingml/2006/picture\"><pic:pic><pic:nvPicPr><pic:cNvPr id=\"{id}\" name=\"{EMAIL}.jpg\" descr=\"{NAME}.jpg\"/><pic:cNvPicPr/></pic:nvPicPr><pic:blipFill><a:blip r:embed=\"rId{id}\"/></pic:blipFill><pic:spPr/></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r>"
        )
    };
    let changed = format!("w:author=\"{NAME}\" w:date=\"2026-09-03T14:05:06Z\"");
    let document = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- {NAME} --><w:document xmlns:w=\"{WORD}\" xmlns:r=\"{RELATIONS}\" xmlns:wp=\"http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing\" xmlns:a=\"http://schemas.openxmlformats.org/drawingml/2006/main\" xmlns:pic=\"http://schemas.openxmlformats.org/drawingml/2006/picture\"><w:body><w:p><w:ins w:id=\"1\" {changed}><w:r><w:t>{CONTENT}</w:t></w:r></w:ins><w:del w:id=\"2\" {changed}><w:r><w:delText>Before.</w:delText></w:r></w:del><w:commentRangeStart w:id=\"0\"/><w:r><w:rPr><w:b/><w:rPrChange w:id=\"3\" {changed}><w:rPr/></w:rPrChange></w:rPr><w:t xml:space=\"preserve\"> A &amp; B </w:t></w:r><w:commentRangeEnd w:id=\"0\"/><w:r><w:commentReference w:id=\"0\"/></w:r>{}{}<w:r><w:instrText xml:space=\"preserve\"> INCLUDEPICTURE \"C:\\\\Users\\\\{NAME}\\\\a.jpg\" </w:instrText></w:r><w:hyperlink r:id=\"rId7\"><w:r><w:t>the standard</w:t></w:r></w:hyperlink><w:hyperlink r:id=\"rId8\"><w:r><w:t>my copy</w:t></w:r></w:hyperlink></w:p><w:permStart w:id=\"9\" w:ed=\"{EMAIL}\"/><w:permEnd w:id=\"9\"/><w:sectPr><w:pgSz w:w=\"11906\" w:h=\"16838\"/></w:sectPr></w:body></w:document>",
        shown(1),
        shown(2)
    );
    let comments = format!(
        "<x:comments xmlns:x=\"{WORD}\"><x:comment x:id=\"0\" x:author=\"{NAME}\" x:initials=\"ZQ\" x:date=\"2026-09-03T14:05:06Z\"><x:p><x:r><x:t>Say more here.</x:t></x:r></x:p></x:comment></x:comments>"
    );
    let people = format!(
        "<w15:people xmlns:w15=\"http://schemas.microsoft.com/office/word/2012/wordml\"><w15:person w15:author=\"{NAME}\"><w15:presenceInfo w15:providerId=\"AD\" w15:userId=\"{EMAIL}\"/></w15:person></w15:people>"
    );
    let settings = format!(
        "<w:settings xmlns:w=\"{WORD}\" xmlns:r=\"{RELATIONS}\"><w:attachedTemplate r:id=\"rId1\"/><w:trackRevisions/><w:docVars><w:docVar w:name=\"Teacher\" w:val=\"{NAME}\"/></w:docVars></w:settings>"
    );
    let types = [
        ("word/document.xml", "wordprocessingml.document.main"),
        ("word/comments.xml", "wordprocessingml.comments"),
        ("word/settings.xml", "wordprocessingml.settings"),
        ("word/people.xml", "wordprocessingml.people"),
    ];
    let endings: Vec<(&str, &str)> = PICTURES
        .into_iter()
        .chain([("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")])
        .collect();
    let template = format!("file:///D:/Teachers/{}/school.dotx", NAME.replace(' ', "%20"));
    let mut parts = vec![
        (
            "[Content_Types].xml",
            content_types(&endings, &[types.as_slice(), &PROPERTY_TYPES].concat()),
        ),
        ("_rels/.rels", root("word/document.xml")),
        ("word/document.xml", document.into_bytes()),
        (
            "word/_rels/document.xml.rels",
            relations(&[
                ("image", "media/zora.quillfeather@marigold.example.org.jpg"),
                ("image", "/word/media/image2.PNG"),
                ("comments", "comments.xml"),
                ("settings", "settings.xml"),
                ("http://schemas.microsoft.com/office/2011/relationships/people", "people.xml"),
                ("package", "embeddings/plan.xlsx"),
                ("hyperlink", "https://example.org/standard"),
                ("hyperlink", template.as_str()),
                ("customXml", "../customXml/item1.xml"),
            ]),
        ),
        ("word/comments.xml", comments.into_bytes()),
        ("word/settings.xml", settings.into_bytes()),
        ("word/_rels/settings.xml.rels", relations(&[("attachedTemplate", &template)])),
        ("word/people.xml", people.into_bytes()),
        ("word/media/zora.quillfeather@marigold.example.org.jpg", photograph()),
        ("word/media/image2.PNG", picture()),
        ("word/embeddings/plan.xlsx", workbook()),
        ("customXml/item1.xml", format!("<p><author>{NAME}</author></p>").into_bytes()),
    ];
    parts.extend(properties());
    parts
}

/// A workbook with both kinds of comments, a printer, the path that it was saved under and every kind of property.
pub fn workbook() -> Vec<u8> {
    let book = format!(
        "<workbook xmlns=\"{SHEET}\" xmlns:r=\"{RELATIONS}\" xmlns:mc=\"http://schemas.openxmlformats.org/markup-compatibility/2006\"><fileSharing userName=\"{NAME}\"/><mc:AlternateContent><mc:Choice Requires=\"x15\" xmlns:x15=\"http://schemas.microsoft.com/office/spreadsheetml/2010/11/main\"><x15ac:absPath url=\"C:\\Users\\{NAME}\\\" xmlns:x15ac=\"http://schemas.microsoft.com/office/spreadsheetml/2010/11/ac\"/></mc:Choice></mc:AlternateContent><sheets><sheet name=\"Plan\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
    );
    let sheet = format!(
        "<worksheet xmlns=\"{SHEET}\" xmlns:r=\"{RELATIONS}\"><sheetData><row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>{CONTENT}</t></is></c></row></sheetData><scenarios><scenario name=\"more\" user=\"{NAME}\" comment=\"Created by {NAME}\"><inputCells r=\"A1\" val=\"1\"/></scenario></scenarios><pageSetup orientation=\"portrait\" r:id=\"rId1\"/></worksheet>"
    );
    let thread = "{6B4D5E0A-1111-4222-8333-444455556666}";
    let comments = format!(
        "<comments xmlns=\"{SHEET}\"><authors><author>{NAME}</author><author>tc={thread}</author></authors><commentList><comment ref=\"A1\" authorId=\"0\"><text><r><rPr><b/></rPr><t>{NAME}:</t></r><r><t xml:space=\"preserve\"> Say more.</t></r></text></comment></commentList></comments>"
    );
    let threaded = format!(
        "<ThreadedComments xmlns=\"http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments\"><threadedComment ref=\"A1\" dT=\"2026-09-03T14:05:06.00\" personId=\"{thread}\" id=\"{thread}\"><text>Again.</text></threadedComment></ThreadedComments>"
    );
    let persons = format!(
        "<personList xmlns=\"http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments\"><person displayName=\"{NAME}\" id=\"{thread}\" userId=\"S::{EMAIL}::1\" providerId=\"AD\"/></personList>"
    );
    let types = [
        ("xl/workbook.xml", "spreadsheetml.sheet.main"),
        ("xl/worksheets/sheet1.xml", "spreadsheetml.worksheet"),
        ("xl/comments1.xml", "spreadsheetml.comments"),
        (
            "xl/threadedComments/threadedComment1.xml",
            "application/vnd.ms-excel.threadedcomments+xml",
        ),
        ("xl/persons/person.xml", "application/vnd.ms-excel.person+xml"),
    ];
    let endings: Vec<(&str, &str)> = PICTURES
        .into_iter()
        .chain([(
            "bin",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.printerSettings",
        )])
        .collect();
    let mut parts = vec![
        (
            "[Content_Types].xml",
            content_types(&endings, &[types.as_slice(), &PROPERTY_TYPES].concat()),
        ),
        ("_rels/.rels", root("xl/workbook.xml")),
        ("xl/workbook.xml", book.into_bytes()),
        (
            "xl/_rels/workbook.xml.rels",
            relations(&[
                ("worksheet", "worksheets/sheet1.xml"),
                (
                    "http://schemas.microsoft.com/office/2017/10/relationships/person",
                    "persons/person.xml",
                ),
            ]),
        ),
        ("xl/worksheets/sheet1.xml", sheet.into_bytes()),
        (
            "xl/worksheets/_rels/sheet1.xml.rels",
            relations(&[
                ("printerSettings", "../printerSettings/printerSettings1.bin"),
                ("comments", "../comments1.xml"),
                (
                    "http://schemas.microsoft.com/office/2017/10/relationships/threadedComment",
                    "../threadedComments/threadedComment1.xml",
                ),
            ]),
        ),
        ("xl/comments1.xml", comments.into_bytes()),
        ("xl/threadedComments/threadedComment1.xml", threaded.into_bytes()),
        ("xl/persons/person.xml", persons.into_bytes()),
        (
            "xl/printerSettings/printerSettings1.bin",
            SCHOOL.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        ),
    ];
    parts.extend(properties());
    archive(&parts)
}

/// A presentation with both kinds of comments, a picture, the history of its changes and every kind of property.
pub fn presentation() -> Vec<u8> {
    let deck = format!(
        "<p:presentation xmlns:p=\"{SLIDE}\" xmlns:r=\"{RELATIONS}\"><p:sldIdLst><p:sldId id=\"256\" r:id=\"rId1\"/></p:sldIdLst><p:sldSz cx=\"9144000\" cy=\"6858000\"/><p:notesSz cx=\"6858000\" cy=\"9144000\"/></p:presentation>"
    );
    let slide = format!(
        "<p:sld xmlns:p=\"{SLIDE}\" xmlns:r=\"{RELATIONS}\" xmlns:a=\"http://schemas.openxmlformats.org/drawingml/2006/main\"><p:cSld><p:spTree><p:nvGrpSpPr><p:cNvPr id=\"1\" name=\"\"/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/><p:pic><p:nvPicPr><p:cNvPr id=\"4\" name=\"{NAME}\" descr=\"{SCHOOL}.png\"/><p:cNvPicPr/><p:nvPr/></p:nvPicPr><p:blipFill><a:blip r:embed=\"rId1\"/></p:blipFill><p:spPr/></p:pic><p:sp><p:nvSpPr><p:cNvPr id=\"5\" name=\"Title\" descr=\"Three learners. They share a map.\"/><p:cNvSpPr/><p:nvPr/></p:nvSpPr><p:spPr/><p:txBody><a:bodyPr/><a:p><a:r><a:t>{CONTENT}</a:t></a:r></a:p></p:txBody></p:sp></p:spTree></p:cSld></p:sld>"
    );
    let authors = format!(
        "<p:cmAuthorLst xmlns:p=\"{SLIDE}\"><p:cmAuthor id=\"1\" name=\"{NAME}\" initials=\"ZQ\" lastIdx=\"1\" clrIdx=\"0\"/></p:cmAuthorLst>"
    );
    let modern = format!(
        "<p188:authorLst xmlns:p188=\"http://schemas.microsoft.com/office/powerpoint/2018/8/main\"><p188:author id=\"{{6B4D5E0A-1111-4222-8333-444455556666}}\" name=\"{NAME}\" initials=\"ZQ\" userId=\"S::{EMAIL}::1\" providerId=\"AD\"/></p188:authorLst>"
    );
    let comments = format!(
        "<p:cmLst xmlns:p=\"{SLIDE}\"><p:cm authorId=\"1\" dt=\"2026-09-03T14:05:06.000\" idx=\"1\"><p:pos x=\"1\" y=\"1\"/><p:text>Say more.</p:text></p:cm></p:cmLst>"
    );
    let changes = format!(
        "<pc:chgInfo xmlns:pc=\"http://schemas.microsoft.com/office/powerpoint/2013/main/command\"><pc:docChgLst><pc:chgData name=\"{NAME}\" userId=\"{EMAIL}\"/></pc:docChgLst></pc:chgInfo>"
    );
    let types = [
        ("ppt/presentation.xml", "presentationml.presentation.main"),
        ("ppt/slides/slide1.xml", "presentationml.slide"),
        ("ppt/commentAuthors.xml", "presentationml.commentAuthors"),
        ("ppt/comments/comment1.xml", "presentationml.comments"),
        ("ppt/authors.xml", "application/vnd.ms-powerpoint.authors+xml"),
        ("ppt/changesInfos/changesInfo1.xml", "application/vnd.ms-powerpoint.changesinfo+xml"),
    ];
    let mut parts = vec![
        (
            "[Content_Types].xml",
            content_types(&PICTURES, &[types.as_slice(), &PROPERTY_TYPES].concat()),
        ),
        ("_rels/.rels", root("ppt/presentation.xml")),
        ("ppt/presentation.xml", deck.into_bytes()),
        (
            "ppt/_rels/presentation.xml.rels",
            relations(&[
                ("slide", "slides/slide1.xml"),
                ("commentAuthors", "commentAuthors.xml"),
                (
                    "http://schemas.microsoft.com/office/2018/10/relationships/authors",
                    "authors.xml",
                ),
                (
                    "http://schemas.microsoft.com/office/2016/11/relationships/changesInfo",
                    "changesInfos/changesInfo1.xml",
                ),
            ]),
        ),
        ("ppt/slides/slide1.xml", slide.into_bytes()),
        (
            "ppt/slides/_rels/slide1.xml.rels",
            relations(&[
                ("image", "../media/image1.png"),
                ("comments", "../comments/comment1.xml"),
            ]),
        ),
        ("ppt/media/image1.png", picture()),
        ("ppt/commentAuthors.xml", authors.into_bytes()),
        ("ppt/authors.xml", modern.into_bytes()),
        ("ppt/comments/comment1.xml", comments.into_bytes()),
        ("ppt/changesInfos/changesInfo1.xml", changes.into_bytes()),
    ];
    parts.extend(properties());
    archive(&parts)
}
