//! Names of the labels and annotations that Keyward writes or reads.

/// Label: who manages the object; the controller watches only Secrets that carry it.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The value of [`MANAGED_BY`].
pub const KEYWARD: &str = "keyward";
/// Annotation on a Secret: the public id of the token in it.
pub const KEY_ID: &str = "iam.keyward.dev/key-id";
/// Annotation on a Secret: the `spec.revision` that the token in it was issued for.
pub const REVISION: &str = "iam.keyward.dev/revision";
/// Annotation on a Secret: the SHA-256 of the token in it, in hexadecimal.
pub const SHA256: &str = "iam.keyward.dev/sha256";
/// Annotation on a Secret: when the token in it was issued (RFC 3339).
pub const ISSUED_AT: &str = "iam.keyward.dev/issued-at";
/// Annotation on a Secret: when the token in it expires (RFC 3339).
pub const EXPIRES_AT: &str = "iam.keyward.dev/expires-at";
/// Annotation on a Secret: the UID of the service account that the token in it belongs to.
pub const SERVICE_ACCOUNT_UID: &str = "iam.keyward.dev/service-account-uid";
/// Annotation on a Secret: the serial of the token in it, which goes up with every token of the key.
pub const SERIAL: &str = "iam.keyward.dev/serial";
/// Annotation on a Secret: the token before the one in it, as JSON, while that is good.
pub const PREVIOUS: &str = "iam.keyward.dev/previous-token";
/// Annotation on a Secret: the controller's seal on what the other annotations say, `<sealing
/// key>:<signature>`.
pub const SEAL: &str = "iam.keyward.dev/seal";
/// Annotation on a published Secret: what it was made of, as a hash; a Secret with it is a copy for a
/// gateway.
pub const PUBLISHED: &str = "iam.keyward.dev/published";
/// Annotation on a published Secret: namespace and name of its access key.
pub const PUBLISHED_BY: &str = "iam.keyward.dev/published-by";
/// Annotation on a published Secret: UID of its access key.
pub const PUBLISHED_BY_UID: &str = "iam.keyward.dev/published-by-uid";
/// Annotation on every object of Keyward: the user that last changed its spec, as the chart's admission
/// policy stamps it.
pub const CHANGED_BY: &str = "iam.keyward.dev/changed-by";
/// Annotation on every object of Keyward: the user that created it, as the same policy stamps it.
pub const CREATED_BY: &str = "iam.keyward.dev/created-by";
/// Annotation on a service account: its own name, to confirm that it is to be switched off though it is still
/// used.
pub const CONFIRM_DEACTIVATION: &str = "iam.keyward.dev/confirm-deactivation";
/// How the names of the Secrets begin in which Helm keeps its releases.
pub const HELM_RELEASES: &str = "sh.helm.release.";
/// The label by which Helm finds them, whatever their name and type.
pub const HELM_OWNER: (&str, &str) = ("owner", "helm");
/// Beginnings of types of Secrets on which the control plane, Helm or Keyward acts; no account can allow
/// them.
pub const RESERVED_TYPES: [&str; 4] =
    ["kubernetes.io/", "bootstrap.kubernetes.io/", "helm.sh/", "iam.keyward.dev/"];
/// Beginnings of labels and annotations by which deployment tools, or Keyward, track objects; with one of
/// them a tool would take the Secret for its own and prune it.
pub const TRACKING: [&str; 11] = [
    "argocd.argoproj.io/",
    "kubectl.kubernetes.io/",
    "kustomize.toolkit.fluxcd.io/",
    "helm.toolkit.fluxcd.io/",
    "fluxcd.io/",
    "meta.helm.sh/",
    "helm.sh/",
    "kapp.k14s.io/",
    "iam.keyward.dev/",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/managed-by",
];
