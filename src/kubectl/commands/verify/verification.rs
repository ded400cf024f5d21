//! What came out of a verification, whoever gave the verdict.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::api::resource_grant::Role;
use crate::domain::value::time::rfc3339;
use crate::domain::verdict::Cause;
use crate::kubectl::output::table::{Tone, lines, paint};
use crate::kubectl::output::times;

/// The outcome of a verification, as it is also printed for programs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    /// Whether the token is good for what was requested.
    pub valid: bool,
    /// Why not, as one word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Why not, as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<String>,
}

impl Verification {
    /// That the token is not good, and why.
    pub fn refused(cause: Cause) -> Self {
        Self { cause: Some(cause.as_str().into()), message: Some(cause.meaning().into()), ..Self::default() }
    }

    /// For users.
    pub fn text(&self, now: DateTime<Utc>) -> String {
        let Self {
            valid,
            cause,
            message,
            account,
            service_account,
            access_key,
            key_id,
            expires_at,
            resource,
            role,
            on_behalf_of,
        } = self;
        let title = if *valid {
            paint(Tone::Good, "Good")
        } else {
            let [cause, message] =
                [cause, message].map(|text| paint(Tone::Plain, text.as_deref().unwrap_or("unknown")));
            format!("{} ({cause}): {message}", paint(Tone::Bad, "Refused"))
        };
        let expires_at = expires_at.map(|at| format!("{} ({})", rfc3339(at), times::away(at, now)));
        let role = role.map(|role| role.as_str().to_owned());
        let rows = [
            ("Account", account),
            ("Service account", service_account),
            ("Access key", access_key),
            ("Key id", key_id),
            ("Expires", &expires_at),
            ("Resource", resource),
            ("Role there", &role),
            ("On behalf of", on_behalf_of),
        ];
        let rows = rows.into_iter().filter_map(|(name, value)| {
            Some(format!("{:<17}{}", format!("{name}:"), paint(Tone::Plain, value.as_deref()?)))
        });
        lines([title].into_iter().chain(rows))
    }
}
