//! What a service account may reach: its resource grants, counted, listed and named in sentences.

use crate::api::resource_grant::{Category, Impersonation, Resource, ResourceGrantSpec, Usage};
use crate::api::service_account::{AssociatedResource, AssociatedResources, CategoryCount};
use crate::domain::value::text::{cut, one_line, saturating};

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
mod tests {
    use super::*;
    use crate::api::resource_grant::Role;

    fn grant(category: Category, name: &str, usage: Usage) -> ResourceGrantSpec {
        ResourceGrantSpec {
            service_account_name: "ci".into(),
            resource: Resource { category, name: name.into(), display_name: None },
            role: Role::Member,
            impersonation: Impersonation::Disabled,
            usage,
        }
    }

    #[test]
    fn without_grants_there_is_nothing_but_the_count() {
        assert_eq!(associated(&[]), AssociatedResources::default());
    }

    #[test]
    fn grants_are_counted_by_category_and_told_by_usage_in_an_order_of_their_own() {
        let mut claims = grant(Category::Process, "claims", Usage::Integration);
        claims.impersonation = Impersonation::Enabled;
        claims.resource.display_name = Some("Expense\nclaims".into());
        let grants = [
            grant(Category::Board, "triage", Usage::Assignment),
            claims,
            grant(Category::Process, "leave", Usage::Shared),
            grant(Category::Dataset, "budget", Usage::Shared),
        ];
        let found = associated(&grants);
        let mut reversed = grants.to_vec();
        reversed.reverse();
        assert_eq!(associated(&reversed), found);
        assert_eq!((found.total, found.impersonation), (4, Impersonation::Enabled));
        let counts: Vec<_> = found.categories.iter().map(|count| (count.category, count.count)).collect();
        assert_eq!(counts, [(Category::Process, 2), (Category::Dataset, 1), (Category::Board, 1)]);
        assert_eq!(
            found.in_use,
            [
                "flows and common resources shared with it (2): Process \"leave\", Dataset \"budget\"",
                "integrations that run as it (1): Process \"Expense claims\"",
                "resources with items assigned to it (1): Board \"triage\"",
            ]
        );
        let names: Vec<&str> = found.items.iter().map(|item| item.name.as_str()).collect();
        assert_eq!(names, ["claims", "leave", "budget", "triage"]);
    }

    #[test]
    fn of_many_a_hundred_are_listed_and_a_sentence_says_how_many_more_there_are() {
        let grants: Vec<_> = (0..250)
            .map(|n| grant(Category::App, &format!("{n:03}{}", "x".repeat(125)), Usage::Shared))
            .collect();
        let found = associated(&grants);
        assert_eq!((found.total, found.items.len(), found.in_use.len()), (250, LISTED, 1));
        let said = &found.in_use[0];
        assert!(said.len() <= 1024 && said.ends_with(" and 244 more"), "{said}");
    }
}
