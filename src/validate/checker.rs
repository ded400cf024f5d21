//! The check: each manifest by itself, then all together.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use crd_check::node::Region;
use crd_check::path::Path;
use crd_check::{Checked, SchemaChecker, Violation, cel, schema};

use super::documents::Documents;
use super::files::File;
use super::finding::{Finding, Report};
use super::manifest::{CHECKED, Classified, Location, Manifest};
use super::options::Options;
use super::rule::Rule;
use super::rules;
use super::set::Set;
use crate::api::{Kind, crds};

/// Why the check cannot be made; a mistake in this program.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The CRDs cannot be made.
    #[error(transparent)]
    Crds(#[from] crds::Error),
    /// Their rules cannot be compiled.
    #[error(transparent)]
    Rules(#[from] cel::Error),
}

/// The CRDs with their rules, ready to check with.
pub struct Checker {
    schemas: HashMap<String, SchemaChecker>,
}

impl Checker {
    /// Takes the CRDs that `keyward crds` prints.
    ///
    /// # Errors
    /// When these cannot be made or compiled, which would be a mistake in this program.
    pub fn new() -> Result<Self, Error> {
        let mut schemas = HashMap::new();
        for crd in crds::all()? {
            if let Some(schema) = schema::of(&crd).cloned() {
                schemas.insert(crd.spec.names.kind, SchemaChecker::new(schema)?);
            }
        }
        Ok(Self { schemas })
    }

    /// Checks files. Where `base` is given, it is what they are to replace, and what may not be changed is
    /// found too.
    pub fn check(
        &self,
        files: &[File],
        base: Option<&[File]>,
        options: &Options,
        now: DateTime<Utc>,
    ) -> Report {
        let base_documents = base.map(Documents::read);
        let base_manifests: Vec<Manifest<'_>> =
            base_documents.iter().flat_map(|documents| documents.manifests(&options.namespace)).collect();
        // Whether what is replaced is good does not matter.
        let base = base.map(|_| self.each(&base_manifests, None).0);

        let documents = Documents::read(files);
        let mut report = Report { findings: documents.tokens(), ..Report::default() };
        let mut manifests = Vec::new();
        for classified in documents.classified(&options.namespace) {
            match classified {
                Classified::Known(manifest) => manifests.push(manifest),
                Classified::Mistaken(finding) => report.findings.push(*finding),
                Classified::Other => report.others += 1,
            }
        }
        let unreadable = documents.unreadable(&manifests);
        report.unread = unreadable.unread;
        let (set, of_each) = self.each(&manifests, base.as_ref());
        let of_all = rules::check(&set, base.as_ref(), options, now);
        report.findings.extend(unreadable.findings.into_iter().chain(of_each).chain(of_all));
        let secrets = manifests.iter().filter(|manifest| manifest.kind == Kind::Secret).count();
        report.checked = manifests.len() - secrets;
        report.others += secrets;
        in_order(&mut report.findings, files);
        report
    }

    /// Checks each manifest, and puts all together.
    fn each<'a>(&self, manifests: &'a [Manifest<'a>], base: Option<&Set<'_>>) -> (Set<'a>, Vec<Finding>) {
        let (mut set, mut findings) = (Set::default(), Vec::new());
        for manifest in manifests {
            let first = set.add(manifest).err();
            findings.extend(first.map(|first| duplicate(manifest, first)));
            let Some(checker) = self.checker(manifest.kind) else { continue };
            let old = base.and_then(|base| base.same(manifest)).map(|old| old.location.root);
            let Checked { violations, kept } = checker.check(manifest.location.root, old);
            let is_good = violations.is_empty();
            findings.extend(violations.into_iter().map(|violation| of_schema(manifest, violation)));
            // Of two of one name, the first is the one that the others are held against.
            if is_good
                && first.is_none()
                && let Err(error) = set.read(manifest, &kept)
            {
                let message = format!("the controller cannot read it: {error}");
                findings.push(manifest.finding(Rule::Unreadable, &Path::of(&["spec"]), message));
            }
        }
        (set, findings)
    }

    fn checker(&self, kind: Kind) -> Option<&SchemaChecker> {
        CHECKED.contains(&kind).then(|| self.schemas.get(kind.as_str()))?
    }
}

fn of_schema(manifest: &Manifest<'_>, Violation { rule, path, message }: Violation) -> Finding {
    manifest.finding(rule.into(), &path, message)
}

fn duplicate(manifest: &Manifest<'_>, first: &Manifest<'_>) -> Finding {
    let path = Path::of(&["metadata", "name"]);
    let Location { file, document, root } = first.location;
    let Region { line, .. } = root.locate(&path);
    let message = format!(
        "the same object stands in {file}:{line} (document {document}) already; this one would take its place"
    );
    manifest.finding(Rule::DuplicateObject, &path, message)
}

/// In the order of the files, and in each from the top.
fn in_order(findings: &mut [Finding], files: &[File]) {
    let positions: HashMap<&str, usize> =
        files.iter().enumerate().map(|(at, file)| (file.name.as_str(), at)).collect();
    findings
        .sort_by_key(|finding| (positions.get(finding.file.as_str()).copied(), finding.region, finding.rule));
}
