//! What a badge as JWT costs with each kind of key, beside the bare signature of that kind.

use assay::credential::document::{CredentialDraft, PublishedKey, key_document};
use assay::credential::jwk::{Algorithm, JwtKey};
use assay::credential::jwt::sign;
use assay::credential::keys::IssuerKey;
use assay::credential::lint::{LintPolicy, LintedCredential, lint};
use assay::credential::verify::VerifyOptions;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use divan::{Bencher, black_box};

use crate::credential::{SEED, content, noon, pages, verdict};

const KID: &str = "https://badges.example.org/keys/1";
const MESSAGE: [u8; 64] = [7; 64];
/// By their names, since the kinds of keys cannot be arguments themselves.
const NAMES: [&str; 3] = ["RS256", "ES256", "EdDSA"];

fn key(name: &str) -> JwtKey {
    match Algorithm::parse(name).unwrap() {
        Algorithm::EdDsa => JwtKey::from_issuer_key(&IssuerKey::from_seed(&SEED)),
        Algorithm::Es256 => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
            let der = pair.to_pkcs8v1().unwrap();
            JwtKey::from_pkcs8(Algorithm::Es256, der.as_ref()).unwrap()
        }
        Algorithm::Rs256 => {
            let der = AsDer::as_der(&rsa::KeyPair::generate(KeySize::Rsa2048).unwrap()).unwrap();
            JwtKey::from_pkcs8(Algorithm::Rs256, der.as_ref()).unwrap()
        }
    }
}

fn linted() -> LintedCredential {
    lint(CredentialDraft::from(&content()), &LintPolicy::default()).unwrap()
}

/// Claims, text and signature; the lints and the canonical hash are in `lint_and_sign`.
#[divan::bench(args = NAMES)]
fn sign_token(bencher: Bencher<'_, '_>, name: &str) {
    let (key, linted) = (key(name), linted());
    bencher.bench_local(|| sign(&key, black_box(&linted), KID).unwrap());
}

#[divan::bench(args = NAMES)]
fn verify_token_with_status(bencher: Bencher<'_, '_>, name: &str) {
    let (key, options) = (key(name), VerifyOptions::at(noon()));
    let token = sign(&key, &linted(), KID).unwrap().token;
    let published = PublishedKey::jwk(KID, key.public_jwk(), None);
    let mut pages = pages(std::slice::from_ref(&published));
    let page = key_document(&content().issuer.id, &published).to_string();
    pages.0.insert(KID.to_owned(), page.into_bytes());
    bencher.bench_local(|| verdict(token.as_bytes(), &pages, &options));
}

#[divan::bench]
fn bare_sign_rsa(bencher: Bencher<'_, '_>) {
    let (pair, random) = (RsaKeyPair::generate(KeySize::Rsa2048).unwrap(), SystemRandom::new());
    let mut signature = vec![0; pair.public_modulus_len()];
    bencher.bench_local(|| {
        pair.sign(&RSA_PKCS1_SHA256, &random, black_box(&MESSAGE), &mut signature).unwrap();
    });
}

#[divan::bench]
fn bare_verify_rsa(bencher: Bencher<'_, '_>) {
    let (pair, random) = (RsaKeyPair::generate(KeySize::Rsa2048).unwrap(), SystemRandom::new());
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &random, &MESSAGE, &mut signature).unwrap();
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref());
    bencher.bench_local(|| key.verify(black_box(&MESSAGE), &signature).unwrap());
}

#[divan::bench]
fn bare_sign_p256(bencher: Bencher<'_, '_>) {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let random = SystemRandom::new();
    bencher.bench_local(|| pair.sign(&random, black_box(&MESSAGE)).unwrap());
}

#[divan::bench]
fn bare_verify_p256(bencher: Bencher<'_, '_>) {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let signature = pair.sign(&SystemRandom::new(), &MESSAGE).unwrap();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref());
    bencher.bench_local(|| key.verify(black_box(&MESSAGE), signature.as_ref()).unwrap());
}
