//! The forms that Kubernetes asks of names, labels and annotations.

use std::sync::LazyLock;

use regex::Regex;

fn form(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

fn fits(form: &LazyLock<Option<Regex>>, text: &str) -> bool {
    form.as_ref().is_some_and(|form| form.is_match(text))
}

/// Whether Kubernetes takes it for the name of an object.
pub fn is_dns_name(text: &str) -> bool {
    static FORM: LazyLock<Option<Regex>> =
        LazyLock::new(|| form("^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"));
    text.len() <= 253 && fits(&FORM, text)
}

pub(super) fn is_namespace(text: &str) -> bool {
    text.len() <= 63 && !text.contains('.') && is_dns_name(text)
}

pub(super) fn is_label_value(text: &str) -> bool {
    text.is_empty() || is_short_name(text)
}

fn is_short_name(text: &str) -> bool {
    static FORM: LazyLock<Option<Regex>> =
        LazyLock::new(|| form("^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$"));
    text.len() <= 63 && fits(&FORM, text)
}

pub(super) fn is_qualified(text: &str) -> bool {
    match text.split_once('/') {
        Some((prefix, name)) => is_dns_name(prefix) && is_short_name(name),
        None => is_short_name(text),
    }
}
