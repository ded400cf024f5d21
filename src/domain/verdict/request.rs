//! What a request asks for beside a good token: a resource, a least role, and the person it acts for.

use crate::api::resource_grant::{Category, Role};
use crate::domain::verdict::cause::Cause;
use crate::domain::verdict::facts::Grant;

/// The longest name of a person, in bytes.
const PERSON_LENGTH: usize = 253;
/// The longest name of a resource, as in a `ResourceGrant`.
const RESOURCE_LENGTH: usize = 128;
/// Names that only Keyward and Kubernetes give, which nobody can be acted for under.
const RESERVED: [&str; 2] = ["keyward:", "system:"];

/// What a request asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The resource to reach.
    pub resource: Option<ResourceAsked>,
    /// The person acted for.
    pub on_behalf_of: Option<OnBehalfOf>,
}

/// A resource, and how much is to be done there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceAsked {
    /// Its category.
    pub category: Category,
    /// Its name.
    pub name: String,
    /// The least role that suffices; without it, any.
    pub role: Option<Role>,
}

/// Why a request cannot be meant. The message names what was given and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRequest {
    /// The cause.
    pub cause: Cause,
    /// For the client.
    pub message: String,
}

impl ResourceAsked {
    /// Reads a resource.
    ///
    /// # Errors
    /// What part of it is not allowed.
    pub fn parse(category: &str, name: &str, role: Option<&str>) -> Result<Self, BadRequest> {
        let bad = |message| BadRequest { cause: Cause::BadResource, message };
        let words = |words: Vec<&str>| words.join(", ");
        let known = Category::ALL.iter().find(|known| known.as_str() == category).ok_or_else(|| {
            let all = words(Category::ALL.iter().map(|known| known.as_str()).collect());
            bad(format!("the resource's category must be one of {all}; it is {}", quoted(category)))
        })?;
        if !is_resource_name(name) {
            return Err(bad(format!(
                "the resource's name must be 1 to {RESOURCE_LENGTH} letters, digits, '-', '_' and '.', with a letter or digit at both ends; it is {}",
                quoted(name)
            )));
        }
        let role = role
            .map(|role| {
                Role::ALL.iter().copied().find(|known| known.as_str() == role).ok_or_else(|| {
                    let all = words(Role::ALL.iter().map(|known| known.as_str()).collect());
                    bad(format!("the role must be one of {all}; it is {}", quoted(role)))
                })
            })
            .transpose()?;
        Ok(Self { category: *known, name: name.to_owned(), role })
    }

    /// As `Category/name`.
    pub fn label(&self) -> String {
        format!("{}/{}", self.category.as_str(), self.name)
    }
}

fn is_resource_name(name: &str) -> bool {
    let at_both_ends = [name.bytes().next(), name.bytes().last()];
    name.len() <= RESOURCE_LENGTH
        && at_both_ends.iter().all(|end| end.is_some_and(|b| b.is_ascii_alphanumeric()))
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// `text` as a message may show it: short, and nothing but visible ASCII.
fn quoted(text: &str) -> String {
    let shown: String =
        text.chars().take(64).map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect();
    format!("'{shown}'")
}

/// The person that a request acts for, as it names them: visible ASCII, at most 253 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OnBehalfOf(String);

impl OnBehalfOf {
    /// Reads the name of a person.
    ///
    /// # Errors
    /// Where it is no name, or one that only a machine can have.
    pub fn parse(name: &str) -> Result<Self, BadRequest> {
        let bad = |message| Err(BadRequest { cause: Cause::BadOnBehalfOf, message });
        if name.is_empty() || name.len() > PERSON_LENGTH || !name.bytes().all(|b| b.is_ascii_graphic()) {
            return bad(format!(
                "the person acted for must be 1 to {PERSON_LENGTH} visible ASCII characters without spaces; given were {} bytes: {}",
                name.len(),
                quoted(name)
            ));
        }
        let folded = name.to_ascii_lowercase();
        if RESERVED.iter().any(|reserved| folded.starts_with(reserved)) {
            return bad(format!(
                "the person acted for must not begin with {}; it is {}",
                RESERVED.join(" or "),
                quoted(name)
            ));
        }
        Ok(Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Asked {
    /// The grant that answers this, where a resource is asked for.
    ///
    /// # Errors
    /// Why no grant does.
    pub(super) fn answer<'a>(&self, grants: &'a [Grant]) -> Result<Option<&'a Grant>, Cause> {
        let Some(resource) = &self.resource else {
            return if self.on_behalf_of.is_some() { Err(Cause::ResourceMissing) } else { Ok(None) };
        };
        let on_it = || {
            grants.iter().filter(|grant| grant.category == resource.category && *grant.name == *resource.name)
        };
        let highest = on_it().max_by_key(|grant| grant.role).ok_or(Cause::NotGranted)?;
        let suffices = |grant: &&Grant| resource.role.is_none_or(|least| grant.role >= least);
        if !suffices(&highest) {
            return Err(Cause::RoleTooLow);
        }
        if self.on_behalf_of.is_none() {
            return Ok(Some(highest));
        }
        let impersonating = on_it().filter(|grant| grant.impersonation).filter(suffices);
        impersonating.max_by_key(|grant| grant.role).map(Some).ok_or(Cause::ImpersonationDisabled)
    }
}
