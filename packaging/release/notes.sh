#!/usr/bin/env bash
# Prints the notes of the release: the changelog's section, and how to get and check what is released.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
version=$(packaging/release/version.sh)

# The lines of a paragraph become one, since code hosts break lines of release notes where the text does.
awk -v heading="## [$version] - " '
  function flush() { if (text != "") print text; text = "" }
  index($0, heading) == 1 { inside = 1; next }
  !inside { next }
  /^## / || /^\[/ { exit }
  /^$/ { flush(); if (begun) print ""; next }
  /^(- |#)/ { flush() }
  { sub(/^ +/, ""); text = text == "" ? $0 : text " " $0; begun = 1 }
  END { flush() }
' CHANGELOG.md

cat <<TEXT

### Get it

\`\`\`bash
helm install keyward oci://ghcr.io/keyward-dev/charts/keyward --version $version --namespace keyward-system --create-namespace
\`\`\`

Image: \`ghcr.io/keyward-dev/keyward:$version\`, for amd64 and arm64. The archives below are the plugin \`kubectl keyward\`.

### Check it

\`\`\`bash
signer=https://github.com/keyward-dev/keyward/.github/workflows/release.yml@refs/tags/v$version
issuer=https://token.actions.githubusercontent.com
cosign verify ghcr.io/keyward-dev/keyward:$version --certificate-identity "\$signer" --certificate-oidc-issuer "\$issuer"
cosign verify-blob SHA256SUMS --bundle SHA256SUMS.sigstore.json --certificate-identity "\$signer" --certificate-oidc-issuer "\$issuer"
sha256sum --check --ignore-missing SHA256SUMS
gh attestation verify oci://ghcr.io/keyward-dev/keyward:$version --repo keyward-dev/keyward
\`\`\`
TEXT
