//! The CEL rules of the kinds, in force as soon as the CRDs are. A message says what was given and what is
//! allowed.

use kube::core::{Message, Rule};

use super::names::{HELM_OWNER, HELM_RELEASES, RESERVED_TYPES, TRACKING};

fn says(rule: &str, message_expression: &str) -> Rule {
    Rule::new(rule).message(Message::Expression(message_expression.to_owned()))
}

/// There is one `Account` to a namespace.
pub(super) fn account_name() -> Rule {
    says(
        "self.metadata.name == 'account'",
        "\"metadata.name must be 'account', the one Account of a namespace; it is '\" + self.metadata.name + \"'\"",
    )
}

/// Both or neither of `validFor` and `expiresAt` leave the expiry open.
pub(super) fn one_expiry() -> Rule {
    says(
        "has(self.validFor) != has(self.expiresAt)",
        "\"exactly one of `validFor` (such as P6M) and `expiresAt` (such as 2027-05-31T00:00:00Z) must be set; \" + \
         (has(self.validFor) ? \"both are\" : \"neither is\")",
    )
}

/// A token belongs to one service account for life.
pub(super) fn fixed_service_account() -> Rule {
    says(
        "self == oldSelf",
        "\"may not be changed after creation: it is '\" + oldSelf + \"' and may not become '\" + self + \"'; create \
         another AccessKey\"",
    )
}

/// A grant that moved would take its history with it.
pub(super) fn fixed_grantee() -> Rule {
    says(
        "self == oldSelf",
        "\"may not be changed after creation: it is '\" + oldSelf + \"' and may not become '\" + self + \"'; create \
         another ResourceGrant\"",
    )
}

/// Requests name a resource as `category/name`, in a header.
pub(super) fn resource_name() -> Rule {
    says(
        "self.matches('^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$')",
        "\"must be letters, digits, '-', '_' and '.', with a letter or digit at both ends; it is '\" + self + \"'\"",
    )
}

/// Core service accounts live in a namespace, users and groups do not.
pub(super) fn subject_namespace() -> Rule {
    says(
        "has(self.namespace) == (self.kind == 'ServiceAccount')",
        "self.kind == 'ServiceAccount' ? \"`namespace` must be set for a ServiceAccount\" : \
         \"`namespace` may only be set for a ServiceAccount; the kind is '\" + self.kind + \"'\"",
    )
}

/// A copy cannot stand where the key's own Secret does.
pub(super) fn published_beside() -> Rule {
    const OWN: &str =
        "(has(self.spec.secret) && has(self.spec.secret.name) ? self.spec.secret.name : self.metadata.name)";
    says(
        &format!(
            "!has(self.spec.publish) || self.spec.publish.all(p, has(p.namespace) && p.namespace != '' || p.name != {OWN})"
        ),
        &format!("\"spec.publish may not name the key's own Secret '\" + {OWN} + \"'; choose another name\""),
    )
}

/// The control plane, Helm and Keyward act on Secrets of these types.
pub(super) fn published_type() -> Rule {
    says(
        &format!("!{}", begins_with_one_of("self", &RESERVED_TYPES)),
        &format!(
            "\"may not begin with {}, on which the control plane, Helm or Keyward acts; it is '\" + self + \"'\"",
            RESERVED_TYPES.map(|prefix| format!("'{prefix}'")).join(", ")
        ),
    )
}

/// As [`published_type`], of each type that an account allows.
pub(super) fn allowable_types() -> Rule {
    let reserved = begins_with_one_of("t", &RESERVED_TYPES);
    says(
        &format!("!self.exists(t, {reserved})"),
        &format!(
            "\"types on which the control plane, Helm or Keyward acts cannot be allowed; one is '\" + \
             self.filter(t, {reserved})[0] + \"'\""
        ),
    )
}

/// Labels or annotations that an account allows: a prefix with its `/`, or a whole key.
pub(super) fn allowable_keys() -> Rule {
    const KEY: &str =
        "k.matches('^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$')";
    says(
        &format!("self.all(k, {KEY})"),
        &format!(
            "\"each must be a DNS name with '/' at its end, or a whole key; one is '\" + self.filter(k, !({KEY}))[0] + \
             \"'\""
        ),
    )
}

/// A Secret of such a name would be a release of Helm's to a rollback, with whatever manifests it holds.
pub(super) fn no_helm_name() -> Rule {
    says(
        &format!("!self.startsWith('{HELM_RELEASES}')"),
        &format!(
            "\"may not begin with '{HELM_RELEASES}', by which Helm finds its releases; it is '\" + self + \"'\""
        ),
    )
}

/// Helm finds its releases by this label, whatever the Secret's type and name.
pub(super) fn no_helm_label() -> Rule {
    let (key, value) = HELM_OWNER;
    Rule::new(format!("self.all(k, k != '{key}' || self[k] != '{value}')")).message(
        format!("may not hold the label '{key}' with the value '{value}', by which Helm finds its releases")
            .as_str(),
    )
}

fn begins_with_one_of(text: &str, prefixes: &[&str]) -> String {
    let list = prefixes.iter().map(|prefix| format!("'{prefix}'")).collect::<Vec<_>>().join(", ");
    format!("[{list}].exists(p, {text}.startsWith(p))")
}

/// Characters that control a terminal, turn the direction of text, or cannot be seen, but for the first ones:
/// those are lines and tabs.
const UNREADABLE: &str = "\\\\x{7F}-\\\\x{9F}\\\\x{61C}\\\\x{200B}-\\\\x{200F}\\\\x{2028}-\\\\x{202E}\\\\x{2060}-\\\\x{206F}\\\\x{FEFF}";

/// A line that people and logs read may not change how they read it.
pub(super) fn readable() -> Rule {
    Rule::new(format!("!self.matches('[\\\\x{{0}}-\\\\x{{1F}}{UNREADABLE}]')"))
        .message("may not hold control, direction or zero-width characters")
}

/// The same for a text of several lines.
pub(super) fn readable_lines() -> Rule {
    Rule::new(format!("!self.matches('[\\\\x{{0}}-\\\\x{{8}}\\\\x{{B}}-\\\\x{{1F}}{UNREADABLE}]')"))
        .message("may not hold control, direction or zero-width characters")
}

/// A copy without a token would be of no use.
pub(super) fn published_data_has_token() -> Rule {
    Rule::new("self.exists(k, self[k].contains('$(token)') || self[k].contains('$(previousToken)'))").message(
        "at least one entry must hold $(token) or $(previousToken), which are replaced by the token and the one before it",
    )
}

/// A moved Secret would leave the token in the old one.
pub(super) fn fixed_secret_name() -> Rule {
    const NAME: &str = "(has(SELF.secret) && has(SELF.secret.name) ? SELF.secret.name : '')";
    Rule::new(format!("{} == {}", NAME.replace("SELF", "self"), NAME.replace("SELF", "oldSelf")))
        .message("`secret.name` may not be changed after creation; create another AccessKey")
}

/// An absolute expiry cannot be renewed.
pub(super) fn rotation_needs_valid_for() -> Rule {
    Rule::new("!has(self.rotation) || has(self.validFor)").message(
        "`rotation` needs `validFor`: with `expiresAt` the next token would expire at the same moment",
    )
}

/// An inactive service account is changed only as it is switched on. One rule a field: optional field
/// selection, or all of them in one expression, would be shorter, but the API server cannot bound its cost.
pub(super) fn frozen(field: &str) -> Rule {
    Rule::new(format!(
        "oldSelf.state != 'Inactive' || self.state != 'Inactive' || (has(self.{field}) == has(oldSelf.{field}) && \
         (!has(self.{field}) || self.{field} == oldSelf.{field}))"
    ))
    .message(
        format!(
            "`{field}` of a service account may not be changed while it stays inactive; switch it on with `state: Active`, \
             before or in the same change"
        )
        .as_str(),
    )
    .field_path(format!(".{field}"))
}

/// The name of an object, in the form that Kubernetes asks for.
pub(super) fn dns_name() -> Rule {
    says(
        "self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",
        "\"must be a DNS name: lower-case letters, digits, '-' and '.', with a letter or digit at both ends; it is \
         '\" + self + \"'\"",
    )
}

/// The keys of labels and annotations, in the form that Kubernetes asks for.
pub(super) fn qualified_keys() -> Rule {
    const KEY: &str = "k.size() <= 317 && k.matches('^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$')";
    says(
        &format!("self.all(k, {KEY})"),
        &format!(
            "\"every key must be an optional DNS prefix and '/', then at most 63 letters, digits, '-', '_' and '.'; \
             one is '\" + self.filter(k, !({KEY}))[0] + \"'\""
        ),
    )
}

/// Keys by which a deployment tool or Keyward would take the Secret for its own.
pub(super) fn no_tracking_keys() -> Rule {
    let tracked = begins_with_one_of("k", &TRACKING);
    says(
        &format!("!self.exists(k, {tracked})"),
        &format!(
            "\"may not hold keys by which deployment tools or Keyward track objects, or they would prune the Secret; \
             one is '\" + self.filter(k, {tracked})[0] + \"'\""
        ),
    )
}

/// The keys of a Secret's data.
pub(super) fn data_keys() -> Rule {
    says(
        "self.all(k, k.matches('^[-._a-zA-Z0-9]{1,253}$'))",
        "\"every key must be 1 to 253 letters, digits, '-', '_' and '.'; one is '\" + \
         self.filter(k, !k.matches('^[-._a-zA-Z0-9]{1,253}$'))[0] + \"'\"",
    )
}

/// A Secret without the token would be of no use.
pub(super) fn data_has_token() -> Rule {
    Rule::new("self.exists(k, self[k].contains('$(token)'))")
        .message("at least one entry must hold $(token), which is replaced by the token")
}
