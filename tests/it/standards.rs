//! Published vectors and samples give the published results.

use std::path::PathBuf;

use assay::credential::bake::unbake;
use assay::credential::proof::{self, ReadyProof};
use assay::credential::{canonical, contexts, expansion, hex, json, keys};
use serde_json::Value;
use sha2::{Digest, Sha256};

pub fn published(path: &str) -> Vec<u8> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/standards");
    std::fs::read(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub fn published_json(path: &str) -> Value {
    json::parse(&published(path), &json::LIMITS).unwrap()
}

fn published_text(path: &str) -> String {
    String::from_utf8(published(path)).unwrap().trim().to_owned()
}

#[test]
fn bundled_contexts_are_the_pinned_bytes() {
    for bundled in contexts::BUNDLE {
        assert_eq!(hex(&Sha256::digest(bundled.bytes)), bundled.sha256, "{}", bundled.file);
    }
}

/// Verifiers in other languages read the bundle by this list.
#[test]
fn the_index_of_the_contexts_names_exactly_the_bundle() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("credential-schemas/contexts");
    let index = std::fs::read(folder.join("index.json")).unwrap();
    let listed: Value = serde_json::from_slice(&index).unwrap();
    let bundle: Vec<Value> = contexts::BUNDLE
        .iter()
        .map(|one| serde_json::json!({"url": one.url, "file": one.file, "sha256": one.sha256}))
        .collect();
    assert_eq!(listed, Value::Array(bundle));
}

#[test]
fn every_bundled_context_can_be_put_into_force() {
    for bundled in contexts::BUNDLE {
        let document = serde_json::json!({"@context": bundled.url});
        let expansion = expansion::expand(&document)
            .unwrap_or_else(|error| panic!("{}: {error:?}", bundled.file));
        assert!(expansion.unsigned.is_empty(), "{}", bundled.file);
    }
}

#[test]
fn known_answers_hold() {
    let answers = published_json("vectors/known-answers.json");
    let mut n_checked = 0;
    for (path, answer) in answers.as_object().unwrap() {
        let document = if path.ends_with(".png") || path.ends_with(".svg") {
            let baked = unbake(&published(path)).unwrap();
            json::parse(baked.text().as_bytes(), &json::LIMITS).unwrap()
        } else {
            published_json(path)
        };
        let all = proof::proofs(&document);
        let proof = all
            .iter()
            .find(|proof| proof["verificationMethod"] == answer["verificationMethod"])
            .unwrap_or_else(|| panic!("{path}: no such proof"));
        let Some(expected) = answer.get("documentHash").and_then(Value::as_str) else {
            let method = answer["verificationMethod"].as_str().unwrap();
            assert!(!method.contains('#'), "{path}: no key to be had");
            continue;
        };
        let canonical = proof::canonicalize(&proof::unsecured(&document)).unwrap();
        assert_eq!(hex(&canonical.hash), expected, "{path}: document");
        let options = proof::proof_options(proof.as_object().unwrap(), &document["@context"]);
        let options = proof::canonicalize(&options).unwrap();
        assert_eq!(hex(&options.hash), answer["proofHash"].as_str().unwrap(), "{path}: proof");
        let safe = canonical.unsigned.is_empty() && options.unsigned.is_empty();
        assert_eq!(safe, answer["safe"].as_bool().unwrap(), "{path}: {:?}", canonical.unsigned);
        n_checked += 1;
        let Some(holds) = answer.get("signatureHolds").and_then(Value::as_bool) else { continue };
        let method = answer["verificationMethod"].as_str().unwrap();
        let multikey = method.rsplit(['#', ':']).next().unwrap();
        let key = keys::parse_multikey(multikey).unwrap();
        match ReadyProof::read(proof, &document["@context"]) {
            Ok(ready) => assert_eq!(ready.holds(&canonical.hash, &key), holds, "{path}"),
            Err(fault) => assert!(!holds, "{path}: {fault}"),
        }
    }
    assert!(n_checked >= 28, "{n_checked}");
}

#[test]
fn w3c_vector_is_reproduced_byte_for_byte() {
    let folder = "vectors/vc-di-eddsa/eddsa-rdfc-2022";
    let document = published_json("vectors/vc-di-eddsa/unsigned.json");
    let canonical = proof::canonicalize(&document).unwrap();
    assert_eq!(canonical.n_quads.trim(), published_text(&format!("{folder}/canonDocDataInt.txt")));
    assert_eq!(hex(&canonical.hash), published_text(&format!("{folder}/docHashDataInt.txt")));
    let options = published_json(&format!("{folder}/proofConfigDataInt.json"));
    let options = proof::canonicalize(&options).unwrap();
    assert_eq!(options.n_quads.trim(), published_text(&format!("{folder}/proofCanonDataInt.txt")));
    assert_eq!(hex(&options.hash), published_text(&format!("{folder}/proofHashDataInt.txt")));
    let combined = proof::combined_hash(&options.hash, &canonical.hash);
    assert_eq!(hex(&combined), published_text(&format!("{folder}/combinedHashDataInt.txt")));
    let pair = published_json("vectors/vc-di-eddsa/keyPair.json");
    let secret = pair["privateKeyMultibase"].as_str().unwrap();
    let secret = bs58::decode(&secret[1..]).into_vec().unwrap();
    let seed: [u8; 32] = secret[2..].try_into().unwrap();
    let signing = ed25519_dalek::SigningKey::from_bytes(&seed);
    let signature = ed25519_dalek::Signer::sign(&signing, &combined).to_bytes();
    assert_eq!(hex(&signature), published_text(&format!("{folder}/sigHexDataInt.txt")));
    assert_eq!(
        format!("z{}", bs58::encode(signature).into_string()),
        published_text(&format!("{folder}/sigBTC58DataInt.txt"))
    );
    assert_eq!(
        keys::IssuerKey::from_seed(&seed).public_multikey(),
        pair["publicKeyMultibase"].as_str().unwrap()
    );
    let signed = published_json(&format!("{folder}/signedDataInt.json"));
    let key =
        keys::resolve_did_key(signed["proof"]["verificationMethod"].as_str().unwrap()).unwrap();
    let ready = ReadyProof::read(&signed["proof"], &signed["@context"]).unwrap();
    assert!(ready.holds(&canonical.hash, &key));
}

#[test]
fn statements_are_those_of_another_json_ld_library() {
    let mut n_compared = 0;
    for path in published_documents() {
        let document = published_json(&path);
        let Ok(expansion) = expansion::expand(&document) else { continue };
        if !expansion.unsigned.is_empty() {
            continue; // The other library drops less than the reference does.
        }
        let ours = canonical::canonicalize(&expansion.quads, &canonical::BUDGET).unwrap();
        let theirs = other_library(&serde_json::to_vec(&document).unwrap());
        let theirs = canonical::canonicalize(&theirs, &canonical::BUDGET).unwrap();
        assert_eq!(ours, theirs, "{path}");
        n_compared += 1;
    }
    assert!(n_compared > 25, "{n_compared}");
}

fn published_documents() -> Vec<String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/standards");
    let mut folders = vec![root.clone()];
    let mut paths = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "json") {
                let path = path.strip_prefix(&root).unwrap();
                let path = path.to_str().unwrap().to_owned();
                if serde_json::from_slice::<Value>(&published(&path))
                    .is_ok_and(|value| value.is_object())
                {
                    paths.push(path);
                }
            }
        }
    }
    assert!(paths.len() > 50);
    paths
}

fn other_library(text: &[u8]) -> Vec<oxrdf::Quad> {
    let parser =
        oxjsonld::JsonLdParser::new().for_slice(text).with_load_document_callback(|url, _| {
            let bundled =
                contexts::BUNDLE.iter().find(|bundled| bundled.url == url).ok_or("not bundled")?;
            Ok(oxjsonld::JsonLdRemoteDocument {
                document: bundled.bytes.to_vec(),
                document_url: url.to_owned(),
            })
        });
    parser.map(|quad| quad.unwrap()).collect()
}

#[test]
fn canonical_forms_of_the_implementation_guide_are_reproduced() {
    // The source of the badge is not among the guide's files; it is the validator's with the guide's issuer.
    let mut badge = published_json("examples/validator-samples/simple.json");
    badge["issuer"]["id"] = "https://example.edu/issuers/565049".into();
    badge["issuer"]["url"] = "https://www.imsglobal.org".into();
    let record = published_json("examples/ob3-spec/impl-linked-data-proof-clr-1.json");
    let signed = published_json("examples/validator-samples/clr-simple.json");
    let options = |context: &Value| {
        let proof = proof::proofs(&signed)[0].as_object().unwrap();
        proof::proof_options(proof, context)
    };
    for (file, document) in [
        ("obv3p0/document-canon.txt", proof::unsecured(&badge)),
        ("obv3p0/proof-canon.txt", options(&badge["@context"])),
        ("clrv2p0/document-canon.txt", record.clone()),
        ("clrv2p0/proof-canon.txt", options(&record["@context"])),
    ] {
        let canonical = proof::canonicalize(&document).unwrap();
        assert_eq!(
            canonical.n_quads.trim(),
            published_text(&format!("vectors/ob3-impl-guide/{file}")),
            "{file}"
        );
    }
}
