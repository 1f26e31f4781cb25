"""Bitstring Status List 1.0, with nothing but the standard library."""

import base64
import zlib

from documents import Refused, ensure, items, parse

WORDS = {"revocation": "revoked", "suspension": "suspended"}
# 16 KiB is the smallest list there is; nothing in sight needs more than 16 MiB.
MOST_BYTES = 16 * 1024 * 1024
LEAST_BITS = 131_072


def decode(encoded):
    """The bits of a list (section 3.3)."""
    ensure(encoded.startswith("u"), "the list is not in base64url")
    data = base64.urlsafe_b64decode(encoded[1:] + "=" * (-len(encoded[1:]) % 4))
    unpacker = zlib.decompressobj(wbits=31)
    bits = unpacker.decompress(data, MOST_BYTES)
    ensure(unpacker.eof and not unpacker.unused_data, "the list is not one whole gzip stream")
    ensure(len(bits) * 8 >= LEAST_BITS, "the list is too short to hide anybody")
    return bits


def issuer_of(credential):
    issuer = credential["issuer"]
    return issuer if isinstance(issuer, str) else issuer["id"]


class Statuses:
    def __init__(self, source, embedded, tokens):
        self.source = source
        self.embedded = embedded
        self.tokens = tokens

    def read(self, credential, media_type):
        """The words for the statuses that are set, from lists in this form; a host may have another form for the address."""
        found = []
        for entry in items(credential.get("credentialStatus")):
            if entry["type"] != "BitstringStatusListEntry":
                raise Refused(f"a status of type {entry['type']} is not known here")
            data = self.source.download(entry["statusListCredential"], media_type)
            if data.startswith(b"{"):
                credential_of_list = self.embedded.check(parse(data))
            else:
                credential_of_list = self.tokens.check(data.decode("ascii"))
            if self._is_set(entry, credential_of_list, issuer_of(credential)):
                found.append(WORDS[entry["statusPurpose"]])
        return found

    def _is_set(self, entry, credential_of_list, issuer):
        ensure(credential_of_list["id"] == entry["statusListCredential"], "the address serves another list")
        ensure("BitstringStatusListCredential" in items(credential_of_list["type"]), "it is no status list")
        ensure(issuer_of(credential_of_list) == issuer, "the list is of another issuer")
        subject = credential_of_list["credentialSubject"]
        ensure(subject["type"] == "BitstringStatusList", "it is no status list")
        ensure(entry["statusPurpose"] in items(subject["statusPurpose"]), "the list is for something else")
        bits, index = decode(subject["encodedList"]), int(entry["statusListIndex"])
        ensure(0 <= index < len(bits) * 8, "the list has no such entry")
        # The first bit is the leftmost one.
        return bool(bits[index // 8] >> (7 - index % 8) & 1)
