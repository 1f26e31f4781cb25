"""Embedded proofs: eddsa-rdfc-2022 (Data Integrity EdDSA Cryptosuites 1.0, section 3.2) with PyLD and Ed25519 of `cryptography`."""

import hashlib

import base58
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from documents import Refused, ensure, items, multikey
from pyld import jsonld

# Where terms go that no context defines.
UNDEFINED = "urn:undefined:"


class EmbeddedProofs:
    def __init__(self, contexts, controllers):
        self.contexts = contexts
        self.controllers = controllers

    def _load(self, url, _options):
        ensure(url in self.contexts, f"the context {url} is not known")
        return {
            "contentType": "application/ld+json",
            "contextUrl": None,
            "documentUrl": url,
            "document": self.contexts[url],
        }

    def _digest(self, document):
        options = {"algorithm": "URDNA2015", "format": "application/n-quads", "documentLoader": self._load}
        statements = jsonld.normalize(document, options)
        ensure(statements, "the document says nothing")
        return hashlib.sha256(statements.encode("utf-8")).digest()

    def _require_defined_terms(self, document):
        """PyLD drops what no context defines, and what is dropped is not signed: here it gets a name to be found by."""
        shown = {**document, "@context": [{"@vocab": UNDEFINED}, *items(document["@context"])]}
        statements = jsonld.to_rdf(shown, {"format": "application/n-quads", "documentLoader": self._load})
        ensure(UNDEFINED not in statements, "it has terms that no context defines")

    def check(self, credential):
        """Returns the credential if its issuer has signed it, all of it."""
        ensure("VerifiableCredential" in items(credential.get("type")), "it is no credential")
        proofs = items(credential.get("proof"))
        ensure(len(proofs) == 1, f"it has {len(proofs)} proofs")
        proof = proofs[0]
        for member, wanted in [
            ("type", "DataIntegrityProof"),
            ("cryptosuite", "eddsa-rdfc-2022"),
            ("proofPurpose", "assertionMethod"),
        ]:
            ensure(proof.get(member) == wanted, f"{member} of the proof is {proof.get(member)}")
        issuer = credential["issuer"]
        issuer = issuer if isinstance(issuer, str) else issuer["id"]
        method = self.controllers.signing_method(issuer, proof["verificationMethod"])
        ensure(method["type"] == "Multikey", "the key is in another form")
        key = Ed25519PublicKey.from_public_bytes(multikey(method["publicKeyMultibase"]))
        options = {name: value for name, value in proof.items() if name != "proofValue"}
        options["@context"] = credential["@context"]
        unsecured = {name: value for name, value in credential.items() if name != "proof"}
        ensure(proof["proofValue"].startswith("z"), "the signature is not in base58")
        try:
            signature = base58.b58decode(proof["proofValue"][1:])
            key.verify(signature, self._digest(options) + self._digest(unsecured))
        except InvalidSignature as error:
            raise Refused("the signature does not fit") from error
        self._require_defined_terms(options)
        self._require_defined_terms(unsecured)
        return credential
