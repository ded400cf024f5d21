//! What a service account may reach: its resource grants, counted, listed and told in sentences.

use crate::api::resource_grant::{Category, Impersonation, Resource, ResourceGrantSpec, Usage};
use crate::api::service_account::{AssociatedResource, AssociatedResources, CategoryCount};
use crate::domain::text::{cut, one_line, saturating};

/// How many grants are listed; all of them are counted.
pub const LISTED: usize = 100;
/// The longest sentence about a usage, in bytes. kubectl shows up to three of them in one warning.
const SENTENCE: usize = 900;

/// The summary of `grants`, in an order that does not depend on theirs.
pub fn associated(grants: &[ResourceGrantSpec]) -> AssociatedResources {
    let mut items: Vec<AssociatedResource> = grants.iter().map(item).collect();
    items.sort_by(|a, b| order(a).cmp(&order(b)));
    let categories = counts(&items);
    let in_use = [Usage::Shared, Usage::Integration, Usage::Assignment];
    let in_use = in_use.into_iter().filter_map(|usage| sentence(&items, usage)).collect();
    let acts_for_others = items.iter().any(|item| item.impersonation == Impersonation::Enabled);
    AssociatedResources {
        total: saturating(items.len()),
        impersonation: if acts_for_others { Impersonation::Enabled } else { Impersonation::Disabled },
        categories,
        in_use,
        items: items.into_iter().take(LISTED).collect(),
    }
}

/// An associated resource as messages name it: its kind, and its name for people where it has one.
pub fn label(item: &AssociatedResource) -> String {
    let name = item.display_name.as_deref().map_or_else(|| item.name.clone(), one_line);
    format!("{} \"{name}\"", item.category.as_str())
}

fn item(grant: &ResourceGrantSpec) -> AssociatedResource {
    let ResourceGrantSpec { service_account_name: _, resource, role, impersonation, usage } = grant;
    let Resource { category, name, display_name } = resource.clone();
    AssociatedResource {
        category,
        name,
        display_name,
        role: *role,
        impersonation: *impersonation,
        usage: *usage,
    }
}

fn order(item: &AssociatedResource) -> impl Ord + use<'_> {
    let AssociatedResource { category, name, display_name, role, impersonation, usage } = item;
    (category, name, usage, role, impersonation, display_name)
}

fn counts(sorted: &[AssociatedResource]) -> Vec<CategoryCount> {
    let categories =
        [Category::Process, Category::Dataset, Category::Board, Category::App, Category::Collaboration];
    let count = |category| sorted.iter().filter(|item| item.category == category).count();
    let counted = categories.into_iter().map(|category| (category, count(category)));
    counted
        .filter(|(_, count)| *count > 0)
        .map(|(category, count)| CategoryCount { category, count: saturating(count) })
        .collect()
}

fn sentence(items: &[AssociatedResource], usage: Usage) -> Option<String> {
    let labels: Vec<String> = items.iter().filter(|item| item.usage == usage).map(label).collect();
    let what = match usage {
        Usage::Shared => "flows and common resources shared with it",
        Usage::Integration => "integrations that run as it",
        Usage::Assignment => "resources with items assigned to it",
    };
    (!labels.is_empty()).then(|| format!("{what} ({}): {}", labels.len(), listed(&labels)))
}

/// As many of `labels` as fit, and how many more there are.
fn listed(labels: &[String]) -> String {
    let mut text = String::new();
    for (at, label) in labels.iter().enumerate() {
        if at > 0 && text.len() + label.len() > SENTENCE {
            return format!("{text} and {} more", labels.len() - at);
        }
        if at > 0 {
            text.push_str(", ");
        }
        text.push_str(&cut(label, SENTENCE));
    }
    text
}

#[cfg(test)]
#[path = "associated_tests.rs"]
mod tests;
