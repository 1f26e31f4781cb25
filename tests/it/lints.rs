//! Each lint finds its own fault and no other.

use assay::credential::document::{
    AchievedLevel, AchievementContent, AlignmentContent, CredentialContent, CredentialDraft,
    CriterionContent, EvidenceContent, HashedIdentity, IssuerContent, LevelContent,
    RevokedCredential, ScoringContent, StatusContent, digest_multibase, hash_identity,
    revocation_list,
};
use assay::credential::lint::{
    Examined, LintPolicy, RULES, RULES_FOR_ANY_ISSUER, Rule, apply, lint,
};
use chrono::{DateTime, TimeZone, Utc};
use serde_json::{Value, json};

pub const EMAIL: &str = "Maria.Garcia@example.org";
const SALT: &str = "3f8a1c5e9b7d2046";

pub fn at(hour: u32) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 21, hour, 0, 0).unwrap()
}

/// Where the status of [`content`] is published.
pub const LIST_URL: &str = "https://badges.example.org/status-lists/0193-d";
/// Its index there.
pub const LIST_INDEX: usize = 94_567;

/// A badge as the service issues it.
pub fn content() -> CredentialContent {
    let criterion = |id: &str, name: &str| CriterionContent {
        id: id.to_owned(),
        name: name.to_owned(),
        alignments: Vec::new(),
        levels: ["Not yet", "Developing", "Proficient"]
            .iter()
            .enumerate()
            .map(|(rank, name)| LevelContent {
                id: rank.to_string(),
                name: (*name).to_owned(),
                level: rank.to_string(),
                description: Some(format!("The work shows that this is {name}.")),
            })
            .collect(),
        required_level: "2".to_owned(),
    };
    CredentialContent {
        id: "https://badges.example.org/credentials/0193-a".to_owned(),
        issuer: IssuerContent {
            id: "https://badges.example.org/issuers/0193-b".to_owned(),
            name: "Example District".to_owned(),
            url: Some("https://district.example.org/".to_owned()),
            email: Some("badges@district.example.org".to_owned()),
            description: None,
        },
        valid_from: at(12),
        valid_until: Some(Utc.with_ymd_and_hms(2029, 11, 21, 12, 0, 0).unwrap()),
        subject_id: "urn:uuid:6f2e33e5-7a29-4155-840a-59483ba10164".to_owned(),
        identity: HashedIdentity {
            identity_hash: hash_identity(EMAIL, SALT),
            salt: SALT.to_owned(),
        },
        achievement: AchievementContent {
            id: "https://badges.example.org/achievements/0193-c/versions/1".to_owned(),
            name: "Small-group support".to_owned(),
            description: "Plans, leads and reflects on support for a small group of students."
                .to_owned(),
            criteria_id: "https://badges.example.org/achievements/0193-c/versions/1#criteria"
                .to_owned(),
            criteria_narrative: "Hand in a plan, a recording of one session and a reflection."
                .to_owned(),
            version: "1.0".to_owned(),
            language: "en".to_owned(),
            tags: vec!["instruction".to_owned(), "small groups".to_owned()],
            alignments: vec![AlignmentContent {
                target_name: "Supports learning in small groups".to_owned(),
                target_url: "https://frameworks.example.org/items/7".to_owned(),
                target_code: Some("7.2".to_owned()),
                target_framework: Some("Competencies of instructional assistants".to_owned()),
                target_description: None,
                target_type: Some("CFItem".to_owned()),
            }],
            criteria: vec![
                criterion("plan", "Plan"),
                criterion("reflection & growth", "Reflection"),
            ],
            parts: Vec::new(),
        },
        achieved_levels: Some(vec![
            AchievedLevel { criterion_id: "plan".to_owned(), level_id: "2".to_owned() },
            AchievedLevel {
                criterion_id: "reflection & growth".to_owned(),
                level_id: "2".to_owned(),
            },
        ]),
        scoring: Some(ScoringContent {
            scoring_hash: "sha256:5a43ed5b537b74f4e4660666cfe81da954dcdea9f599b82cf006a7ba26182369"
                .to_owned(),
            review_mode: "double_blind".to_owned(),
            raters: 2,
            assessors_qualified: true,
        }),
        part_awards: Vec::new(),
        evidence: vec![EvidenceContent {
            name: "Session plan".to_owned(),
            genre: Some("lesson plan".to_owned()),
            digest_multibase: digest_multibase(&[7; 32]),
        }],
        status: StatusContent::Bitstring {
            list_url: LIST_URL.to_owned(),
            index: LIST_INDEX,
            suspension: None,
        },
    }
}

fn rules() -> Vec<Rule> {
    let mut rules = RULES.to_vec();
    for rule in RULES_FOR_ANY_ISSUER {
        if !rules.iter().any(|known| known.name == rule.name) {
            rules.push(*rule);
        }
    }
    rules
}

fn fixture(rule: &Rule, file: &str) -> Value {
    let path =
        format!("{}/tests/it/fixtures/lints/{}/{file}", env!("CARGO_MANIFEST_DIR"), rule.name);
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_slice(&text).unwrap()
}

fn found(rules: &[Rule], document: &Value) -> Vec<String> {
    let policy = LintPolicy { allow_http: false };
    apply(rules, &Examined::new(document, &policy))
        .into_iter()
        .map(|finding| format!("{} {} {}", finding.rule, finding.pointer, finding.detail))
        .collect()
}

#[test]
fn each_rule_finds_one_fault_in_its_bad_document_and_no_other_rule_does() {
    for rule in rules() {
        let bad = fixture(&rule, "bad.json");
        let findings = found(&rules(), &bad);
        assert_eq!(findings.len(), 1, "{}: {findings:#?}", rule.name);
        assert!(findings[0].starts_with(&format!("{} /", rule.name)), "{findings:?}");
        let others: Vec<Rule> =
            rules().into_iter().filter(|other| other.name != rule.name).collect();
        assert!(found(&others, &bad).is_empty(), "{}", rule.name);
    }
}

#[test]
fn good_documents_pass_every_rule() {
    for rule in rules() {
        let good = fixture(&rule, "good.json");
        assert_eq!(found(&rules(), &good), Vec::<String>::new(), "{}", rule.name);
    }
}

#[test]
fn no_member_of_the_credential_stands_in_another_object_with_its_id() {
    let rule = || rules().into_iter().filter(|rule| rule.name == "own-id-once");
    let rule: Vec<_> = rule().collect();
    let good = fixture(&rule[0], "good.json");
    assert!(found(&rule, &good).is_empty());
    for member in [
        "awardedDate",
        "credentialSchema",
        "credentialStatus",
        "credentialSubject",
        "description",
        "evidence",
        "expirationDate",
        "issuanceDate",
        "issuer",
        "name",
        "refreshService",
        "relatedResource",
        "termsOfUse",
        "validFrom",
        "validUntil",
    ] {
        let mut bad = good.clone();
        bad["relatedResource"][0][member] = json!("moved");
        assert_eq!(found(&rule, &bad).len(), 1, "{member}");
    }
}

#[test]
fn each_rule_has_its_documents_and_each_document_its_rule() {
    let folder = format!("{}/tests/it/fixtures/lints", env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let mut names: Vec<String> = rules().iter().map(|rule| rule.name.to_owned()).collect();
    folders.sort_unstable();
    names.sort_unstable();
    assert_eq!(folders, names);
    assert!(rules().iter().all(|rule| rule.citation.len() > 40));
}

#[test]
fn a_badge_of_ours_passes_the_lints() {
    let mut plain = content();
    plain.valid_until = None;
    plain.achieved_levels = None;
    plain.evidence.clear();
    plain.achievement.tags.clear();
    plain.achievement.alignments.clear();
    for content in [content(), plain] {
        let draft = CredentialDraft::from(&content);
        let result = lint(draft, &LintPolicy::default());
        assert!(result.is_ok(), "{:#?}", result.err());
    }
}

#[test]
fn http_ids_pass_only_where_the_policy_allows_them() {
    let mut content = content();
    content.id = "http://127.0.0.1:8080/credentials/1".to_owned();
    let lint_with = |allow_http| lint(CredentialDraft::from(&content), &LintPolicy { allow_http });
    assert!(lint_with(true).is_ok());
    assert_eq!(lint_with(false).unwrap_err()[0].rule, "https-ids");
}

#[test]
fn addresses_are_trimmed_and_lower_cased_before_hashing() {
    let plain = hash_identity("maria.garcia@example.org", SALT);
    assert_eq!(hash_identity("  Maria.Garcia@Example.ORG\n", SALT), plain);
    assert_ne!(hash_identity("maria.garcia@example.org", "other"), plain);
    // `printf 'a@b.cs' | sha256sum`
    assert_eq!(
        hash_identity("a@b.c", "s"),
        "sha256$53eb3ea6206669c98b3137d305ac0119f27bcea93abdf048c2a20de9ad6fe2ea"
    );
}

#[test]
fn the_three_ways_to_publish_a_status_pass_and_others_do_not() {
    let with = |status| CredentialContent { status, ..content() };
    let bitstring = |suspension| StatusContent::Bitstring {
        list_url: LIST_URL.to_owned(),
        index: LIST_INDEX,
        suspension,
    };
    let suspensions = "https://badges.example.org/status-lists/0193-e".to_owned();
    let two = with(bitstring(Some((suspensions, 7))));
    let list = with(StatusContent::RevocationList {
        url: "https://badges.example.org/revocation-lists/1".to_owned(),
    });
    for content in [with(bitstring(None)), two.clone(), list] {
        let result = lint(CredentialDraft::from(&content), &LintPolicy::default());
        assert!(result.is_ok(), "{:#?}", result.err());
    }
    let two = CredentialDraft::from(&two).document()["credentialStatus"].clone();
    let bad = [
        json!([]),
        json!([two[0]]),
        json!([two[1]]),
        json!([two[1], two[0]]),
        json!([two[0], two[0]]),
        json!([two[0], two[1], two[1]]),
        json!({"type": "1EdTechRevocationList"}),
        json!({"id": "https://badges.example.org/revocation-lists/1", "type": "SomethingElse"}),
    ];
    for status in bad {
        let mut document = CredentialDraft::from(&content()).document().clone();
        document["credentialStatus"] = status.clone();
        let draft = CredentialDraft::from_document(document);
        let findings = lint(draft, &LintPolicy::default()).unwrap_err();
        assert!(
            findings.iter().any(|finding| finding.rule == "one-revocation-entry"),
            "{status}: {findings:?}"
        );
    }
}

#[test]
fn issuers_are_https_did_web_or_did_key() {
    let lint_with = |id: &str| {
        let mut content = content();
        content.issuer.id = id.to_owned();
        lint(CredentialDraft::from(&content), &LintPolicy::default()).map(|_| ())
    };
    let did_key = "did:key:z6MkjZRZv3aez3r18pB1RBFJR1kwUVJ5jHt92JmQwXbd5hwi";
    for id in ["https://a.example/issuers/1", "did:web:a.example:issuers:1", did_key] {
        assert_eq!(lint_with(id), Ok(()), "{id}");
    }
    for id in ["http://a.example/issuers/1", "ftp://a.example/", "did:example:1", "urn:uuid:1"] {
        assert_eq!(lint_with(id).unwrap_err()[0].rule, "https-ids", "{id}");
    }
}

#[test]
fn every_status_entry_of_a_set_has_to_fit_the_schema() {
    let mut document = CredentialDraft::from(&content()).document().clone();
    let entry = document["credentialStatus"].clone();
    let schema = |document: &Value| {
        let found = found(RULES_FOR_ANY_ISSUER, document);
        found.iter().any(|finding| finding.starts_with("official-schema"))
    };
    document["credentialStatus"] = json!([entry, entry]);
    assert!(!schema(&document));
    document["credentialStatus"] = json!([entry, {"id": LIST_URL}]);
    assert!(schema(&document));
    document["credentialStatus"] = json!([]);
    assert!(schema(&document));
}

#[test]
fn revocation_lists_name_credentials_and_reasons() {
    let revoked = [
        RevokedCredential {
            id: "urn:uuid:1".to_owned(),
            reason: Some("Issued in error".to_owned()),
        },
        RevokedCredential { id: "urn:uuid:2".to_owned(), reason: None },
    ];
    assert_eq!(
        revocation_list(
            "https://a.example/revocation-lists/1",
            "https://a.example/issuers/1",
            &revoked
        ),
        json!({
            "id": "https://a.example/revocation-lists/1",
            "issuer": "https://a.example/issuers/1",
            "revokedCredential": [
                {"id": "urn:uuid:1", "revoked": true, "revocationReason": "Issued in error"},
                {"id": "urn:uuid:2", "revoked": true},
            ],
        })
    );
}

#[test]
fn ids_are_urls_and_not_names_for_one_document() {
    type Change = (&'static str, fn(&mut Value));
    let changes: [Change; 4] = [
        ("/id", |badge| badge["id"] = json!("_:badge")),
        ("/issuer/id", |badge| badge["issuer"]["id"] = json!("_:issuer")),
        ("/credentialSubject/id", |badge| badge["credentialSubject"]["id"] = json!("_:earner")),
        ("/id", |badge| badge["id"] = json!("0193-a")),
    ];
    for (pointer, change) in changes {
        let mut document = CredentialDraft::from(&content()).document().clone();
        change(&mut document);
        let found = found(RULES_FOR_ANY_ISSUER, &document);
        assert!(found[0].starts_with(&format!("absolute-ids {pointer} ")), "{found:?}");
    }
}
