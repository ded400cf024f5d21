#!/usr/bin/env bash
# Builds the plugin for this machine and packs it into a folder as krew takes it: the same bytes from the same program. It
# needs GNU tar.
set -euo pipefail

folder=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
version=$(sed -n 's/^  version: //p' packaging/krew/keyward.yaml)
os=$(uname -s | tr '[:upper:]' '[:lower:]')
case $(uname -m) in
  x86_64) arch=amd64 ;;
  aarch64 | arm64) arch=arm64 ;;
  *) echo "krew's manifest has no $(uname -m)" >&2; exit 1 ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "Building kubectl-keyward $version for $os/$arch; this takes minutes."
cargo install --quiet --locked --path . --bin kubectl-keyward --root "$work"
cp LICENSE "$work/bin/"
tar -C "$work/bin" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=a+rX,u+w,go-w \
  -cf - LICENSE kubectl-keyward | gzip -n > "$folder/kubectl-keyward_${version}_${os}_${arch}.tar.gz"
