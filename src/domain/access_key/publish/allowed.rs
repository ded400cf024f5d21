//! What remains of a key's Secrets once the accounts of their namespaces have said what they allow.

use crate::api::AccessKeySpec;
use crate::domain::access_key::secret::SecretOwner;
use crate::domain::account::publishing::{NotAllowed, Publishing};

/// Something of a Secret that is not brought about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Its place in `spec.publish`; `None` where it is about the key's own Secret.
    pub entry: Option<usize>,
    /// What is not allowed.
    pub what: NotAllowed,
    /// What and why, as a sentence.
    pub message: String,
}

/// Takes out of `spec` what is not allowed, for the key of that name and account. `publishing` says what the
/// account of a namespace allows.
pub fn restrict(
    spec: &mut AccessKeySpec,
    (name, account): (&str, &str),
    publishing: impl Fn(&str) -> Publishing,
) -> Vec<Refusal> {
    let own_name = SecretOwner { spec, name, account }.secret_name().to_owned();
    let mut refusals = Vec::new();
    for refused in spec.secret.as_mut().map(|secret| publishing(account).strip(secret)).unwrap_or_default() {
        let why = refused.why(account);
        let message = format!("Secret \"{own_name}\" (spec.secret) is not as requested: {why}");
        refusals.push(Refusal { entry: None, what: refused, message });
    }
    let mut at = 0;
    if let Some(entries) = &mut spec.publish {
        entries.retain(|entry| {
            let place = at;
            at += 1;
            let namespace = entry.namespace.as_ref().map_or(account, |name| &name.0);
            let Some(refused) = publishing(namespace).refused(entry) else { return true };
            let why = refused.why(namespace);
            let message = format!("Secret \"{}\" (spec.publish) is not published: {why}", entry.name);
            refusals.push(Refusal { entry: Some(place), what: refused, message });
            false
        });
    }
    refusals
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_secret_is_measured_by_the_account_of_its_own_namespace() {
        let mut spec: AccessKeySpec = serde_json::from_value(json!({
            "serviceAccountName": "ci", "validFor": "P6M",
            "secret": {"labels": {"example.com/a": "b"}},
            "publish": [
                {"name": "here", "type": "example.com/key", "data": {"k": "$(token)"}},
                {"name": "there", "namespace": "gateway", "type": "example.com/key", "data": {"k": "$(token)"}},
            ],
        }))
        .unwrap();
        let publishing = |namespace: &str| Publishing {
            types: if namespace == "gateway" { vec!["example.com/key".into()] } else { Vec::new() },
            ..Publishing::default()
        };
        let refusals = restrict(&mut spec, ("deploy", "team-a"), publishing);
        let messages: Vec<(Option<usize>, &str)> =
            refusals.iter().map(|refusal| (refusal.entry, refusal.message.as_str())).collect();
        assert_eq!(
            messages,
            [
                (
                    None,
                    "Secret \"deploy\" (spec.secret) is not as requested: the Account of namespace \"team-a\" does not allow \
                     the label \"example.com/a\" (spec.publishing.labelPrefixes)"
                ),
                (
                    Some(0),
                    "Secret \"here\" (spec.publish) is not published: the Account of namespace \"team-a\" does not allow \
                     the type \"example.com/key\" (spec.publishing.types)"
                ),
            ]
        );
        let left: Vec<String> = spec.publish.into_iter().flatten().map(|entry| entry.name).collect();
        assert_eq!(left, ["there"]);
    }
}
