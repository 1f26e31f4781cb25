//! Access tokens that are not ours, or not as they should be, and are refused one and all.

use assay::store;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use crate::harness::{BASE_URL, Person, TestApp};

const CLAIMS: [&str; 8] = ["iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp"];

/// The service's own key, for tokens with a right signature and something else wrong.
struct Forge {
    app: TestApp,
    person: Person,
    key: SigningKey,
    header: Value,
    claims: Map<String, Value>,
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn read_part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

impl Forge {
    fn new() -> Forge {
        let app = TestApp::new();
        let person = app.admin();
        let header = read_part(&person.token, 0);
        let claims = read_part(&person.token, 1).as_object().unwrap().clone();
        let keys =
            store::sessions::list_token_keys(&mut app.resources.database.connection().unwrap());
        let (id, wrapped) = keys.unwrap().remove(0);
        assert_eq!(header["kid"], id);
        let label = format!("token_keys/{id}");
        let seed = app.resources.keyring.unwrap_key(&wrapped, &label).unwrap();
        Forge { key: SigningKey::from_bytes(&seed), app, person, header, claims }
    }

    /// A token of this header and these claims, signed as ours are.
    fn sign(&self, header: &Value, claims: &Map<String, Value>) -> String {
        let input = format!("{}.{}", part(header), part(&Value::Object(claims.clone())));
        let signature = self.key.sign(input.as_bytes());
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }

    fn with_header(&self, name: &str, value: Value) -> String {
        let mut header = self.header.clone();
        header[name] = value;
        self.sign(&header, &self.claims)
    }

    fn with_claim(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims.clone();
        claims.insert(name.to_owned(), value);
        self.sign(&self.header, &claims)
    }

    fn number(&self, name: &str) -> i64 {
        self.claims[name].as_i64().unwrap()
    }

    fn status(&self, token: &str) -> u16 {
        let person = self.person.with_tokens(token, "");
        person.get("/api/v1/me").status
    }

    #[track_caller]
    fn refuse(&self, what: &str, token: &str) {
        let person = self.person.with_tokens(token, "");
        let answer = person.get("/api/v1/me");
        assert_eq!(answer.status, 401, "{what}: {answer:?}");
        assert_eq!(answer.problem(), "sign-in-ended", "{what}");
    }
}

#[test]
fn a_token_made_by_the_rules_is_taken() {
    let forge = Forge::new();
    assert_eq!(forge.header["alg"], "EdDSA");
    assert_eq!(forge.header["typ"], "at+jwt");
    assert_eq!(forge.claims["iss"], BASE_URL);
    assert_eq!(forge.number("exp") - forge.number("iat"), 15 * 60);
    assert_eq!(forge.status(&forge.sign(&forge.header, &forge.claims)), 200);
}

#[test]
fn another_algorithm_is_refused() {
    let forge = Forge::new();
    let payload = part(&Value::Object(forge.claims.clone()));
    let mut header = forge.header.clone();
    header["alg"] = json!("none");
    let unsigned = format!("{}.{payload}", part(&header));
    forge.refuse("none, no signature", &format!("{unsigned}."));
    forge.refuse("none, two parts", &unsigned);
    header["alg"] = json!("HS256");
    let input = format!("{}.{payload}", part(&header));
    let public = forge.key.verifying_key();
    let spoken = URL_SAFE_NO_PAD.encode(public.as_bytes());
    let spki = [b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00".as_slice(), public.as_bytes()];
    for secret in [public.as_bytes().as_slice(), spoken.as_bytes(), &spki.concat()] {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
        mac.update(input.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        forge.refuse("HS256 with the public key", &format!("{input}.{signature}"));
    }
    for algorithm in ["RS256", "ES256", "HS512", "eddsa", "Ed25519", ""] {
        forge.refuse(algorithm, &forge.with_header("alg", json!(algorithm)));
    }
}

#[test]
fn another_type_or_key_id_is_refused() {
    let forge = Forge::new();
    for kind in [json!("JWT"), json!("jwt"), json!("vc+jwt"), json!(""), json!(7), Value::Null] {
        forge.refuse(&format!("typ {kind}"), &forge.with_header("typ", kind.clone()));
    }
    for id in [json!(uuid::Uuid::now_v7()), json!("../key"), json!(""), json!(7), Value::Null] {
        forge.refuse(&format!("kid {id}"), &forge.with_header("kid", id.clone()));
    }
    for name in ["typ", "kid", "alg"] {
        let mut header = forge.header.clone();
        header.as_object_mut().unwrap().remove(name);
        forge.refuse(name, &forge.sign(&header, &forge.claims));
    }
}

#[test]
fn every_claim_is_required_and_of_its_type() {
    let forge = Forge::new();
    for name in CLAIMS {
        let mut claims = forge.claims.clone();
        assert!(claims.remove(name).is_some(), "{name}");
        forge.refuse(&format!("without {name}"), &forge.sign(&forge.header, &claims));
        forge.refuse(&format!("{name} null"), &forge.with_claim(name, Value::Null));
        forge.refuse(&format!("{name} list"), &forge.with_claim(name, json!([forge.claims[name]])));
        let claim = &forge.claims[name];
        let other = if claim.is_string() { json!(7) } else { json!(claim.to_string()) };
        forge.refuse(&format!("{name} of another type"), &forge.with_claim(name, other));
    }
    forge.refuse("one claim more", &forge.with_claim("admin", json!(true)));
    assert_eq!(forge.claims.len(), CLAIMS.len());
}

#[test]
fn a_token_for_somebody_else_or_another_time_is_refused() {
    let forge = Forge::new();
    let id = || json!(uuid::Uuid::now_v7());
    for (name, value) in [
        ("iss", json!("https://other.example.org")),
        ("aud", json!(BASE_URL)),
        ("sub", id()),
        ("sub", json!("administrator")),
        ("sid", id()),
        ("sid", json!("")),
        // Longer than tokens live.
        ("exp", json!(forge.number("exp") + 1)),
        ("exp", json!(i64::MAX)),
        ("exp", json!(forge.number("exp") as f64 + 0.5)),
        ("exp", json!(forge.number("iat") - 31)),
        ("exp", json!(-1)),
        ("iat", json!(i64::MIN)),
        ("nbf", json!(forge.number("nbf") + 60)),
        ("nbf", json!(i64::MAX)),
        ("iat", json!(i64::MAX)),
    ] {
        forge.refuse(&format!("{name} = {value}"), &forge.with_claim(name, value.clone()));
    }
}

#[test]
fn an_altered_or_broken_token_is_refused() {
    let forge = Forge::new();
    let token = &forge.person.token;
    let (input, signature) = token.rsplit_once('.').unwrap();
    let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    bytes[10] ^= 1;
    forge.refuse("altered signature", &format!("{input}.{}", URL_SAFE_NO_PAD.encode(&bytes)));
    let stranger = SigningKey::from_bytes(&[7; 32]).sign(input.as_bytes());
    let stranger = URL_SAFE_NO_PAD.encode(stranger.to_bytes());
    forge.refuse("a stranger's signature", &format!("{input}.{stranger}"));
    let [header, _, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!() };
    let mut claims = forge.claims.clone();
    claims.insert("jti".to_owned(), json!("another"));
    let payload = part(&Value::Object(claims));
    forge.refuse("altered claims", &format!("{header}.{payload}.{signature}"));
    forge.refuse("no token", "no-token");
    forge.refuse("four parts", &format!("{token}.x"));
    forge.refuse("no signature", &format!("{input}."));
    forge.refuse("a refresh token", &forge.person.refresh_token);
    forge.refuse("long", &"x".repeat(8000));
    let anybody = forge.app.anybody();
    for value in ["Basic YTpi", "Bearer", "Bearer ", "bearer"] {
        let request = anybody.request(reqwest::Method::GET, "/api/v1/me");
        let answer = anybody.send(request.header("authorization", value));
        assert_eq!((answer.status, answer.problem().as_str()), (401, "unauthenticated"), "{value}");
    }
    forge.person.get("/api/v1/me").expect(200);
}

#[test]
fn nothing_about_a_token_is_in_a_refusal() {
    let forge = Forge::new();
    let token = forge.with_claim("aud", json!("secret-audience"));
    let person = forge.person.with_tokens(&token, "");
    let text = String::from_utf8(person.get("/api/v1/me").bytes).unwrap();
    assert!(!text.contains("secret-audience") && !text.contains(&token), "{text}");
}
