//! Packages from outside that are broken, changed, made up or made to hurt: each gets a clear problem, and nothing is kept of it.

use assay::domain::ids::OrganizationId;
use assay::service::statements::{Signer, StatementKind};
use serde_json::{Value, json};

use super::{export, harbour, small_group, wanted};
use crate::harness::{Answer, BASE_URL, District, TestApp};

struct Scene {
    app: TestApp,
    riverbend: District,
    harbour: District,
    signed: Value,
}

impl Scene {
    fn new() -> Scene {
        let app = TestApp::new();
        let (riverbend, harbour) = (app.district(), harbour(&app));
        let family = riverbend.publish(&small_group());
        let signed = export(&riverbend, &wanted(&family, &[]));
        Scene { app, riverbend, harbour, signed }
    }

    /// A package signed by the first district, whatever it says: a signature is no seal of quality.
    fn sign(&self, kind: StatementKind, package: &Value) -> Value {
        let organization: OrganizationId = self.riverbend.id.parse().unwrap();
        let signature = self
            .app
            .resources
            .as_system(|cx| Signer::of(cx, organization)?.sign(cx.resources, kind, package));
        json!({ "package": package, "signature": signature.unwrap() })
    }

    /// The package with something changed, signed anew.
    fn changed(&self, change: impl Fn(&mut Value)) -> Value {
        let mut package = self.signed["package"].clone();
        change(&mut package);
        self.sign(StatementKind::Template, &package)
    }

    fn send(&self, text: String) -> Answer {
        let path = format!("/api/v1/organizations/{}/templates", self.harbour.id);
        let request = self.harbour.designers[0].request(reqwest::Method::POST, &path);
        let answer = self.harbour.designers[0]
            .send(request.header("content-type", "application/json").body(text));
        assert!(answer.status >= 400, "{answer:?}");
        answer
    }

    #[track_caller]
    fn refuse(&self, what: &str, body: &Value, pointer: &str, code: &str) {
        let answer = self.send(body.to_string());
        assert_eq!(answer.problem(), "invalid", "{what}");
        let fault = (pointer.to_owned(), code.to_owned());
        assert!(answer.faults().contains(&fault), "{what}: {:?}", answer.json);
    }

    /// Nothing has come of it all.
    fn check_nothing_kept(&self) {
        let list = format!("/api/v1/organizations/{}/templates", self.harbour.id);
        assert_eq!(self.harbour.designers[0].get(&list).expect(200)["items"], json!([]));
    }
}

#[test]
fn package_that_is_not_what_was_signed_is_refused() {
    let scene = Scene::new();
    let mut touched = scene.signed.clone();
    touched["package"]["definitions"][0]["definition"]["summary"] = json!("Better.");
    scene.refuse("a changed word", &touched, "/signature", "bad-signature");
    let mut renamed = scene.signed.clone();
    renamed["package"]["issuer"] = json!(format!("{BASE_URL}/issuers/{}", scene.harbour.id));
    scene.refuse("another issuer", &renamed, "/signature", "unknown-key");
    let signature = scene.signed["signature"].as_str().unwrap().to_owned();
    let with =
        |signature: &str| json!({ "package": scene.signed["package"], "signature": signature });
    let [header, value] = signature.split("..").collect::<Vec<_>>()[..] else { panic!() };
    for (what, text, code) in [
        ("no signature", String::new(), "bad-signature"),
        ("words", "signed by us".to_owned(), "bad-signature"),
        ("a header alone", format!("{header}.."), "bad-signature"),
        ("an attached payload", format!("{header}.e30.{value}"), "bad-signature"),
        ("another signature", format!("{header}..{}", "A".repeat(86)), "bad-signature"),
        ("a long signature", format!("{header}..{}", "A".repeat(100_000)), "bad-signature"),
    ] {
        scene.refuse(what, &with(&text), "/signature", code);
    }
    // A signature over another kind of statement is worth nothing here.
    let other = scene.sign(StatementKind::Endorsement, &scene.signed["package"]);
    scene.refuse("another kind", &other, "/signature", "bad-signature");
    for issuer in [
        "https://badges.example.org/keys/../issuers/x",
        "https://harbour.example.org/issuers/01900000-0000-7000-8000-000000000000",
        "file:///etc/passwd",
        "http://127.0.0.1/issuers/01900000-0000-7000-8000-000000000000",
    ] {
        let mut elsewhere = scene.signed.clone();
        elsewhere["package"]["issuer"] = json!(issuer);
        scene.refuse(issuer, &elsewhere, "/signature", "not-of-issuer");
    }
    // Neither is a key that was given up.
    let keys = format!("/api/v1/organizations/{}/signing-keys", scene.riverbend.id);
    let key = scene.riverbend.custodian.get(&keys).expect(200)["items"][0]["id"].clone();
    let path = format!("{keys}/{}/compromise", key.as_str().unwrap());
    scene.riverbend.custodian.act(&path).expect(200);
    scene.refuse("a key that was given up", &scene.signed, "/signature", "unknown-key");
    scene.check_nothing_kept();
}

#[test]
fn package_in_the_wrong_shape_is_refused_with_its_place() {
    let scene = Scene::new();
    let package = scene.signed["package"].clone();
    let signed = scene.signed.to_string();
    for (what, text, status, code) in [
        ("empty", String::new(), 400, "malformed"),
        ("half", signed[..signed.len() / 2].to_owned(), 400, "malformed"),
        ("a list", "[]".to_owned(), 422, "invalid"),
        ("deep beyond reading", format!("{{\"package\":{}", "[".repeat(500_000)), 400, "malformed"),
        ("huge", format!("{{\"package\":\"{}\"}}", "x".repeat(2 * 1024 * 1024)), 413, "too-large"),
    ] {
        let answer = scene.send(text);
        assert_eq!((answer.status, answer.problem().as_str()), (status, code), "{what}");
    }
    let faults = |text: String| scene.send(text).faults();
    let fault = |pointer: &str, code: &str| vec![(pointer.to_owned(), code.to_owned())];
    let twice = signed.replacen("\"signature\"", "\"signature\":\"x\",\"signature\"", 1);
    assert_eq!(faults(twice), fault("", "repeated-member"));
    let inner = signed.replacen("\"competency\"", "\"competency\":\"x\",\"competency\"", 1);
    assert_eq!(faults(inner), fault("", "repeated-member"));
    let deep = format!("{{\"package\":{}{}}}", "[".repeat(40), "]".repeat(40));
    assert_eq!(faults(deep), fault("", "too-deep"));
    let many = format!("{{\"package\":[{}0]}}", "0,".repeat(70_000));
    assert_eq!(faults(many), fault("", "too-many-values"));
    assert_eq!(faults("{}".to_owned()), fault("/package", "missing-field"));
    assert_eq!(
        faults(json!({ "package": package }).to_string()),
        fault("/signature", "missing-field")
    );
    let more = json!({ "package": package, "signature": "x", "keys/~": [] });
    assert_eq!(faults(more.to_string()), fault("/keys~1~0", "unknown-field"));
    let nobody = json!({ "package": {}, "signature": "x" });
    assert_eq!(faults(nobody.to_string()), fault("/package/issuer", "missing-field"));
    scene.check_nothing_kept();
}

#[test]
fn package_that_was_signed_and_is_wrong_is_refused_with_every_fault() {
    let scene = Scene::new();
    let first = "/package/definitions/0";
    let cases: [(&str, Value, String, &str); 14] = [
        (
            "unknown member",
            scene.changed(|p| p["keys"] = json!([])),
            "/package/keys".to_owned(),
            "unknown-field",
        ),
        (
            "papers",
            scene.changed(|p| p["definitions"][0]["papers"] = json!([])),
            format!("{first}/papers"),
            "unknown-field",
        ),
        (
            "another form",
            scene.changed(|p| p["format"] = json!("assay-template/9")),
            "/package/format".to_owned(),
            "unknown-format",
        ),
        (
            "no title",
            scene.changed(|p| p["title"] = json!(" ")),
            "/package/title".to_owned(),
            "line",
        ),
        (
            "no definitions",
            scene.changed(|p| p["definitions"] = json!([])),
            "/package/definitions".to_owned(),
            "definitions",
        ),
        (
            "one twice",
            scene.changed(|p| {
                let one = p["definitions"][0].clone();
                p["definitions"].as_array_mut().unwrap().push(one);
            }),
            "/package/definitions/1/definition/id".to_owned(),
            "repeated-id",
        ),
        (
            "too many",
            scene.changed(|p| {
                let one = p["definitions"][0].clone();
                p["definitions"] = json!(vec![one; 26]);
            }),
            "/package/definitions".to_owned(),
            "definitions",
        ),
        (
            "an id that is a path",
            scene.changed(|p| p["definitions"][0]["definition"]["id"] = json!("../../etc/passwd")),
            format!("{first}/definition/id"),
            "bad_text",
        ),
        (
            "another text than its hash",
            scene.changed(|p| p["definitions"][0]["definition"]["title"] = json!("Other")),
            format!("{first}/lineage"),
            "hash-mismatch",
        ),
        (
            "a lineage made longer",
            scene.changed(|p| {
                let link = p["definitions"][0]["lineage"][0].clone();
                p["definitions"][0]["lineage"].as_array_mut().unwrap().insert(0, link);
            }),
            format!("{first}/lineage"),
            "lineage-broken",
        ),
        (
            "no lineage",
            scene.changed(|p| p["definitions"][0]["lineage"] = json!([])),
            format!("{first}/lineage"),
            "lineage-broken",
        ),
        (
            "locked nothing",
            scene.changed(|p| p["definitions"][0]["locked"] = json!(["/nowhere"])),
            format!("{first}/locked/0"),
            "unknown-field",
        ),
        (
            "known papers",
            scene.changed(|p| {
                p["definitions"][0]["training"] = json!([{ "kind": "seed", "papers": 3 }]);
            }),
            format!("{first}/training/0/kind"),
            "unknown-word",
        ),
        (
            "a charter that is none",
            scene.changed(|p| p["charter"] = json!({ "kind": "pilot_charter" })),
            "/package/charter/id".to_owned(),
            "missing_field",
        ),
    ];
    for (what, body, pointer, code) in &cases {
        scene.refuse(what, body, pointer, code);
    }
    scene.check_nothing_kept();
}
