//! Every link of the documentation leads somewhere, in the repository as in the site that `make docs` builds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and its cases stand in one place"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// Pages beside `docs/` that are read in the repository alone.
const BESIDE: [&str; 4] = ["CHANGELOG.md", "CONTRIBUTING.md", "README.md", "SECURITY.md"];
/// The order of the site. It is no page of it.
const SUMMARY: &str = "docs/SUMMARY.md";

/// What a page holds for links.
#[derive(Default)]
struct Page {
    /// Links as they are written.
    links: Vec<String>,
    /// Anchors of its headings.
    anchors: BTreeSet<String>,
    /// Words in code style, as they follow each other; an empty one where other words stand between.
    code: Vec<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn is_markdown(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "md")
}

/// Markdown files in and below a folder, as paths from the repository's root.
fn markdown_in(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().into_string().unwrap());
        if entry.file_type().unwrap().is_dir() {
            found.extend(markdown_in(&path));
        } else if is_markdown(&path) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn read(path: &str) -> Page {
    let text = std::fs::read_to_string(root().join(path)).unwrap();
    let mut page = Page::default();
    let mut heading: Option<String> = None;
    for event in Parser::new_ext(&text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                let anchor = anchor(&heading.take().unwrap());
                let again = (1..).map(|n| format!("{anchor}-{n}"));
                let free =
                    std::iter::once(anchor.clone()).chain(again).find(|name| !page.anchors.contains(name));
                page.anchors.extend(free);
            }
            Event::Text(ref text) | Event::Code(ref text) => {
                if matches!(event, Event::Code(_)) {
                    page.code.push(text.to_string());
                } else if text.chars().any(char::is_alphanumeric) {
                    page.code.push(String::new());
                }
                if let Some(words) = &mut heading {
                    words.push_str(text);
                }
            }
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                page.links.push(dest_url.into_string());
            }
            _ => {}
        }
    }
    page
}

/// A heading's anchor, as code hosts and mdBook make it.
fn anchor(heading: &str) -> String {
    let letter = |c: char| match c {
        c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
        c if c.is_whitespace() => Some('-'),
        _ => None,
    };
    heading.trim().to_lowercase().chars().filter_map(letter).collect()
}

fn is_external(link: &str) -> bool {
    link.starts_with("https://") || link.starts_with("http://") || link.starts_with("mailto:")
}

/// Where a relative link leads, from the repository's root.
fn target(page: &str, link: &str) -> Option<String> {
    let mut path = PathBuf::from(page).parent()?.to_owned();
    for component in Path::new(link).components() {
        match component {
            Component::ParentDir => path.pop().then_some(())?,
            Component::CurDir => {}
            Component::Normal(name) => path.push(name),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(path.to_str()?.to_owned())
}

/// What `make docs` puts into the site beside the pages.
fn copied() -> Vec<String> {
    let makefile = std::fs::read_to_string(root().join("Makefile")).unwrap();
    let line = makefile.lines().find_map(|line| line.strip_prefix("SITE_FILES := ")).unwrap();
    line.split_whitespace().map(str::to_owned).collect()
}

/// mdBook takes links to Markdown for links to its pages.
fn is_copied(target: &str) -> bool {
    !is_markdown(target)
        && copied().iter().any(|name| target == name || target.starts_with(&format!("{name}/")))
}

/// What is wrong with a link, if something is.
fn problem(pages: &BTreeMap<String, Page>, page: &str, link: &str) -> Option<String> {
    if is_external(link) {
        return None;
    }
    let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
    let Some(target) = (if file.is_empty() { Some(page.to_owned()) } else { target(page, file) }) else {
        return Some("leads out of the repository".to_owned());
    };
    let path = root().join(&target);
    let of_site = page.starts_with("docs/") && page != SUMMARY;
    let stays = target.starts_with("docs/");
    if !path.exists() {
        return Some(format!("{target} does not exist"));
    }
    if of_site && (path.is_dir() || target == SUMMARY || !(stays || is_copied(&target))) {
        return Some(format!(
            "{target} is not in the site, which has pages and files in docs, and files in {:?}",
            copied()
        ));
    }
    let anchor = anchor?;
    match pages.get(&target) {
        Some(page) if page.anchors.contains(anchor) => None,
        Some(page) => Some(format!("{target} has no #{anchor}; it has {:?}", page.anchors)),
        None => Some(format!("{target} is no page, so it has no #{anchor}")),
    }
}

fn pages() -> BTreeMap<String, Page> {
    let all = markdown_in("docs").into_iter().chain(BESIDE.map(str::to_owned));
    all.map(|path| (path.clone(), read(&path))).collect()
}

#[test]
fn every_link_and_anchor_of_the_documentation_exists() {
    let pages = pages();
    assert!(pages.values().map(|page| page.links.len()).sum::<usize>() > 200, "links are found at all");
    let of_page = |(path, page): (&String, &Page)| -> Vec<String> {
        let told = |link: &String| Some(format!("{path}: {link}: {}", problem(&pages, path, link)?));
        page.links.iter().filter_map(told).collect()
    };
    let problems: Vec<String> = pages.iter().flat_map(of_page).collect();
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

/// Folders of Rust sources of which pages name files.
const SOURCES: [&str; 2] = ["src/", "tests/"];
/// What a page says about tests: their file, then their names.
const NAMES_TESTS: &str = "docs/security.md";

fn is_source(word: &str) -> bool {
    SOURCES.iter().any(|folder| word.starts_with(folder))
}

/// Files that a page names and that are not there, and tests that are not in the file named before them.
fn missing_sources(page: &Page, names_tests: bool) -> Vec<String> {
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let is_test = |word: &str| !word.is_empty() && word.chars().all(is_name);
    let mut file: Option<(&str, String)> = None;
    let mut missing = Vec::new();
    for word in &page.code {
        if is_source(word) {
            let path = root().join(word);
            if !path.exists() {
                missing.push(word.clone());
            }
            file = std::fs::read_to_string(path).ok().map(|text| (word.as_str(), text));
        } else if let Some((name, text)) = file.as_ref().filter(|_| names_tests && is_test(word)) {
            if !text.contains(&format!("fn {word}(")) {
                missing.push(format!("{word} in {name}"));
            }
        } else {
            file = None;
        }
    }
    missing
}

#[test]
fn every_source_and_every_test_that_a_page_names_is_there() {
    let pages = pages();
    let named = pages[NAMES_TESTS].code.iter().filter(|word| is_source(word)).count();
    assert!(named > 30, "{NAMES_TESTS} names {named} files of tests");
    for (path, page) in &pages {
        let missing = missing_sources(page, path == NAMES_TESTS);
        assert!(missing.is_empty(), "{path} names what is not there: {missing:#?}");
    }
}

#[test]
fn a_test_that_is_gone_is_noticed() {
    let missing = |code: &[&str]| {
        let code = code.iter().map(|word| (*word).to_owned()).collect();
        missing_sources(&Page { code, ..Page::default() }, true)
    };
    assert_eq!(missing(&["tests/docs_links.rs", "a_test_that_is_gone_is_noticed"]), [""; 0]);
    assert_eq!(
        missing(&["tests/docs_links.rs", "a_test_that_is_gone"]),
        ["a_test_that_is_gone in tests/docs_links.rs"]
    );
    assert_eq!(missing(&["tests/gone.rs", "any_test"]), ["tests/gone.rs"]);
}

#[test]
fn every_page_has_one_place_in_the_summary() {
    let pages = pages();
    let mut listed: Vec<String> =
        pages[SUMMARY].links.iter().map(|link| target(SUMMARY, link).unwrap()).collect();
    listed.sort();
    let mut written: Vec<String> = markdown_in("docs");
    written.retain(|path| path != SUMMARY);
    assert_eq!(listed, written);
}

#[test]
fn a_broken_link_is_noticed() {
    let pages = BTreeMap::from([
        (
            "docs/README.md".to_owned(),
            Page { anchors: BTreeSet::from(["here".to_owned()]), ..Page::default() },
        ),
        ("README.md".to_owned(), Page::default()),
    ]);
    let site = "docs/README.md";
    for (page, link, words) in [
        (site, "#here", None),
        (site, "#there", Some("has no #there")),
        (site, "gone.md", Some("docs/gone.md does not exist")),
        (site, "../../x", Some("leads out of the repository")),
        (site, "../examples", Some("not in the site")),
        (site, "../README.md", Some("not in the site")),
        (site, "../Cargo.toml", Some("not in the site")),
        (site, "../examples/01-service-account.yaml", None),
        (site, "https://example.com/#x", None),
        ("README.md", "examples/", None),
        ("README.md", "docs/README.md#here", None),
        ("README.md", "docs/start.md#gone", Some("so it has no #gone")),
    ] {
        let found = problem(&pages, page, link);
        match words {
            None => assert_eq!(found, None, "{link}"),
            Some(words) => {
                assert!(found.as_ref().is_some_and(|found| found.contains(words)), "{link}: {found:?}");
            }
        }
    }
}

#[test]
fn anchors_are_made_as_code_hosts_and_mdbook_make_them() {
    for (heading, made) in [
        ("Another namespace", "another-namespace"),
        ("`spec`", "spec"),
        ("Who did it?", "who-did-it"),
        ("With Velero, or another backup of objects", "with-velero-or-another-backup-of-objects"),
        ("If someone has …", "if-someone-has-"),
    ] {
        assert_eq!(anchor(heading), made);
    }
}
