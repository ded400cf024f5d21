//! What the controller would refuse of all manifests together, and what is likely to be a mistake. Whatever
//! `domain` decides is not decided here again: limits, seats, validity and names.

mod accounts;
mod admins;
mod grants;
mod keys;
mod placeholders;
mod scope;
mod seats;
mod secrets;

use chrono::{DateTime, Utc};

use super::finding::Finding;
use super::options::Options;
use super::set::{Objects, Set};
use scope::Scope;

/// All findings, namespace by namespace.
pub(super) fn check<'a>(
    set: &Set<'a>,
    base: Option<&Set<'_>>,
    options: &Options,
    now: DateTime<Utc>,
) -> Vec<Finding> {
    let of_namespace = |(namespace, objects): (&&'a str, &Objects<'a>)| {
        let scope = Scope { namespace, objects, set, base, options, now };
        let rules =
            [accounts::check, admins::check, keys::check, secrets::check, grants::check, placeholders::check];
        rules.into_iter().flat_map(|rule| rule(&scope)).collect::<Vec<_>>()
    };
    set.namespaces.iter().flat_map(of_namespace).collect()
}

#[cfg(test)]
mod tests;
