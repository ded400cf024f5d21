#!/usr/bin/env bash
# Gathers the files of a release: packaging/release/gather.sh BUILT FOLDER. BUILT has a folder for each part, as the release
# workflow lays them: chart, image-ARCH, plugin-PLATFORM. FOLDER gets chart, archives, krew's manifest, lists of what is in the
# programs, and SHA256SUMS of all that.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
built=${1:?usage: gather.sh BUILT FOLDER}
folder=${2:?usage: gather.sh BUILT FOLDER}
version=$("$here/release/version.sh")

mkdir -p "$folder"
cp "$built/chart/keyward-$version.tgz" "$built"/plugin-*/*.tar.gz "$folder"
for arch in amd64 arm64; do
  cp "$built/image-$arch/image/keyward.cdx.json" "$folder/keyward_v${version}_linux_$arch.cdx.json"
done
"$here/krew/manifest.sh" "$folder" > "$folder/keyward.yaml"
for platform in linux_amd64 linux_arm64 darwin_amd64 darwin_arm64; do
  grep -q "_$platform.tar.gz" "$folder/keyward.yaml" || { echo "there is no archive for $platform" >&2; exit 1; }
done
cd "$folder"
rm -f SHA256SUMS
sums=$(sha256sum -- *)
printf '%s\n' "$sums" > SHA256SUMS
