//! What is said of a key that has a token now, or gets one later. The token itself is not.

use chrono::{DateTime, Utc};
use kube::ResourceExt as _;

use crate::api::access_key::TokenStatus;
use crate::api::{AccessKey, Reason};
use crate::domain::access_key::secret::SecretOwner;
use crate::domain::value::time::rfc3339;
use crate::kubectl::output::hint::command_line;
use crate::kubectl::output::table::{Tone, paint};
use crate::kubectl::output::times;

/// Its id, its expiry and the Secret that holds it; nothing while there is none.
pub fn token_summary(key: &AccessKey, now: DateTime<Utc>) -> String {
    let Some(TokenStatus { id, expires_at, .. }) =
        key.status.as_ref().and_then(|status| status.token.as_ref())
    else {
        return String::new();
    };
    let name = key.metadata.name.as_deref().unwrap_or_default();
    let namespace = key.metadata.namespace.as_deref().unwrap_or_default();
    let secret = SecretOwner { spec: &key.spec, name, account: namespace }.secret_name();
    format!(
        "Key {} expires at {} ({}).\nIts token is in Secret \"{secret}\" of namespace \"{namespace}\". To see it: {}\n",
        paint(Tone::Strong, id),
        rfc3339(*expires_at),
        times::away(*expires_at, now),
        command_line(namespace, &format!("key reveal {name}"))
    )
}

/// It gets its token once its service account is switched on.
pub fn waits_for_parent(key: &AccessKey) -> bool {
    key.status.as_ref().and_then(|status| status.reason) == Some(Reason::ServiceAccountInactive)
}

/// Why a key gets no token while its service account is off, and what to do.
pub fn of_inactive(key: &AccessKey) -> String {
    let name = &key.spec.service_account_name;
    let activate = command_line(&key.namespace().unwrap_or_default(), &format!("activate {name}"));
    format!("gets no token while its service account {name} is inactive; switch that on: {activate}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kubectl::output::table::plain;
    use crate::kubectl::samples::{issued, key, now};

    #[test]
    fn where_the_token_is_is_shown_and_not_the_token() {
        let status = issued("Active", "l75doUeBBMSL", "2027-05-23T12:00:00Z");
        assert_eq!(
            plain(&token_summary(&key("deploy", json!({"secret": {"name": "ci-token"}}), status), now())),
            "Key l75doUeBBMSL expires at 2027-05-23T12:00:00Z (in 181d).\n\
         Its token is in Secret \"ci-token\" of namespace \"shop\". To see it: kubectl keyward -n shop key reveal deploy\n"
        );
        assert_eq!(token_summary(&key("deploy", json!({}), json!({})), now()), "");
    }
}
