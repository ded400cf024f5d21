#!/usr/bin/env bash
# Runs `make demo` and `make test`, or the targets that are named, as on a machine that has never seen Keyward:
# on a clone of what is committed and with empty caches, all in a temporary folder that goes at the end. What the
# machine says of where packages come from stays.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[ $# -gt 0 ] || set -- demo test
if [ -n "$(git status --porcelain)" ]; then echo "Not in it: what is not committed." >&2; fi

FOLDER=$(mktemp -d)
finish() {
  echo "Removing $FOLDER"
  # Go keeps the sources of modules write-protected.
  chmod -R u+w "$FOLDER"
  rm -rf "$FOLDER"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

git clone --quiet . "$FOLDER/keyward"
mkdir "$FOLDER/cargo"
for config in "${CARGO_HOME:-$HOME/.cargo}"/{config,config.toml}; do
  if [ -f "$config" ]; then cp "$config" "$FOLDER/cargo/"; fi
done
unset KUBEBUILDER_ASSETS PIP_CACHE_DIR KEEP MAKEFLAGS MFLAGS
export CARGO_HOME="$FOLDER/cargo" CARGO_TARGET_DIR="$FOLDER/target"
export GOPATH="$FOLDER/go" GOMODCACHE="$FOLDER/go/pkg/mod" GOCACHE="$FOLDER/go-build"
# Keyward's own cache and pip's are in here.
export XDG_CACHE_HOME="$FOLDER/cache" npm_config_cache="$FOLDER/npm"

TOOK=()
for target; do
  echo "== make $target, in a fresh clone with empty caches"
  SECONDS=0
  make -C "$FOLDER/keyward" "$target" || { echo "make $target failed after $((SECONDS / 60)) min $((SECONDS % 60)) s" >&2; exit 1; }
  TOOK+=("make $target: $((SECONDS / 60)) min $((SECONDS % 60)) s")
done
printf '%s\n' "From empty caches:" "${TOOK[@]}"
