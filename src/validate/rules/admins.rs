//! Admins are bound by RBAC, which takes all of a binding or nothing.

use crd_check::metadata::is_dns_name;
use crd_check::path::Path;

use super::scope::Scope;
use crate::api::shared::{Subject, SubjectKind};
use crate::domain::admins::line;
use crate::validate::finding::Finding;
use crate::validate::manifest::Manifest;
use crate::validate::rule::Rule;

pub(super) fn check(scope: &Scope<'_, '_>) -> Vec<Finding> {
    let of_service_accounts =
        scope.objects.service_accounts.iter().map(|object| (object.manifest, "admins", &object.spec.admins));
    let of_account = scope.objects.account.iter().flat_map(|account| {
        [
            (account.manifest, "superAdmins", &account.spec.super_admins),
            (account.manifest, "iamAdmins", &account.spec.iam_admins),
        ]
    });
    of_service_accounts
        .chain(of_account)
        .flat_map(|(manifest, field, admins)| list(manifest, field, admins.as_ref()))
        .collect()
}

fn list(manifest: &Manifest<'_>, field: &str, admins: Option<&Vec<Subject>>) -> Vec<Finding> {
    let admins = admins.map(Vec::as_slice).unwrap_or_default();
    let path = Path::of(&["spec", field]);
    let mut findings = Vec::new();
    for (at, admin) in admins.iter().enumerate() {
        let path = path.index(at);
        if admin.kind == SubjectKind::ServiceAccount && !is_dns_name(&admin.name) {
            let message = format!(
                "the name of a core service account must be a DNS name: lower-case letters, digits, '-' and '.'; it is {:?}",
                admin.name
            );
            findings.push(manifest.finding(Rule::InvalidAdmin, &path.field("name"), message));
        } else if admins.iter().take(at).any(|before| before == admin) {
            let name = line(std::slice::from_ref(admin)).unwrap_or_default();
            let message = format!("{name} is named before in the list");
            findings.push(manifest.finding(Rule::DuplicateAdmin, &path, message));
        }
    }
    findings
}
