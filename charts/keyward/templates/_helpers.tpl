{{- define "keyward.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "keyward.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- $name := include "keyward.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "keyward.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{- /* Of the controller, and of whatever belongs to no process. The verifier's are made of these. */}}
{{- define "keyward.selectorLabels" -}}
app.kubernetes.io/name: {{ include "keyward.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: controller
{{- end }}

{{- define "keyward.labels" -}}
{{- $own := include "keyward.selectorLabels" . | fromYaml }}
{{- $_ := set $own "app.kubernetes.io/version" .Chart.AppVersion }}
{{- $_ := set $own "app.kubernetes.io/part-of" "keyward" }}
{{- $_ := set $own "app.kubernetes.io/managed-by" .Release.Service }}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_") }}
{{- merge $own .Values.commonLabels | toYaml }}
{{- end }}

{{- define "keyward.verifier.selectorLabels" -}}
{{- set (include "keyward.selectorLabels" . | fromYaml) "app.kubernetes.io/component" "verifier" | toYaml }}
{{- end }}

{{- define "keyward.verifier.labels" -}}
{{- set (include "keyward.labels" . | fromYaml) "app.kubernetes.io/component" "verifier" | toYaml }}
{{- end }}

{{- define "keyward.verifier.serviceAccountName" -}}
{{- with .Values.verifier.serviceAccount }}
{{- if .create }}
{{- default (printf "%s-verifier" (include "keyward.fullname" $)) .name }}
{{- else }}
{{- required "verifier.serviceAccount.name is needed where verifier.serviceAccount.create is false" .name }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Whose certificate the verifier has: `none`, `secret`, `certManager` or `controller`. */}}
{{- define "keyward.verifier.certificate" -}}
{{- with .Values.verifier }}
{{- $given := list }}
{{- if .allowPlainHttp }}{{ $given = append $given "none" }}{{ end }}
{{- if .tls.secretName }}{{ $given = append $given "secret" }}{{ end }}
{{- if .tls.certManager.issuerRef.name }}{{ $given = append $given "certManager" }}{{ end }}
{{- if gt (len $given) 1 }}
{{- fail "at most one of these can be set: verifier.tls.secretName, the name of a Secret of type kubernetes.io/tls; verifier.tls.certManager.issuerRef.name; verifier.allowPlainHttp=true, only where the network itself is encrypted" }}
{{- end }}
{{- first (append $given "controller") }}
{{- end }}
{{- end }}

{{- /* The Secret with it. */}}
{{- define "keyward.verifier.tlsSecret" -}}
{{- $made := printf "%s-verifier-tls" (include "keyward.fullname" .) }}
{{- get (dict "secret" .Values.verifier.tls.secretName "certManager" $made "controller" "keyward-verifier-self-signed") (include "keyward.verifier.certificate" .) }}
{{- end }}

{{- /* The DNS names, and with `addresses` the addresses, that it is for, by commas. */}}
{{- define "keyward.verifier.names" -}}
{{- $service := printf "%s-verifier" (include "keyward.fullname" .) }}
{{- $within := printf "%s.%s" $service (include "keyward.namespace" .) }}
{{- $names := list $service $within (printf "%s.svc" $within) (printf "%s.svc.cluster.local" $within) }}
{{- $names = concat $names .Values.verifier.tls.names }}
{{- with .Values.verifier.service.clusterIP }}
{{- if ne . "None" }}{{ $names = append $names . }}{{ end }}
{{- end }}
{{- join "," $names }}
{{- end }}

{{- /* What the pods of both processes have in common. */}}
{{- define "keyward.pod" -}}
automountServiceAccountToken: true
# A Service called keyward-… would otherwise set variables that begin with KEYWARD_, as the flags do.
enableServiceLinks: false
{{- if not (kindIs "invalid" .Values.hostUsers) }}
hostUsers: {{ .Values.hostUsers }}
{{- end }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- include "keyward.podSecurityContext" . | nindent 2 }}
{{- end }}

{{- /* With what a pod may do at most under the restricted Pod Security Standard. */}}
{{- define "keyward.podSecurityContext" -}}
runAsNonRoot: true
{{- if not (kindIs "invalid" .Values.runAsUser) }}
runAsUser: {{ .Values.runAsUser | int64 }}
runAsGroup: {{ required "runAsGroup can be null only where runAsUser is null: otherwise the group would be root's" .Values.runAsGroup | int64 }}
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "keyward.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "keyward.probes" -}}
livenessProbe:
  httpGet:
    path: /livez
    port: metrics
  periodSeconds: 10
  timeoutSeconds: 3
readinessProbe:
  httpGet:
    path: /readyz
    port: metrics
  periodSeconds: 5
  timeoutSeconds: 3
{{- end }}

{{- /* Spreads the pods with these labels over nodes, unless the values say otherwise. */}}
{{- define "keyward.spread" -}}
{{- $own := dict "labelSelector" (dict "matchLabels" (.labels | fromYaml)) }}
{{- if .constraints }}
{{- $constraints := list }}
{{- range .constraints }}
{{- $constraints = append $constraints (ternary . (merge (deepCopy .) $own) (hasKey . "labelSelector")) }}
{{- end }}
{{- toYaml $constraints }}
{{- else -}}
- maxSkew: 1
  topologyKey: kubernetes.io/hostname
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels:
      {{- .labels | nindent 6 }}
  # So that a new version is spread without regard to the pods of the old one.
  matchLabelKeys: [pod-template-hash]
{{- end }}
{{- end }}

{{- /* How many pods may be away at once. Pods that do not work may always be taken away: they protect nothing. */}}
{{- define "keyward.disruption" -}}
{{- if kindIs "invalid" .minAvailable }}
maxUnavailable: {{ .maxUnavailable }}
{{- else }}
minAvailable: {{ .minAvailable }}
{{- end }}
unhealthyPodEvictionPolicy: AlwaysAllow
{{- end }}

{{- /* What both processes are closed to, but for the ports that are let in. */}}
{{- define "keyward.isolation" -}}
policyTypes: [Ingress{{ if .Values.networkPolicy.egress }}, Egress{{ end }}]
{{- with .Values.networkPolicy.egress }}
egress:
  {{- toYaml . | nindent 2 }}
{{- end }}
ingress:
  - ports:
      - port: metrics
    {{- with .Values.networkPolicy.metricsFrom }}
    from:
      {{- toYaml . | nindent 6 }}
    {{- end }}
{{- end }}

{{- define "keyward.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "keyward.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.name is needed where serviceAccount.create is false" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "keyward.leaseName" -}}
{{- default (printf "%s-controller" (include "keyward.fullname" .)) .Values.leaderElection.leaseName }}
{{- end }}

{{- define "keyward.image" -}}
{{- with .Values.image }}
{{- if .digest }}
{{- printf "%s@%s" .repository .digest }}
{{- else }}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Whether admission records who changed a spec, so that the controller may believe what it reads there. */}}
{{- define "keyward.changedBy" -}}
{{- $known := .Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy" }}
{{- $wanted := get (dict "auto" $known "enabled" true "disabled" false) .Values.admission.changedBy }}
{{- and .Values.admission.enabled $wanted }}
{{- end }}
