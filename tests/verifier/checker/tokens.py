"""Credentials that are signed as JWTs, with PyJWT."""

import base64
from datetime import datetime

import jwt
from documents import ensure, multikey, parse

ALGORITHMS = ["RS256", "ES256", "EdDSA"]


def seconds(time):
    return None if time is None else int(datetime.fromisoformat(time).timestamp())


class Tokens:
    def __init__(self, source, controllers):
        self.source = source
        self.controllers = controllers

    def _key(self, issuer, kid):
        method = self.controllers.signing_method(issuer, kid)
        if "publicKeyMultibase" in method:
            x = base64.urlsafe_b64encode(multikey(method["publicKeyMultibase"])).rstrip(b"=").decode()
            return {"kty": "OKP", "crv": "Ed25519", "x": x}
        key = method["publicKeyJwk"]
        if kid.startswith("did:"):
            return key
        # An address answers with the one bare key, which is the same.
        served = parse(self.source.download(kid, "application/jwk+json"))
        ensure(served["kid"] == kid and "d" not in served, f"{kid} serves another key")
        for member in ["kty", "crv", "x", "y", "n", "e"]:
            ensure(served.get(member) == key.get(member), f"{kid} and its issuer differ in {member}")
        return served

    def check(self, token):
        """Returns the credential if its issuer has signed it. Time is another question."""
        header = jwt.get_unverified_header(token)
        ensure(sorted(header) == ["alg", "kid", "typ"], f"the header has {sorted(header)}")
        ensure(header["typ"] == "JWT" and header["alg"] in ALGORITHMS, "the header is no badge's")
        # Who claims to have issued it says whose keys to look for.
        claimed = jwt.decode(token, options={"verify_signature": False})
        issuer = claimed["issuer"]
        issuer = issuer if isinstance(issuer, str) else issuer["id"]
        key = jwt.PyJWK.from_dict(self._key(issuer, header["kid"]), algorithm=header["alg"])
        credential = jwt.decode(
            token,
            key,
            algorithms=[header["alg"]],
            issuer=issuer,
            options={"require": ["iss", "jti", "nbf"], "verify_exp": False, "verify_nbf": False},
        )
        ensure("vc" not in credential, "the claim vc belongs to an older form")
        for claim, wanted in [
            ("jti", credential["id"]),
            ("sub", credential["credentialSubject"].get("id")),
            ("nbf", seconds(credential["validFrom"])),
            ("exp", seconds(credential.get("validUntil"))),
        ]:
            ensure(credential.get(claim) == wanted, f"{claim} says something else than the credential")
        return credential
