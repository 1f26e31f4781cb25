//! Rules for a badge of any issuer.

use std::collections::BTreeSet;

use chrono::{DateTime, FixedOffset};
use serde_json::Value;

use super::{Examined, Rule, fault, has_type, items, walk};
use crate::credential::expansion::Reason;
use crate::credential::proof::HashError;

type Faults = Vec<(String, String)>;

pub(super) const VALIDITY_ORDER: Rule = Rule {
    name: "validity-order",
    citation: "VCDM 2.0, 4.9: \"If a validUntil value also exists, the validFrom value MUST express a point in time \
               that is temporally the same or earlier than the point in time expressed by the validUntil value.\"",
    check: validity_order,
};

fn validity_order(examined: &Examined<'_>) -> Faults {
    let mut faults = Faults::new();
    let mut time = |member: &str| -> Option<DateTime<FixedOffset>> {
        let value = examined.document.get(member)?;
        let time = value.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        if time.is_none() {
            faults.push(fault(
                format!("/{member}"),
                format!("{member} is not a date and time with a zone"),
            ));
        }
        time
    };
    let spans = [
        (time("validFrom"), time("validUntil"), "validUntil"),
        (time("issuanceDate"), time("expirationDate"), "expirationDate"),
    ];
    for (from, until, member) in spans {
        if let (Some(from), Some(until)) = (from, until)
            && until < from
        {
            faults.push(fault(format!("/{member}"), format!("{member} is before the beginning")));
        }
    }
    faults
}

pub(super) const ZONED_DATES: Rule = Rule {
    name: "zoned-dates",
    citation: "Open Badges 3.0, DateTimeZ: \"A DateTime with the trailing timezone specifier included, e.g. \
               2021-09-07T02:09:59+02:00\"; without a zone readers differ about the day",
    check: |examined| {
        let mut faults = Faults::new();
        walk(examined.document, "", 0, &mut |pointer, value| {
            for member in DATES {
                // `validity-order` says it about the credential itself.
                let is_own = pointer.is_empty() && member.starts_with("valid");
                let is_date = |value: &Value| {
                    value.as_str().is_some_and(|text| DateTime::parse_from_rfc3339(text).is_ok())
                };
                if !is_own && value.get(member).is_some_and(|value| !is_date(value)) {
                    faults.push(fault(
                        format!("{pointer}/{member}"),
                        format!("{member} is not a date and time with a zone"),
                    ));
                }
            }
        });
        faults
    },
};

/// Members that hold a date and time with a zone wherever they stand.
const DATES: [&str; 5] =
    ["validFrom", "validUntil", "awardedDate", "activityStartDate", "activityEndDate"];

pub(super) const TYPED_SERVICES: Rule = Rule {
    name: "typed-services",
    citation: "VCDM 2.0, 4.4: types are required for \"credentialStatus\", \"termsOfUse\", \"evidence\", \
               \"refreshService\" and \"credentialSchema\" objects",
    check: typed_services,
};

fn typed_services(examined: &Examined<'_>) -> Faults {
    let mut faults = Faults::new();
    for (member, needs_id) in [
        ("credentialSchema", true),
        ("refreshService", true),
        ("credentialStatus", false),
        ("termsOfUse", false),
        ("evidence", false),
    ] {
        for (end, object) in items(examined.document.get(member)) {
            let is_typed = items(object.get("type"))
                .iter()
                .any(|(_, name)| name.as_str().is_some_and(|name| !name.is_empty()));
            if !is_typed || needs_id && object["id"].as_str().is_none() {
                let lack = if needs_id { "no type or no id" } else { "no type" };
                faults.push(fault(format!("/{member}{end}"), format!("{member} has {lack}")));
            }
        }
    }
    faults
}

pub(super) const STATUS_ENTRIES: Rule = Rule {
    name: "status-entries",
    citation: "Bitstring Status List 1.0, 2.1: \"statusListIndex: … MUST be an arbitrary size integer greater than or \
               equal to 0, expressed as a string in base 10.\"",
    check: status_entries,
};

fn status_entries(examined: &Examined<'_>) -> Faults {
    let mut faults = Faults::new();
    for (end, entry) in items(examined.document.get("credentialStatus")) {
        let pointer = format!("/credentialStatus{end}");
        if !has_type(entry, "BitstringStatusListEntry") {
            continue;
        }
        if status_index(entry).is_none() {
            faults.push(fault(
                format!("{pointer}/statusListIndex"),
                "the status index is not the number of an entry",
            ));
        }
        for member in ["statusPurpose", "statusListCredential"] {
            if entry[member].as_str().is_none() {
                faults.push(fault(format!("{pointer}/{member}"), format!("{member} is missing")));
            }
        }
    }
    faults
}

/// The index of a status entry, when it can be in any list that is read.
///
/// The standard wants text; a number, as in published samples, means the same and is read as well.
pub(in crate::credential) fn status_index(entry: &Value) -> Option<usize> {
    let index = &entry["statusListIndex"];
    let text = index.as_str().map_or_else(|| index.to_string(), str::to_owned);
    let is_number = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

pub(super) const RELATED_RESOURCES: Rule = Rule {
    name: "related-resources",
    citation: "VCDM 2.0, 5.3: \"The value of the relatedResource property MUST be one or more objects … The identifier \
               for the resource is REQUIRED … MUST be unique among the list … Each object … MUST contain at least a \
               digestSRI or a digestMultibase value.\"",
    check: related_resources,
};

fn related_resources(examined: &Examined<'_>) -> Faults {
    let mut faults = Faults::new();
    let mut seen = BTreeSet::new();
    for (end, resource) in items(examined.document.get("relatedResource")) {
        let pointer = format!("/relatedResource{end}");
        match resource["id"].as_str() {
            None => faults.push(fault(&pointer, "the related resource has no id")),
            Some(id) if !seen.insert(id) => {
                faults.push(fault(format!("{pointer}/id"), "two related resources have one id"));
            }
            Some(_) => {}
        }
        let has_digest =
            ["digestSRI", "digestMultibase"].iter().any(|member| resource[*member].is_string());
        if !has_digest {
            faults.push(fault(&pointer, "the related resource has no digest"));
        }
    }
    faults
}

pub(super) const RESULT_REFERENCES: Rule = Rule {
    name: "result-references",
    citation: "Open Badges 3.0, Result: \"resultDescription: An achievement can have many result descriptions \
               describing possible results. The value of resultDescription MUST match the id of the result \
               description linked to this result.\"",
    check: |examined| {
        let subject = &examined.document["credentialSubject"];
        let descriptions = items(subject["achievement"].get("resultDescription"));
        let ids: BTreeSet<&str> =
            descriptions.iter().filter_map(|(_, description)| description["id"].as_str()).collect();
        let levels: BTreeSet<&str> =
            descriptions.iter().flat_map(|(_, description)| level_ids(description)).collect();
        let mut faults = Faults::new();
        for (end, result) in items(subject.get("result")) {
            for (member, known, detail) in [
                (
                    "resultDescription",
                    &ids,
                    "the result belongs to no result description of the achievement",
                ),
                ("achievedLevel", &levels, "the achieved level is none of the achievement"),
            ] {
                let is_unknown =
                    |value: &Value| value.as_str().is_none_or(|id| !known.contains(id));
                if result.get(member).is_some_and(is_unknown) {
                    faults.push(fault(format!("/credentialSubject/result{end}/{member}"), detail));
                }
            }
        }
        faults
    },
};

/// The ids of the levels of a result description.
pub(super) fn level_ids(description: &Value) -> impl Iterator<Item = &str> {
    items(description.get("rubricCriterionLevel"))
        .into_iter()
        .filter_map(|(_, level)| level["id"].as_str())
}

pub(super) const DEFINED_TERMS: Rule = Rule {
    name: "defined-terms",
    citation: "Data Integrity 1.0, 2.4.1 and 4.2: \"if any terms are not defined in the JSON-LD context, an error \
               MUST be raised\", since a term without a definition is not signed",
    check: defined_terms,
};

fn defined_terms(examined: &Examined<'_>) -> Faults {
    match &examined.canonical {
        Ok(canonical) => canonical
            .unsigned
            .iter()
            .filter(|unsigned| unsigned.reason != Reason::RelativeId)
            .map(|unsigned| {
                let detail = match unsigned.reason {
                    Reason::UndefinedTerm => "no context defines the term",
                    Reason::UndefinedType => "no context defines the type",
                    Reason::NotATerm => "a term is needed in place of",
                    Reason::RelativeId => "the id is relative",
                    Reason::UnusableValue => "a signature does not cover the value",
                    Reason::UnsupportedKeyword => "the keyword has no place in a badge",
                };
                fault(&unsigned.pointer, format!("{detail}: {:?}", unsigned.term))
            })
            .collect(),
        Err(error @ (HashError::Expansion(_) | HashError::Canonical(_))) => {
            let mut detail = error.to_string();
            if let Some(source) = std::error::Error::source(error) {
                detail = format!("{detail}: {source}");
            }
            vec![fault("", detail)]
        }
    }
}

pub(super) const ABSOLUTE_IDS: Rule = Rule {
    name: "absolute-ids",
    citation: "VCDM 2.0, 4.4: \"The value of the id property MUST be a single URL, which MAY be dereferenceable.\"",
    check: absolute_ids,
};

fn absolute_ids(examined: &Examined<'_>) -> Faults {
    let relative = examined
        .canonical
        .iter()
        .flat_map(|canonical| &canonical.unsigned)
        .filter(|unsigned| unsigned.reason == Reason::RelativeId)
        .map(|unsigned| {
            fault(&unsigned.pointer, format!("{:?} is not an absolute URL", unsigned.term))
        });
    // A name that is good for this document alone is a thing of JSON-LD, and no URL.
    let document = examined.document;
    let local = [
        ("/id", &document["id"]),
        ("/issuer", &document["issuer"]),
        ("/issuer/id", &document["issuer"]["id"]),
        ("/credentialSubject/id", &document["credentialSubject"]["id"]),
    ]
    .into_iter()
    .filter(|(_, id)| id.as_str().is_some_and(|id| id.starts_with("_:")))
    .map(|(pointer, _)| fault(pointer, "the id is good for this document only"));
    relative.chain(local).collect()
}

pub(super) const OWN_ID_ONCE: Rule = Rule {
    name: "own-id-once",
    citation: "JSON-LD 1.1, 3.3: objects with one id are one node; members of the credential could be moved to another \
               place with its id, where no reader looks for them, and the signature would still hold",
    check: own_id_once,
};

/// Members that readers look for in the credential itself.
const OWN_MEMBERS: [&str; 15] = [
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
];

fn own_id_once(examined: &Examined<'_>) -> Faults {
    let mut faults = Faults::new();
    let Some(own) = examined.document.get("id").filter(|id| id.is_string()) else { return faults };
    walk(examined.document, "", 0, &mut |pointer, value| {
        let is_same_node = !pointer.is_empty() && value.get("id") == Some(own);
        if is_same_node && OWN_MEMBERS.iter().any(|member| value.get(member).is_some()) {
            faults.push(fault(
                pointer,
                "another object has the id of the credential and members of it",
            ));
        }
    });
    faults
}
