//! The good badges that mutants are made of, the keys that signed them, and the web around them.

use std::collections::BTreeMap;

use assay::credential::document::{
    CredentialContent, CredentialDraft, IssuerContent, PublishedKey, StatusContent,
    issuer_document, key_document,
};
use assay::credential::jwk::{Algorithm, JwtKey};
use assay::credential::jwt;
use assay::credential::keys::{IssuerKey, did_key, did_key_method};
use assay::credential::lint::{LintPolicy, lint};
use assay::credential::proof::{self, sign};
use assay::credential::status_list::{MIN_ENTRIES, StatusList, StatusListContent, publish};
use assay::credential::verify::{Documents, Unavailable};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};

use crate::lints::{LIST_INDEX, LIST_URL, at, content};

/// The host of nobody whom the badges name.
pub const STRANGER: &str = "https://stranger.example/issuers/1";
/// The status list of the issuer that is a key.
pub const DID_LIST_URL: &str = "https://badges.example.org/status-lists/0193-e";
/// Places that are set on every list here.
pub const SET: [usize; 3] = [1, 2, 131_071];

/// Documents by address.
#[derive(Clone, Default)]
pub struct Pages(pub BTreeMap<String, Vec<u8>>);

impl Pages {
    pub fn put(&mut self, url: &str, page: impl Into<Vec<u8>>) {
        self.0.insert(url.to_owned(), page.into());
    }
}

impl Documents for Pages {
    fn fetch(&self, url: &str) -> Result<Vec<u8>, Unavailable> {
        self.0.get(url).cloned().ok_or_else(|| Unavailable {
            code: "unreachable".to_owned(),
            detail: "The host does not answer.".to_owned(),
        })
    }
}

/// A key that signs anything that it is given.
#[derive(Clone)]
pub enum Secret {
    Ed25519([u8; 32]),
    P256(Vec<u8>),
    Rsa(Vec<u8>),
}

impl Secret {
    fn p256() -> Secret {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Secret::P256(pair.to_pkcs8v1().unwrap().as_ref().to_vec())
    }

    fn rsa() -> Secret {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        Secret::Rsa(AsDer::as_der(&pair).unwrap().as_ref().to_vec())
    }

    pub fn key(&self) -> JwtKey {
        match self {
            Secret::Ed25519(seed) => JwtKey::from_issuer_key(&IssuerKey::from_seed(seed)),
            Secret::P256(der) => JwtKey::from_pkcs8(Algorithm::Es256, der).unwrap(),
            Secret::Rsa(der) => JwtKey::from_pkcs8(Algorithm::Rs256, der).unwrap(),
        }
    }

    /// The signature of a token.
    pub fn sign(&self, message: &[u8]) -> String {
        let random = SystemRandom::new();
        URL_SAFE_NO_PAD.encode(match self {
            Secret::Ed25519(seed) => SigningKey::from_bytes(seed).sign(message).to_vec(),
            Secret::P256(der) => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).unwrap();
                pair.sign(&random, message).unwrap().as_ref().to_vec()
            }
            Secret::Rsa(der) => {
                let pair = RsaKeyPair::from_pkcs8(der).unwrap();
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
        })
    }
}

/// What a badge travels in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    Plain,
    Png,
    Svg,
}

/// How a badge is signed.
#[derive(Clone)]
pub enum Signature {
    Embedded { seed: [u8; 32], method: String },
    Token { secret: Secret, kid: String, stranger: Secret },
}

/// A badge that is valid.
#[derive(Clone)]
pub struct Good {
    pub name: &'static str,
    pub carrier: Carrier,
    pub signature: Signature,
    pub text: String,
    pub list_url: &'static str,
    pub pages: Pages,
}

pub fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(kind);
    hasher.update(data);
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    [&length[..], kind, data, &hasher.finalize().to_be_bytes()].concat()
}

/// A small PNG file with these chunks in front of its pixels, and those behind them.
pub fn png(before: &[Vec<u8>], behind: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 4, 4);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[7; 16]).unwrap();
    writer.finish().unwrap();
    // Signature and IHDR, then the pixels, then IEND.
    let (head, rest) = bytes.split_at(33);
    let (pixels, end) = rest.split_at(rest.len() - 12);
    [head, &before.concat(), pixels, &behind.concat(), end].concat()
}

pub const KEYWORD: &[u8] = b"openbadgecredential\0";

pub fn itxt(text: &[u8]) -> Vec<u8> {
    chunk(b"iTXt", &[KEYWORD, &[0; 4], text].concat())
}

/// An SVG file with this where the badge stands.
pub fn svg(elements: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:openbadges=\"https://purl.imsglobal.org/ob/v3p0\" \
         viewBox=\"0 0 8 8\">{elements}<path d=\"M0 0h8v8z\"/></svg>"
    )
}

impl Good {
    pub fn is_token(&self) -> bool {
        matches!(self.signature, Signature::Token { .. })
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.carry(self.text.as_bytes())
    }

    /// A text in the place of the badge, as it is.
    pub fn carry(&self, text: &[u8]) -> Vec<u8> {
        match self.carrier {
            Carrier::Plain => text.to_vec(),
            Carrier::Png => png(&[itxt(text)], &[]),
            Carrier::Svg => svg(&self.element(&String::from_utf8_lossy(text))).into_bytes(),
        }
    }

    /// The element of an SVG file in which a badge stands.
    pub fn element(&self, text: &str) -> String {
        if self.is_token() {
            format!("<openbadges:credential verify=\"{text}\"></openbadges:credential>")
        } else {
            let text = text.replace("]]>", "]]]]><![CDATA[>");
            format!("<openbadges:credential><![CDATA[{text}]]></openbadges:credential>")
        }
    }

    /// The credential, for a token with its claims.
    pub fn document(&self) -> Value {
        if self.is_token() {
            part(&self.text, 1)
        } else {
            serde_json::from_str(&self.text).unwrap()
        }
    }

    /// The public key as multikey.
    pub fn multikey(&self) -> String {
        match &self.signature {
            Signature::Embedded { seed, .. } => IssuerKey::from_seed(seed).public_multikey(),
            Signature::Token { secret, .. } => secret.key().public_jwk().multikey(),
        }
    }

    /// The header of a token of this key.
    pub fn header(&self) -> Value {
        match &self.signature {
            Signature::Token { secret, kid, .. } => {
                json!({"alg": secret.key().algorithm().as_str(), "typ": "JWT", "kid": kid})
            }
            Signature::Embedded { .. } => Value::Null,
        }
    }

    /// The options of a proof of this key.
    pub fn options(&self) -> Value {
        match &self.signature {
            Signature::Embedded { method, .. } => json!({
                "type": "DataIntegrityProof",
                "cryptosuite": "eddsa-rdfc-2022",
                "created": "2026-11-21T13:00:00Z",
                "verificationMethod": method,
                "proofPurpose": "assertionMethod",
            }),
            Signature::Token { .. } => Value::Null,
        }
    }

    /// The document signed anew by the same issuer; none when it cannot be signed at all.
    pub fn signed(&self, document: &Value) -> Option<String> {
        match &self.signature {
            Signature::Embedded { seed, .. } => prove(document, &self.options(), seed),
            Signature::Token { secret, .. } => {
                Some(token(secret, &self.header().to_string(), &document.to_string()))
            }
        }
    }
}

/// One part of a token as JSON.
pub fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

pub fn token(secret: &Secret, header: &str, payload: &str) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = secret.sign(message.as_bytes());
    format!("{message}.{signature}")
}

/// The document with a proof of these options.
pub fn prove(document: &Value, options: &Value, seed: &[u8; 32]) -> Option<String> {
    let mut document = document.clone();
    document.as_object_mut()?.remove("proof");
    let hash = proof::canonicalize(&document).ok()?.hash;
    let hashed = proof::proof_options(options.as_object()?, &document["@context"]);
    let message = proof::combined_hash(&proof::canonicalize(&hashed).ok()?.hash, &hash);
    let signature = SigningKey::from_bytes(seed).sign(&message).to_bytes();
    let mut proof = options.clone();
    proof["proofValue"] = json!(format!("z{}", bs58::encode(signature).into_string()));
    document["proof"] = json!([proof]);
    Some(document.to_string())
}

/// A status list as an issuer publishes it; none when the key cannot have this name.
pub fn list(seed: &[u8; 32], method: &str, content: &StatusListContent) -> Option<String> {
    Some(publish(&IssuerKey::from_seed(seed), content, method, at(12)).ok()?.document)
}

pub fn list_content(issuer: &str, url: &str, set: &[usize]) -> StatusListContent {
    let mut list = StatusList::new(MIN_ENTRIES).unwrap();
    for &index in set {
        list.set(index, true).unwrap();
    }
    StatusListContent {
        id: url.to_owned(),
        issuer: issuer.to_owned(),
        valid_from: at(12),
        purpose: "revocation".to_owned(),
        list,
    }
}

/// The seed of the https issuer, of the issuer that is a key, and of nobody.
pub const SEEDS: [[u8; 32]; 3] = [[3; 32], [7; 32], [9; 32]];

pub fn method(issuer: &str, seed: &[u8; 32]) -> String {
    format!("{issuer}#{}", IssuerKey::from_seed(seed).public_multikey())
}

fn badge(issuer: &str, list_url: &str) -> CredentialContent {
    let mut content = content();
    content.issuer.id = issuer.to_owned();
    content.status = StatusContent::Bitstring {
        list_url: list_url.to_owned(),
        index: LIST_INDEX,
        suspension: None,
    };
    content
}

fn embedded(content: &CredentialContent, seed: &[u8; 32], method: &str) -> String {
    let linted = lint(CredentialDraft::from(content), &LintPolicy::default()).unwrap();
    sign(&IssuerKey::from_seed(seed), linted, method, at(13)).unwrap().document
}

/// Every form in which we issue.
pub fn goods() -> Vec<Good> {
    let [seed, did_seed, stranger_seed] = SEEDS;
    let https = content().issuer.id;
    let did = did_key(&IssuerKey::from_seed(&did_seed).public_key());
    let did_method = did_key_method(&IssuerKey::from_seed(&did_seed).public_key());
    let secrets = [Secret::rsa(), Secret::p256(), Secret::Ed25519([5; 32])];
    let strangers = [Secret::rsa(), Secret::p256(), Secret::Ed25519(stranger_seed)];
    let kid = |base: &str, secret: &Secret| {
        let name = secret.key().algorithm().as_str().to_lowercase();
        format!("{base}/keys/{name}")
    };
    let mut pages = Pages::default();
    for (issuer, base, seed, secrets) in [
        (content().issuer, "https://badges.example.org", seed, &secrets),
        (
            IssuerContent { id: STRANGER.to_owned(), ..content().issuer },
            "https://stranger.example",
            stranger_seed,
            &strangers,
        ),
    ] {
        let mut keys = vec![PublishedKey::multikey(
            &issuer.id,
            &IssuerKey::from_seed(&seed).public_multikey(),
            None,
        )];
        for secret in secrets {
            let kid = kid(base, secret);
            let key = PublishedKey::jwk(&kid, secret.key().public_jwk(), None);
            pages.put(&kid, key_document(&issuer.id, &key).to_string());
            keys.push(key);
        }
        pages.put(&issuer.id, issuer_document(&issuer, &keys).to_string());
    }
    let https_list = list_content(&https, LIST_URL, &SET);
    pages.put(LIST_URL, list(&seed, &method(&https, &seed), &https_list).unwrap());
    let did_list = list_content(&did, DID_LIST_URL, &SET);
    pages.put(DID_LIST_URL, list(&did_seed, &did_method, &did_list).unwrap());

    let by_proof = |name, carrier, is_did: bool| {
        let (issuer, list_url, seed, method) = if is_did {
            (&did, DID_LIST_URL, did_seed, did_method.clone())
        } else {
            (&https, LIST_URL, seed, method(&https, &seed))
        };
        let text = embedded(&badge(issuer, list_url), &seed, &method);
        let signature = Signature::Embedded { seed, method };
        Good { name, carrier, signature, text, list_url, pages: pages.clone() }
    };
    let by_token = |name, carrier, index: usize| {
        let secret = secrets[index].clone();
        let kid = kid("https://badges.example.org", &secret);
        let draft = CredentialDraft::from(&badge(&https, LIST_URL));
        let linted = lint(draft, &LintPolicy::default()).unwrap();
        let text = jwt::sign(&secret.key(), &linted, &kid).unwrap().token;
        let signature = Signature::Token { secret, kid, stranger: strangers[index].clone() };
        Good { name, carrier, signature, text, list_url: LIST_URL, pages: pages.clone() }
    };
    vec![
        by_proof("JSON of an https issuer", Carrier::Plain, false),
        by_token("token by RS256", Carrier::Plain, 0),
        by_proof("PNG with JSON", Carrier::Png, false),
        by_token("SVG with token by RS256", Carrier::Svg, 0),
        by_token("token by ES256", Carrier::Plain, 1),
        by_proof("SVG with JSON", Carrier::Svg, true),
        by_token("PNG with token by ES256", Carrier::Png, 1),
        by_proof("JSON of a did:key", Carrier::Plain, true),
        by_token("token by EdDSA", Carrier::Plain, 2),
        by_token("PNG with token by EdDSA", Carrier::Png, 2),
    ]
}
