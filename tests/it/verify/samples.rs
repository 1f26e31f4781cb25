//! The published samples and the verdict over each.

use assay::credential::document::{IssuerContent, PublishedKey, issuer_document};
use assay::credential::verify::{Outcome, VerdictWord, verify};

use super::{Web, ends, judge, options};
use crate::standards::{published, published_json};

/// The issuer page of the published samples: their keys stand in the ids.
fn samples_web() -> Web {
    let mut web = Web::default();
    for issuer in [
        "https://example.com/issuers/876543",
        "https://1edtech.edu/issuers/565049",
        "https://example.edu/issuers/565049",
    ] {
        let profile = IssuerContent {
            id: issuer.to_owned(),
            name: "Example Corp".to_owned(),
            url: None,
            email: None,
            description: None,
        };
        let keys = [
            "z6MkjZRZv3aez3r18pB1RBFJR1kwUVJ5jHt92JmQwXbd5hwi",
            "z6Mknyb2Gb4NxzW3xSr9ChTtdQZ1zs77piQ3r9SaJ9vMzmrs",
        ]
        .map(|multikey| PublishedKey::multikey(issuer, multikey, None));
        web.put(issuer, &issuer_document(&profile, &keys).to_string());
    }
    web
}

#[track_caller]
fn sample(file: &str, word: VerdictWord, name: &str, outcome: Outcome, code: &str) {
    let text = published(&format!("examples/validator-samples/{file}"));
    let verdict = verify(&text, &samples_web(), &options()).unwrap();
    ends(&verdict, word, name, outcome, code);
}

#[test]
fn published_samples_get_their_verdict() {
    use Outcome::{Fail, Pass, Unknown};
    use VerdictWord::{Indeterminate, Invalid, Valid};
    sample("simple.json", Valid, "proof", Pass, "ok");
    sample("simple-multiple-proofs.json", Valid, "proof", Pass, "ok");
    sample("simple-context-alias.json", Valid, "proof", Pass, "ok");
    sample("simple-context-version.json", Valid, "proof", Pass, "ok");
    sample("complete.json", Indeterminate, "status", Unknown, "status-unavailable");
    sample("simple-did-key-method.json", Invalid, "issuer", Fail, "key-not-of-issuer");
    sample("simple-err-context.json", Invalid, "schema", Fail, "defined-terms");
    sample("simple-err-type.json", Invalid, "schema", Fail, "defined-terms");
    sample("simple-err-issuer.json", Invalid, "schema", Fail, "official-schema");
    sample("simple-err-issuer-type.json", Invalid, "schema", Fail, "defined-terms");
    sample("simple-err-expired.json", Invalid, "validity_period", Fail, "expired");
    sample("simple-err-issued.json", Invalid, "validity_period", Fail, "not-yet-valid");
    sample("simple-err-proof-value.json", Invalid, "issuer", Fail, "key-not-of-issuer");
    sample("simple-err-proof-method-no-scheme.json", Invalid, "proof", Fail, "unsigned-term");
    sample(
        "simple-err-proof-method-unknown-scheme.json",
        Invalid,
        "issuer",
        Fail,
        "key-not-of-issuer",
    );
    sample(
        "simple-err-proof-method-unknown-did-method.json",
        Indeterminate,
        "issuer",
        Unknown,
        "unsupported-did-method",
    );
    for file in [
        "simple_v1.json",
        "simple-noproof.json",
        "complete_v1.json",
        "simple.jwt",
        "simple-jwt.png",
        "simple-json.svg",
        "clr-simple.json",
    ] {
        sample(file, Indeterminate, "proof", Unknown, "unsupported-form");
    }
}

#[test]
fn the_published_revoked_sample_is_revoked() {
    let folder = "examples/validator-samples/bit-string-list";
    let sample = published_json(&format!("{folder}/credential-status-revoked.json"));
    let mut web = samples_web();
    let list = String::from_utf8(published(&format!("{folder}/testlist"))).unwrap();
    web.put(sample["credentialStatus"]["statusListCredential"].as_str().unwrap(), &list);
    let verdict = judge(&sample.to_string(), &web);
    ends(&verdict, VerdictWord::Invalid, "status", Outcome::Fail, "revoked");
}
