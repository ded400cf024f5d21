#!/usr/bin/env bash
# Prints the version that is to be released: packaging/release/version.sh [TAG]. It fails where the places that name it do not
# agree, where TAG is not its tag, or where the changelog has no section for it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml)

# The first argument is where something was found, the second what.
same() { [ "$2" = "$version" ] || { echo "$1 names version \"$2\", Cargo.toml \"$version\"" >&2; exit 1; }; }
same 'charts/keyward/Chart.yaml (version)' "$(sed -n 's/^version: //p' charts/keyward/Chart.yaml)"
same 'charts/keyward/Chart.yaml (appVersion)' "$(sed -n 's/^appVersion: //p' charts/keyward/Chart.yaml)"
same Dockerfile "$(sed -n 's/^ARG VERSION=//p' Dockerfile)"
same packaging/krew/keyward.yaml "$(sed -n 's/^  version: v//p' packaging/krew/keyward.yaml)"
grep -qF "## [$version] - " CHANGELOG.md || { echo "CHANGELOG.md has no section for version $version" >&2; exit 1; }
[ $# -eq 0 ] || same "tag $1" "${1#v}"
echo "$version"
