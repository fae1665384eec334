#!/bin/sh
# Packages the command line as a plugin for Spin, so that `spin ab kv list` works:
#
#     cargo build --profile dist --package ab --features telemetry
#     crates/ab/plugin/package.sh [--binary FILE] [--output FOLDER] [--url PREFIX] [--os OS] [--arch ARCH]
#     spin plugins install --file FOLDER/ab.json --yes
#
# Writes ab-VERSION-OS-ARCH.tar.gz and the manifest ab.json. --url is where the archive will be downloaded from; without it
# the manifest points at the file itself, for this machine. Run once for each system, it makes one manifest of all.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../../.." && pwd)

fail() {
    echo "package.sh: $1" >&2
    exit 1
}

binary=$root/target/dist/ab
output=$root/target/plugin
url=
case $(uname -s) in
    Linux) os=linux ;;
    Darwin) os=macos ;;
    *) os=windows ;;
esac
case $(uname -m) in
    x86_64 | amd64) arch=amd64 ;;
    aarch64 | arm64) arch=aarch64 ;;
    *) arch=arm ;;
esac
while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || fail "$1 needs a value"
    case $1 in
        --binary) binary=$2 ;;
        --output) output=$2 ;;
        --url) url=${2%/} ;;
        --os) os=$2 ;;
        --arch) arch=$2 ;;
        *) fail "unknown option $1" ;;
    esac
    shift 2
done
[ -f "$binary" ] || fail "there is no $binary; build it first: cargo build --profile dist --package ab --features telemetry"

version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' "$root/Cargo.toml")
mkdir -p "$output"
output=$(CDPATH='' cd -- "$output" && pwd)
archive=ab-$version-$os-$arch.tar.gz
program=ab
[ "$os" = windows ] && program=ab.exe

# Spin looks for a file of the plugin's name at the top of the archive.
staging=$(mktemp -d)
trap 'rm -rf "$staging"' EXIT
cp "$binary" "$staging/$program"
chmod 755 "$staging/$program"
cp "$root/LICENSE" "$staging/" 2>/dev/null || true
(cd "$staging" && tar -czf "$output/$archive" -- *)

if command -v sha256sum >/dev/null; then
    digest=$(sha256sum "$output/$archive")
else
    digest=$(shasum -a 256 "$output/$archive")
fi
digest=${digest%% *}

# One line for each system; the manifest is made of them.
printf '    { "os": "%s", "arch": "%s", "url": "%s", "sha256": "%s" }\n' \
    "$os" "$arch" "${url:-file://$output}/$archive" "$digest" >"$output/.$archive.package"
{
    cat <<JSON
{
  "name": "ab",
  "description": "A/B-tests prompts for language models: key value stores, links, and which prompt is better.",
  "version": "$version",
  "spinCompatibility": ">=4.1",
  "license": "Apache-2.0",
  "packages": [
JSON
    awk '{ printf "%s%s", (NR > 1 ? ",\n" : ""), $0 } END { print "" }' "$output"/.ab-"$version"-*.package
    printf '  ]\n}\n'
} >"$output/ab.json"
echo "$output/ab.json"
