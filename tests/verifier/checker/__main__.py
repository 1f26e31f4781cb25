"""Verifies the badges of a folder in Python, with libraries that share no code with the service.

    python3 checker FOLDER [--live]

The `index.json` of the folder names the badges with the verdicts that they deserve, and the documents; with `--live` the documents are read from
the host of the badges' base URL instead, which may be one of plain files. The last line is `N passed, N failed`; the exit status is 0 when
nothing failed, and 1 when something did.
"""

import argparse
import json
import sys
from datetime import datetime, timezone
from pathlib import Path

import alter
import images
from documents import Controllers, Folder, Host, Refused, ensure, parse, read_contexts
from embedded import EmbeddedProofs
from status import Statuses
from tokens import Tokens

# How many places of a badge are altered, besides those of the badges that are altered everywhere.
MOST_STRINGS = 6
MOST_BYTES = 10
MOST_IN_TOKEN = 20

UNBAKE = {"png": images.unbake_png, "svg": images.unbake_svg}
ALTER = {"json": lambda data, change: change(data), "png": images.alter_png, "svg": images.alter_svg}


class Checker:
    def __init__(self, source):
        controllers = Controllers(source)
        self.embedded = EmbeddedProofs(read_contexts(), controllers)
        self.tokens = Tokens(source, controllers)
        self.statuses = Statuses(source, self.embedded, self.tokens)

    def require_proof(self, form, data):
        """The credential in a file, if its issuer has signed it."""
        if form == "jwt":
            return self.tokens.check(data.decode("ascii"))
        return self.embedded.check(parse(UNBAKE[form](data) if form in UNBAKE else data))

    def judge(self, form, data, now):
        """`active`, or why it does not count. Raises when the proof does not hold."""
        credential = self.require_proof(form, data)
        ensure(datetime.fromisoformat(credential["validFrom"]) <= now, "it is not valid yet")
        media_type = "application/vc+jwt" if form == "jwt" else "application/vc"
        statuses = self.statuses.read(credential, media_type)
        if statuses:
            return statuses[0]
        until = credential.get("validUntil")
        return "expired" if until and datetime.fromisoformat(until) < now else "active"

    def require_refused(self, form, data, what):
        try:
            self.require_proof(form, data)
        except Exception:  # Whatever the libraries call it: it was not accepted.
            return
        raise Refused(f"{what}: it was accepted")

    def alterations(self, form, data, is_thorough):
        """Copies of a badge with one thing changed, each with a name for it."""
        more = 4 if is_thorough else 1
        if form == "jwt":
            for at, token in alter.alter_token(data.decode("ascii"), MOST_IN_TOKEN * more):
                yield f"character {at}", token.encode("ascii")
            return
        if form == "json":
            document = parse(data)
            paths = list(alter.strings(document))
            ensure(len(paths) > 10, "there are hardly any texts")
            for path in paths if is_thorough else alter.spread(paths, MOST_STRINGS):
                yield f"{path}", json.dumps(alter.alter_string(document, path)).encode("utf-8")
        lengths = []
        ALTER[form](data, lambda inside: lengths.append(len(inside)) or inside)
        ensure(len(lengths) == 1, "there is not one place to alter")
        for at in alter.spread(range(lengths[0]), MOST_BYTES * more):
            yield f"byte {at}", ALTER[form](data, lambda inside, at=at: alter.flip(inside, at))


class Report:
    def __init__(self):
        self.passed = 0
        self.failed = 0

    def check(self, name, work):
        try:
            note = work()
        except Exception as error:
            self.failed += 1
            print(f"FAIL  {name}: {type(error).__name__}: {error}")
        else:
            self.passed += 1
            print(f"ok    {name}: {note}" if note else f"ok    {name}")


def check_badge(checker, report, badge, data, is_thorough):
    form, verdict = badge["form"], badge["verdict"]
    name = " ".join([badge["state"], form, *(badge.get(key, "") for key in ("identifier", "algorithm")), badge["url"][-12:]])

    def verdict_is_right():
        found = checker.judge(form, data, datetime.now(timezone.utc))
        ensure(found == verdict, f"it was found {found}")
        return verdict

    def altered_are_refused():
        count = 0
        for what, altered in checker.alterations(form, data, is_thorough):
            ensure(altered != data, f"{what}: nothing was changed")
            checker.require_refused(form, altered, what)
            count += 1
        return f"{count} altered copies are refused"

    report.check(name, verdict_is_right)
    report.check(name, altered_are_refused)


def check_list(checker, report, url, data):
    form = "json" if data.startswith(b"{") else "jwt"

    def holds():
        ensure(checker.require_proof(form, data)["id"] == url, "the address serves another list")

    def altered_are_refused():
        for what, altered in checker.alterations(form, data, False):
            checker.require_refused(form, altered, what)

    report.check(f"status list {url} as {form}: the proof holds", holds)
    report.check(f"status list {url} as {form}: altered copies are refused", altered_are_refused)


def main():
    parser = argparse.ArgumentParser(description="Verifies the badges of a folder.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--live", action="store_true", help="read documents from the host of the base URL")
    arguments = parser.parse_args()
    index = parse((arguments.folder / "index.json").read_bytes())
    source = Host(index["base_url"]) if arguments.live else Folder(arguments.folder, index["documents"])
    checker, report = Checker(source), Report()
    report.check("the folder has badges", lambda: ensure(index["badges"], "it has none"))
    thorough, lists = set(), {}
    for badge in index["badges"]:
        data = (arguments.folder / badge["file"]).read_bytes()
        # One badge of each form, kind of issuer and algorithm is altered everywhere.
        kind = (badge["form"], badge.get("identifier"), badge.get("algorithm"))
        check_badge(checker, report, badge, data, kind not in thorough)
        thorough.add(kind)
        if badge["form"] == "json":
            entries = parse(data)["credentialStatus"]
            for entry in entries if isinstance(entries, list) else [entries]:
                lists[entry["statusListCredential"]] = True
    for url in lists:
        # A host of plain files has one form for an address.
        for data in {source.download(url, media_type): True for media_type in ["application/vc", "application/vc+jwt"]}:
            check_list(checker, report, url, data)
    print(f"{report.passed} passed, {report.failed} failed")
    return 0 if report.failed == 0 else 1


sys.exit(main())
