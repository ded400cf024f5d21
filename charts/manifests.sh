#!/usr/bin/env bash
# Writes what the chart makes as plain YAML, with a kustomization: charts/manifests.sh FOLDER [flags of helm template].
set -euo pipefail
chart="$(dirname "${BASH_SOURCE[0]}")/keyward"
out="$1"
shift
mkdir -p "$out"
cat > "$out/namespace.yaml" <<'END'
apiVersion: v1
kind: Namespace
metadata:
  name: keyward-system
  labels:
    pod-security.kubernetes.io/enforce: restricted
END
helm template keyward "$chart" --namespace keyward-system "$@" > "$out/keyward.yaml"
cat > "$out/kustomization.yaml" <<'END'
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - namespace.yaml
  - keyward.yaml
# To take the image from elsewhere:
# images:
#   - name: ghcr.io/keyward-dev/keyward
#     newName: registry.example.com/keyward
END
echo "$out: kubectl apply --server-side -k $out"
