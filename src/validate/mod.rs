//! The check of manifests without a cluster: `keyward validate`.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`yaml`] | from a text to documents, with the place of everything in them |
//! | [`manifest`] | which documents are Keyward's, and of which objects |
//! | [`api_server`] | what the API server would say of one manifest: schema, defaults, CEL |
//! | [`set`] | all manifests together, by account |
//! | `controller` | what the controller would say of them, asked of [`crate::domain`] where that decides it |
//! | [`finding`] | what is said, and the closed list of rules |
//! | [`report`] | findings as text, JSON, GitHub annotations and SARIF |
//! | [`command`] | flags, files, exit codes: the only part that reads or writes |
//!
//! [`Checker::check`] is a function of files, options and `now`: no clock, no file, no network.

pub mod api_server;
pub mod command;
mod controller;
mod files;
pub mod finding;
pub mod manifest;
pub mod node;
pub mod path;
pub mod report;
pub mod set;
mod tokens;
pub mod yaml;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps,
};

use crate::api::{GROUP, crds, schema};
use api_server::cel::{self, Rules};
use api_server::{Checked, Remark};
use controller::Said;
use finding::{Finding, Report, Rule, Severity};
use manifest::{Kind, Manifest, Place, Sorted, sort};
use node::Region;
use path::Path;
use set::Set;
use yaml::{Document, Problem, ProblemKind};

/// A file with its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name, as findings show it.
    pub name: String,
    /// What it holds.
    pub text: String,
}

/// How bad it is that something named is not among the manifests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum References {
    /// As bad as a mistake: all is among the manifests.
    Error,
    /// It may be in the cluster.
    #[default]
    Warning,
    /// It does not matter.
    Ignore,
}

/// What the check assumes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The namespace of manifests that name none.
    pub namespace: String,
    /// How bad it is that something named is not among the manifests.
    pub references: References,
}

impl Default for Options {
    fn default() -> Self {
        Self { namespace: "default".to_owned(), references: References::default() }
    }
}

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
    schemas: HashMap<String, CustomResourceDefinition>,
    rules: Rules,
}

/// Files as they were read.
struct Read<'a> {
    documents: Vec<(&'a File, Document)>,
    problems: Vec<(&'a File, Problem)>,
}

impl Checker {
    /// Takes the CRDs that `keyward crds` prints.
    ///
    /// # Errors
    /// When these cannot be made or compiled, which would be a mistake in this program.
    pub fn new() -> Result<Self, Error> {
        let crds = crds::all()?;
        let rules = Rules::of(crds.iter().filter_map(schema::of))?;
        Ok(Self { schemas: crds.into_iter().map(|crd| (crd.spec.names.kind.clone(), crd)).collect(), rules })
    }

    /// Checks files. Where `base` is given, it is what they are to replace, and what may not be changed is found too.
    pub fn check(
        &self,
        files: &[File],
        base: Option<&[File]>,
        options: &Options,
        now: DateTime<Utc>,
    ) -> Report {
        let base_read = base.map(read);
        let base_known: Vec<Manifest<'_>> =
            base_read.iter().flat_map(|read| known(&read.documents, options)).collect();
        let base_set = base.map(|_| self.base(&base_known));

        let read = read(files);
        let sorted: Vec<Sorted<'_>> =
            read.documents.iter().flat_map(|document| sort_document(document, options)).collect();
        let mut report = Report::default();
        report.findings.extend(read.documents.iter().flat_map(of_tokens));
        let mut manifests = Vec::new();
        for document in sorted {
            match document {
                Sorted::Known(manifest) => manifests.push(manifest),
                Sorted::Mistaken(place, remark) => report.findings.push(of_place(place, &remark)),
                Sorted::Other => report.others += 1,
            }
        }
        for (file, problem) in &read.problems {
            match concern(file, problem, &manifests) {
                Concern::Keyward => report.findings.push(of_problem(file, problem)),
                Concern::Unread => report.unread += 1,
                Concern::Nobody => {}
            }
        }
        let (set, said) = self.each(&manifests, base_set.as_ref());
        let together = controller::check(&set, base_set.as_ref(), options, now);
        report.findings.extend(said.iter().chain(&together).map(of_manifest));
        let secrets = manifests.iter().filter(|manifest| manifest.kind == Kind::Secret).count();
        report.checked = manifests.len() - secrets;
        report.others += secrets;
        in_order(&mut report.findings, files);
        report
    }

    /// Checks each manifest, and puts all together.
    fn each<'a>(&self, manifests: &'a [Manifest<'a>], base: Option<&Set<'_>>) -> (Set<'a>, Vec<Said<'a>>) {
        let (mut set, mut said) = (Set::default(), Vec::new());
        for manifest in manifests {
            let first = set.add(manifest).err();
            said.extend(first.map(|first| duplicate(manifest, first)));
            let Some(schema) = self.schema(manifest.kind) else { continue };
            let old = base.and_then(|base| base.same(manifest)).map(|old| old.place.root);
            let Checked { remarks, kept } = api_server::check(schema, &self.rules, manifest.place.root, old);
            let is_good = remarks.is_empty();
            said.extend(remarks.into_iter().map(|remark| of_remark(manifest, remark)));
            // Of two of one name, the first is the one that the others are held against.
            if is_good
                && first.is_none()
                && let Err(error) = set.read(manifest, &kept)
            {
                let message = format!("the controller cannot read it: {error}");
                let remark = Remark { rule: Rule::Unreadable, path: Path::of(&["spec"]), message };
                said.push(of_remark(manifest, remark));
            }
        }
        (set, said)
    }

    /// What the manifests are to replace. Whether it is good does not matter.
    fn base<'a>(&self, manifests: &'a [Manifest<'a>]) -> Set<'a> {
        self.each(manifests, None).0
    }

    fn schema(&self, kind: Kind) -> Option<&JSONSchemaProps> {
        Kind::KEYWARD.contains(&kind).then(|| self.schemas.get(kind.as_str()).and_then(schema::of))?
    }
}

fn read(files: &[File]) -> Read<'_> {
    let mut read = Read { documents: Vec::new(), problems: Vec::new() };
    for file in files {
        let (documents, problems) = yaml::read(&file.text);
        read.documents.extend(documents.into_iter().map(|document| (file, document)));
        read.problems.extend(problems.into_iter().map(|problem| (file, problem)));
    }
    read
}

fn sort_document<'a>((file, document): &'a (&File, Document), options: &Options) -> Vec<Sorted<'a>> {
    let place = Place { file: &file.name, document: document.number, root: &document.root };
    sort(place, &options.namespace)
}

fn known<'a>(documents: &'a [(&File, Document)], options: &Options) -> Vec<Manifest<'a>> {
    let sorted = documents.iter().flat_map(|document| sort_document(document, options));
    sorted
        .filter_map(|sorted| match sorted {
            Sorted::Known(manifest) => Some(manifest),
            Sorted::Mistaken(..) | Sorted::Other => None,
        })
        .collect()
}

/// Whom a problem of a file concerns.
enum Concern {
    /// Whoever checks Keyward's manifests.
    Keyward,
    /// Others, but it is not known what the document holds.
    Unread,
    /// Others.
    Nobody,
}

/// A folder may hold templates and other files that are not even meant to be YAML.
fn concern(file: &File, problem: &Problem, manifests: &[Manifest<'_>]) -> Concern {
    let is_own = |manifest: &&Manifest<'_>| {
        let Place { file: name, document, .. } = manifest.place;
        name == file.name && document == problem.document && manifest.kind != Kind::Secret
    };
    match problem.kind {
        ProblemKind::Syntax if file.text.contains(GROUP) => Concern::Keyward,
        ProblemKind::Syntax => Concern::Unread,
        ProblemKind::DuplicateKey if manifests.iter().any(|manifest| is_own(&manifest)) => Concern::Keyward,
        ProblemKind::DuplicateKey => Concern::Nobody,
    }
}

fn duplicate<'a>(manifest: &'a Manifest<'a>, first: &Manifest<'_>) -> Said<'a> {
    let Place { file, document, root } = first.place;
    let Region { line, .. } = root.locate(&Path::of(&["metadata", "name"]));
    let message = format!(
        "the same object stands in {file}:{line} (document {document}) already; this one would take its place"
    );
    let path = Path::of(&["metadata", "name"]);
    of_remark(manifest, Remark { rule: Rule::DuplicateObject, path, message })
}

fn of_remark<'a>(manifest: &'a Manifest<'a>, Remark { rule, path, message }: Remark) -> Said<'a> {
    Said { manifest, rule, severity: rule.severity(), path, message }
}

fn of_problem(file: &File, problem: &Problem) -> Finding {
    let Problem { document, region, kind, message } = problem;
    let rule = match kind {
        ProblemKind::Syntax => Rule::InvalidYaml,
        ProblemKind::DuplicateKey => Rule::DuplicateKey,
    };
    finding(&file.name, (*document, *region), (rule, rule.severity()), message.clone())
}

fn of_tokens((file, document): &(&File, Document)) -> Vec<Finding> {
    let rule = Rule::TokenInManifest;
    let of_token =
        |(region, message)| finding(&file.name, (document.number, region), (rule, rule.severity()), message);
    tokens::find(&document.root).into_iter().map(of_token).collect()
}

fn of_place(place: Place<'_>, Remark { rule, path, message }: &Remark) -> Finding {
    let Place { file, document, root } = place;
    let at = (document, root.locate(path));
    Finding { field: path.to_string(), ..finding(file, at, (*rule, rule.severity()), message.clone()) }
}

fn of_manifest(said: &Said<'_>) -> Finding {
    let Said { manifest, rule, severity, path, message } = said;
    let Place { file, document, root } = manifest.place;
    // What is about the object as a whole is shown at its name.
    let named = Path::of(&["metadata", "name"]);
    let region = match rule {
        Rule::UnknownField => root.locate_key(path),
        _ if path.steps().is_empty() => root.locate(&named),
        _ => root.locate(path),
    };
    Finding {
        object: Some(manifest.full_name()),
        field: path.to_string(),
        ..finding(file, (document, region), (*rule, *severity), message.clone())
    }
}

fn finding(
    file: &str,
    (document, region): (usize, Region),
    (rule, severity): (Rule, Severity),
    message: String,
) -> Finding {
    Finding {
        file: file.to_owned(),
        document,
        region,
        rule,
        severity,
        object: None,
        field: String::new(),
        message,
    }
}

/// In the order of the files, and in each from the top.
fn in_order(findings: &mut [Finding], files: &[File]) {
    let places: HashMap<&str, usize> =
        files.iter().enumerate().map(|(at, file)| (file.name.as_str(), at)).collect();
    findings
        .sort_by_key(|finding| (places.get(finding.file.as_str()).copied(), finding.region, finding.rule));
}

#[cfg(test)]
mod tests;
