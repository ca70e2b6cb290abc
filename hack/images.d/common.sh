# Shared by hack/images and its parts. Sourced, never run.
# shellcheck shell=bash disable=SC2034
set -euo pipefail
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PARTS=$TOP/hack/images.d
CACHE=${QUANTADB_CACHE:-${HOME:-/root}/.cache/quantadb}
OUT=$TOP/target/images
# Every file in an image has this time, so that the same input gives the same layer.
export SOURCE_DATE_EPOCH=1577836800
VERSION=$(sed -n '/<artifactId>quantadb-parent</,/<\/version>/s/.*<version>\(.*\)<\/version>.*/\1/p' "$TOP/pom.xml" | head -n 1)

say() { printf 'images: %s\n' "$*" >&2; }
die() { printf 'images: %s\n' "$*" >&2; exit 1; }

# The address that this machine's own apt uses for a Debian suite's main packages; others call their suites the same.
mirror_of() {
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' "Codename: $1" 'Component: main' 2>/dev/null | head -n 1
}

# layer FOLDER OUT.tar [OWNER]: packs a folder with fixed times, order and owner.
layer() {
    tar -C "$1" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner="${3:-0}" --group="${3:-0}" --numeric-owner \
        --format=posix --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime -cf "$2.new" .
    mv "$2.new" "$2"
}
