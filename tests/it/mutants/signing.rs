//! Mutants of signatures, claims, keys, dates and status lists. Most are signed anew, so that only the fault can be found.

use assay::credential::document::{PublishedKey, issuer_document};
use assay::credential::jwk::Algorithm;
use assay::credential::keys::{IssuerKey, did_key, did_key_method};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::good::{
    Good, SEEDS, SET, STRANGER, Secret, Signature, list, list_content, method, prove, token,
};
use super::kinds::{Dice, Mutant};
use crate::lints::{LIST_INDEX, at, content};

/// A change of the document under the old signature.
pub fn changed(good: &Good, change: impl FnOnce(&mut Value) -> Option<()>) -> Option<Mutant> {
    let mut document = good.document();
    change(&mut document)?;
    let text = if good.is_token() {
        let parts: Vec<&str> = good.text.split('.').collect();
        let payload = URL_SAFE_NO_PAD.encode(document.to_string());
        format!("{}.{payload}.{}", parts[0], parts[2])
    } else {
        document.to_string()
    };
    Some(Mutant::of_text(good, text))
}

/// A change of the document, signed by the issuer.
fn resigned(good: &Good, change: impl FnOnce(&mut Value) -> Option<()>) -> Option<Mutant> {
    let mut document = good.document();
    change(&mut document)?;
    Some(Mutant::of_text(good, good.signed(&document)?))
}

/// A token with another header, signed by the issuer with the algorithm of its key.
fn with_header(good: &Good, change: impl FnOnce(&mut Value)) -> Option<Mutant> {
    let Signature::Token { secret, .. } = &good.signature else { return None };
    let mut header = good.header();
    change(&mut header);
    let text = token(secret, &header.to_string(), &good.document().to_string());
    Some(Mutant::of_text(good, text))
}

/// A proof with other options, signed by the issuer as if they were right.
fn with_options(good: &Good, change: impl FnOnce(&mut Value)) -> Option<Mutant> {
    let Signature::Embedded { seed, .. } = &good.signature else { return None };
    let mut options = good.options();
    change(&mut options);
    Some(Mutant::of_text(good, prove(&good.document(), &options, seed)?))
}

/// Another algorithm than that of the key.
pub fn algorithm(good: &Good, dice: &mut Dice) -> Option<Mutant> {
    let Signature::Token { secret, .. } = &good.signature else {
        let change: fn(&mut Value, &mut Dice) = |options, dice| match dice.below(4) {
            0 => {
                options["cryptosuite"] =
                    json!(dice.pick(&["ecdsa-rdfc-2019", "bbs-2023", "none", ""]))
            }
            1 => options["cryptosuite"] = json!(["eddsa-rdfc-2022"]),
            2 => {
                options["type"] =
                    json!(dice.pick(&["Ed25519Signature2018", "JsonWebSignature2020"]))
            }
            _ => drop(options.as_object_mut().unwrap().remove("cryptosuite")),
        };
        if dice.once_in(2) {
            return with_options(good, |options| change(options, dice));
        }
        // The signature over the statements, said to be one over the text, and the like.
        return changed(good, |document| {
            let proof = &mut document["proof"][0];
            match dice.below(3) {
                0 => proof["cryptosuite"] = json!(dice.pick(&["eddsa-jcs-2022", "eddsa-2022"])),
                1 => {
                    proof["type"] = json!("Ed25519Signature2020");
                    proof.as_object_mut()?.remove("cryptosuite");
                }
                _ => change(proof, dice),
            }
            Some(())
        });
    };
    let own = secret.key().algorithm();
    match dice.below(4) {
        // Not signed at all.
        0 => {
            let mut header = good.header();
            header["alg"] = json!(dice.pick(&["none", "None", "NONE", "nOnE", ""]));
            let parts =
                [header, good.document()].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
            let signature = if dice.once_in(2) { "" } else { good.text.rsplit('.').next()? };
            Some(Mutant::of_text(good, format!("{}.{}.{signature}", parts[0], parts[1])))
        }
        // Signed with the public key as the secret that both sides know.
        1 => {
            let jwk = secret.key().public_jwk();
            let public = jwk.to_value();
            let member = |name: &str| public[name].as_str().unwrap_or("x").to_owned();
            let shared = match dice.below(4) {
                0 => public.to_string(),
                1 => jwk.multikey(),
                2 => member("n") + &member("x"),
                _ => String::from_utf8_lossy(good.pages.0.values().next()?).into_owned(),
            };
            let mut header = good.header();
            header["alg"] = json!("HS256");
            let parts =
                [header, good.document()].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
            let message = parts.join(".");
            let mut mac = Hmac::<Sha256>::new_from_slice(shared.as_bytes()).unwrap();
            mac.update(message.as_bytes());
            let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
            Some(Mutant::of_text(good, format!("{message}.{signature}")))
        }
        // The algorithm of another family of keys.
        2 => with_header(good, |header| {
            let others: Vec<&str> = Algorithm::ALL
                .iter()
                .filter(|other| **other != own)
                .map(|other| other.as_str())
                .chain(["RS384", "RS512", "PS256", "ES384", "ES512", "ES256K", "HS384", "HS512"])
                .collect();
            header["alg"] = json!(dice.pick(&others));
        }),
        _ => with_header(good, |header| match dice.below(4) {
            0 => header["alg"] = json!(own.as_str().to_lowercase()),
            1 => header["alg"] = json!([own.as_str()]),
            2 => header["alg"] = Value::Null,
            _ => drop(header.as_object_mut().unwrap().remove("alg")),
        }),
    }
}

/// Made for something else: another type of token, another purpose of the proof.
pub fn kind(good: &Good, dice: &mut Dice) -> Option<Mutant> {
    if good.is_token() {
        return with_header(good, |header| match dice.below(6) {
            0 => header["crit"] = json!(["exp"]),
            1 => header["b64"] = json!(false),
            2 => header["typ"] = json!(dice.below(9)),
            3 => header["typ"] = json!(["JWT"]),
            _ => {
                let others = [
                    "at+jwt",
                    "vp+jwt",
                    "sd-jwt",
                    "vc+sd-jwt",
                    "dpop+jwt",
                    "JOSE",
                    "JWE",
                    "secevent+jwt",
                    "logout+jwt",
                    "",
                    " JWT",
                    "JWT ",
                    "J\u{0}WT",
                    "application/vp+jwt",
                    "text/JWT",
                ];
                header["typ"] = json!(dice.pick(&others));
            }
        });
    }
    if dice.once_in(3) {
        return changed(good, |document| {
            let pointers = ["", "/issuer", "/credentialSubject", "/credentialSubject/achievement"];
            let pointer = *dice.pick(&pointers);
            let object = document.pointer_mut(pointer)?;
            let types =
                [json!(["VerifiablePresentation"]), json!("Profile"), json!([]), json!(null)];
            object["type"] = dice.pick(&types).clone();
            Some(())
        });
    }
    with_options(good, |options| {
        let purposes = [
            json!("authentication"),
            json!("capabilityInvocation"),
            json!("keyAgreement"),
            json!(""),
            json!("assertionmethod"),
            json!(["assertionMethod", "authentication"]),
            json!(null),
            json!(1),
        ];
        options["proofPurpose"] = dice.pick(&purposes).clone();
    })
}

/// A date that is no date, or no number where a number belongs.
pub fn date_type(good: &Good, dice: &mut Dice) -> Option<Mutant> {
    let claim = dice.once_in(2);
    resigned(good, |document| {
        if good.is_token() && claim {
            let name = *dice.pick(&["exp", "nbf", "iat"]);
            let number = document.get(name).cloned().unwrap_or(json!(1_795_262_400));
            document[name] = match dice.below(7) {
                0 | 1 => json!(number.to_string()),
                2 => json!(at(12).to_rfc3339()),
                3 => json!([number]),
                4 => json!({"value": number}),
                5 => json!(1e300),
                _ => json!(dice.once_in(2)),
            };
            return Some(());
        }
        let name = *dice.pick(&["validFrom", "validUntil"]);
        document[name] = match dice.below(6) {
            0 => json!(1_795_262_400),
            1 => json!("2026-11-21"),
            2 => json!("2026-11-21T12:00:00"),
            3 => json!("2026-02-30T12:00:00Z"),
            4 => json!("yesterday"),
            _ => json!(["2026-11-21T12:00:00Z", "2026-11-20T12:00:00Z"]),
        };
        Some(())
    })
}

/// Claims that say something else than the credential; an issuer other than that of the key.
pub fn contradiction(good: &Good, dice: &mut Dice) -> Option<Mutant> {
    let others = [
        STRANGER.to_owned(),
        "https://badges.example.org/issuers/0193-b/".to_owned(),
        "https://badges.example.org/issuers/0193-B".to_owned(),
        "https://badges.example.org@stranger.example/issuers/0193-b".to_owned(),
        "https://badges.example.org.stranger.example/issuers/0193-b".to_owned(),
        format!("https://badges.example.org/issuers/{}", dice.below(1_000)),
        did_key(&IssuerKey::from_seed(&SEEDS[2]).public_key()),
    ];
    let other = dice.pick(&others).clone();
    resigned(good, |document| {
        if !good.is_token() {
            document["issuer"]["id"] = json!(other);
            return Some(());
        }
        let seconds = i64::try_from(1 + dice.below(1_000_000)).ok()?;
        match dice.below(7) {
            0 => document["iss"] = json!(other),
            1 => {
                document["sub"] =
                    json!(format!("urn:uuid:{:08x}-7a29-4155-840a-59483ba10164", dice.below(9_999)))
            }
            2 => {
                document["jti"] =
                    json!(format!("https://badges.example.org/credentials/{}", dice.below(999)))
            }
            3 => document["nbf"] = json!(document["nbf"].as_i64()? - seconds),
            4 => document["exp"] = json!(document["exp"].as_i64()? + seconds),
            5 => {
                let credential = good.document();
                document["vc"] = credential;
            }
            _ => document["issuer"]["id"] = json!(other),
        }
        Some(())
    })
}

/// Somebody else's key under the name of the issuer's, and the issuer's name under somebody else's key.
pub fn foreign_key(good: &Good, dice: &mut Dice) -> Option<Mutant> {
    let stranger = IssuerKey::from_seed(&SEEDS[2]);
    let multikey = stranger.public_multikey();
    let issuer = good.document()["issuer"]["id"].as_str()?.to_owned();
    let names = [
        method(&issuer, &SEEDS[2]),
        method(STRANGER, &SEEDS[2]),
        format!("{STRANGER}#{}", good.multikey()),
        did_key_method(&stranger.public_key()),
        format!("did:key:{multikey}"),
        format!("https://badges.example.org@stranger.example/issuers/1#{multikey}"),
        format!("https://badges.example.org:8443/keys/1#{multikey}"),
        format!("http://badges.example.org/keys/1#{multikey}"),
        format!("#{multikey}"),
        multikey.clone(),
    ];
    let name = dice.pick(&names).clone();
    let Signature::Token { secret, stranger: other, kid } = &good.signature else {
        let mut options = good.options();
        if dice.once_in(2) {
            options["verificationMethod"] = json!(name);
        }
        // The issuer's own key under another name is no better.
        let seed = match &good.signature {
            Signature::Embedded { seed, .. } if options != good.options() && dice.once_in(4) => {
                *seed
            }
            Signature::Embedded { .. } | Signature::Token { .. } => SEEDS[2],
        };
        return Some(Mutant::of_text(good, prove(&good.document(), &options, &seed)?));
    };
    let mut header = good.header();
    let jwk = other.key().public_jwk().to_value();
    let mut signer: &Secret = other;
    match dice.below(7) {
        0 => {}
        1 => header["jwk"] = jwk,
        2 => {
            header["jwk"] = jwk;
            header.as_object_mut()?.remove("kid");
        }
        3 => header["kid"] = json!(name),
        4 => {
            let elsewhere = kid.replace("badges.example.org", "stranger.example");
            header["kid"] = json!(elsewhere);
            if dice.once_in(3) {
                signer = secret;
            }
        }
        5 => {
            header["jku"] = json!("https://stranger.example/keys");
            header["x5u"] = json!("https://stranger.example/keys");
            header["kid"] = json!("1");
        }
        _ => drop(header.as_object_mut()?.remove("kid")),
    }
    Some(Mutant::of_text(good, token(signer, &header.to_string(), &good.document().to_string())))
}

/// Not valid yet, made in the future, or not valid any more.
pub fn time(good: &Good, dice: &mut Dice) -> Option<Mutant> {
    let far = [3_600, 86_400, 86_400 * 365, 86_400 * 365 * 50];
    let most = *dice.pick(&far);
    let away = TimeDelta::seconds(600 + i64::try_from(dice.below(most)).ok()?);
    let now = at(14);
    let text = |time: DateTime<Utc>| json!(time.format("%Y-%m-%dT%H:%M:%SZ").to_string());
    if !good.is_token() && dice.once_in(3) {
        return with_options(good, |options| {
            if dice.once_in(2) {
                options["created"] = text(now + away);
            } else {
                options["expires"] = text(now - away);
            }
        });
    }
    resigned(good, |document| {
        let (member, claim, time) = if dice.once_in(2) {
            ("validFrom", "nbf", now + away)
        } else {
            ("validUntil", "exp", now - away)
        };
        if good.is_token() {
            match dice.below(5) {
                // The claim alone, the member alone.
                0 => drop(document.as_object_mut()?.remove(claim)),
                1 => {
                    document[claim] = json!(time.timestamp());
                    return Some(());
                }
                2 if member == "validFrom" => {
                    document["iat"] = json!((now + away).timestamp());
                    return Some(());
                }
                _ => document[claim] = json!(time.timestamp()),
            }
        }
        document[member] = text(time);
        Some(())
    })
}

/// The badge as it was, and another list in the place of its own; or its issuer's page with another key.
pub fn status_list(good: &Good, dice: &mut Dice) -> Option<Mutant> {
    let url = good.list_url;
    let issuer = good.document()["issuer"]["id"].as_str()?.to_owned();
    let is_did = issuer.starts_with("did:");
    let (seed, own_method) = match is_did {
        true => (SEEDS[1], did_key_method(&IssuerKey::from_seed(&SEEDS[1]).public_key())),
        false => (SEEDS[0], method(&issuer, &SEEDS[0])),
    };
    let own = list_content(&issuer, url, &SET);
    let good_list: Value = serde_json::from_slice(&good.pages.0[url]).unwrap();
    let stranger = SEEDS[2];
    let mut pages = good.pages.clone();
    let page: Vec<u8> = match dice.below(18) {
        0 => {
            let foreign = list_content(STRANGER, url, &[]);
            list(&stranger, &method(STRANGER, &stranger), &foreign)?.into()
        }
        // Signed by a stranger in the issuer's name.
        1 => list(&stranger, &method(&issuer, &stranger), &own)?.into(),
        2 => list(&stranger, &method(STRANGER, &stranger), &own)?.into(),
        3 => prove(&good_list, &proof_options(&own_method), &stranger)?.into(),
        4 => {
            let mut bare = good_list;
            bare.as_object_mut()?.remove("proof");
            bare.to_string().into()
        }
        // The list of another issuer with its own proof.
        5 => good
            .pages
            .0
            .iter()
            .find(|(other, _)| other.contains("/status-lists/") && *other != url)?
            .1
            .clone(),
        6 => {
            let mut other = own;
            other.id = format!("{url}{}", dice.below(100));
            list(&seed, &own_method, &other)?.into()
        }
        7 => {
            let mut other = own;
            other.purpose = (*dice.pick(&["suspension", "refresh", "message", ""])).to_owned();
            list(&seed, &own_method, &other)?.into()
        }
        8 => {
            let mut other = own;
            other.valid_from =
                at(14) + TimeDelta::seconds(1 + i64::try_from(dice.below(9_999)).ok()?);
            list(&seed, &own_method, &other)?.into()
        }
        9 => list(&seed, &own_method, &list_content(&issuer, url, &[LIST_INDEX]))?.into(),
        10 | 11 => {
            let mut changed = good_list;
            let pointers = [
                ("/credentialSubject/encodedList", json!("u")),
                ("/credentialSubject/encodedList", json!(own.list.encode().ok()?.to_uppercase())),
                ("/credentialSubject/statusPurpose", json!(["revocation", "suspension"])),
                ("/credentialSubject/type", json!("StatusList2021")),
                ("/issuer", json!(STRANGER)),
                ("/validFrom", json!("2026-11-20T12:00:00Z")),
                ("/id", json!(format!("{url}#"))),
                ("/proof/0/proofPurpose", json!("authentication")),
                ("/proof/proofPurpose", json!("authentication")),
            ];
            let (pointer, value) = dice.pick(&pointers).clone();
            *changed.pointer_mut(pointer)? = value;
            changed.to_string().into()
        }
        12 => {
            let mut again = good_list;
            again["validUntil"] = json!("2026-11-21T13:59:59Z");
            prove(&again, &proof_options(&own_method), &seed)?.into()
        }
        13 => {
            let mut again = good_list;
            let short = ["uH4sIAAAAAAAA_wMAAAAAAAAAAAA", "u", "", "zabc"];
            again["credentialSubject"]["encodedList"] = json!(dice.pick(&short));
            prove(&again, &proof_options(&own_method), &seed)?.into()
        }
        14 => {
            let mut bytes = good.pages.0[url].clone();
            let at = dice.below(bytes.len());
            if dice.once_in(2) {
                bytes.truncate(at);
            } else {
                // No bit of the last character before the end is loose: it is inside of the text.
                bytes[at] ^= 1 << dice.below(7);
            }
            bytes
        }
        15 => {
            // A token of the list that nobody signed, or a stranger.
            let mut bare = good_list;
            bare.as_object_mut()?.remove("proof");
            let header = json!({"alg": dice.pick(&["none", "EdDSA", "HS256"]), "kid": own_method});
            token(&Secret::Ed25519(stranger), &header.to_string(), &bare.to_string()).into()
        }
        16 if !is_did => {
            // The issuer's page without the key, or with it withdrawn.
            let mut keys = vec![PublishedKey::multikey(
                &issuer,
                &IssuerKey::from_seed(&stranger).public_multikey(),
                None,
            )];
            if dice.once_in(2) {
                let own = IssuerKey::from_seed(&seed).public_multikey();
                keys.push(PublishedKey::multikey(&issuer, &own, Some(at(13))));
            }
            pages.put(&issuer, issuer_document(&content().issuer, &keys).to_string());
            return Some(Mutant::of_web(good, pages));
        }
        _ => {
            pages.0.remove(url);
            return Some(Mutant::of_web(good, pages));
        }
    };
    if page == good.pages.0[url] {
        return None;
    }
    pages.put(url, page);
    Some(Mutant::of_web(good, pages))
}

fn proof_options(method: &str) -> Value {
    json!({
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "created": "2026-11-21T12:00:00Z",
        "verificationMethod": method,
        "proofPurpose": "assertionMethod",
    })
}

/// Another place on the list: changed after signing, or signed and revoked, or signed and nowhere.
pub fn index(good: &Good, dice: &mut Dice) -> Option<Mutant> {
    let entry = |document: &mut Value, value: Value| {
        document["credentialStatus"]["statusListIndex"] = value
    };
    if dice.once_in(4) {
        return changed(good, |document| {
            entry(document, json!(dice.below(131_072).to_string()));
            Some(())
        });
    }
    resigned(good, |document| {
        let value = match dice.below(8) {
            0..3 => json!(dice.pick(&SET).to_string()),
            3 => json!((131_072 + dice.below(1_000_000)).to_string()),
            4 => json!(format!("-{}", dice.below(9))),
            5 => json!("18446744073709551616"),
            6 => json!("1e3"),
            _ => json!(" 5"),
        };
        entry(document, value);
        Some(())
    })
}
