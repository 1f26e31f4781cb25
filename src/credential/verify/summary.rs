//! What a credential says, for people, and whether it says it about somebody.

use serde::Serialize;
use serde_json::Value;
use subtle::ConstantTimeEq;

use super::{Finding, Outcome, RecipientMatch};
use crate::credential::document::{self, hash_identity};
use crate::credential::lint::items;

/// What the credential says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CredentialSummary {
    /// Its id.
    pub id: Option<String>,
    /// The name of the achievement.
    pub achievement: Option<String>,
    /// The id of the achievement, for those who have agreed to accept it. The name says what it is.
    #[serde(skip)]
    pub achievement_id: Option<String>,
    /// Who issued it, by its own words.
    pub issuer: IssuerSummary,
    /// From when it is valid, as written.
    pub valid_from: Option<String>,
    /// Until when, as written.
    pub valid_until: Option<String>,
    /// Its state, as far as it is known.
    pub status: StatusWord,
    /// How it was scored, if it says so.
    pub scoring: Option<ScoringSummary>,
}

/// Who issued a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IssuerSummary {
    /// The issuer's id.
    pub id: Option<String>,
    /// The issuer's name.
    pub name: Option<String>,
}

/// How a credential was scored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScoringSummary {
    /// Hash over everything that scoring follows.
    pub scoring_hash: String,
    /// The review mode.
    pub review_mode: String,
    /// How many assessors read the work.
    pub raters: u32,
    /// Whether all were qualified.
    pub assessors_qualified: bool,
    /// The levels reached, when the earner chose to include them.
    pub results: Option<Vec<ResultSummary>>,
}

/// The level reached in one criterion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResultSummary {
    /// Name of the criterion.
    pub criterion: String,
    /// Name of the level.
    pub level: String,
}

/// The state of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusWord {
    /// Neither ended nor withdrawn.
    Active,
    /// Withdrawn for good.
    Revoked,
    /// Withdrawn for now.
    Suspended,
    /// Past its last day.
    Expired,
    /// Replaced by a newer one.
    Superseded,
    /// Not known.
    Unknown,
}

pub(super) fn summarize(
    document: &Value,
    status: &Finding,
    validity_period: &Finding,
    signed: bool,
) -> CredentialSummary {
    let text = |value: &Value| value.as_str().map(clip);
    // Version 1.1 of the data model has other names.
    let date = |new: &str, old: &str| text(document.get(new).unwrap_or(&document[old]));
    let issuer = &document["issuer"];
    let status = match (status.outcome, status.code) {
        (Outcome::Fail, "suspended") => StatusWord::Suspended,
        (Outcome::Fail, _) => StatusWord::Revoked,
        _ if validity_period.code == "expired" => StatusWord::Expired,
        (Outcome::Pass | Outcome::NotApplicable, _) if signed => StatusWord::Active,
        (Outcome::Pass | Outcome::NotApplicable | Outcome::Unknown, _) => StatusWord::Unknown,
    };
    CredentialSummary {
        id: text(&document["id"]),
        achievement: text(&document["credentialSubject"]["achievement"]["name"]),
        achievement_id: text(&document["credentialSubject"]["achievement"]["id"]),
        issuer: IssuerSummary {
            id: document::issuer_id(document).map(clip),
            name: text(&issuer["name"]),
        },
        valid_from: date("validFrom", "issuanceDate"),
        valid_until: date("validUntil", "expirationDate"),
        status,
        scoring: scoring(document),
    }
}

/// A text from a stranger, at a length that fits an answer and without what no database or terminal should be given.
fn clip(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(2_000).collect()
}

fn scoring(credential: &Value) -> Option<ScoringSummary> {
    let subject = &credential["credentialSubject"];
    let descriptions = items(subject["achievement"].get("resultDescription"));
    let results = items(subject.get("result"));
    let value = |result_type: &str| {
        let (_, description) = descriptions
            .iter()
            .find(|(_, description)| description["resultType"] == result_type)?;
        let id = description["id"].as_str()?;
        let (_, result) = results.iter().find(|(_, result)| result["resultDescription"] == id)?;
        result["value"].as_str().map(clip)
    };
    let [scoring_hash, review_mode, raters, assessors_qualified] =
        document::SCORING.map(|(result_type, _, _)| value(result_type));
    let levels: Vec<ResultSummary> = results
        .iter()
        .filter_map(|(_, result)| {
            let achieved = result["achievedLevel"].as_str()?;
            let (_, description) = descriptions
                .iter()
                .find(|(_, description)| description["id"] == result["resultDescription"])?;
            let levels = items(description.get("rubricCriterionLevel"));
            let (_, level) = levels.iter().find(|(_, level)| level["id"] == achieved)?;
            Some(ResultSummary {
                criterion: clip(description["name"].as_str()?),
                level: clip(level["name"].as_str()?),
            })
        })
        .collect();
    Some(ScoringSummary {
        scoring_hash: scoring_hash?,
        review_mode: review_mode?,
        raters: raters?.parse().ok()?,
        assessors_qualified: assessors_qualified?.parse().ok()?,
        results: if levels.is_empty() { None } else { Some(levels) },
    })
}

/// Compares an e-mail address with the identifiers of the subject.
pub(super) fn match_recipient(credential: &Value, email: &str) -> RecipientMatch {
    let email = email.trim();
    let mut answer = RecipientMatch::Unknown;
    for (_, identifier) in items(credential["credentialSubject"].get("identifier")) {
        let kind = identifier["identityType"].as_str().unwrap_or_default();
        let Some(value) = identifier["identityHash"].as_str() else { continue };
        if kind != "emailAddress" {
            continue;
        }
        let salt = identifier["salt"].as_str().unwrap_or_default();
        let is_same = if identifier["hashed"] == Value::Bool(true) {
            if !value.starts_with("sha256$") {
                continue;
            }
            // Some issuers hash the address as it was typed.
            let typed = document::hash_text(email, salt);
            let value = value.to_ascii_lowercase();
            bool::from(value.as_bytes().ct_eq(hash_identity(email, salt).as_bytes()))
                || bool::from(value.as_bytes().ct_eq(typed.as_bytes()))
        } else {
            value.trim().to_lowercase() == email.to_lowercase()
        };
        if is_same {
            return RecipientMatch::Yes;
        }
        answer = RecipientMatch::No;
    }
    answer
}
