//! Rules for the badges that we issue ourselves: stricter than the standards where verifiers differ.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;
use serde_json::Value;

use super::any_issuer::level_ids;
use super::{Examined, Rule, fault, has_type, items, walk};
use crate::credential::contexts::{CREDENTIALS_V2, OPEN_BADGES, OPEN_BADGES_EXTENSIONS};
use crate::credential::document;

type Faults = Vec<(String, String)>;

pub(super) const UNSIGNED_DRAFT: Rule = Rule {
    name: "unsigned-draft",
    citation: "Data Integrity 1.0, 4.2: the input is \"an unsecured data document\"; a proof set is nothing we make",
    check: |examined| match examined.document.get("proof") {
        None => Faults::new(),
        Some(_) => vec![fault("/proof", "the draft already has a proof")],
    },
};

pub(super) const CONTEXTS: Rule = Rule {
    name: "contexts",
    citation: "Open Badges 3.0, AchievementCredential: \"@context … MUST be an ordered set where the first item is a URI \
               with the value 'https://www.w3.org/ns/credentials/v2', and the second item is a URI with the value \
               'https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json'\"",
    check: |examined| {
        let contexts: Vec<Option<&str>> =
            items(examined.document.get("@context")).iter().map(|(_, url)| url.as_str()).collect();
        let base = [Some(CREDENTIALS_V2), Some(OPEN_BADGES)];
        let extended = [Some(CREDENTIALS_V2), Some(OPEN_BADGES), Some(OPEN_BADGES_EXTENSIONS)];
        if contexts == base || contexts == extended {
            Faults::new()
        } else {
            vec![fault("/@context", "the contexts are not the ones of Open Badges 3.0.3, in order")]
        }
    },
};

pub(super) const TYPES: Rule = Rule {
    name: "types",
    citation: "Open Badges 3.0, AchievementCredential: \"one of the items MUST be the URI 'VerifiableCredential', and one \
               of the items MUST be the URI 'AchievementCredential' or the URI 'OpenBadgeCredential'\"",
    check: |examined| {
        let all = ["VerifiableCredential", "OpenBadgeCredential"]
            .iter()
            .all(|name| has_type(examined.document, name));
        if all {
            Faults::new()
        } else {
            vec![fault("/type", "the type is not VerifiableCredential and OpenBadgeCredential")]
        }
    },
};

/// Members that may have more than one value.
const SETS_OF_VALUES: [&str; 9] = [
    "alignment",
    "credentialSchema",
    "evidence",
    "identifier",
    "result",
    "resultDescription",
    "rubricCriterionLevel",
    "tag",
    "relatedResource",
];

pub(super) const SETS: Rule = Rule {
    name: "sets-are-arrays",
    citation: "Open Badges 3.0, 9: a property with cardinality 0..* is an array in the plain JSON serialization; some \
               readers refuse a single value",
    check: |examined| {
        let mut faults = Faults::new();
        walk(examined.document, "", 0, &mut |pointer, value| {
            for member in SETS_OF_VALUES {
                // A result refers to its one description by the same word.
                let is_reference = member == "resultDescription" && has_type(value, "Result");
                if !is_reference && value.get(member).is_some_and(|value| !value.is_array()) {
                    faults.push(fault(
                        format!("{pointer}/{member}"),
                        format!("{member} is not an array"),
                    ));
                }
            }
        });
        if !examined.document["type"].is_array() {
            faults.push(fault("/type", "type is not an array"));
        }
        faults
    },
};

pub(super) const NO_EMPTY_MEMBERS: Rule = Rule {
    name: "no-empty-members",
    citation: "JSON-LD 1.1, 9: null and empty arrays leave no statement, so a signature does not cover them",
    check: |examined| {
        let mut faults = Faults::new();
        walk(examined.document, "", 0, &mut |pointer, value| {
            let is_empty = match value {
                Value::Null => true,
                Value::Array(values) => values.is_empty(),
                Value::Object(object) => object.is_empty(),
                Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
            };
            if is_empty {
                faults.push(fault(pointer, "the member is empty and has to be left out"));
            }
        });
        faults
    },
};

pub(super) const ISSUER_PROFILE: Rule = Rule {
    name: "issuer-profile",
    citation: "Open Badges 3.0, Profile: \"id\" and \"type\" are required, and \"one of the items MUST be the IRI \
               'Profile'\"; a bare id does not show who issues",
    check: |examined| {
        let issuer = &examined.document["issuer"];
        let is_profile =
            issuer["id"].is_string() && issuer["name"].is_string() && has_type(issuer, "Profile");
        if is_profile {
            Faults::new()
        } else {
            vec![fault("/issuer", "the issuer is not a Profile with id and name")]
        }
    },
};

pub(super) const DATES: Rule = Rule {
    name: "whole-second-dates",
    citation: "Open Badges 3.0, DateTimeZ: \"A DateTime with the trailing timezone specifier included, e.g. \
               2021-09-07T02:09:59+02:00\"; fractions of seconds are not read by everybody",
    check: |examined| {
        let mut faults = Faults::new();
        for member in ["validFrom", "validUntil", "awardedDate"] {
            let Some(text) = examined.document.get(member).and_then(Value::as_str) else {
                continue;
            };
            if text.contains('.') || DateTime::parse_from_rfc3339(text).is_err() {
                faults.push(fault(
                    format!("/{member}"),
                    format!("{member} is not in whole seconds with a zone"),
                ));
            }
        }
        faults
    },
};

pub(super) const SUBJECT_ID: Rule = Rule {
    name: "subject-id",
    citation: "Open Badges 3.0, AchievementSubject: \"id: An identifier for the Credential Subject. Either id or at least \
               one identifier MUST be supplied.\" Ours is a urn:uuid or a DID, never a page about the earner",
    check: |examined| {
        let id = examined.document["credentialSubject"]["id"].as_str().unwrap_or_default();
        let is_uuid =
            id.strip_prefix("urn:uuid:").is_some_and(|uuid| uuid::Uuid::try_parse(uuid).is_ok());
        if is_uuid || id.starts_with("did:") {
            Faults::new()
        } else {
            vec![fault("/credentialSubject/id", "the subject's id is neither a urn:uuid nor a DID")]
        }
    },
};

pub(super) const HASHED_IDENTIFIER: Rule = Rule {
    name: "hashed-identifier",
    citation: "Open Badges 3.0, IdentityHash: \"A String consisting of an algorithm identifier, a $ separator, and a \
               hash across an identifier and an optionally appended salt string. The only supported algorithms are MD5 \
               and SHA-256.\" Ours is SHA-256 with a salt",
    check: |examined| {
        let identifiers = items(examined.document["credentialSubject"].get("identifier"));
        if identifiers.is_empty() {
            return vec![fault(
                "/credentialSubject/identifier",
                "the earner's identifier is missing",
            )];
        }
        let mut faults = Faults::new();
        for (end, identifier) in identifiers {
            let is_hash = identifier["identityHash"]
                .as_str()
                .and_then(|hash| hash.strip_prefix("sha256$"))
                .is_some_and(|hex| {
                    hex.len() == 64
                        && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
                });
            let is_salted = identifier["salt"].as_str().is_some_and(|salt| salt.len() >= 16);
            let is_hashed = identifier["hashed"] == Value::Bool(true);
            if !(is_hash && is_salted && is_hashed && identifier["identityType"] == "emailAddress")
            {
                faults.push(fault(
                    format!("/credentialSubject/identifier{end}"),
                    "the identifier is not an e-mail address hashed by SHA-256 with a salt of 16 characters",
                ));
            }
        }
        faults
    },
};

pub(super) const ACHIEVEMENT_TYPE: Rule = Rule {
    name: "achievement-type",
    citation: "Open Badges 3.0, AchievementType: \"MicroCredential\" is the type of a micro-credential, and \"Certificate\" ours \
               for a stack of them",
    check: |examined| {
        let kind = &examined.document["credentialSubject"]["achievement"]["achievementType"];
        if *kind == document::MICRO_CREDENTIAL || *kind == document::STACK {
            Faults::new()
        } else {
            let pointer = "/credentialSubject/achievement/achievementType";
            let detail = "the achievement's type is neither MicroCredential nor Certificate";
            vec![fault(pointer, detail)]
        }
    },
};

/// Whether it is the badge of a stack, which is not judged by a rubric of its own.
fn is_stack(examined: &Examined<'_>) -> bool {
    examined.document["credentialSubject"]["achievement"]["achievementType"] == document::STACK
}

pub(super) const STACK_PARTS: Rule = Rule {
    name: "stack-parts",
    citation: "Open Badges 3.0, Result: \"value: A string representing the result of the performance, or demonstration, of the \
               achievement\"; the badge of a stack names the credentials that it rests on, one a part, and no other badge has parts",
    check: |examined| {
        let subject = &examined.document["credentialSubject"];
        let descriptions = items(subject["achievement"].get("resultDescription"));
        let ids: BTreeSet<&str> = descriptions
            .iter()
            .filter(|(_, description)| description["resultType"] == document::PART)
            .filter_map(|(_, description)| description["id"].as_str())
            .collect();
        let base = "/credentialSubject/result";
        let mut faults = Faults::new();
        let mut seen = BTreeSet::new();
        for (end, result) in items(subject.get("result")) {
            let Some(id) = result["resultDescription"].as_str().filter(|id| ids.contains(id))
            else {
                continue;
            };
            let value = result["value"].as_str().unwrap_or_default();
            let is_address = value.starts_with("https://")
                || (value.starts_with("http://") && examined.policy.allow_http);
            if !is_address || !seen.insert(id) {
                let detail = "a part does not name one credential by its address";
                faults.push(fault(format!("{base}{end}/value"), detail));
            }
        }
        if faults.is_empty() && is_stack(examined) == seen.is_empty() {
            faults.push(fault(base, "a stack names its parts, and nothing else has parts"));
        }
        faults
    },
};

pub(super) const ACHIEVEMENT_MEMBERS: Rule = Rule {
    name: "achievement-members",
    citation: "Open Badges 3.0, Achievement: \"creator: The person or organization that created the achievement \
               definition\", \"version: The version property allows issuers to set a version string for an Achievement\"",
    check: |examined| {
        let achievement = &examined.document["credentialSubject"]["achievement"];
        let pointer = "/credentialSubject/achievement";
        let mut faults = Faults::new();
        if achievement["version"].as_str().is_none_or(str::is_empty) {
            faults.push(fault(format!("{pointer}/version"), "the achievement has no version"));
        }
        if !(achievement["creator"]["id"].is_string()
            && has_type(&achievement["creator"], "Profile"))
        {
            faults.push(fault(
                format!("{pointer}/creator"),
                "the achievement's creator is not a Profile",
            ));
        }
        faults
    },
};

pub(super) const CRITERIA_NARRATIVE: Rule = Rule {
    name: "criteria-narrative",
    citation: "Open Badges 3.0, Criteria: \"narrative: A narrative of what is needed to earn the achievement. Markdown \
               is allowed.\"",
    check: |examined| {
        let narrative =
            &examined.document["credentialSubject"]["achievement"]["criteria"]["narrative"];
        if narrative.as_str().is_some_and(|narrative| !narrative.trim().is_empty()) {
            Faults::new()
        } else {
            let pointer = "/credentialSubject/achievement/criteria/narrative";
            vec![fault(pointer, "the criteria are not written out")]
        }
    },
};

pub(super) const RUBRIC_LEVELS: Rule = Rule {
    name: "rubric-levels",
    citation: "Open Badges 3.0, ResultDescription: \"requiredLevel: The id of the rubric criterion level required to pass \
               as determined by the achievement creator\", \"rubricCriterionLevel: … Shall be present if and only if the \
               resultType is RubricCriterionLevel\"",
    check: |examined| {
        let base = "/credentialSubject/achievement/resultDescription";
        let descriptions =
            items(examined.document["credentialSubject"]["achievement"].get("resultDescription"));
        let mut faults = Faults::new();
        let mut seen = BTreeSet::new();
        let mut n_rubric = 0;
        for (end, description) in descriptions {
            let levels: Vec<Option<&str>> = items(description.get("rubricCriterionLevel"))
                .iter()
                .map(|(_, level)| level["id"].as_str())
                .collect();
            let ids = std::iter::once(description["id"].as_str()).chain(levels.iter().copied());
            if !ids.into_iter().all(|id| id.is_some_and(|id| seen.insert(id))) {
                faults.push(fault(format!("{base}{end}"), "an id is missing or used twice"));
            }
            let is_rubric = description["resultType"] == "RubricCriterionLevel";
            if !is_rubric {
                if !levels.is_empty() || description.get("requiredLevel").is_some() {
                    faults
                        .push(fault(format!("{base}{end}"), "only a rubric criterion has levels"));
                }
                continue;
            }
            n_rubric += 1;
            let required = description["requiredLevel"].as_str();
            if levels.len() < 2 || required.is_none() || !levels.contains(&required) {
                faults.push(fault(
                    format!("{base}{end}/requiredLevel"),
                    "the required level is not one of the criterion's two or more levels",
                ));
            }
        }
        if n_rubric == 0 && !is_stack(examined) {
            faults.push(fault(base, "the rubric is missing"));
        }
        faults
    },
};

pub(super) const RESULT_LEVELS: Rule = Rule {
    name: "result-levels",
    citation: "Open Badges 3.0, Result: \"achievedLevel: If the result description linked to this result is of type \
               RubricCriterionLevel, this value MUST be the id of one of the RubricCriterionLevel objects in the \
               ResultDescription\"",
    check: |examined| {
        let subject = &examined.document["credentialSubject"];
        let mut levels_of: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (_, description) in items(subject["achievement"].get("resultDescription")) {
            if let Some(id) = description["id"].as_str() {
                levels_of.insert(id, level_ids(description).collect());
            }
        }
        let mut faults = Faults::new();
        for (end, result) in items(subject.get("result")) {
            let levels = result["resultDescription"].as_str().and_then(|id| levels_of.get(id));
            // `result-references` says it when there is none.
            let (Some(level), Some(levels)) = (result["achievedLevel"].as_str(), levels) else {
                continue;
            };
            if !levels.contains(level) {
                faults.push(fault(
                    format!("/credentialSubject/result{end}/achievedLevel"),
                    "the achieved level is not one of the levels of its result description",
                ));
            }
        }
        faults
    },
};

pub(super) const SCORING_STATEMENT: Rule = Rule {
    name: "scoring-statement",
    citation: "Open Badges 3.0, ResultType: \"This enumeration can be extended with new, proprietary terms. The new terms \
               must start with the substring 'ext:'.\" Each badge says how it was scored, with one value each",
    check: scoring_statement,
};

fn scoring_statement(examined: &Examined<'_>) -> Faults {
    if is_stack(examined) {
        return Faults::new();
    }
    let subject = &examined.document["credentialSubject"];
    let descriptions = items(subject["achievement"].get("resultDescription"));
    let results = items(subject.get("result"));
    let mut faults = Faults::new();
    for (result_type, _, _) in document::SCORING {
        let ids: Vec<&Value> = descriptions
            .iter()
            .filter(|(_, description)| description["resultType"] == result_type)
            .map(|(_, description)| &description["id"])
            .collect();
        let values: Vec<&Value> = results
            .iter()
            .filter(|(_, result)| ids.contains(&&result["resultDescription"]))
            .map(|(_, result)| &result["value"])
            .collect();
        let is_well_formed = match (ids.as_slice(), values.as_slice()) {
            ([_], [Value::String(value)]) => match result_type {
                "ext:Raters" => value.parse::<u32>().is_ok_and(|raters| raters > 0),
                "ext:AssessorsQualified" => value == "true" || value == "false",
                _ => !value.trim().is_empty(),
            },
            _ => false,
        };
        if !is_well_formed {
            faults.push(fault(
                "/credentialSubject/result",
                format!("{result_type} has not exactly one result with a fitting value"),
            ));
        }
    }
    faults
}

pub(super) const CREDENTIAL_SCHEMA: Rule = Rule {
    name: "credential-schema",
    citation: "Open Badges 3.0, CredentialSchema: \"type: The value MUST be the type of the credential schema validator. \
               This allows for future extension of the set of validators\"; the published one is \
               1EdTechJsonSchemaValidator2019",
    check: |examined| {
        let schemas = items(examined.document.get("credentialSchema"));
        let is_published = |schema: &Value| {
            schema["id"] == document::CREDENTIAL_SCHEMA
                && (schema.get("type").is_none()
                    || schema["type"] == document::CREDENTIAL_SCHEMA_TYPE)
        };
        if schemas.iter().any(|(_, schema)| is_published(schema)) {
            Faults::new()
        } else {
            vec![fault("/credentialSchema", "the published schema is not named with its type")]
        }
    },
};

pub(super) const ONE_REVOCATION_ENTRY: Rule = Rule {
    name: "one-revocation-entry",
    citation: "Bitstring Status List 1.0, 2.1: \"statusPurpose … revocation: Used to cancel the validity of a verifiable \
               credential. This status is not reversible. … suspension: Used to temporarily prevent the acceptance of a \
               verifiable credential. This status is reversible\"; ours have one entry, or these two in this order",
    check: |examined| {
        let status = &examined.document["credentialStatus"];
        let is_entry = |entry: &Value, purpose: &str| {
            has_type(entry, "BitstringStatusListEntry")
                && entry.get("statusPurpose").is_none_or(|own| own == purpose)
                && entry.get("statusListIndex").is_none_or(Value::is_string)
        };
        let is_known = match status.as_array().map(Vec::as_slice) {
            None if has_type(status, "1EdTechRevocationList") => {
                status["id"].is_string() && status.as_object().is_some_and(|one| one.len() == 2)
            }
            None => is_entry(status, "revocation"),
            Some([revocation, suspension]) => {
                is_entry(revocation, "revocation")
                    && is_entry(suspension, "suspension")
                    && revocation["statusListCredential"] != suspension["statusListCredential"]
            }
            Some(_) => false,
        };
        if is_known {
            Faults::new()
        } else {
            vec![fault(
                "/credentialStatus",
                "the status is neither one entry for revocation, nor one for revocation and one for suspension, nor a \
                 revocation list",
            )]
        }
    },
};

pub(super) const NO_EMBEDDED_ENDORSEMENT: Rule = Rule {
    name: "no-embedded-endorsement",
    citation: "Data Integrity 1.0, 4: libraries name the blank nodes of embedded signed endorsements differently, so \
               the signature would hold for some verifiers only; endorsements are linked",
    check: |examined| {
        let mut faults = Faults::new();
        walk(examined.document, "", 0, &mut |pointer, value| {
            for member in ["endorsement", "endorsementJwt", "jti"] {
                if value.get(member).is_some() {
                    faults.push(fault(
                        format!("{pointer}/{member}"),
                        format!("{member} has no place in a badge"),
                    ));
                }
            }
        });
        faults
    },
};

pub(super) const EVIDENCE_MEMBERS: Rule = Rule {
    name: "evidence-members",
    citation: "Open Badges 3.0, Evidence: \"Descriptive metadata about evidence related to the achievement assertion\"; \
               ours is a name, a genre and a digest, never the file and never a student",
    check: |examined| {
        let mut faults = Faults::new();
        for (end, evidence) in items(examined.document.get("evidence")) {
            let pointer = format!("/evidence{end}");
            for key in evidence.as_object().into_iter().flat_map(|object| object.keys()) {
                if !["type", "name", "genre", "digestMultibase"].contains(&key.as_str()) {
                    faults.push(fault(
                        format!("{pointer}/{key}"),
                        format!("evidence does not show {key:?}"),
                    ));
                }
            }
            if !(evidence["name"].is_string() && evidence["digestMultibase"].is_string()) {
                faults.push(fault(pointer, "evidence has no name or no digest"));
            }
        }
        faults
    },
};

pub(super) const HTTPS_IDS: Rule = Rule {
    name: "https-ids",
    citation: "Open Badges 3.0, 8.5: documents are fetched over TLS; an id is signed for ever, so it has to be https, and \
               that of the issuer can be a did:web or a did:key",
    check: |examined| {
        let document = examined.document;
        let achievement = &document["credentialSubject"]["achievement"];
        let is_https = |id: &str| {
            id.starts_with("https://") || (id.starts_with("http://") && examined.policy.allow_http)
        };
        let mut places = vec![
            ("/id".to_owned(), &document["id"]),
            ("/credentialSubject/achievement/id".to_owned(), &achievement["id"]),
            (
                "/credentialSubject/achievement/criteria/id".to_owned(),
                &achievement["criteria"]["id"],
            ),
        ];
        for (end, entry) in items(document.get("credentialStatus")) {
            let is_list = has_type(entry, "1EdTechRevocationList");
            let member = if is_list { "id" } else { "statusListCredential" };
            places.push((format!("/credentialStatus{end}/{member}"), &entry[member]));
        }
        let issuer = document["issuer"]["id"].as_str().is_none_or(|id| {
            is_https(id) || id.starts_with("did:web:") || id.starts_with("did:key:")
        });
        let issuer = (!issuer).then(|| "/issuer/id".to_owned());
        places
            .into_iter()
            .filter(|(_, id)| id.as_str().is_some_and(|id| !is_https(id)))
            .map(|(pointer, _)| pointer)
            .chain(issuer)
            .map(|pointer| fault(pointer, "the id is not https"))
            .collect()
    },
};
