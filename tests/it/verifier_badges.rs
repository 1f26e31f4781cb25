//! Badges in every form, state and kind of issuer: our own verifier gives each the right verdict, and the folder that is left behind,
//! `target/tmp/verifier-badges`, is what the independent verifiers of `tests/verifier` are asked about.
//!
//! `index.json` there names the badges with the verdict that a stranger should come to, every public document as the service answered it,
//! and the combinations that there are not, with the reason.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use assay::domain::organization::OrganizationKind;
use assay::service::housekeeping;
use assay::service::installation::{NewInstallation, initialize};
use assay::service::verification;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::harness::{BASE_URL, District, PASSWORD, Person, TestApp, TestSettings, definition};
use crate::stacks::publish_stack;

/// How badges are issued.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Kind {
    identifier: &'static str,
    algorithm: &'static str,
    status_method: &'static str,
}

const TWO_ENTRIES: &str = "bitstring_with_suspension";
const ONE_ENTRY: &str = "bitstring";

const fn kind(
    identifier: &'static str,
    algorithm: &'static str,
    status_method: &'static str,
) -> Kind {
    Kind { identifier, algorithm, status_method }
}

/// Every kind of issuer with every algorithm that it can have, and the setting with which installations begin.
const KINDS: [Kind; 8] = [
    kind("https", "RS256", TWO_ENTRIES),
    kind("https", "ES256", TWO_ENTRIES),
    kind("https", "EdDSA", TWO_ENTRIES),
    kind("did_web", "RS256", TWO_ENTRIES),
    kind("did_web", "ES256", TWO_ENTRIES),
    kind("did_web", "EdDSA", TWO_ENTRIES),
    kind("did_key", "EdDSA", TWO_ENTRIES),
    kind("https", "RS256", ONE_ENTRY),
];

/// How the badges of stacks are issued: as installations begin.
const STACKS: Kind = KINDS[0];

/// What there is not, and why: told to whoever looks for it in the index.
fn left_out() -> Value {
    json!([
        {"identifier": "did_key", "algorithm": ["RS256", "ES256"],
         "reason": "a did:key is its one Ed25519 key, so nothing else can sign in its name; the settings refuse it"},
        {"form": ["png", "svg"], "algorithm": ["RS256", "ES256", "EdDSA"],
         "reason": "the service bakes the document with its embedded proof; it bakes no JWT"},
        {"form": ["json", "png", "svg"], "algorithm": ["RS256", "ES256"],
         "reason": "an embedded proof is eddsa-rdfc-2022, whatever signs the JWTs"},
        {"status_method": ["revocation_list"],
         "reason": "Digital Bazaar's libraries do not know 1EdTechRevocationList; our own verifier is tested with it"},
        {"status_method": ["bitstring"], "verdict": ["suspended"],
         "reason": "with one entry a suspended award shows as revoked until it is reinstated"},
        {"basis": ["stack"], "identifier": ["did_web", "did_key"], "algorithm": ["ES256", "EdDSA"],
         "reason": "the badge of a stack differs in what it says, not in how it is signed"},
    ])
}

/// An award that was made for the folder.
struct Made {
    kind: Kind,
    id: String,
    /// What became of it, in our words.
    state: &'static str,
    /// Whether the keys that signed it have been retired since.
    is_key_retired: bool,
}

impl Made {
    /// What a stranger sees of the state.
    fn verdict(&self) -> &'static str {
        match (self.state, self.kind.status_method) {
            ("suspended", ONE_ENTRY) => "revoked",
            (state, _) => state,
        }
    }
}

/// A micro-credential that one reader decides, of which any number may be published.
fn one_reader(number: usize, months: Option<u32>) -> Value {
    let mut definition = definition("mc-ia-small-group-support");
    definition["id"] = format!("mc-small-group-{number}").into();
    definition["validity"] = json!({ "expires_after_months": months, "renewal": null });
    definition["review_policy"]["second_score_when_not_yet"] = json!(false);
    definition
}

/// An installation that was set up more than a year ago, with everybody in it.
fn old_installation() -> (TestApp, District) {
    let app = TestApp::with(TestSettings { is_bare: true, ..TestSettings::default() });
    app.advance(-age());
    let new = NewInstallation {
        organization: "Riverbend District".to_owned(),
        kind: OrganizationKind::District,
        name: "Admin".to_owned(),
        email: "admin@example.org".to_owned(),
        password: PASSWORD.to_owned(),
        base_url: BASE_URL.to_owned(),
        is_demo: false,
    };
    app.resources.as_system(|cx| initialize(cx, &new)).unwrap();
    let district = app.district();
    (app, district)
}

fn age() -> TimeDelta {
    TimeDelta::days(400)
}

/// The same people today: what they were given to sign in with has ended long ago.
fn come_back(app: &TestApp, district: District) -> District {
    app.advance(age());
    let again = |person: &Person| app.sign_in(&person.email);
    District {
        admin: again(&district.admin),
        officer: again(&district.officer),
        custodian: again(&district.custodian),
        designers: [again(&district.designers[0]), again(&district.designers[1])],
        assessor: again(&district.assessor),
        earner: again(&district.earner),
        ..district
    }
}

/// Sets how the district issues from now on.
#[track_caller]
fn set(district: &District, kind: Kind) {
    let path = format!("/api/v1/organizations/{}/issuer-settings", district.id);
    let etag = district.custodian.get(&path).etag();
    let body = json!({
        "identifier": kind.identifier, "jwt_algorithm": kind.algorithm, "status_method": kind.status_method,
    });
    district.custodian.put(&path, &etag, &body).expect(200);
}

/// The awards, and where they are made.
struct Making {
    app: TestApp,
    district: District,
    made: Vec<Made>,
}

impl Making {
    /// Makes an award and ends it as wanted. Each is of a micro-credential of its own: nobody earns one twice.
    fn make(&mut self, kind: Kind, state: &'static str) {
        let district = &self.district;
        set(district, kind);
        let months = (state == "expired").then_some(12);
        let family = district.publish(&one_reader(self.made.len(), months));
        let (_, id) = district.award(&district.earner, &family);
        match state {
            "revoked" => {
                district.revoke(&id).expect(200);
            }
            "suspended" => {
                let path = format!("/api/v1/awards/{id}/suspend");
                district.officer.post(&path, &json!({ "note": "a panel sits" })).expect(200);
            }
            _ => {}
        }
        self.made.push(Made { kind, id, state, is_key_retired: false });
    }

    /// Makes the award of a stack on an award of its own. One that is to be suspended is so because its part falls; nobody suspends it.
    fn make_stack(&mut self, kind: Kind, state: &'static str) {
        let part = format!("mc-small-group-{}", self.made.len());
        self.make(kind, "active");
        let district = &self.district;
        let stack = publish_stack(
            district,
            &json!({
                "schema_version": "0.1-draft", "kind": "stack_definition", "id": format!("pathway-{part}"), "version": "1.0.0",
                "title": "Grow your own", "language": "en",
                "rule": { "type": "all_of", "ids": [part] },
            }),
        );
        let claim = format!("/api/v1/stacks/{stack}/awards");
        let award = district.earner.act(&claim).expect(201);
        let id = award["id"].as_str().unwrap().to_owned();
        if state == "suspended" {
            let part = self.made.last_mut().unwrap();
            let path = format!("/api/v1/awards/{}/suspend", part.id);
            district.officer.post(&path, &json!({ "note": "a panel sits" })).expect(200);
            part.state = "suspended";
        }
        self.made.push(Made { kind, id, state, is_key_retired: false });
    }

    /// Every key that has signed until now is retired, and others sign from now on.
    fn rotate(&mut self) {
        let custodian = &self.district.custodian;
        let keys = format!("/api/v1/organizations/{}/signing-keys", self.district.id);
        let before = custodian.get(&keys).expect(200);
        for key in before["items"].as_array().unwrap() {
            let body = json!({ "algorithm": key["algorithm"] });
            custodian.post(&keys, &body).expect(201);
            let retire = format!("{keys}/{}/retire", key["id"].as_str().unwrap());
            custodian.act(&retire).expect(200);
        }
        for award in &mut self.made {
            award.is_key_retired = true;
        }
    }

    /// More than a year ago, and then today.
    fn all() -> Making {
        let (app, district) = old_installation();
        let mut making = Making { app, district, made: Vec::new() };
        for kind in KINDS {
            making.make(kind, "expired");
        }
        for kind in KINDS.into_iter().filter(|kind| kind.algorithm == "EdDSA") {
            making.make(kind, "active");
        }
        making.district = come_back(&making.app, making.district);
        making.rotate();
        making.app.resources.as_system(housekeeping::hourly).unwrap();
        for kind in KINDS {
            for state in ["active", "revoked", "suspended"] {
                making.make(kind, state);
            }
        }
        for state in ["active", "suspended"] {
            making.make_stack(STACKS, state);
        }
        making
    }
}

/// The folder for the independent verifiers, written anew.
struct Folder {
    path: PathBuf,
    badges: Vec<Value>,
    documents: Vec<Value>,
    known: BTreeSet<(String, String)>,
}

impl Folder {
    fn new() -> Folder {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("verifier-badges");
        if path.exists() {
            std::fs::remove_dir_all(&path).unwrap();
        }
        std::fs::create_dir_all(path.join("badges")).unwrap();
        std::fs::create_dir_all(path.join("documents")).unwrap();
        Folder { path, badges: Vec::new(), documents: Vec::new(), known: BTreeSet::new() }
    }

    fn add_badge(&mut self, award: &Made, basis: &str, form: &str, bytes: &[u8]) {
        let file = format!("badges/{}-{}-{}.{form}", self.badges.len(), award.state, award.id);
        std::fs::write(self.path.join(&file), bytes).unwrap();
        self.badges.push(json!({
            "file": file,
            "form": form,
            "algorithm": if form == "jwt" { award.kind.algorithm } else { "eddsa-rdfc-2022" },
            "identifier": award.kind.identifier,
            "status_method": award.kind.status_method,
            "basis": basis,
            "state": award.state,
            "verdict": award.verdict(),
            "key_retired": award.is_key_retired,
            "url": format!("{BASE_URL}/credentials/{}", award.id),
        }));
    }

    /// Keeps what the service answers to anybody who asks for a document in a form.
    fn add_document(&mut self, stranger: &Person, url: &str, media_type: &str) -> Value {
        let path = url.strip_prefix(BASE_URL).expect("a document of our own");
        let answer = stranger.get_as(path, media_type);
        assert_eq!(answer.status, 200, "{url}: {answer:?}");
        assert_eq!(answer.headers["content-type"], media_type, "{url}");
        if self.known.insert((url.to_owned(), media_type.to_owned())) {
            let file = format!("documents/{}", self.documents.len());
            std::fs::write(self.path.join(&file), &answer.bytes).unwrap();
            self.documents.push(json!({ "url": url, "media_type": media_type, "file": file }));
        }
        answer.json
    }

    fn finish(&self) {
        let index = json!({
            "base_url": BASE_URL,
            "badges": self.badges,
            "documents": self.documents,
            "left_out": left_out(),
        });
        std::fs::write(self.path.join("index.json"), format!("{index:#}\n")).unwrap();
    }
}

/// The header of a compact JWT.
fn header(token: &[u8]) -> Value {
    let end = token.iter().position(|byte| *byte == b'.').unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(&token[..end]).unwrap()).unwrap()
}

/// Our own verifier comes to the same verdict as every other should.
#[track_caller]
fn check_own_verdict(app: &TestApp, award: &Made, form: &str, badge: &[u8]) {
    let verdict = verification::verify(&app.resources, badge, None).unwrap();
    let found = serde_json::to_value(verdict).unwrap();
    let expected = if award.state == "active" { "valid" } else { "invalid" };
    let what = format!(
        "{} {form} of {} {}: {found:#}",
        award.state, award.kind.identifier, award.kind.algorithm
    );
    assert_eq!(found["verdict"], expected, "{what}");
    // Of its own badges the service knows a suspension from a revocation, also where the badge has one entry for both.
    assert_eq!(found["credential"]["status"], award.state, "{what}");
    let failed: Vec<&str> = found["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["outcome"] == "fail")
        .map(|check| check["name"].as_str().unwrap())
        .collect();
    let reason: &[&str] = match award.state {
        "active" => &[],
        "expired" => &["validity_period"],
        _ => &["status"],
    };
    assert_eq!(failed, reason, "{what}");
}

/// The published JSON Schema of badges, read here and not by the lints.
fn official_schema() -> Validator {
    let path = "credential-schemas/open-badges/ob_v3p0_achievementcredential_schema.json";
    let text = std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    jsonschema::validator_for(&serde_json::from_slice(&text).unwrap()).unwrap()
}

/// The badge follows the published schema with each of its status entries; the schema knows only one. Returns how many there are.
#[track_caller]
fn check_official_schema(official: &Validator, document: &Value) -> usize {
    let status = &document["credentialStatus"];
    let entries = status.as_array().cloned().unwrap_or_else(|| vec![status.clone()]);
    for entry in &entries {
        let mut with_one = document.clone();
        with_one["credentialStatus"] = entry.clone();
        let faults: Vec<String> = official
            .iter_errors(&with_one)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{}: {faults:#?}", document["id"]);
    }
    entries.len()
}

/// What the award rests on, as its badge tells it. The badge of a stack names the badges of its parts, and nothing of a submission.
#[track_caller]
fn basis_of(document: &Value) -> &'static str {
    let subject = &document["credentialSubject"];
    let results = subject["result"].as_array();
    let named = results.into_iter().flatten().filter_map(|result| result["value"].as_str());
    let n_parts =
        named.filter(|value| value.starts_with(&format!("{BASE_URL}/credentials/"))).count();
    if subject["achievement"]["achievementType"] == "Certificate" {
        assert_eq!(n_parts, 1, "{document}");
        return "stack";
    }
    assert_eq!(n_parts, 0, "{document}");
    "submission"
}

/// The documents that a verifier of this badge asks for.
fn add_documents(folder: &mut Folder, stranger: &Person, document: &Value, jwt: &[u8]) {
    let status = &document["credentialStatus"];
    let one = std::slice::from_ref(status);
    for entry in status.as_array().map_or(one, Vec::as_slice) {
        let url = entry["statusListCredential"].as_str().unwrap();
        for media_type in ["application/vc", "application/vc+jwt"] {
            folder.add_document(stranger, url, media_type);
        }
    }
    let achievement = document["credentialSubject"]["achievement"]["id"].as_str().unwrap();
    folder.add_document(stranger, achievement, "application/ld+json");
    let header = header(jwt);
    let kid = header["kid"].as_str().unwrap();
    if kid.starts_with(BASE_URL) {
        folder.add_document(stranger, kid, "application/jwk+json");
    }
}

#[test]
fn every_form_state_and_kind_of_issuer_gets_the_right_verdict() {
    let Making { app, district, made } = Making::all();
    let stranger = app.anybody();
    let mut folder = Folder::new();
    let issuer = format!("{BASE_URL}/issuers/{}", district.id);
    folder.add_document(&stranger, &issuer, "application/ld+json");
    folder.add_document(&stranger, &format!("{issuer}/did.json"), "application/did+json");
    folder.add_document(&stranger, &format!("{issuer}/jwks.json"), "application/jwk-set+json");
    let official = official_schema();
    let mut counted: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut bases: BTreeMap<&str, usize> = BTreeMap::new();
    for award in &made {
        let path = format!("/credentials/{}", award.id);
        let mut served = BTreeMap::new();
        let basis = basis_of(&stranger.get(&format!("{path}.json")).expect(200));
        *bases.entry(basis).or_default() += 1;
        for form in ["json", "jwt", "png", "svg"] {
            let answer = stranger.get(&format!("{path}.{form}"));
            assert_eq!(answer.status, 200, "{answer:?}");
            check_own_verdict(&app, award, form, &answer.bytes);
            folder.add_badge(award, basis, form, &answer.bytes);
            *counted.entry((form, award.verdict())).or_default() += 1;
            served.insert(form, answer);
        }
        let document = &served["json"].json;
        let n_entries = check_official_schema(&official, document);
        assert_eq!(n_entries, if award.kind.status_method == ONE_ENTRY { 1 } else { 2 });
        let prefix = match award.kind.identifier {
            "https" => issuer.as_str(),
            "did_web" => "did:web:badges.example.org:issuers:",
            _ => "did:key:z6Mk",
        };
        assert!(document["issuer"]["id"].as_str().unwrap().starts_with(prefix), "{document}");
        assert_eq!(header(&served["jwt"].bytes)["alg"], award.kind.algorithm);
        add_documents(&mut folder, &stranger, document, &served["jwt"].bytes);
    }
    folder.finish();
    // Nothing of the table is missing: four forms of four verdicts, each of every kind of issuer.
    assert_eq!(counted.len(), 16);
    assert_eq!(bases["stack"], 2, "one in force, and one whose part has fallen");
    for form in ["json", "jwt", "png", "svg"] {
        assert_eq!(counted[&(form, "active")], KINDS.len() + 3 + 2);
        assert_eq!(counted[&(form, "revoked")], KINDS.len() + 1);
        assert_eq!(counted[&(form, "suspended")], KINDS.len() - 1 + 2);
        assert_eq!(counted[&(form, "expired")], KINDS.len());
    }
}
