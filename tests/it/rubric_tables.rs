//! Rubrics that lie in a table: CSV and Word documents become the criteria of a draft, or each cell that cannot be read is said.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::canaries::{archive, content_types, relations};
use crate::harness::{Answer, District, TestApp, definition};

const GOOD: &str = "Criterion,Not yet,Demonstrated,Extended,Evidence,Essential,Pass level\r\n\
    \"Planned, with the teacher\",No plan.,\"A plan of \"\"both\"\".\",A plan that foresees.,a1,yes,Demonstrated\r\n\
    Every learner takes part,Some never speak.,Everybody speaks.,They answer one another.,\"a2; a3\",no,1\r\n\
    Hands back,General remarks.,For each learner.,It led to a change.,a3,,\r\n";

struct Scene {
    app: TestApp,
    district: District,
    version: String,
}

impl Scene {
    fn new() -> Scene {
        let app = TestApp::new();
        let district = app.district();
        let body = json!({ "organization_id": district.id, "definition": definition("mc-ia-small-group-support") });
        let draft = district.designers[0].post("/api/v1/micro-credentials", &body).expect(201);
        let version =
            format!("/api/v1/micro-credentials/{}/versions/1", draft["id"].as_str().unwrap());
        Scene { app, district, version }
    }

    fn send(&self, file: impl Into<reqwest::blocking::Body>) -> Answer {
        let designer = &self.district.designers[1];
        let etag = designer.get(&self.version).etag();
        let path = format!("{}/rubric-table", self.version);
        designer.send(designer.request(Method::PUT, &path).header("if-match", etag).body(file))
    }
}

/// Something that is published.
fn published(district: &District) -> String {
    let mut other = definition("mc-ia-small-group-support");
    other["id"] = json!("mc-published");
    district.publish(&other)
}

fn criteria(version: &Value) -> Vec<Value> {
    version["definition"]["submission"]["part2"]["criteria"].as_array().unwrap().clone()
}

/// A Word document with these tables, each given as its rows.
fn document(body: &str) -> Vec<u8> {
    let word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
    let document = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><w:document xmlns:w=\"{word}\"><w:body><w:p><w:r><w:t>Our rubric</w:t></w:r></w:p>{body}</w:body></w:document>"
    );
    archive(&[
        (
            "[Content_Types].xml",
            content_types(&[], &[("word/document.xml", "wordprocessingml.document.main")]),
        ),
        ("_rels/.rels", relations(&[("officeDocument", "word/document.xml")])),
        ("word/document.xml", document.into_bytes()),
    ])
}

fn table(rows: &[&[&str]]) -> String {
    let cell =
        |text: &&str| format!("<w:tc><w:tcPr/><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc>");
    let row =
        |cells: &&[&str]| format!("<w:tr>{}</w:tr>", cells.iter().map(cell).collect::<String>());
    format!("<w:tbl>{}</w:tbl>", rows.iter().map(row).collect::<String>())
}

#[test]
fn csv_becomes_the_criteria_of_a_draft_and_everything_else_stays() {
    let scene = Scene::new();
    let before = scene.district.designers[0].get(&scene.version).expect(200);
    let changed = scene.send(GOOD).expect(200);
    let found = criteria(&changed);
    assert_eq!(found.len(), 3);
    assert_eq!(
        found[0],
        json!({
            "id": "c1", "title": "Planned, with the teacher", "evidence": ["a1"], "pass_level": 1, "essential": true,
            "levels": [
                { "level": 0, "label": "Not yet", "descriptor": "No plan." },
                { "level": 1, "label": "Demonstrated", "descriptor": "A plan of \"both\"." },
                { "level": 2, "label": "Extended", "descriptor": "A plan that foresees." },
            ],
        })
    );
    assert_eq!((&found[1]["evidence"], &found[1]["pass_level"]), (&json!(["a2", "a3"]), &json!(1)));
    // What the table does not say is left for the authors, and publishing asks for it.
    assert_eq!((&found[2]["pass_level"], &found[2]["essential"]), (&json!(0), &json!(false)));
    for part in ["part1", "part3"] {
        assert_eq!(
            changed["definition"]["submission"][part],
            before["definition"]["submission"][part]
        );
    }
    let path = format!("{}/rubric-table", scene.version);
    let designer = &scene.district.designers[0];
    let request =
        |etag: &str| designer.request(Method::PUT, &path).header("if-match", etag).body(GOOD);
    assert_eq!(designer.send(request("\"1\"")).problem(), "stale");
    let without = designer.send(designer.request(Method::PUT, &path).body(GOOD));
    assert_eq!(without.problem(), "precondition-required");
    let earner = &scene.district.earner;
    let refused =
        earner.send(earner.request(Method::PUT, &path).header("if-match", "\"1\"").body(GOOD));
    assert_eq!(refused.problem(), "not-found");
    let family = published(&scene.district);
    let path = format!("/api/v1/micro-credentials/{family}/versions/1/rubric-table");
    let refused =
        designer.send(designer.request(Method::PUT, &path).header("if-match", "\"1\"").body(GOOD));
    assert_eq!(refused.problem(), "wrong-state");
    assert!(scene.app.audit_events() > 0);
}

#[test]
fn first_table_of_a_word_document_becomes_the_criteria() {
    let scene = Scene::new();
    let rubric = table(&[
        &["Criterion", "Not yet", "Demonstrated", "Evidence"],
        &["Planned &amp; agreed", "No plan.", "A plan of &#8220;both&#8221;.", "a1"],
        &["Takes part", "Some never speak.", "Everybody speaks.", "a2"],
        &["Hands back", "General remarks.", "For each learner.", "a3"],
    ]);
    let second = table(&[&["Something", "else"]]);
    let changed = scene.send(document(&format!("{rubric}{second}"))).expect(200);
    let found = criteria(&changed);
    assert_eq!(found.len(), 3);
    assert_eq!(found[0]["title"], "Planned & agreed");
    assert_eq!(found[0]["levels"][1]["descriptor"], "A plan of “both”.");
    assert_eq!(found[2]["evidence"], json!(["a3"]));
}

#[test]
fn every_cell_that_cannot_be_read_is_said_with_its_place() {
    let scene = Scene::new();
    let before = scene.district.designers[0].get(&scene.version).expect(200);
    let faults = |file: Vec<u8>| {
        let refused = scene.send(file);
        assert_eq!(refused.status, 422, "{refused:?}");
        refused.faults()
    };
    let fault = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());
    let csv = "Criterion,Not yet,Demonstrated,Evidence,Essential,Pass level\n\
        ,No plan.,A plan.,a1,yes,1\n\
        Takes part,,Everybody speaks.,a9 a1,perhaps,Extended\n\
        Hands back,General.,Each.,a3,no,1,more\n";
    assert_eq!(
        faults(csv.into()),
        [
            fault("/rows/2/cells/1", "blank"),
            fault("/rows/3/cells/2", "blank"),
            fault("/rows/3/cells/4", "unknown-evidence"),
            fault("/rows/3/cells/5", "not-yes-or-no"),
            fault("/rows/3/cells/6", "unknown-level"),
            fault("/rows/4/cells/7", "surplus-cell"),
        ]
    );
    let merged = "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>Criterion</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>Not yet</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>Demonstrated</w:t></w:r></w:p></w:tc></w:tr><w:tr><w:tc><w:p><w:r><w:t>Plans</w:t></w:r></w:p></w:tc><w:tc><w:tcPr><w:gridSpan w:val=\"2\"/></w:tcPr><w:p><w:r><w:t>Both</w:t></w:r></w:p></w:tc></w:tr><w:tr><w:tc><w:p><w:r><w:t>Speaks</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>No</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:drawing/></w:r></w:p></w:tc></w:tr></w:tbl>";
    let found = faults(document(merged));
    assert!(found.contains(&fault("/rows/2/cells/2", "unreadable-cell")), "{found:?}");
    assert!(found.contains(&fault("/rows/3/cells/3", "unreadable-cell")), "{found:?}");
    // What only a definition refuses is said at its cell too.
    let long = format!("Criterion,Not yet,Demonstrated\n{},No.,Yes.\n", "x".repeat(201));
    assert_eq!(faults(long.into()), [fault("/rows/2/cells/1", "too_long")]);
    assert_eq!(faults(b"Criterion,Only one\nx,y\n".to_vec())[0].1, "levels");
    assert_eq!(faults(b"Criterion,A,a\nx,y,z\n".to_vec())[0].1, "repeated");
    assert_eq!(faults(Vec::new())[0].1, "rows");
    assert_eq!(faults(b"a,\"b\n".to_vec())[0].1, "not-a-table");
    // What is no table at all, and what would be too much.
    for file in [
        b"\xff\xfe".to_vec(),
        b"PK\x03\x04 no archive".to_vec(),
        document("<w:p/>"),
        document(&"<w:tbl>".repeat(50_000)),
    ] {
        assert_eq!(scene.send(file).problem(), "unsupported-type");
    }
    assert_eq!(scene.send(vec![b'x'; 4 * 1024 * 1024 + 1]).problem(), "too-large");
    let after = scene.district.designers[0].get(&scene.version).expect(200);
    assert_eq!(before, after);
}
