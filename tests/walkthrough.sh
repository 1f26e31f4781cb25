#!/usr/bin/env bash
# Runs the walk-through of README.md as it is printed, and checks that the badge is first valid and then invalid.
# Needs curl and jq. ASSAY names the program; PORT a port, else a free one is taken.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
program=$(realpath "${ASSAY:-$root/target/debug/assay}")
[ -x "$program" ] || { echo "there is no program at $program; build it first, or name it in ASSAY" >&2; exit 1; }

is_taken() { (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null; }
if [ -z "${PORT:-}" ]; then
    for _ in $(seq 50); do
        PORT=$((20000 + RANDOM % 12000))
        is_taken "$PORT" || break
    done
fi
export PORT

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/bin" "$folder/tmp"
ln -s "$program" "$folder/bin/assay"
ln -s "$root/credential-schemas" "$folder/credential-schemas"

# Only the blocks marked as bash between the two markers; the prefix ends the server when a step fails.
{
    echo 'set -euo pipefail'
    echo "trap 'kill \$(jobs -p) 2> /dev/null || true' EXIT"
    awk '/^<!-- walkthrough -->$/ { on = 1 } /^<!-- \/walkthrough -->$/ { on = 0 }
         on && /^```$/ { block = 0 } on && block { print } on && /^```bash$/ { block = 1 }' "$root/README.md"
} > "$folder/walkthrough"

# What could steer the program from outside is left out.
clean=(env -u DATABASE_URL -u ASSAY_BASE_URL -u ASSAY_BASE_URL_ALIASES -u ASSAY_KEY_ENCRYPTION_KEY -u ASSAY_SMTP_URL
    -u ASSAY_MAIL_FROM -u ASSAY_LOG)
cd "$folder"
if ! "${clean[@]}" PATH="$folder/bin:$PATH" TMPDIR="$folder/tmp" bash walkthrough > out.txt 2> err.txt; then
    cat out.txt err.txt >&2
    tail -n 20 tmp/*/serve.log >&2 || true
    echo 'the walk-through stopped at an error' >&2
    exit 1
fi
cat out.txt

found=$(grep -oE '"verdict": "[a-z]+"|^badge.json: .*|^exit status .*|^the audit chain is .*:' out.txt || true)
expected='"verdict": "valid"
badge.json: VALID
"verdict": "invalid"
badge.json: INVALID
exit status 1
the audit chain is whole:'
if [ "$found" != "$expected" ]; then
    printf 'the walk-through ended with\n%s\ninstead of\n%s\n' "$found" "$expected" >&2
    exit 1
fi
echo 'the walk-through works as printed'
