//! The documents of files: which of them are manifests, and what is wrong with those that cannot be read.

use crd_check::yaml::{self, Document, Problem, ProblemKind};

use super::files::File;
use super::finding::Finding;
use super::manifest::{Classified, Location, Manifest, classify};
use super::rule::Rule;
use super::tokens;
use crate::api::{GROUP, Kind};

/// Files as they were read.
pub(super) struct Documents<'a> {
    documents: Vec<(&'a File, Document)>,
    problems: Vec<(&'a File, Problem)>,
}

/// What could not be read.
#[derive(Default)]
pub(super) struct Unreadable {
    /// What concerns whoever checks Keyward's manifests.
    pub(super) findings: Vec<Finding>,
    /// How many documents are of others, as far as can be seen.
    pub(super) unread: usize,
}

impl<'a> Documents<'a> {
    pub(super) fn read(files: &'a [File]) -> Self {
        let (mut documents, mut problems) = (Vec::new(), Vec::new());
        for file in files {
            let (read, unreadable) = yaml::read(&file.text);
            documents.extend(read.into_iter().map(|document| (file, document)));
            problems.extend(unreadable.into_iter().map(|problem| (file, problem)));
        }
        Self { documents, problems }
    }

    /// What each object is.
    pub(super) fn classified(&self, namespace: &str) -> Vec<Classified<'_>> {
        self.locations().flat_map(|location| classify(location, namespace)).collect()
    }

    /// The manifests among them.
    pub(super) fn manifests(&self, namespace: &str) -> Vec<Manifest<'_>> {
        let known = self.classified(namespace).into_iter().filter_map(|classified| match classified {
            Classified::Known(manifest) => Some(manifest),
            Classified::Mistaken(_) | Classified::Other => None,
        });
        known.collect()
    }

    /// Tokens of access keys, whatever the document.
    pub(super) fn tokens(&self) -> Vec<Finding> {
        let found = self.locations().flat_map(|location| {
            tokens::find(location.root)
                .into_iter()
                .map(move |(region, message)| location.finding(Rule::TokenInManifest, region, message))
        });
        found.collect()
    }

    /// What could not be read. Of a document that can, `manifests` says whether it is one of Keyward's.
    pub(super) fn unreadable(&self, manifests: &[Manifest<'_>]) -> Unreadable {
        let mut unreadable = Unreadable::default();
        for (file, problem) in &self.problems {
            match concern(file, problem, manifests) {
                Concern::Keyward => unreadable.findings.push(finding(file, problem)),
                Concern::Unread => unreadable.unread += 1,
                Concern::Nobody => {}
            }
        }
        unreadable
    }

    fn locations(&self) -> impl Iterator<Item = Location<'_>> {
        self.documents.iter().map(|(file, document)| Location {
            file: &file.name,
            document: document.number,
            root: &document.root,
        })
    }
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
        let Location { file: name, document, .. } = manifest.location;
        name == file.name && document == problem.document && manifest.kind != Kind::Secret
    };
    match problem.kind {
        ProblemKind::Syntax | ProblemKind::Template if file.text.contains(GROUP) => Concern::Keyward,
        ProblemKind::Syntax | ProblemKind::Template => Concern::Unread,
        ProblemKind::DuplicateKey if manifests.iter().any(|manifest| is_own(&manifest)) => Concern::Keyward,
        ProblemKind::DuplicateKey => Concern::Nobody,
    }
}

fn finding(file: &File, problem: &Problem) -> Finding {
    let Problem { document, region, kind, message } = problem;
    let (rule, hint) = match kind {
        ProblemKind::Syntax => (Rule::InvalidYaml, ""),
        ProblemKind::Template => (
            Rule::InvalidYaml,
            "; this looks like a template, which is to be rendered first, as in: helm template CHART | keyward validate -",
        ),
        ProblemKind::DuplicateKey => (Rule::DuplicateKey, ""),
    };
    Finding::new(&file.name, *document, *region, rule, format!("{message}{hint}"))
}
