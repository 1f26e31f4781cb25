//! Embedded proofs (Data Integrity EdDSA Cryptosuites 1.0): `eddsa-rdfc-2022` is made and verified, its kin are
//! verified.

use chrono::{DateTime, SecondsFormat, Utc};
use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::canonical::{self, BUDGET, CanonicalError};
use super::expansion::{self, ExpansionError, Unsigned};
use super::jcs;
use super::json::{self, JsonError};
use super::keys::{self, IssuerKey, KeyError};
use super::lint::{LintedCredential, items};

/// The type of every embedded proof made here.
pub const PROOF_TYPE: &str = "DataIntegrityProof";
/// The one suite that is signed with.
pub const CRYPTOSUITE: &str = "eddsa-rdfc-2022";
/// Why an issuer signs.
pub const PROOF_PURPOSE: &str = "assertionMethod";

/// Why a document or proof has no hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// The document has no statements.
    #[error("the document cannot be read as JSON-LD")]
    Expansion(#[from] ExpansionError),
    /// The statements have no canonical form here.
    #[error("the document has no canonical form")]
    Canonical(#[from] CanonicalError),
}

/// The canonical form of a JSON value, its hash, and what it leaves out.
#[derive(Clone, Debug)]
pub struct CanonicalDocument {
    /// Canonical N-Quads.
    pub n_quads: String,
    /// Their SHA-256.
    pub hash: [u8; 32],
    /// What a signature over them would not cover.
    pub unsigned: Vec<Unsigned>,
}

/// Canonicalizes a document as it is, a proof included if it has one.
pub fn canonicalize(document: &Value) -> Result<CanonicalDocument, HashError> {
    let expansion = expansion::expand(document)?;
    let n_quads = canonical::canonicalize(&expansion.quads, &BUDGET)?;
    let hash = canonical::hash(&n_quads);
    Ok(CanonicalDocument { n_quads, hash, unsigned: expansion.unsigned })
}

/// The document without its `proof`.
#[must_use]
pub fn unsecured(document: &Value) -> Value {
    let mut document = document.clone();
    if let Some(object) = document.as_object_mut() {
        object.remove("proof");
    }
    document
}

/// What is hashed of a proof: everything but the signature, read in the context of its document.
#[must_use]
pub fn proof_options(proof: &Map<String, Value>, context: &Value) -> Value {
    let mut options = proof.clone();
    options.remove("proofValue");
    options.insert("@context".to_owned(), context.clone());
    Value::Object(options)
}

/// The 64 bytes that are signed: hash of the proof options, then hash of the document.
#[must_use]
pub fn combined_hash(options: &[u8; 32], document: &[u8; 32]) -> [u8; 64] {
    let mut combined = [0; 64];
    combined[..32].copy_from_slice(options);
    combined[32..].copy_from_slice(document);
    combined
}

/// A credential with its proof, exactly as it is stored and served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCredential {
    /// The JSON text.
    pub document: String,
    /// Lower-case hex of the SHA-256 of the text.
    pub sha256: String,
}

impl SignedCredential {
    pub(super) fn new(document: &Value) -> SignedCredential {
        let document = json::to_text(document);
        let sha256 = super::hex(&Sha256::digest(document.as_bytes()));
        SignedCredential { document, sha256 }
    }
}

/// Why a credential was not signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The verification method names another key.
    #[error("the verification method {verification_method:?} does not name the signing key")]
    OtherKey {
        /// The verification method.
        verification_method: String,
    },
    /// The proof has no hash.
    #[error("the proof cannot be hashed")]
    Hash(#[from] HashError),
}

/// Signs a credential that passed the lints.
///
/// The verification method is the absolute id of the key and ends with `#` and its Multikey; only a `did:web`
/// may name its keys in another way. `created` is written in whole seconds.
pub fn sign(
    key: &IssuerKey,
    credential: LintedCredential,
    verification_method: &str,
    created: DateTime<Utc>,
) -> Result<SignedCredential, SignError> {
    let (document, hash) = credential.into_parts();
    sign_document(key, document, &hash, verification_method, created)
}

pub(super) fn sign_document(
    key: &IssuerKey,
    mut document: Value,
    hash: &[u8; 32],
    verification_method: &str,
    created: DateTime<Utc>,
) -> Result<SignedCredential, SignError> {
    let multikey = key.public_multikey();
    let is_own = match verification_method.split_once('#') {
        Some((id, fragment)) if id.starts_with("did:web:") => !fragment.is_empty(),
        Some((id, fragment)) if id.starts_with("did:key:") => {
            fragment == multikey && id == keys::did_key(&key.public_key())
        }
        Some((_, fragment)) => fragment == multikey,
        None => false,
    };
    if !is_own {
        return Err(SignError::OtherKey { verification_method: verification_method.to_owned() });
    }
    let mut proof = Map::new();
    proof.insert("type".to_owned(), json!(PROOF_TYPE));
    proof.insert("cryptosuite".to_owned(), json!(CRYPTOSUITE));
    proof.insert("created".to_owned(), json!(timestamp(created)));
    proof.insert("verificationMethod".to_owned(), json!(verification_method));
    proof.insert("proofPurpose".to_owned(), json!(PROOF_PURPOSE));
    let options = canonicalize(&proof_options(&proof, &document["@context"]))?;
    let signature = key.sign_bytes(&combined_hash(&options.hash, hash));
    proof.insert("proofValue".to_owned(), json!(encode_signature(&signature)));
    if let Some(object) = document.as_object_mut() {
        object.insert("proof".to_owned(), json!([proof]));
    }
    Ok(SignedCredential::new(&document))
}

/// A time as it stands in our documents: RFC 3339, UTC, whole seconds.
#[must_use]
pub fn timestamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn encode_signature(signature: &Signature) -> String {
    format!("z{}", bs58::encode(signature.to_bytes()).into_string())
}

/// Why one proof cannot be checked, or does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofFault {
    /// The type or suite is one that is not supported.
    #[error("the proof is of the kind {kind:?}, which is not supported")]
    Unsupported {
        /// Type and suite.
        kind: String,
    },
    /// A member is missing or of the wrong form.
    #[error("the member {member:?} of the proof is missing or malformed")]
    Malformed {
        /// The member.
        member: &'static str,
    },
    /// The proof was made for another purpose.
    #[error("the proof was not made to issue a credential")]
    WrongPurpose,
    /// The proof has a member that its own signature does not cover.
    #[error("the signature does not cover {term:?} in the proof")]
    Unsigned {
        /// The member.
        term: String,
    },
    /// The proof has no hash.
    #[error("the proof cannot be hashed")]
    Hash(#[from] HashError),
}

/// How a document is turned into the bytes that are signed. All sign with Ed25519.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// `eddsa-rdfc-2022` (section 3.2), also under its draft's name `eddsa-2022`.
    EddsaRdfc2022,
    /// `eddsa-jcs-2022` (section 3.3).
    EddsaJcs2022,
    /// `Ed25519Signature2020`, of version 1.1 of the data model (section 3.4 of its draft): the statements, as in
    /// [`Suite::EddsaRdfc2022`].
    Ed25519Signature2020,
}

impl Suite {
    fn parse(kind: &str, suite: Option<&str>) -> Option<Suite> {
        match (kind, suite) {
            (PROOF_TYPE, Some(CRYPTOSUITE | "eddsa-2022")) => Some(Suite::EddsaRdfc2022),
            (PROOF_TYPE, Some("eddsa-jcs-2022")) => Some(Suite::EddsaJcs2022),
            ("Ed25519Signature2020", None) => Some(Suite::Ed25519Signature2020),
            _ => None,
        }
    }
}

/// SHA-256 of the JSON text of a document, for [`Suite::EddsaJcs2022`].
#[must_use]
pub fn jcs_hash(document: &Value) -> [u8; 32] {
    Sha256::digest(jcs::canonicalize(document).as_bytes()).into()
}

/// A proof that has all its parts; whether it holds is asked with [`ReadyProof::holds`].
#[derive(Clone, Debug)]
pub struct ReadyProof {
    /// The id of the key.
    pub verification_method: String,
    /// When it says it was made, if it does. It proves nothing once the key is compromised.
    pub created: Option<DateTime<Utc>>,
    /// When it ends, if it does.
    pub expires: Option<DateTime<Utc>>,
    /// The ids of the proofs before it in a chain, which its signature covers as well.
    pub previous: Vec<String>,
    /// What the signature is over.
    pub suite: Suite,
    /// SHA-256 of the canonical proof options.
    pub options_hash: [u8; 32],
    signature: Signature,
}

impl ReadyProof {
    /// Reads one proof of a document with this `@context`.
    pub fn read(proof: &Value, context: &Value) -> Result<ReadyProof, ProofFault> {
        let malformed = |member| ProofFault::Malformed { member };
        let Value::Object(object) = proof else { return Err(malformed("proof")) };
        let text = |member: &'static str| object.get(member).and_then(Value::as_str);
        let (kind, name) = (text("type").unwrap_or_default(), text("cryptosuite"));
        let Some(suite) = Suite::parse(kind, name) else {
            let kind = format!("{kind} {}", name.unwrap_or_default());
            let kind = kind.trim().chars().take(80).collect();
            return Err(ProofFault::Unsupported { kind });
        };
        if text("proofPurpose") != Some(PROOF_PURPOSE) {
            return Err(ProofFault::WrongPurpose);
        }
        if object.get("@context").is_some_and(|own| own != context) {
            return Err(malformed("@context"));
        }
        let time = |member: &'static str| {
            if !object.contains_key(member) {
                return Ok(None);
            }
            text(member)
                .and_then(|time| DateTime::parse_from_rfc3339(time).ok())
                .map(|time| Some(time.with_timezone(&Utc)))
                .ok_or(malformed(member))
        };
        let (created, expires) = (time("created")?, time("expires")?);
        let verification_method =
            text("verificationMethod").ok_or(malformed("verificationMethod"))?.to_owned();
        let previous: Option<Vec<String>> = items(object.get("previousProof"))
            .into_iter()
            .map(|(_, id)| id.as_str().map(str::to_owned))
            .collect();
        let previous = previous.ok_or(malformed("previousProof"))?;
        let signature =
            text("proofValue").and_then(decode_signature).ok_or(malformed("proofValue"))?;
        let options_hash = match suite {
            Suite::EddsaJcs2022 => {
                let mut options = object.clone();
                options.remove("proofValue");
                jcs_hash(&Value::Object(options))
            }
            Suite::EddsaRdfc2022 | Suite::Ed25519Signature2020 => {
                let options = canonicalize(&proof_options(object, context))?;
                if let Some(unsigned) = options.unsigned.into_iter().next() {
                    return Err(ProofFault::Unsigned { term: unsigned.term });
                }
                options.hash
            }
        };
        Ok(ReadyProof {
            verification_method,
            created,
            expires,
            previous,
            suite,
            options_hash,
            signature,
        })
    }

    /// Whether the signature over the document with this hash, of the kind that the suite signs, was made with the
    /// key. Strict: one message, one signature, one key.
    #[must_use]
    pub fn holds(&self, document_hash: &[u8; 32], key: &VerifyingKey) -> bool {
        key.verify_strict(&combined_hash(&self.options_hash, document_hash), &self.signature)
            .is_ok()
    }
}

fn decode_signature(text: &str) -> Option<Signature> {
    let encoded = text.strip_prefix('z').filter(|encoded| encoded.len() <= 96)?;
    let bytes: [u8; 64] = bs58::decode(encoded).into_vec().ok()?.try_into().ok()?;
    let signature = Signature::from_bytes(&bytes);
    (encode_signature(&signature) == text).then_some(signature)
}

/// The proofs of a document: none, one, or a set.
#[must_use]
pub fn proofs(document: &Value) -> &[Value] {
    match document.get("proof") {
        None | Some(Value::Null) => &[],
        Some(Value::Array(proofs)) => proofs,
        Some(proof) => std::slice::from_ref(proof),
    }
}

/// The document that a proof of a chain signs: with the proofs before it (Data Integrity 1.0, section 4.6). `None`
/// when one of them is not there.
#[must_use]
pub fn with_previous(document: &Value, previous: &[String]) -> Option<Value> {
    let all = proofs(document);
    let is_there = |id: &String| all.iter().any(|proof| proof["id"].as_str() == Some(id));
    if !previous.iter().all(is_there) {
        return None;
    }
    let named = |proof: &&Value| {
        proof["id"].as_str().is_some_and(|own| previous.iter().any(|id| id == own))
    };
    let matching: Vec<Value> = all.iter().filter(named).cloned().collect();
    let mut document = unsecured(document);
    document["proof"] = Value::Array(matching);
    Some(document)
}

/// Why a credential that was just signed must not leave.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OwnProofError {
    /// The text is not what the signer writes.
    #[error("the signed document cannot be read")]
    Json(#[from] JsonError),
    /// The document has no hash.
    #[error("the signed document cannot be hashed")]
    Hash(#[from] HashError),
    /// The text was changed after its own hash was taken.
    #[error("the signed text does not have the recorded hash")]
    OtherText,
    /// The document says something else than what was approved.
    #[error("the signed document is not the one that was to be signed")]
    OtherDocument,
    /// The key is not usable.
    #[error("the public key cannot be read")]
    Key(#[from] KeyError),
    /// There is not exactly one proof, or it is not one of ours.
    #[error("the proof cannot be read")]
    Proof(#[from] ProofFault),
    /// The signature does not fit.
    #[error("the signature does not hold")]
    BadSignature,
}

/// Checks a credential with the public key, and that it is the document whose canonical hash was recorded before.
///
/// The issuing order of the security checklist ends with this: nothing that fails here may be stored.
pub fn verify_own(
    signed: &SignedCredential,
    multikey: &str,
    expected_hash: &[u8; 32],
) -> Result<(), OwnProofError> {
    if super::hex(&Sha256::digest(signed.document.as_bytes())) != signed.sha256 {
        return Err(OwnProofError::OtherText);
    }
    let document = json::parse(signed.document.as_bytes(), &json::LIMITS)?;
    let canonical = canonicalize(&unsecured(&document))?;
    if canonical.hash != *expected_hash || !canonical.unsigned.is_empty() {
        return Err(OwnProofError::OtherDocument);
    }
    let [proof] = proofs(&document) else {
        return Err(ProofFault::Malformed { member: "proof" }.into());
    };
    let key = keys::parse_multikey(multikey)?;
    if ReadyProof::read(proof, &document["@context"])?.holds(&canonical.hash, &key) {
        Ok(())
    } else {
        Err(OwnProofError::BadSignature)
    }
}
