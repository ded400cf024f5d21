#!/usr/bin/env bash
# Builds what the image holds: image/build.sh FOLDER. The program is static, and the same source and toolchain give the same
# bytes in any folder and at any time. Beside it stands a list of all that is in it (CycloneDX). The Dockerfile runs this, and
# `make image-binary`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out="${1:?usage: image/build.sh FOLDER}"
AUDITABLE=0.7.7
CYCLONEDX=0.5.9
target="$(uname -m)-unknown-linux-musl"
tools="${XDG_CACHE_HOME:-$HOME/.cache}/keyward/tools"

need() { command -v "$1" >/dev/null || { echo "image/build.sh: $1 is needed: $2" >&2; exit 1; }; }
need rustup "install Rust with it, since it brings the target $target"
need musl-gcc "install it, with Debian as: apt-get install musl-tools"
need readelf "install it, with Debian as: apt-get install binutils"
rustup target list --installed | grep -qx "$target" || rustup target add "$target"

# The compiler's own tool for each: cargo-auditable writes the list of crates into the program too.
tool() {
  local root="$tools/$1-$2"
  [ -x "$root/bin/$1" ] || cargo install --quiet --locked "$1" --version "$2" --root "$root"
  PATH="$root/bin:$PATH"
}
tool cargo-auditable "$AUDITABLE"
tool cargo-cyclonedx "$CYCLONEDX"

# Nothing of this machine may get into the program: neither its folders nor the time.
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}"
# Apart from other builds, so that neither waits for the other.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}/image"
cargo_home="${CARGO_HOME:-$HOME/.cargo}"
export RUSTFLAGS="--remap-path-prefix=$CARGO_TARGET_DIR=/target --remap-path-prefix=$PWD=/src --remap-path-prefix=$cargo_home=/cargo"
export "CC_${target//-/_}=musl-gcc"
export CFLAGS="-ffile-prefix-map=$CARGO_TARGET_DIR=/target -ffile-prefix-map=$cargo_home=/cargo"
export CARGO_INCREMENTAL=0
cargo auditable build --release --locked --bin keyward --target "$target"

mkdir -p "$out"
cp "$CARGO_TARGET_DIR/$target/release/keyward" "$out/keyward"
if readelf --program-headers "$out/keyward" | grep -q INTERP; then
  echo "image/build.sh: the program is not static" >&2
  exit 1
fi

# It writes a file beside each Cargo.toml of the workspace; the program's is wanted.
cargo cyclonedx --quiet --format json --spec-version 1.5 --target "$target" --no-build-deps --override-filename sbom
sed "s#$PWD#/src#g" sbom.json > "$out/keyward.cdx.json"
rm -f sbom.json dev/sbom.json xtask/sbom.json crates/*/sbom.json
(cd "$out" && sha256sum keyward keyward.cdx.json)
