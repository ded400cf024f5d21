//! Subjects as users type them: `User:alice`, `Group:platform`, `ServiceAccount:namespace:name`.

use crate::api::shared::{Subject, SubjectKind};

/// Reads one. A slash instead of a colon is fine too, as messages show them.
///
/// # Errors
/// Where it has another form: what was given and what is allowed.
pub fn parse(text: &str) -> Result<Subject, String> {
    read(text).ok_or_else(|| {
        format!("must be User:NAME, Group:NAME or ServiceAccount:NAMESPACE:NAME (a core service account), not '{text}'")
    })
}

fn read(text: &str) -> Option<Subject> {
    const SEPARATORS: [char; 2] = [':', '/'];
    let (kind, rest) = text.split_once(SEPARATORS)?;
    let (kind, namespace, name) = match kind.to_ascii_lowercase().as_str() {
        "user" => (SubjectKind::User, None, rest),
        "group" => (SubjectKind::Group, None, rest),
        "serviceaccount" => {
            let (namespace, name) = rest.split_once(SEPARATORS)?;
            (SubjectKind::ServiceAccount, Some(namespace), name)
        }
        _ => return None,
    };
    let is_whole = !name.is_empty() && namespace.is_none_or(|namespace| !namespace.is_empty());
    is_whole.then(|| Subject { kind, name: name.into(), namespace: namespace.map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::admins;

    #[test]
    fn a_subject_is_read_with_colons_or_slashes() {
        for (text, shown) in [
            ("User:alice", "User/alice"),
            ("user/alice@example.org", "User/alice@example.org"),
            ("Group:oidc:platform", "Group/oidc:platform"),
            ("ServiceAccount:argocd:controller", "ServiceAccount/argocd/controller"),
            ("serviceaccount/argocd/controller", "ServiceAccount/argocd/controller"),
        ] {
            assert_eq!(admins::line(&[parse(text).unwrap()]).as_deref(), Some(shown));
        }
    }

    #[test]
    fn what_is_shown_as_an_admin_can_be_typed_as_one() {
        let admin = parse("ServiceAccount:argocd:controller").unwrap();
        assert_eq!(parse(&admins::line(std::slice::from_ref(&admin)).unwrap()), Ok(admin));
    }

    #[test]
    fn another_text_is_refused_with_what_was_given_and_what_is_allowed() {
        for text in ["", "alice", "User:", "Robot:x", "ServiceAccount:ci", "ServiceAccount::ci"] {
            assert_eq!(
                parse(text).unwrap_err(),
                format!(
                    "must be User:NAME, Group:NAME or ServiceAccount:NAMESPACE:NAME (a core service account), not '{text}'"
                )
            );
        }
    }
}
