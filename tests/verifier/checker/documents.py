"""Where the checker gets its documents: pinned contexts, a folder, or one host. Nothing else on the network is ever asked."""

import hashlib
import json
import urllib.parse
import urllib.request
from pathlib import Path

import base58

CONTEXTS = Path(__file__).parents[3] / "credential-schemas" / "contexts"
ED25519 = b"\xed\x01"


class Refused(Exception):
    """A badge that is not to be accepted, with the reason."""


def ensure(condition, message):
    if not condition:
        raise Refused(message)


def items(value):
    """Sets are arrays, and one member may stand for itself."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def parse(data):
    """JSON of which no member is named twice."""

    def once(pairs):
        ensure(len({name for name, _ in pairs}) == len(pairs), "a member is named twice")
        return dict(pairs)

    text = data.decode("utf-8") if isinstance(data, bytes) else data
    return json.loads(text, object_pairs_hook=once)


def read_contexts():
    """The contexts of the project by their address, each compared with its digest."""
    found = {}
    for entry in json.loads((CONTEXTS / "index.json").read_bytes()):
        data = (CONTEXTS / entry["file"]).read_bytes()
        if hashlib.sha256(data).hexdigest() != entry["sha256"]:
            raise ValueError(f"{entry['file']} has not the pinned digest")
        found[entry["url"]] = json.loads(data)
    return found


class Folder:
    """Documents that were kept in a folder, as its index names them."""

    def __init__(self, path, documents):
        self.files = {(entry["url"], entry["media_type"]): path / entry["file"] for entry in documents}

    def download(self, url, media_type):
        file = self.files.get((url, media_type))
        ensure(file is not None, f"there is no {url} as {media_type}")
        return file.read_bytes()


class Host:
    """Documents of one base URL, from whatever answers there now. What it calls them does not matter."""

    def __init__(self, base_url):
        self.base_url = base_url
        self.known = {}
        # No proxy of the machine stands between.
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def download(self, url, media_type):
        ensure(url.startswith(f"{self.base_url}/"), f"{url} is not a document of {self.base_url}")
        if (url, media_type) not in self.known:
            request = urllib.request.Request(url, headers={"Accept": media_type})
            try:
                with self.opener.open(request, timeout=30) as response:
                    self.known[url, media_type] = response.read()
            except OSError as error:
                raise Refused(f"{url} cannot be had: {error}") from error
        return self.known[url, media_type]


def multikey(text):
    """The bytes of an Ed25519 key (Controlled Identifiers 1.0, section 2.2.2)."""
    ensure(isinstance(text, str) and text.startswith("z"), "the key is not in base58")
    data = base58.b58decode(text[1:])
    ensure(data.startswith(ED25519) and len(data) == 34, "it is no Ed25519 key")
    return data[2:]


class Controllers:
    """The documents that say which keys are whose."""

    def __init__(self, source):
        self.source = source

    def find(self, identifier):
        if identifier.startswith("did:key:"):
            key = identifier.removeprefix("did:key:")
            method = {
                "id": f"{identifier}#{key}",
                "type": "Multikey",
                "controller": identifier,
                "publicKeyMultibase": key,
            }
            document = {"id": identifier, "verificationMethod": [method], "assertionMethod": [method["id"]]}
        elif identifier.startswith("did:web:"):
            host, *path = [urllib.parse.unquote(part) for part in identifier.removeprefix("did:web:").split(":")]
            address = "/".join([f"https://{host}", *(path or [".well-known"]), "did.json"])
            document = parse(self.source.download(address, "application/did+json"))
        else:
            document = parse(self.source.download(identifier, "application/ld+json"))
        ensure(document.get("id") == identifier, f"{identifier} serves another document")
        return document

    def signing_method(self, issuer, name):
        """The method of this name with which an issuer signs; `None` when it stands elsewhere than in the issuer's document."""
        document = self.find(issuer)
        signing = [method if isinstance(method, str) else method["id"] for method in items(document.get("assertionMethod"))]
        ensure(name in signing, f"{issuer} does not sign with {name}")
        methods = [method for method in items(document.get("verificationMethod")) if method["id"] == name]
        ensure(len(methods) == 1, f"{issuer} has {len(methods)} methods {name}")
        ensure(methods[0]["controller"] == issuer, f"{name} is controlled by somebody else")
        ensure("revoked" not in methods[0], f"{name} is revoked")
        return methods[0]
