//! The keys of VC-JWT: Ed25519, P-256 and RSA, as JWK, as Multikey and as PKCS#8.

use std::fmt;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
    RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, VerifyingKey};
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::keys::{self, IssuerKey, KeyError};

/// The multicodec prefixes of P-256 and RSA public keys, `0x1200` and `0x1205` as varints.
const P256_PUBLIC: [u8; 2] = [0x80, 0x24];
const RSA_PUBLIC: [u8; 2] = [0x85, 0x24];
/// Longest Multikey text that is looked at: an RSA key of 4096 bits has about 720 characters.
const MAX_MULTIKEY: usize = 1_024;
/// The lengths of an RSA modulus that are accepted: shorter is not safe, longer takes too much time.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=4_096;

/// An algorithm that JWTs are signed with. There is no other, and never `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// Ed25519.
    EdDsa,
    /// ECDSA over P-256 with SHA-256.
    Es256,
    /// RSA with PKCS#1 v1.5 padding and SHA-256: the one that every validator of Open Badges reads.
    Rs256,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Algorithm; 3] = [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256];

    /// The name in a JOSE header.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::EdDsa => "EdDSA",
            Algorithm::Es256 => "ES256",
            Algorithm::Rs256 => "RS256",
        }
    }

    /// The algorithm of this name, which is compared letter by letter.
    #[must_use]
    pub fn parse(name: &str) -> Option<Algorithm> {
        Algorithm::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }
}

/// A private key that signs JWTs. Wiped from memory when dropped; its `Debug` form says nothing.
pub struct JwtKey {
    secret: Secret,
    public: PublicJwk,
}

enum Secret {
    Ed25519(IssuerKey),
    P256(EncodingKey),
    Rsa(EncodingKey),
}

impl JwtKey {
    /// The key in a PKCS#8 document (DER), which must be one for this algorithm.
    pub fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Result<JwtKey, KeyError> {
        match algorithm {
            Algorithm::EdDsa => Ok(JwtKey::from_issuer_key(&IssuerKey::from_pkcs8(der)?)),
            Algorithm::Es256 => {
                let Ok(pair) = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der)
                else {
                    return Err(KeyError::NotPkcs8);
                };
                let public = PublicJwk::from_p256_point(pair.public_key().as_ref())?;
                Ok(JwtKey { secret: Secret::P256(EncodingKey::from_ec_der(der)), public })
            }
            Algorithm::Rs256 => {
                let Ok(pair) = rsa::KeyPair::from_pkcs8(der) else {
                    return Err(KeyError::NotPkcs8);
                };
                let public = PublicJwk::from_rsa_key(pair.public_key())?;
                let der = pkcs1_of(der).ok_or(KeyError::NotPkcs8)?;
                Ok(JwtKey { secret: Secret::Rsa(EncodingKey::from_rsa_der(der)), public })
            }
        }
    }

    /// The key that signs embedded proofs, as one that signs JWTs with EdDSA.
    #[must_use]
    pub fn from_issuer_key(key: &IssuerKey) -> JwtKey {
        JwtKey {
            public: PublicJwk::from_ed25519(key.public_key()),
            secret: Secret::Ed25519(key.duplicate()),
        }
    }

    /// What the key signs with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.public.algorithm()
    }

    /// The public half.
    #[must_use]
    pub fn public_jwk(&self) -> PublicJwk {
        self.public.clone()
    }

    /// The signature over exactly these bytes, in base64url. Credentials are signed by [`super::jwt::sign`].
    pub(super) fn sign_bytes(&self, message: &[u8]) -> Result<String, jsonwebtoken::errors::Error> {
        match &self.secret {
            Secret::Ed25519(key) => Ok(URL_SAFE_NO_PAD.encode(key.sign_bytes(message).to_bytes())),
            Secret::P256(key) => {
                jsonwebtoken::crypto::sign(message, key, jsonwebtoken::Algorithm::ES256)
            }
            Secret::Rsa(key) => {
                jsonwebtoken::crypto::sign(message, key, jsonwebtoken::Algorithm::RS256)
            }
        }
    }
}

impl fmt::Debug for JwtKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JwtKey")
    }
}

/// The `RSAPrivateKey` (PKCS#1) inside of a `PrivateKeyInfo` (RFC 5208, section 5).
fn pkcs1_of(pkcs8: &[u8]) -> Option<&[u8]> {
    let (info, _) = der_element(0x30, pkcs8)?;
    let (_version, rest) = der_element(0x02, info)?;
    let (_algorithm, rest) = der_element(0x30, rest)?;
    der_element(0x04, rest).map(|(key, _)| key)
}

/// The contents of the first DER element, which has this tag, and what comes after it.
fn der_element(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    let (&length, rest) = rest.split_first()?;
    let (length, rest) = match length {
        0x00..=0x7f => (usize::from(length), rest),
        0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
        0x82 => (usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?])), rest.get(2..)?),
        _ => return None,
    };
    (first == tag && length <= rest.len()).then(|| rest.split_at(length))
}

/// A public key that signatures of JWTs are checked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicJwk {
    material: Material,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Material {
    Ed25519(VerifyingKey),
    P256 { x: [u8; 32], y: [u8; 32] },
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

impl PublicJwk {
    /// An Ed25519 key.
    #[must_use]
    pub fn from_ed25519(key: VerifyingKey) -> PublicJwk {
        PublicJwk { material: Material::Ed25519(key) }
    }

    /// A P-256 key as a point of 65 bytes, or compressed of 33.
    fn from_p256_point(point: &[u8]) -> Result<PublicJwk, KeyError> {
        let is_point = matches!((point.len(), point.first()), (65, Some(4)) | (33, Some(2 | 3)));
        if !is_point {
            return Err(KeyError::BadPoint);
        }
        // Reading it shows that the point is on the curve; the document always ends with the whole point.
        let whole = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            .parse()
            .ok()
            .and_then(|key| key.as_der().ok())
            .and_then(|document| {
                let (_, point) = document.as_ref().split_last_chunk::<64>()?;
                let (x, y) = point.split_first_chunk::<32>()?;
                Some(Material::P256 { x: *x, y: y.try_into().ok()? })
            });
        whole.map(|material| PublicJwk { material }).ok_or(KeyError::BadPoint)
    }

    fn from_rsa_key(key: &rsa::PublicKey) -> Result<PublicJwk, KeyError> {
        PublicJwk::from_rsa(
            key.modulus().big_endian_without_leading_zero().to_vec(),
            key.exponent().big_endian_without_leading_zero().to_vec(),
        )
    }

    fn from_rsa(n: Vec<u8>, e: Vec<u8>) -> Result<PublicJwk, KeyError> {
        let Some(&first) = n.first().filter(|first| **first != 0) else {
            return Err(KeyError::BadMember("n"));
        };
        let bits = n.len() * 8 - usize::try_from(first.leading_zeros()).unwrap_or_default();
        if !RSA_BITS.contains(&bits) {
            return Err(KeyError::BadSize);
        }
        if n.last().is_none_or(|last| last % 2 == 0) {
            return Err(KeyError::BadMember("n"));
        }
        // Odd, above one, and short: a long exponent only makes checking slow.
        let is_exponent = (1..=4).contains(&e.len())
            && e.first() != Some(&0)
            && e.last().is_some_and(|last| last % 2 == 1)
            && e != [1];
        if !is_exponent {
            return Err(KeyError::BadMember("e"));
        }
        let components = RsaPublicKeyComponents { n: &n, e: &e };
        if components.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).is_err() {
            return Err(KeyError::BadPoint);
        }
        Ok(PublicJwk { material: Material::Rsa { n, e } })
    }

    /// Reads a JWK (RFC 7517) that is public, of one of the three kinds, strong, and not meant for something else.
    pub fn parse(jwk: &Value) -> Result<PublicJwk, KeyError> {
        let Value::Object(members) = jwk else { return Err(KeyError::BadMember("kty")) };
        if ["d", "p", "q", "dp", "dq", "qi", "oth", "k"]
            .iter()
            .any(|member| members.contains_key(*member))
        {
            return Err(KeyError::Private);
        }
        let text = |member: &'static str| {
            members.get(member).and_then(Value::as_str).ok_or(KeyError::BadMember(member))
        };
        let key = match text("kty")? {
            "OKP" => match text("crv")? {
                "Ed25519" => ed25519(&octets(members, "x")?)?,
                _ => return Err(KeyError::OtherKind),
            },
            "EC" => match text("crv")? {
                "P-256" => {
                    let (x, y) = (octets(members, "x")?, octets(members, "y")?);
                    if x.len() != 32 {
                        return Err(KeyError::BadMember("x"));
                    }
                    PublicJwk::from_p256_point(&[&[4], x.as_slice(), y.as_slice()].concat())?
                }
                _ => return Err(KeyError::OtherKind),
            },
            "RSA" => PublicJwk::from_rsa(octets(members, "n")?, octets(members, "e")?)?,
            _ => return Err(KeyError::OtherKind),
        };
        let is_own_algorithm = |name: &Value| {
            // RFC 9864 names the curve instead.
            let is_new_name = matches!(key.material, Material::Ed25519(_)) && name == "Ed25519";
            name == key.algorithm().as_str() || is_new_name
        };
        if members.get("alg").is_some_and(|name| !is_own_algorithm(name)) {
            return Err(KeyError::BadMember("alg"));
        }
        if members.get("use").is_some_and(|purpose| purpose != "sig") {
            return Err(KeyError::BadMember("use"));
        }
        let verifies = |operations: &Value| {
            operations
                .as_array()
                .is_some_and(|operations| operations.iter().any(|one| one == "verify"))
        };
        if members.get("key_ops").is_some_and(|operations| !verifies(operations)) {
            return Err(KeyError::BadMember("key_ops"));
        }
        Ok(key)
    }

    /// Reads a Multikey of one of the three kinds.
    pub fn parse_multikey(text: &str) -> Result<PublicJwk, KeyError> {
        let Some(encoded) = text.strip_prefix('z') else { return Err(KeyError::NotMultikey) };
        if text.len() > MAX_MULTIKEY {
            return Err(KeyError::NotMultikey);
        }
        let Ok(bytes) = bs58::decode(encoded).into_vec() else { return Err(KeyError::NotMultikey) };
        let key = if let Some(point) = bytes.strip_prefix(&P256_PUBLIC) {
            PublicJwk::from_p256_point(point)?
        } else if let Some(der) = bytes.strip_prefix(&RSA_PUBLIC) {
            match rsa::PublicKey::from_der(der) {
                Ok(key) => PublicJwk::from_rsa_key(&key)?,
                Err(_) => return Err(KeyError::BadPoint),
            }
        } else {
            return keys::parse_multikey(text).map(PublicJwk::from_ed25519);
        };
        if key.multikey() == text { Ok(key) } else { Err(KeyError::BadPoint) }
    }

    /// The public members, with `alg`. A `kid` is for the caller to add.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let algorithm = self.algorithm().as_str();
        match &self.material {
            Material::Ed25519(key) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": text(key.as_bytes()), "alg": algorithm})
            }
            Material::P256 { x, y } => {
                json!({"kty": "EC", "crv": "P-256", "x": text(x), "y": text(y), "alg": algorithm})
            }
            Material::Rsa { n, e } => {
                json!({"kty": "RSA", "n": text(n), "e": text(e), "alg": algorithm})
            }
        }
    }

    /// The JWK thumbprint with SHA-256 (RFC 7638), in base64url.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        let jwk = self.to_value();
        // Section 3.3: the required members in this order, without any space.
        let required: &[&str] = match &self.material {
            Material::Ed25519(_) => &["crv", "kty", "x"],
            Material::P256 { .. } => &["crv", "kty", "x", "y"],
            Material::Rsa { .. } => &["e", "kty", "n"],
        };
        let members: Vec<String> =
            required.iter().map(|member| format!("\"{member}\":{}", jwk[*member])).collect();
        let hash = Sha256::digest(format!("{{{}}}", members.join(",")).as_bytes());
        URL_SAFE_NO_PAD.encode(hash)
    }

    /// The key as a Multikey.
    #[must_use]
    pub fn multikey(&self) -> String {
        let (prefix, key) = match &self.material {
            Material::Ed25519(key) => return keys::multikey(key),
            Material::P256 { x, y } => {
                let sign = if y[31].is_multiple_of(2) { 2 } else { 3 };
                (P256_PUBLIC, [&[sign], x.as_slice()].concat())
            }
            Material::Rsa { n, e } => {
                (RSA_PUBLIC, der(0x30, &[der_integer(n), der_integer(e)].concat()))
            }
        };
        format!("z{}", bs58::encode([prefix.as_slice(), &key].concat()).into_string())
    }

    /// What signatures by the key are made with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match self.material {
            Material::Ed25519(_) => Algorithm::EdDsa,
            Material::P256 { .. } => Algorithm::Es256,
            Material::Rsa { .. } => Algorithm::Rs256,
        }
    }

    /// The key, when it is one that can sign embedded proofs.
    #[must_use]
    pub fn as_ed25519(&self) -> Option<VerifyingKey> {
        match self.material {
            Material::Ed25519(key) => Some(key),
            Material::P256 { .. } | Material::Rsa { .. } => None,
        }
    }

    /// Whether the signature (base64url) over exactly these bytes was made with the key.
    #[must_use]
    pub(super) fn verify(&self, message: &[u8], signature: &str) -> bool {
        let with = |key: DecodingKey, algorithm| {
            jsonwebtoken::crypto::verify(signature, message, &key, algorithm).unwrap_or(false)
        };
        match &self.material {
            // Strict, unlike the JWT library: one message, one signature, one key.
            Material::Ed25519(key) => URL_SAFE_NO_PAD
                .decode(signature)
                .ok()
                .and_then(|bytes| Signature::from_slice(&bytes).ok())
                .is_some_and(|signature| key.verify_strict(message, &signature).is_ok()),
            Material::P256 { x, y } => {
                let point = [&[4], x.as_slice(), y.as_slice()].concat();
                with(DecodingKey::from_ec_der(&point), jsonwebtoken::Algorithm::ES256)
            }
            Material::Rsa { n, e } => {
                with(DecodingKey::from_rsa_raw_components(n, e), jsonwebtoken::Algorithm::RS256)
            }
        }
    }
}

/// A DER element.
fn der(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = contents.len().to_be_bytes();
    let length = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    let mut element = vec![tag];
    match length {
        [] => element.push(0),
        [short] if *short < 0x80 => element.push(*short),
        long => {
            element.push(0x80 | u8::try_from(long.len()).unwrap_or_default());
            element.extend(long);
        }
    }
    element.extend(contents);
    element
}

/// A positive number without leading zeros as a DER element.
fn der_integer(number: &[u8]) -> Vec<u8> {
    let is_signed = number.first().is_some_and(|first| *first >= 0x80);
    if is_signed { der(0x02, &[&[0], number].concat()) } else { der(0x02, number) }
}

/// The bytes of a member in strict base64url.
fn octets(members: &Map<String, Value>, member: &'static str) -> Result<Vec<u8>, KeyError> {
    members
        .get(member)
        .and_then(Value::as_str)
        .filter(|text| text.len() <= MAX_MULTIKEY)
        .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
        .ok_or(KeyError::BadMember(member))
}

fn ed25519(x: &[u8]) -> Result<PublicJwk, KeyError> {
    let Ok(point) = <&[u8; 32]>::try_from(x) else { return Err(KeyError::BadMember("x")) };
    match VerifyingKey::from_bytes(point) {
        Ok(key) if !key.is_weak() => Ok(PublicJwk::from_ed25519(key)),
        Ok(_) | Err(_) => Err(KeyError::BadPoint),
    }
}
