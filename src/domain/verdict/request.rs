//! What a request requires beside a good token: a resource, a least role, and the user it acts for. The one
//! place that makes requirements out of texts, whichever way those came in; it knows no header and no JSON.

use crate::api::resource_grant::{Category, Role};
use crate::domain::verdict::cause::Cause;
use crate::domain::verdict::facts::Grant;

/// The longest name of a user, in bytes.
const USER_LENGTH: usize = 253;
/// The longest name of a resource, as in a `ResourceGrant`.
const RESOURCE_LENGTH: usize = 128;
/// Names that only Keyward and Kubernetes give, which nobody can be acted for under.
const RESERVED: [&str; 2] = ["keyward:", "system:"];

/// What a request requires.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirements {
    /// The resource to reach.
    pub resource: Option<RequiredResource>,
    /// The user acted for.
    pub on_behalf_of: Option<OnBehalfOf>,
}

/// A resource as a request names it, not checked yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceText<'a> {
    /// Its category.
    pub category: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The least role that suffices; without it, any.
    pub role: Option<&'a str>,
}

/// A resource to reach, and how much is to be done there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequiredResource {
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

impl RequiredResource {
    /// Reads a resource.
    ///
    /// # Errors
    /// What part of it is not allowed.
    pub fn parse(ResourceText { category, name, role }: ResourceText<'_>) -> Result<Self, BadRequest> {
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

/// The user that a request acts for, as it names them: visible ASCII, at most 253 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OnBehalfOf(String);

impl OnBehalfOf {
    /// Reads the name of a user.
    ///
    /// # Errors
    /// Where it is no name, or one that only a machine can have.
    pub fn parse(name: &str) -> Result<Self, BadRequest> {
        let bad = |message| Err(BadRequest { cause: Cause::BadOnBehalfOf, message });
        if name.is_empty() || name.len() > USER_LENGTH || !name.bytes().all(|b| b.is_ascii_graphic()) {
            return bad(format!(
                "the person acted for must be 1 to {USER_LENGTH} visible ASCII characters without spaces; given were {} bytes: {}",
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

impl Requirements {
    /// What a request for `resource` requires, where it names one.
    ///
    /// # Errors
    /// What part of the resource is not allowed.
    pub fn for_resource(resource: Option<ResourceText<'_>>) -> Result<Self, BadRequest> {
        Ok(Self { resource: resource.map(RequiredResource::parse).transpose()?, on_behalf_of: None })
    }

    /// The same on behalf of the user of that name, where there is one.
    ///
    /// # Errors
    /// Why nobody can be acted for under that name.
    pub fn on_behalf_of(self, name: Option<&str>) -> Result<Self, BadRequest> {
        Ok(Self { on_behalf_of: name.map(OnBehalfOf::parse).transpose()?, ..self })
    }

    /// The grant that meets them, where a resource is required.
    ///
    /// # Errors
    /// Why no grant does.
    pub(super) fn met_by<'a>(&self, grants: &'a [Grant]) -> Result<Option<&'a Grant>, Cause> {
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
