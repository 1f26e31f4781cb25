//! The documents of Open Badges 3.0, made from typed parts.
//!
//! Members that are not there are left out, sets are always arrays, times are whole seconds. What comes out still
//! has to pass [`super::lint::lint`] before it can be signed.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::contexts::{CREDENTIALS_V2, OPEN_BADGES, OPEN_BADGES_EXTENSIONS};
use super::proof::timestamp;

pub use super::published_keys::{
    KeyMaterial, PublishedKey, did_document, issuer_document, jwks, key_document, multikey_id,
};

/// The published schema that every badge names.
pub const CREDENTIAL_SCHEMA: &str =
    "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json";
/// The schema itself, as published.
pub const CREDENTIAL_SCHEMA_BYTES: &[u8] = include_bytes!(
    "../../credential-schemas/open-badges/ob_v3p0_achievementcredential_schema.json"
);
/// The type of [`CREDENTIAL_SCHEMA`] in `credentialSchema`.
pub const CREDENTIAL_SCHEMA_TYPE: &str = "1EdTechJsonSchemaValidator2019";

/// Everything that goes into one badge.
#[derive(Clone, Debug)]
pub struct CredentialContent {
    /// The credential's own URL.
    pub id: String,
    /// Who issues it.
    pub issuer: IssuerContent,
    /// From when it is valid. Fractions of a second are left out.
    pub valid_from: DateTime<Utc>,
    /// Until when, if it ends.
    pub valid_until: Option<DateTime<Utc>>,
    /// The earner: `urn:uuid:…` or a DID.
    pub subject_id: String,
    /// The earner's e-mail address, hashed and salted.
    pub identity: HashedIdentity,
    /// What was achieved.
    pub achievement: AchievementContent,
    /// The levels reached, when the earner chose to include them.
    pub achieved_levels: Option<Vec<AchievedLevel>>,
    /// How it was scored; none for a stack, whose parts say it each for itself.
    pub scoring: Option<ScoringContent>,
    /// The credentials that the badge of a stack rests on.
    pub part_awards: Vec<PartAward>,
    /// What the earner agreed to name.
    pub evidence: Vec<EvidenceContent>,
    /// Where its status is published.
    pub status: StatusContent,
}

/// The face of an issuer.
#[derive(Clone, Debug)]
pub struct IssuerContent {
    /// The issuer's URL or DID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its web site.
    pub url: Option<String>,
    /// Its public address for questions.
    pub email: Option<String>,
    /// What it is.
    pub description: Option<String>,
}

/// A hashed e-mail address with its salt, see [`hash_identity`].
#[derive(Clone)]
pub struct HashedIdentity {
    /// `sha256$` and hex.
    pub identity_hash: String,
    /// The salt that was hashed after the address.
    pub salt: String,
}

impl fmt::Debug for HashedIdentity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("HashedIdentity")
    }
}

/// One version of what can be achieved.
#[derive(Clone, Debug)]
pub struct AchievementContent {
    /// Its URL, one a version.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is about.
    pub description: String,
    /// Where the criteria are published.
    pub criteria_id: String,
    /// What one has to do, as text (Markdown).
    pub criteria_narrative: String,
    /// The version, for people.
    pub version: String,
    /// BCP 47 language tag.
    pub language: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// The framework items it belongs to.
    pub alignments: Vec<AlignmentContent>,
    /// The rubric.
    pub criteria: Vec<CriterionContent>,
    /// For a stack: what it can be made of. It has no rubric then.
    pub parts: Vec<PartContent>,
}

/// A micro-credential that a stack can be made of.
#[derive(Clone, Debug)]
pub struct PartContent {
    /// Id within the stack.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A credential that the badge of a stack rests on.
#[derive(Clone, Debug)]
pub struct PartAward {
    /// Id of the part.
    pub part_id: String,
    /// The credential's own URL.
    pub credential: String,
}

/// A link to an item of a framework.
#[derive(Clone, Debug)]
pub struct AlignmentContent {
    /// Name of the item.
    pub target_name: String,
    /// Its URL.
    pub target_url: String,
    /// Its code in the framework.
    pub target_code: Option<String>,
    /// The framework's name.
    pub target_framework: Option<String>,
    /// What the item says.
    pub target_description: Option<String>,
    /// What kind of item it is, such as `CFItem`.
    pub target_type: Option<String>,
}

/// One criterion of the rubric.
#[derive(Clone, Debug)]
pub struct CriterionContent {
    /// Id within the achievement.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The framework items that it belongs to, besides those of the achievement.
    pub alignments: Vec<AlignmentContent>,
    /// Its levels, low to high.
    pub levels: Vec<LevelContent>,
    /// Id of the level that has to be reached.
    pub required_level: String,
}

/// One level of a criterion.
#[derive(Clone, Debug)]
pub struct LevelContent {
    /// Id within the criterion.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its rank as text, such as `2`.
    pub level: String,
    /// What work on this level looks like.
    pub description: Option<String>,
}

/// The level that was reached in one criterion.
#[derive(Clone, Debug)]
pub struct AchievedLevel {
    /// Id of the criterion.
    pub criterion_id: String,
    /// Id of the level.
    pub level_id: String,
}

/// How the work was scored, without naming anybody.
#[derive(Clone, Debug)]
pub struct ScoringContent {
    /// Hash over everything that scoring follows.
    pub scoring_hash: String,
    /// The review mode, such as `double_blind`.
    pub review_mode: String,
    /// How many assessors read it.
    pub raters: u32,
    /// Whether all of them were qualified for this scoring hash.
    pub assessors_qualified: bool,
}

/// What a badge shows of one piece of evidence.
#[derive(Clone, Debug)]
pub struct EvidenceContent {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub genre: Option<String>,
    /// Its digest as multibase multihash.
    pub digest_multibase: String,
}

/// Where the status of a badge is found.
#[derive(Clone, Debug)]
pub enum StatusContent {
    /// Bitstring status lists.
    Bitstring {
        /// URL of the status list credential for revocation.
        list_url: String,
        /// Index in the list.
        index: usize,
        /// URL of the list for suspension and index in it, when the badge shows the two apart.
        suspension: Option<(String, usize)>,
    },
    /// The revocation list of 1EdTech, see [`revocation_list`].
    RevocationList {
        /// Its URL.
        url: String,
    },
}

/// A credential that nobody has linted or signed yet.
#[derive(Clone, Debug, PartialEq)]
pub struct CredentialDraft {
    document: Value,
}

impl CredentialDraft {
    /// A document that was made elsewhere.
    #[must_use]
    pub fn from_document(document: Value) -> CredentialDraft {
        CredentialDraft { document }
    }

    /// The document.
    #[must_use]
    pub fn document(&self) -> &Value {
        &self.document
    }

    pub(super) fn into_document(self) -> Value {
        self.document
    }
}

impl From<&CredentialContent> for CredentialDraft {
    fn from(content: &CredentialContent) -> CredentialDraft {
        CredentialDraft { document: credential(content) }
    }
}

/// The hash of an e-mail address as Open Badges writes it: of the trimmed, lower-case address followed by the salt.
#[must_use]
pub fn hash_identity(email: &str, salt: &str) -> String {
    hash_text(&email.trim().to_lowercase(), salt)
}

pub(super) fn hash_text(text: &str, salt: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(text.as_bytes());
    hasher.update(salt.as_bytes());
    format!("sha256${}", super::hex(&hasher.finalize()))
}

/// The header of a SHA-256 multihash.
const SHA256_MULTIHASH: [u8; 2] = [0x12, 0x20];

/// A SHA-256 as `digestMultibase`: `u` and base64url of the multihash (VCDM 2.0, section 5.3).
#[must_use]
pub fn digest_multibase(sha256: &[u8; 32]) -> String {
    let mut bytes = SHA256_MULTIHASH.to_vec();
    bytes.extend(sha256);
    format!("u{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// The SHA-256 in a `digestMultibase`, in base64url or base58btc; `None` when it is another kind of digest.
#[must_use]
pub fn parse_digest_multibase(text: &str) -> Option<[u8; 32]> {
    if text.len() > 128 {
        return None;
    }
    let bytes = if let Some(encoded) = text.strip_prefix('u') {
        URL_SAFE_NO_PAD.decode(encoded).ok()?
    } else {
        bs58::decode(text.strip_prefix('z')?).into_vec().ok()?
    };
    bytes.strip_prefix(&SHA256_MULTIHASH)?.try_into().ok()
}

/// The id of the issuer, which is a text or an object with an id.
pub(super) fn issuer_id(document: &Value) -> Option<&str> {
    let issuer = document.get("issuer")?;
    issuer.as_str().or_else(|| issuer["id"].as_str())
}

/// The id of a criterion's `ResultDescription`: the achievement's id with a fragment. The same for every badge.
#[must_use]
pub fn criterion_url(achievement: &str, criterion: &str) -> String {
    format!("{achievement}#criterion-{}", fragment(criterion))
}

/// The id of a `RubricCriterionLevel`.
#[must_use]
pub fn level_url(achievement: &str, criterion: &str, level: &str) -> String {
    format!("{achievement}#criterion-{}/level-{}", fragment(criterion), fragment(level))
}

/// The four kinds of result that say how a badge was scored: result type, fragment of its id, name.
pub(super) const SCORING: [(&str, &str, &str); 4] = [
    ("ext:ScoringHash", "scoring-hash", "Scoring version"),
    ("ext:ReviewMode", "review-mode", "How the work was read"),
    ("ext:Raters", "raters", "Number of readers"),
    ("ext:AssessorsQualified", "assessors-qualified", "All readers were qualified"),
];

/// The kind of result that names a part of a stack.
pub(super) const PART: &str = "ext:Part";
/// The type of a stack among those of Open Badges; that of everything else is [`MICRO_CREDENTIAL`].
pub(super) const STACK: &str = "Certificate";
/// The type of what is judged by a rubric.
pub(super) const MICRO_CREDENTIAL: &str = "MicroCredential";

fn part_url(achievement: &str, part: &str) -> String {
    format!("{achievement}#part-{}", fragment(part))
}

/// A text as part of a URL's fragment.
fn fragment(text: &str) -> String {
    let mut fragment = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            fragment.push(char::from(byte));
        } else {
            fragment.push('%');
            fragment.push_str(&super::hex(&[byte]).to_uppercase());
        }
    }
    fragment
}

pub(super) fn set(object: &mut Map<String, Value>, key: &str, value: Option<&str>) {
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        object.insert(key.to_owned(), json!(value));
    }
}

pub(super) fn set_all(object: &mut Map<String, Value>, key: &str, values: Vec<Value>) {
    if !values.is_empty() {
        object.insert(key.to_owned(), Value::Array(values));
    }
}

fn credential(content: &CredentialContent) -> Value {
    let mut document = Map::new();
    let contexts = [CREDENTIALS_V2, OPEN_BADGES, OPEN_BADGES_EXTENSIONS];
    document.insert("@context".to_owned(), json!(contexts));
    document.insert("type".to_owned(), json!(["VerifiableCredential", "OpenBadgeCredential"]));
    set(&mut document, "id", Some(&content.id));
    set(&mut document, "name", Some(&content.achievement.name));
    document.insert("issuer".to_owned(), profile(&content.issuer));
    set(&mut document, "validFrom", Some(&timestamp(content.valid_from)));
    set(&mut document, "validUntil", content.valid_until.map(timestamp).as_deref());
    document.insert("credentialSubject".to_owned(), subject(content));
    document.insert(
        "credentialSchema".to_owned(),
        json!([{"id": CREDENTIAL_SCHEMA, "type": CREDENTIAL_SCHEMA_TYPE}]),
    );
    document.insert("credentialStatus".to_owned(), status(&content.status));
    set_all(&mut document, "evidence", content.evidence.iter().map(evidence).collect());
    Value::Object(document)
}

pub(super) fn profile(issuer: &IssuerContent) -> Value {
    let mut object = Map::new();
    set(&mut object, "id", Some(&issuer.id));
    object.insert("type".to_owned(), json!(["Profile"]));
    set(&mut object, "name", Some(&issuer.name));
    set(&mut object, "url", issuer.url.as_deref());
    set(&mut object, "email", issuer.email.as_deref());
    set(&mut object, "description", issuer.description.as_deref());
    Value::Object(object)
}

fn subject(content: &CredentialContent) -> Value {
    json!({
        "id": content.subject_id,
        "type": ["AchievementSubject"],
        "identifier": [{
            "type": "IdentityObject",
            "hashed": true,
            "identityHash": content.identity.identity_hash,
            "identityType": "emailAddress",
            "salt": content.identity.salt,
        }],
        "achievement": achievement(&content.achievement, &content.issuer),
        "result": results(content),
    })
}

fn achievement(achievement: &AchievementContent, creator: &IssuerContent) -> Value {
    let mut object = Map::new();
    set(&mut object, "id", Some(&achievement.id));
    object.insert("type".to_owned(), json!(["Achievement"]));
    let is_stack = !achievement.parts.is_empty();
    let kind = if is_stack { STACK } else { MICRO_CREDENTIAL };
    set(&mut object, "achievementType", Some(kind));
    set(&mut object, "name", Some(&achievement.name));
    set(&mut object, "description", Some(&achievement.description));
    object.insert(
        "criteria".to_owned(),
        json!({"id": achievement.criteria_id, "narrative": achievement.criteria_narrative}),
    );
    object.insert("creator".to_owned(), profile(creator));
    set(&mut object, "version", Some(&achievement.version));
    set(&mut object, "inLanguage", Some(&achievement.language));
    set_all(&mut object, "tag", achievement.tags.iter().map(|tag| json!(tag)).collect());
    set_all(&mut object, "alignment", achievement.alignments.iter().map(alignment).collect());
    let mut descriptions: Vec<Value> = achievement
        .criteria
        .iter()
        .map(|criterion| result_description(&achievement.id, criterion))
        .collect();
    for part in &achievement.parts {
        descriptions.push(json!({
            "id": part_url(&achievement.id, &part.id),
            "type": ["ResultDescription"],
            "name": part.name,
            "resultType": PART,
        }));
    }
    let scoring = if is_stack { &[] } else { SCORING.as_slice() };
    for (result_type, name, title) in scoring {
        descriptions.push(json!({
            "id": format!("{}#{name}", achievement.id),
            "type": ["ResultDescription"],
            "name": title,
            "resultType": result_type,
        }));
    }
    set_all(&mut object, "resultDescription", descriptions);
    Value::Object(object)
}

fn alignment(alignment: &AlignmentContent) -> Value {
    let mut object = Map::new();
    object.insert("type".to_owned(), json!(["Alignment"]));
    set(&mut object, "targetName", Some(&alignment.target_name));
    set(&mut object, "targetUrl", Some(&alignment.target_url));
    set(&mut object, "targetCode", alignment.target_code.as_deref());
    set(&mut object, "targetFramework", alignment.target_framework.as_deref());
    set(&mut object, "targetDescription", alignment.target_description.as_deref());
    set(&mut object, "targetType", alignment.target_type.as_deref());
    Value::Object(object)
}

fn result_description(achievement: &str, criterion: &CriterionContent) -> Value {
    let levels: Vec<Value> = criterion
        .levels
        .iter()
        .map(|level| {
            let mut object = Map::new();
            set(&mut object, "id", Some(&level_url(achievement, &criterion.id, &level.id)));
            object.insert("type".to_owned(), json!(["RubricCriterionLevel"]));
            set(&mut object, "name", Some(&level.name));
            set(&mut object, "level", Some(&level.level));
            set(&mut object, "description", level.description.as_deref());
            Value::Object(object)
        })
        .collect();
    let mut object = Map::new();
    set(&mut object, "id", Some(&criterion_url(achievement, &criterion.id)));
    object.insert("type".to_owned(), json!(["ResultDescription"]));
    set(&mut object, "name", Some(&criterion.name));
    set(&mut object, "resultType", Some("RubricCriterionLevel"));
    set_all(&mut object, "rubricCriterionLevel", levels);
    let required = level_url(achievement, &criterion.id, &criterion.required_level);
    set(&mut object, "requiredLevel", Some(&required));
    set_all(&mut object, "alignment", criterion.alignments.iter().map(alignment).collect());
    Value::Object(object)
}

fn results(content: &CredentialContent) -> Vec<Value> {
    let achievement = &content.achievement.id;
    let levels = content.achieved_levels.iter().flatten().map(|achieved| {
        json!({
            "type": ["Result"],
            "resultDescription": criterion_url(achievement, &achieved.criterion_id),
            "achievedLevel": level_url(achievement, &achieved.criterion_id, &achieved.level_id),
        })
    });
    let values = content.scoring.iter().flat_map(|scoring| {
        let values = [
            scoring.scoring_hash.clone(),
            scoring.review_mode.clone(),
            scoring.raters.to_string(),
            scoring.assessors_qualified.to_string(),
        ];
        let names = SCORING.iter().map(|(_, name, _)| format!("{achievement}#{name}"));
        names.zip(values)
    });
    let parts = content
        .part_awards
        .iter()
        .map(|part| (part_url(achievement, &part.part_id), part.credential.clone()));
    let values = values.chain(parts).map(|(description, value)| {
        json!({
            "type": ["Result"],
            "resultDescription": description,
            "value": value,
        })
    });
    levels.chain(values).collect()
}

impl StatusContent {
    /// The value of `credentialStatus`.
    #[must_use]
    pub fn to_value(&self) -> Value {
        status(self)
    }
}

fn status(status: &StatusContent) -> Value {
    let entry = |purpose: &str, list_url: &str, index: usize| {
        json!({
            "id": format!("{list_url}#{index}"),
            "type": "BitstringStatusListEntry",
            "statusPurpose": purpose,
            "statusListIndex": index.to_string(),
            "statusListCredential": list_url,
        })
    };
    match status {
        // The schema of Open Badges takes one object only, so there is an array just for the two.
        StatusContent::Bitstring { list_url, index, suspension } => {
            let revocation = entry("revocation", list_url, *index);
            match suspension {
                None => revocation,
                Some((list_url, index)) => {
                    json!([revocation, entry("suspension", list_url, *index)])
                }
            }
        }
        StatusContent::RevocationList { url } => {
            json!({"id": url, "type": "1EdTechRevocationList"})
        }
    }
}

/// A credential on a [`revocation_list`].
#[derive(Clone, Debug)]
pub struct RevokedCredential {
    /// Its id.
    pub id: String,
    /// Why it was revoked, if that may be said.
    pub reason: Option<String>,
}

/// The list that badges with [`StatusContent::RevocationList`] name (1EdTech Revocation List Status Method 1.0).
#[must_use]
pub fn revocation_list(id: &str, issuer: &str, revoked: &[RevokedCredential]) -> Value {
    let revoked: Vec<Value> = revoked
        .iter()
        .map(|credential| {
            let mut object = Map::new();
            set(&mut object, "id", Some(&credential.id));
            object.insert("revoked".to_owned(), json!(true));
            set(&mut object, "revocationReason", credential.reason.as_deref());
            Value::Object(object)
        })
        .collect();
    json!({"id": id, "issuer": issuer, "revokedCredential": revoked})
}

fn evidence(evidence: &EvidenceContent) -> Value {
    let mut object = Map::new();
    object.insert("type".to_owned(), json!(["Evidence"]));
    set(&mut object, "name", Some(&evidence.name));
    set(&mut object, "genre", evidence.genre.as_deref());
    set(&mut object, "digestMultibase", Some(&evidence.digest_multibase));
    Value::Object(object)
}

/// The public JSON-LD document of an achievement.
#[must_use]
pub fn achievement_document(content: &AchievementContent, creator: &IssuerContent) -> Value {
    let mut document = achievement(content, creator);
    if let Some(object) = document.as_object_mut() {
        object.insert("@context".to_owned(), json!([CREDENTIALS_V2, OPEN_BADGES]));
    }
    document
}
