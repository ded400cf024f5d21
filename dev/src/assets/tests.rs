//! Where programs are looked for, without building any.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;

use super::program::names;
use super::*;

fn sources(vars: &[(&str, &str)]) -> Result<Sources, Error> {
    let vars: HashMap<&str, OsString> = vars.iter().map(|(name, value)| (*name, value.into())).collect();
    Sources::from_vars(|name| vars.get(name).cloned())
}

fn put(folder: &Path, programs: &[Program]) {
    fs::create_dir_all(folder).unwrap();
    for program in programs {
        fs::write(folder.join(program.file_name()), "").unwrap();
    }
}

/// Sources in `folder` whose cache holds all programs.
fn cached(folder: &Path) -> (Sources, PathBuf) {
    let module = sources(&[("HOME", "/h")]).unwrap().module;
    let cache = folder.join("cache");
    let filled = cache.join(Pins::read(&module).unwrap().key());
    put(&filled, &Program::ALL);
    let elsewhere = folder.join("elsewhere");
    (Sources { given: None, gateways: elsewhere.clone(), tools: elsewhere, cache, module }, filled)
}

#[test]
fn the_cache_lies_where_the_environment_says() {
    let cache = |vars: &[(&str, &str)]| sources(vars).unwrap().cache;
    assert_eq!(cache(&[("HOME", "/h")]), Path::new("/h/.cache/keyward/control-plane"));
    assert_eq!(cache(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/c")]), Path::new("/c/keyward/control-plane"));
    assert_eq!(
        cache(&[("HOME", "/h"), ("XDG_CACHE_HOME", "relative")]),
        Path::new("/h/.cache/keyward/control-plane")
    );
    assert!(matches!(sources(&[]), Err(Error::NoCacheFolder)));
    assert_eq!(sources(&[("HOME", "/h"), ("KUBEBUILDER_ASSETS", "")]).unwrap().given, None);
}

#[test]
fn the_packages_are_the_tools_of_go_mod() {
    let module = sources(&[("HOME", "/h")]).unwrap().module;
    let go_mod = fs::read_to_string(module.join("go.mod")).unwrap();
    let tools = go_mod.split("tool (").nth(1).unwrap().split(')').next().unwrap();
    let mut tools: Vec<&str> = tools.split_whitespace().collect();
    let mut packages: Vec<&str> = Program::ALL.iter().map(|program| program.package()).collect();
    tools.sort_unstable();
    packages.sort_unstable();
    assert_eq!(packages, tools);
}

#[test]
fn a_filled_cache_needs_no_build() {
    let folder = tempfile::tempdir().unwrap();
    let (sources, filled) = cached(folder.path());
    let assets = Assets::ensure_from(sources, &Program::ALL).unwrap();
    assert_eq!(assets.dirs(), [filled.as_path()]);
    assert_eq!(assets.path(Program::Etcd), filled.join("etcd"));
}

#[test]
fn a_given_folder_comes_first_and_the_cache_fills_it_up() {
    let folder = tempfile::tempdir().unwrap();
    let (sources, filled) = cached(folder.path());
    let given = folder.path().join("given");
    put(&given, &[Program::Etcd, Program::ApiServer, Program::ControllerManager, Program::Kubectl]);
    let assets =
        Assets::ensure_from(Sources { given: Some(given.clone()), ..sources }, &Program::ALL).unwrap();
    assert_eq!(assets.dir(), given);
    assert_eq!(assets.dirs(), [given.as_path(), filled.as_path()]);
    assert_eq!(assets.path(Program::Kubectl), given.join("kubectl"));
    assert_eq!(assets.path(Program::Helm), filled.join("helm"));
}

#[test]
fn a_given_folder_with_everything_stands_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (sources, _) = cached(folder.path());
    let given = folder.path().join("given");
    put(&given, &Program::ALL);
    let assets =
        Assets::ensure_from(Sources { given: Some(given.clone()), ..sources }, &Program::ALL).unwrap();
    assert_eq!(assets.dirs(), [given.as_path()]);
}

#[test]
fn what_nobody_needs_may_be_missing() {
    let folder = tempfile::tempdir().unwrap();
    let (sources, _) = cached(folder.path());
    let given = folder.path().join("given");
    put(&given, &Program::SERVERS);
    let empty = folder.path().join("empty");
    let sources = Sources { given: Some(given.clone()), cache: empty.clone(), ..sources };
    let assets = Assets::ensure_from(sources, &Program::SERVERS).unwrap();
    assert_eq!(assets.path(Program::Etcd), given.join("etcd"));
    assert!(!empty.exists(), "nothing is built");
}

#[test]
fn a_given_folder_without_an_api_server_is_a_mistake() {
    let folder = tempfile::tempdir().unwrap();
    let (sources, _) = cached(folder.path());
    let error = Assets::ensure_from(Sources { given: Some("/nowhere".into()), ..sources }, &Program::ALL)
        .unwrap_err();
    assert_eq!(error.to_string(), "KUBEBUILDER_ASSETS is set to /nowhere, which holds no kube-apiserver");
}

#[test]
fn names_read_as_a_sentence() {
    assert_eq!(names(&[]), "");
    assert_eq!(names(&["helm"]), "helm");
    assert_eq!(names(&["etcd", "kubectl", "helm"]), "etcd, kubectl and helm");
}
