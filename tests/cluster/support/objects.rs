//! What is read in objects.

use k8s_openapi::api::core::v1::Secret;
use keyward::api::AccessKey;
use keyward::domain::value::token::Token;
use serde_json::Value;

pub fn from_json<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

pub fn key_reason(key: &AccessKey) -> &str {
    ready_reason(key.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default())
}

/// The reason that `Ready` gives; empty where there is none.
pub fn ready_reason(conditions: &[k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition]) -> &str {
    let ready = conditions.iter().find(|condition| condition.type_ == "Ready");
    ready.map(|ready| ready.reason.as_str()).unwrap_or_default()
}

/// `type=status` of each condition, in order.
pub fn condition_states(
    conditions: &[k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition],
) -> Vec<String> {
    conditions.iter().map(|condition| format!("{}={}", condition.type_, condition.status)).collect()
}

/// The Ready condition's message.
pub fn message(key: &AccessKey) -> String {
    let conditions = key.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
    conditions
        .iter()
        .find(|condition| condition.type_ == "Ready")
        .map(|c| c.message.clone())
        .unwrap_or_default()
}

pub fn token_of(secret: &Secret, entry: &str) -> Option<Token> {
    Token::find_in(std::str::from_utf8(&secret.data.as_ref()?.get(entry)?.0).ok()?)
}
