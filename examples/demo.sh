#!/usr/bin/env bash
# The demo: the controller under the chart's own RBAC on a real API server, and what a user would do and look at.
# `make demo` starts the control plane and runs this; with KEEP=1 it stays up until Ctrl-C. HELM and NGINX name
# these programs where they are there already; otherwise they are made while the first scenes run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

KEYWARD="${KEYWARD:-${CARGO_TARGET_DIR:-target}/debug/keyward}"
WORK=$(mktemp -d)
PROCESSES=() MAKERS=()
finish() {
  for process in "${PROCESSES[@]}"; do { kill "$process" 2>/dev/null && wait "$process"; } || true; done
  for group in "${MAKERS[@]}"; do { kill -- "-$group" 2>/dev/null && wait "$group"; } || true; done
  rm -rf "$WORK"
}
trap finish EXIT

BOLD= DIM= PLAIN=
if [ -t 1 ]; then BOLD=$'\e[1m' DIM=$'\e[2m' PLAIN=$'\e[0m'; fi
SCENES=15 SCENE=0
scene() { SCENE=$((SCENE + 1)); printf '\n%s[%d/%d] %s%s\n' "$BOLD" "$SCENE" "$SCENES" "$1" "$PLAIN"; }
show() { printf '%s$ %s%s\n' "$DIM" "$*" "$PLAIN"; "$@"; }
shop() { show kubectl -n shop "$@"; }
refused() { show "$@" && { echo "it was allowed" >&2; exit 1; } || true; }
ready() { kubectl -n shop wait --for=condition=Ready --timeout=5m "$@" >/dev/null; }
reason() { kubectl -n shop wait --for=jsonpath='{.status.conditions[0].reason}'="$2" --timeout=5m "$1" >/dev/null; }
accepted() {
  for _ in $(seq 600); do
    kubectl create --dry-run=server -f examples/01-service-account.yaml -f examples/02-access-key.yaml >/dev/null 2>&1 && return
    sleep 0.5
  done
  echo "the API server does not take the examples" >&2
  return 1
}

# Has `dev` make something in the background, in a process group of its own: all of it ends with the demo.
make_meanwhile() {
  set -m
  ${DEV:-cargo run -q -p keyward-dev --} "${@:2}" </dev/null > "$WORK/$1.path" 2> "$WORK/$1.progress" &
  set +m
  printf -v "MAKING_$1" %s $!
  MAKERS+=("$!")
}
# Waits until it is there, and shows the progress of that, if any.
made() {
  local process="MAKING_$1" progress="$WORK/$1.progress" follower=
  while kill -0 "${!process}" 2>/dev/null; do
    if [ -z "$follower" ] && [ -s "$progress" ]; then
      printf '\nThe next scene needs %s:\n' "$1"
      tail -n +1 -f "$progress" & follower=$!
    fi
    sleep 0.2
  done
  if [ -n "$follower" ]; then { kill "$follower" && wait "$follower"; } 2>/dev/null || true; fi
  wait "${!process}" || { tail -n 20 "$progress" >&2; exit 1; }
}
[ -n "${HELM:-}" ] || make_meanwhile helm assets helm
[ -n "${NGINX:-}" ] || make_meanwhile nginx gateways nginx

scene "The kinds: the API server refuses what is wrong, before any program of Keyward runs"
"$KEYWARD" crds | kubectl apply --server-side -f -
kubectl wait --for=condition=Established --timeout=5m crd --all >/dev/null
accepted
cat > "$WORK/wrong.yaml" <<YAML
apiVersion: iam.keyward.dev/v1alpha1
kind: ServiceAccount
metadata: {name: ci-bot}
spec: {icon: Built}
YAML
cat "$WORK/wrong.yaml"
refused kubectl create -f - < "$WORK/wrong.yaml"
echo "Without a cluster, where it stands and what was meant is said too:"
printf '%s$ keyward validate -%s\n' "$DIM" "$PLAIN"
"$KEYWARD" validate - < "$WORK/wrong.yaml" && { echo "it was taken for good" >&2; exit 1; } || true

[ -n "${HELM:-}" ] || { made helm; HELM=$(cat "$WORK/helm.path"); }
scene "Install: admission policies, and a controller that may do what the chart lists and no more"
kubectl create namespace keyward-system >/dev/null
"$HELM" template keyward charts/keyward --namespace keyward-system --set crds.enabled=false \
  --set verifier.allowPlainHttp=true --show-only templates/verifier-rbac.yaml \
  --show-only templates/serviceaccount.yaml --show-only templates/rbac.yaml --show-only templates/user-roles.yaml \
  --show-only templates/policies.yaml --api-versions admissionregistration.k8s.io/v1/MutatingAdmissionPolicy \
  | kubectl apply --server-side -f - >/dev/null
kubectl get validatingadmissionpolicies,mutatingadmissionpolicies -o name
# The policies learn of new kinds a moment later, and refuse them until then.
accepted
# Runs a process of Keyward as the core service account that the chart has for it, and nothing else.
keyward() {
  local process=$1 account token
  shift
  account=$(kubectl -n keyward-system get serviceaccounts -l "app.kubernetes.io/component=$process" -o jsonpath='{.items[0].metadata.name}')
  token=$(kubectl -n keyward-system create token "$account" --duration=24h)
  kubectl config view --raw --flatten > "$WORK/$process"
  KUBECONFIG="$WORK/$process" kubectl config set-credentials "$process" --token="$token" >/dev/null
  KUBECONFIG="$WORK/$process" kubectl config set-context --current --user="$process" --namespace=keyward-system >/dev/null
  KUBECONFIG="$WORK/$process" "$KEYWARD" "$process" --health-address 127.0.0.1:0 "$@" > "$WORK/$process.log" 2>&1 &
  PROCESSES+=($!)
}
keyward controller --trust-changed-by true --log-format text

scene "A service account and its first key"
show kubectl create namespace shop
shop apply -f examples/01-service-account.yaml -f examples/02-access-key.yaml -f examples/03-access-key-custom-secret.yaml
ready kwsa/ci-bot kwkey/deploy kwkey/registry
kubectl -n shop wait --for=jsonpath='{.status.keys.active}'=2 --timeout=5m kwsa/ci-bot >/dev/null
shop get keyward
echo "The token stands in the key's Secret, and nowhere else:"
shop get secret deploy -o go-template='{{range $entry, $value := .data}}  {{$entry}}{{"\n"}}{{end}}'

scene "What happened: Events, and the log in the status"
shop events --for accesskey/deploy
shop get kwsa ci-bot -o jsonpath='{range .status.auditLog[*]}  {.time}  {.actor}  {.action}  {.object}  {.message}{"\n"}{end}'

scene "What it may reach, and the whole account at a glance"
shop apply -f examples/05-resource-grants.yaml
kubectl -n shop wait --for=jsonpath='{.status.associatedResources.total}'=3 --timeout=5m kwsa/ci-bot >/dev/null
shop get kwgrant --field-selector spec.serviceAccountName=ci-bot,spec.resource.category=Process
kubectl -n shop wait --for=jsonpath='{.status.snapshot.serviceAccounts[0].keys.active}'=2 --timeout=5m accounts.iam.keyward.dev/account >/dev/null
show kubectl get accounts.iam.keyward.dev -A
shop get kwsa -o wide

scene "An admin of one service account: that one, and no other"
shop apply -f examples/06-admins.yaml
shop patch kwsa ci-bot --type=merge -p '{"spec":{"admins":[{"kind":"User","name":"alice"}]}}'
kubectl -n shop wait --for=jsonpath='{.status.adminNames}'=User/alice --timeout=5m kwsa/ci-bot >/dev/null
shop --as alice auth can-i get secrets/deploy
shop --as alice patch kwsa ci-bot --type=merge -p '{"spec":{"description":"Builds the shop."}}'
echo "But not this:"
refused kubectl -n shop --as alice patch kwsa ci-bot --type=merge -p '{"spec":{"admins":[{"kind":"User","name":"mallory"}]}}'
refused kubectl -n shop --as mallory patch kwsa ci-bot --type=merge -p '{"spec":{"state":"Inactive"}}'
shop get kwsa ci-bot -o jsonpath='{range .status.auditLog[?(@.reason=="AdminsChanged")]}  {.actor}: {.message}{"\n"}{end}'

scene "Switching it off: a warning says what still uses it, and all its keys stop"
shop --as alice patch kwsa ci-bot --type=merge -p '{"spec":{"state":"Inactive"}}'
reason kwkey/deploy ServiceAccountInactive
shop get kwkey
refused kubectl -n shop patch kwsa ci-bot --type=merge -p '{"spec":{"icon":"Key"}}'
shop patch kwsa ci-bot --type=merge -p '{"spec":{"state":"Active"}}'
reason kwkey/deploy Issued
shop get kwkey deploy -o jsonpath='{range .status.auditLog[:2]}  {.actor}: {.action}{"\n"}{end}'

scene "Rotated by hand: the new token is in the Secret, the one before stays good for a week"
shop patch kwkey registry --type=merge -p '{"spec":{"revision":2}}'
kubectl -n shop wait --for=jsonpath='{.status.token.revision}'=2 --timeout=5m kwkey/registry >/dev/null
shop get kwkey registry -o jsonpath='{"  "}{.status.auditLog[0].message}{"\n"}'

scene "Switched off, and on again with the same token"
shop patch kwkey deploy --type=merge -p '{"spec":{"state":"Inactive"}}'
reason kwkey/deploy Inactive
shop get kwkey deploy
shop patch kwkey deploy --type=merge -p '{"spec":{"state":"Active"}}'
reason kwkey/deploy Issued

scene "A deleted Secret comes back with a new token, and the log says so"
shop delete secret deploy
kubectl -n shop wait --for=create --timeout=5m secret/deploy >/dev/null
reason kwkey/deploy Issued
kubectl -n shop wait --for=jsonpath='{.status.auditLog[0].reason}'=Reissued --timeout=5m kwkey/deploy >/dev/null
shop get kwkey deploy -o jsonpath='{"  "}{.status.auditLog[0].message}{"\n"}'

scene "A key that lives ten seconds, in an account meant for trying things out"
shop apply --server-side -f examples/try-out/account-short.yaml -f examples/try-out/key-short.yaml
ready kwkey/short
shop get kwkey short
reason kwkey/short Expired
shop get kwkey short
shop get secret short -o go-template='{{range $entry, $value := .data}}  {{$entry}}{{"\n"}}{{end}}'

scene "Fifty keys to a service account: the 51st is refused, and says why"
printf 'apiVersion: iam.keyward.dev/v1alpha1\nkind: ServiceAccount\nmetadata: {name: many}\n---\n' > "$WORK/many.yaml"
key() {
  printf 'apiVersion: iam.keyward.dev/v1alpha1\nkind: AccessKey\nmetadata: {name: key-%s}\nspec: {serviceAccountName: many, validFor: P6M}\n---\n' "$1"
}
for n in $(seq -w 1 50); do key "$n"; done >> "$WORK/many.yaml"
kubectl -n shop apply -f "$WORK/many.yaml" >/dev/null
kubectl -n shop wait --for=jsonpath='{.status.keys.active}'=50 --timeout=5m kwsa/many >/dev/null
key 51 | kubectl -n shop apply -f - >/dev/null
kubectl -n shop wait --for=jsonpath='{.status.keys.rejected}'=1 --timeout=5m kwsa/many >/dev/null
shop get kwsa many
shop get kwkey --field-selector spec.serviceAccountName=many -o jsonpath='{range .items[?(@.status.state=="Rejected")]}  {.metadata.name}: {.status.conditions[0].message}{"\n"}{end}'

scene "A deleted service account takes its keys with it, and the account remembers"
shop delete kwsa many
kubectl -n shop wait --for=delete --timeout=5m kwkey/key-01 >/dev/null
kubectl -n shop wait --for=jsonpath='{.status.auditLog[0].reason}'=ServiceAccountDeleted --timeout=5m accounts.iam.keyward.dev/account >/dev/null
shop get accounts.iam.keyward.dev account -o jsonpath='{range .status.auditLog[*]}  {.time}  {.action}  {.message}{"\n"}{end}'

scene "The verifier: with the token, kubectl gets in as a user of its own, with the rights that RBAC gives it"
# The API server of the demo was told to ask here.
VERIFIER=$KEYWARD_DEV_TOKEN_WEBHOOK
keyward verifier --listen-address "$VERIFIER" --trusted-proxies 127.0.0.1 --usage-interval-seconds 2
KEY=$(kubectl -n shop get secret deploy -o go-template='{{.data.token | base64decode}}')
kubectl config view --raw --flatten --minify > "$WORK/nobody"
kubectl --kubeconfig "$WORK/nobody" config unset users >/dev/null
quietly() { kubectl --kubeconfig "$WORK/nobody" --token "$KEY" "$@" >/dev/null 2>&1; }
holder() { printf '%s$ kubectl --token "$KEY" %s%s\n' "$DIM" "$*" "$PLAIN"; kubectl --kubeconfig "$WORK/nobody" --token "$KEY" "$@"; }
until quietly auth whoami; do sleep 0.5; done
holder auth whoami
holder -n shop get configmaps || true
shop create role reader --verb=get,list --resource=configmaps
shop create rolebinding reader --role=reader --user=keyward:shop:ci-bot
shop create configmap opening-hours --from-literal=monday=9-18
until quietly -n shop get configmap opening-hours; do sleep 0.5; done
holder -n shop get configmap opening-hours -o jsonpath='{"  "}{.data.monday}{"\n"}'

[ -n "${NGINX:-}" ] || { made nginx; NGINX=$(cat "$WORK/nginx.path"); }
scene "A request through nginx: let in, switched off, refused"
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
GATEWAY=$(free_port) APPLICATION=$(free_port)
mkdir "$WORK/gateway" "$WORK/application"
sed "s/127.0.0.1:8470/$VERIFIER/; s/8480/$GATEWAY/; s/8490/$APPLICATION/" examples/gateways/nginx.conf > "$WORK/gateway/nginx.conf"
cat > "$WORK/application/nginx.conf" <<CONF
pid nginx.pid;
events {}
http {
    access_log off;
    client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c; uwsgi_temp_path d; scgi_temp_path e;
    server {
        listen 127.0.0.1:$APPLICATION;
        location / { return 200 "Welcome, \$http_x_keyward_subject. You ask for \$request_uri.\n"; }
    }
}
CONF
for server in gateway application; do
  "$NGINX" -p "$WORK/$server" -c nginx.conf -e stderr -g 'daemon off; master_process off;' > "$WORK/$server.log" 2>&1 &
  PROCESSES+=($!)
done
ask() {
  printf '%s$ curl -H "Authorization: Bearer $KEY"%s http://gateway%s%s\n' "$DIM" "${2:+ -H \"$2\"}" "$1" "$PLAIN"
  curl -sS -H @- ${2:+-H "$2"} -w '  %{http_code}\n' "http://127.0.0.1:$GATEWAY$1" <<< "Authorization: Bearer $KEY" | grep -v '[<>]'
}
status() { curl -s -o /dev/null -w '%{http_code}' -H @- "http://127.0.0.1:$GATEWAY/" <<< "Authorization: Bearer $KEY" || true; }
until [ "$(status)" = 200 ]; do sleep 0.2; done
ask /reports
ask /expenses/7 "X-Keyward-On-Behalf-Of: ann@example.org"
shop patch kwkey deploy --type=merge -p '{"spec":{"state":"Inactive"}}'
until [ "$(status)" = 401 ]; do sleep 0.2; done
ask /reports
while quietly auth whoami; do sleep 0.5; done
holder -n shop get configmaps || true
echo "The audit lines, the service account's log, and when the key was last used:"
for reason in ActedOnBehalf Refused; do
  grep -m 1 "\"reason\":\"$reason\".*\"endpoint\":\"nginx\"" "$WORK/verifier.log"
done
kubectl -n shop wait --for=jsonpath='{.status.auditLog[?(@.reason=="ActedOnBehalf")].count}'=1 --timeout=5m kwsa/ci-bot >/dev/null
shop get kwsa ci-bot -o jsonpath='{range .status.auditLog[?(@.onBehalfOf)]}  {.actor}  {.message}  ({.count} times today){"\n"}{end}'
shop get kwkey deploy

if grep -Eq 'kw_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}' "$WORK"/*.log; then
  echo "a token stands in a log" >&2
  exit 1
fi
printf '\n%sDone.%s No token stands in a log.\n' "$BOLD" "$PLAIN"

if [ "${KEEP:-}" = 1 ]; then
  printf 'Still running, until Ctrl-C. In another terminal:\n  export KUBECONFIG=%s\n  export PATH=%s:$PATH\n' "$KUBECONFIG" "$KUBEBUILDER_ASSETS"
  wait "${PROCESSES[0]}"
fi
