//! Admins are bound by RBAC, which takes all of a binding or nothing.

use super::{Said, Scope};
use crate::api::shared::{Subject, SubjectKind};
use crate::domain::admins::line;
use crate::validate::api_server::metadata::is_dns_name;
use crate::validate::finding::Rule;
use crate::validate::manifest::Manifest;
use crate::validate::path::Path;

pub(super) fn check<'a>(scope: &Scope<'_, 'a>) -> Vec<Said<'a>> {
    let of_service_accounts =
        scope.account.service_accounts.iter().map(|found| (found.manifest, "admins", &found.spec.admins));
    let of_account = scope.account.account.iter().flat_map(|found| {
        [
            (found.manifest, "superAdmins", &found.spec.super_admins),
            (found.manifest, "iamAdmins", &found.spec.iam_admins),
        ]
    });
    of_service_accounts
        .chain(of_account)
        .flat_map(|(manifest, field, admins)| list(manifest, field, admins.as_ref()))
        .collect()
}

fn list<'a>(manifest: &'a Manifest<'a>, field: &str, admins: Option<&Vec<Subject>>) -> Vec<Said<'a>> {
    let admins = admins.map(Vec::as_slice).unwrap_or_default();
    let path = Path::of(&["spec", field]);
    let mut said = Vec::new();
    for (at, admin) in admins.iter().enumerate() {
        let path = path.index(at);
        if admin.kind == SubjectKind::ServiceAccount && !is_dns_name(&admin.name) {
            let message = format!(
                "the name of a core service account must be a DNS name: lower-case letters, digits, '-' and '.'; it is {:?}",
                admin.name
            );
            said.push(Said::new(manifest, Rule::InvalidAdmin, path.field("name"), message));
        } else if admins.iter().take(at).any(|before| before == admin) {
            let name = line(std::slice::from_ref(admin)).unwrap_or_default();
            let message = format!("{name} is named before in the list");
            said.push(Said::new(manifest, Rule::DuplicateAdmin, path, message));
        }
    }
    said
}
