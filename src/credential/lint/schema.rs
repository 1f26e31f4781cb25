//! The official JSON Schemas.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::{Examined, Rule, fault, has_type, items};
use crate::credential::contexts::{CREDENTIALS_V1, CREDENTIALS_V2};

/// Most status entries that are compared with the schema; the verifier looks at no more either.
const MAX_STATUS_ENTRIES: usize = 4;

type Schema = LazyLock<Option<jsonschema::Validator>>;

fn read(text: &[u8]) -> Option<jsonschema::Validator> {
    jsonschema::validator_for(&serde_json::from_slice(text).ok()?).ok()
}

macro_rules! schema {
    ($file:literal) => {
        LazyLock::new(|| read(include_bytes!(concat!("../../../credential-schemas/", $file))))
    };
}

static ACHIEVEMENT: Schema = schema!("open-badges/ob_v3p0_achievementcredential_schema.json");
static ENDORSEMENT: Schema = schema!("open-badges/ob_v3p0_endorsementcredential_schema.json");
static RECORD: Schema = schema!("clr/clr_v2p0_clrcredential_schema.json");
static CREDENTIAL: Schema = schema!("w3c/verifiable-credential-schema.json");

/// Whether the document is a badge, an endorsement or a learner record, and not just any credential.
pub(in crate::credential) fn is_of_open_badges(document: &Value) -> bool {
    schemas_of(document).iter().all(|schema| !std::ptr::eq(*schema, &CREDENTIAL))
}

/// The schemas that a document has to follow by what it says to be. What speaks of an achievement is a badge,
/// whatever else it calls itself.
fn schemas_of(document: &Value) -> Vec<&'static Schema> {
    let mut schemas: Vec<&'static Schema> = Vec::new();
    if has_type(document, "ClrCredential") {
        schemas.push(&RECORD);
    }
    if has_type(document, "EndorsementCredential") {
        schemas.push(&ENDORSEMENT);
    }
    let names_badge = ["AchievementCredential", "OpenBadgeCredential"]
        .iter()
        .any(|name| has_type(document, name));
    let is_about_achievement =
        items(document.get("credentialSubject")).iter().any(|(_, subject)| {
            has_type(subject, "AchievementSubject") || subject.get("achievement").is_some()
        });
    if names_badge || schemas.is_empty() && is_about_achievement {
        schemas.push(&ACHIEVEMENT);
    }
    if schemas.is_empty() {
        schemas.push(&CREDENTIAL);
    }
    schemas
}

pub(super) const OFFICIAL_SCHEMA: Rule = Rule {
    name: "official-schema",
    citation: "Open Badges 3.0, 9.1: the credential is valid against the published JSON Schema of its type",
    check: |examined| {
        let documents = in_the_form_of_the_schema(examined);
        let mut pointers = BTreeSet::new();
        for schema in schemas_of(examined.document) {
            let Some(schema) = schema.as_ref() else {
                return vec![fault("", "the official schema cannot be read")];
            };
            pointers.extend(
                documents
                    .iter()
                    .flat_map(|document| schema.iter_errors(document))
                    .map(|error| error.instance_path().to_string()),
            );
        }
        pointers
            .into_iter()
            // `typed-services` says it better.
            .filter(|pointer| {
                !["/credentialSchema", "/refreshService"].iter().any(|own| pointer.starts_with(own))
            })
            .take(16)
            .map(|pointer| {
                let place =
                    if pointer.is_empty() { "the credential".to_owned() } else { pointer.clone() };
                fault(pointer, format!("{place} does not follow the official schema of its type"))
            })
            .collect()
    },
};

/// The document as the schema knows it.
///
/// The schema takes one status object; the data model takes a set, in which each has to fit (VCDM 2.0, 4.10). The
/// schemas are of version 2.0 of the data model; what version 1.1 named in another way is renamed.
fn in_the_form_of_the_schema<'a>(examined: &Examined<'a>) -> Vec<Cow<'a, Value>> {
    let mut document = Cow::Borrowed(examined.document);
    if super::is_version_1(examined.document) {
        let document = document.to_mut();
        let contexts: Vec<Value> = items(examined.document.get("@context"))
            .into_iter()
            .map(|(_, url)| if url == CREDENTIALS_V1 { json!(CREDENTIALS_V2) } else { url.clone() })
            .collect();
        document["@context"] = Value::Array(contexts);
        if let Some(object) = document.as_object_mut() {
            for (old, new) in [("issuanceDate", "validFrom"), ("expirationDate", "validUntil")] {
                if let Some(date) = object.remove(old) {
                    object.insert(new.to_owned(), date);
                }
            }
        }
    }
    match examined.document["credentialStatus"].as_array() {
        Some(entries) if !entries.is_empty() => entries
            .iter()
            .take(MAX_STATUS_ENTRIES)
            .map(|entry| {
                let mut document = Value::clone(&document);
                document["credentialStatus"] = entry.clone();
                Cow::Owned(document)
            })
            .collect(),
        Some(_) | None => vec![document],
    }
}
