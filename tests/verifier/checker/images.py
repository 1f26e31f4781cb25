"""Badges out of images, with pypng and defusedxml (Open Badges 3.0, section 5.3)."""

import io
import zlib

import defusedxml.ElementTree
import png
from documents import ensure

KEYWORD = b"openbadgecredential"
NAMESPACE = "https://purl.imsglobal.org/ob/v3p0"
CLOSING = b"</openbadges:credential>"


def _chunks(data):
    # The reader compares the checksum of each chunk.
    return list(png.Reader(file=io.BytesIO(data)).chunks())


def _is_badge(chunk):
    kind, content = chunk
    return kind == b"iTXt" and content.startswith(KEYWORD + b"\0")


def unbake_png(data):
    found = [content for kind, content in _chunks(data) if _is_badge((kind, content))]
    ensure(len(found) == 1, f"{len(found)} badges are in the image")
    # PNG 3rd edition, 11.3.3.4: keyword, null, compression flag, compression method, language, null, translated keyword, null, text.
    rest = found[0][len(KEYWORD) + 1 :]
    ensure(rest[0] == 0, "the badge is compressed")
    _language, _translated, text = rest[2:].split(b"\0", 2)
    return text


def unbake_svg(data):
    root = defusedxml.ElementTree.fromstring(data, forbid_dtd=True)
    ensure(root.tag.endswith("}svg"), "it is no SVG image")
    name = f"{{{NAMESPACE}}}credential"
    found = list(root.iter(name))
    ensure(len(found) == 1 and root[0] is found[0], "it has not one badge as its first element")
    return (found[0].get("verify") or found[0].text).encode("utf-8")


def alter_png(data, change):
    """The image with its badge chunk changed, and the checksum made to fit."""
    out = [b"\x89PNG\r\n\x1a\n"]
    for kind, content in _chunks(data):
        content = change(content) if _is_badge((kind, content)) else content
        checksum = zlib.crc32(kind + content)
        out += [len(content).to_bytes(4, "big"), kind, content, checksum.to_bytes(4, "big")]
    return b"".join(out)


def alter_svg(data, change):
    """The image with the element of its badge changed."""
    start = data.index(b"<openbadges:credential")
    end = data.index(CLOSING) + len(CLOSING)
    return data[:start] + change(data[start:end]) + data[end:]
