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
