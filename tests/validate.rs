//! `keyward validate` as a program, and the JSON Schemas: no cluster, no network.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use keyward::api::json_schema;
use serde_json::{Value, json};

const GOOD: &str =
    "apiVersion: iam.keyward.dev/v1alpha1\nkind: ServiceAccount\nmetadata: {name: ci}\nspec: {icon: Build}\n";
const BAD: &str = "apiVersion: iam.keyward.dev/v1alpha1\nkind: ServiceAccount\nmetadata: {name: ci}\nspec:\n  icon: Built\n";
const LOST: &str = "apiVersion: iam.keyward.dev/v1alpha1\nkind: AccessKey\nmetadata: {name: k}\n\
                    spec: {serviceAccountName: ci, validFor: P6M}\n";

/// Runs it with nothing that would lead to a cluster.
fn validate(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyward"));
    command.arg("validate").args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).env_clear();
    command.env("KUBECONFIG", "/nowhere").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn written(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

fn examples(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect();
    files.sort();
    files
}

#[test]
fn it_ends_with_0_for_good_ones_1_for_bad_ones_and_2_where_it_could_not_look() {
    for (arguments, input, expected) in [
        (vec!["-"], GOOD, 0),
        (vec![], GOOD, 0),
        (vec!["-"], BAD, 1),
        (vec!["-"], LOST, 0),
        (vec!["--strict", "-"], LOST, 1),
        (vec!["--references", "error", "-"], LOST, 1),
        (vec!["--strict", "--references", "ignore", "-"], LOST, 0),
        (vec!["-"], "", 0),
        (vec!["/nowhere.yaml"], "", 2),
        (vec!["--references", "some", "-"], "", 2),
        (vec!["--now", "today", "-"], "", 2),
    ] {
        let output = validate(&arguments, input);
        assert_eq!(code(&output), expected, "{arguments:?} {:?}", written(&output));
    }
    let (_, errors) = written(&validate(&["/nowhere.yaml"], ""));
    assert!(errors.starts_with("keyward: /nowhere.yaml: No such file"), "{errors}");
}

#[test]
fn it_says_where_what_and_how_many_without_colours_in_a_pipe() {
    let (said, counted) = written(&validate(&["-"], BAD));
    assert_eq!(
        said,
        "error[FieldValueNotSupported]: spec.icon: must be one of \"Bot\", \"Build\", \"Calendar\", \"Chart\", \"Cloud\", \
         \"Database\", \"Gear\", \"Key\", \"Mail\", \"Rocket\", \"Shield\", \"Terminal\"; it is \"Built\"; did you mean \
         \"Build\"?\n  --> stdin:5:9  ServiceAccount default/ci\n"
    );
    assert_eq!(counted, "1 manifest checked, 1 error, 0 warnings\n");
}

#[test]
fn folders_are_looked_through_and_hidden_ones_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    put("a.yaml", GOOD);
    put("deep/er/b.yml", LOST);
    put("deep/er/c.txt", BAD);
    put(".git/d.yaml", BAD);
    put("deep/e.json", &json!({"apiVersion": "v1", "kind": "List", "items": []}).to_string());
    let output = validate(&["-o", "json", folder.path().to_str().unwrap()], "");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["checked"], &report["findings"]), (&json!(2), &json!([])), "{report:#}");
    put("f.yaml", "\u{feff}not: utf-8");
    std::fs::write(folder.path().join("g.yaml"), [0xff, 0xfe]).unwrap();
    assert_eq!(code(&validate(&[folder.path().to_str().unwrap()], "")), 2);
}

#[test]
fn what_may_not_be_changed_is_found_between_two_folders() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("base.yaml");
    std::fs::write(&base, format!("{GOOD}---\n{LOST}")).unwrap();
    let changed = LOST.replace("serviceAccountName: ci", "serviceAccountName: other");
    let arguments = ["--base", base.to_str().unwrap(), "--references", "ignore", "-"];
    let (said, _) = written(&validate(&arguments, &format!("{GOOD}---\n{changed}")));
    assert!(
        said.contains("may not be changed after creation: it is 'ci' and may not become 'other'"),
        "{said}"
    );
    assert_eq!(code(&validate(&arguments, &format!("{GOOD}---\n{LOST}"))), 0);
}

#[test]
fn the_examples_are_good() {
    let files = examples("examples");
    let files: Vec<&str> = files.iter().map(|path| path.to_str().unwrap()).collect();
    let output = validate(&[&["--strict"], files.as_slice()].concat(), "");
    assert_eq!(code(&output), 0, "{:?}", written(&output));
    let output = validate(&["--strict", "examples/01-service-account.yaml", "examples/publish"], "");
    assert_eq!(code(&output), 0, "{:?}", written(&output));
    let output = validate(&["--strict", "examples/01-service-account.yaml", "examples/try-out"], "");
    assert_eq!(code(&output), 0, "{:?}", written(&output));
}

/// Where cargo keeps the source of a package.
fn source_of(package: &str) -> PathBuf {
    // Only what this platform needs: a machine that has built this test and no more has nothing else.
    let mut command = Command::new(env!("CARGO"));
    command.args([
        "metadata",
        "--format-version",
        "1",
        "--locked",
        "--offline",
        "--filter-platform",
        "host-tuple",
    ]);
    let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let found = packages.iter().find(|known| known["name"] == package).unwrap();
    Path::new(found["manifest_path"].as_str().unwrap()).parent().unwrap().to_owned()
}

#[test]
fn sarif_is_valid_by_its_official_schema() {
    let schema = std::fs::read_to_string(source_of("serde-sarif").join("src/schema.json")).unwrap();
    // One of its patterns, for a language, has a bracket too many.
    let schema = schema.replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}?$");
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    for input in [GOOD, BAD, LOST, "iam.keyward.dev: [", &format!("{BAD}---\n{BAD}")] {
        let output = validate(&["-o", "sarif", "-"], input);
        let log: Value = serde_json::from_slice(&output.stdout).unwrap();
        let problems: Vec<String> = schema.iter_errors(&log).map(|error| error.to_string()).collect();
        assert_eq!(problems, [""; 0], "{log:#}");
    }
    assert!(!schema.is_valid(&json!({"version": "2.1.0"})), "the schema is not one that takes all");
}

fn schemas() -> Vec<(String, Value)> {
    let documents = json_schema::documents().unwrap().into_iter();
    documents.map(|document| (document.name, serde_json::from_str(&document.text).unwrap())).collect()
}

/// The schema for a document, as kubeconform would find it.
fn schema_for(document: &Value) -> jsonschema::Validator {
    let kind = document["kind"].as_str().unwrap().to_lowercase();
    let version = document["apiVersion"].as_str().unwrap().split('/').next_back().unwrap();
    let name = format!("{kind}_{version}.json");
    let (_, schema) = schemas().into_iter().find(|(known, _)| *known == name).unwrap();
    let options = jsonschema::draft7::options().should_validate_formats(true);
    options.build(&schema).unwrap()
}

fn documents(path: &Path) -> Vec<Value> {
    serde_yaml::from_multiple(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn editors_take_the_examples_for_good() {
    let folders = ["examples", "examples/publish", "examples/try-out"];
    let files: Vec<PathBuf> = folders.into_iter().flat_map(examples).collect();
    assert!(files.len() >= 12);
    for path in files {
        for document in documents(&path) {
            let problems: Vec<String> =
                schema_for(&document).iter_errors(&document).map(|e| e.to_string()).collect();
            assert_eq!(problems, [""; 0], "{}", path.display());
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let named = text.lines().next().unwrap().strip_prefix("# yaml-language-server: $schema=");
        let schema = path.parent().unwrap().join(named.expect("the first line names the schema"));
        assert!(schema.canonicalize().unwrap().ends_with("schemas/keyward.json"), "{}", path.display());
    }
}

#[test]
fn editors_take_bad_ones_for_bad() {
    let good = json!({
        "apiVersion": "iam.keyward.dev/v1alpha1", "kind": "AccessKey", "metadata": {"name": "k"},
        "spec": {"serviceAccountName": "ci", "validFor": "P6M"},
    });
    let schema = schema_for(&good);
    assert!(schema.is_valid(&good));
    for (path, value) in [
        ("/spec/stat", json!("Active")),
        ("/metadata/lables", json!({})),
        ("/specs", json!({})),
        ("/apiVersion", json!("iam.keyward.dev/v1")),
        ("/kind", json!("ServiceAccount")),
        ("/metadata/labels", json!({"a": 1})),
        ("/spec/serviceAccountName", json!("")),
        ("/spec/state", json!("Off")),
        ("/spec/revision", json!(0)),
        ("/spec/revision", json!("1")),
        ("/spec/validFor", json!("six months")),
        ("/spec/validFor", json!("P")),
        ("/spec/expiresAt", json!("tomorrow")),
        ("/spec/rotation", json!({})),
        ("/spec/secret", json!({"name": "Not_DNS"})),
        ("/spec/publish", json!([{"name": "a", "data": {}}])),
    ] {
        let mut bad = good.clone();
        let (parent, name) = path.rsplit_once('/').unwrap();
        bad.pointer_mut(parent).unwrap()[name] = value;
        assert!(!schema.is_valid(&bad), "{bad}");
    }
    let account = |name: &str| json!({"apiVersion": "iam.keyward.dev/v1alpha1", "kind": "Account", "metadata": {"name": name}});
    assert!(schema_for(&account("account")).is_valid(&account("account")));
    assert!(!schema_for(&account("other")).is_valid(&account("other")));
}

#[test]
fn the_schema_of_all_kinds_chooses_the_one_that_is_meant() {
    let (all, of_kinds): (Vec<_>, Vec<_>) =
        schemas().into_iter().partition(|(name, _)| name == "keyward.json");
    let base = "https://example.com/schemas/";
    let resources = of_kinds
        .into_iter()
        .map(|(name, schema)| (format!("{base}{name}"), jsonschema::Resource::from_contents(schema)));
    let registry = jsonschema::Registry::new().extend(resources).unwrap().prepare().unwrap();
    let options =
        jsonschema::draft7::options().with_registry(&registry).with_base_uri(format!("{base}keyward.json"));
    let schema = options.build(&all[0].1).unwrap();
    for path in examples("examples") {
        for document in documents(&path) {
            assert!(schema.is_valid(&document), "{}", path.display());
            let mut bad = document.clone();
            bad["spec"]["unknown"] = json!(1);
            assert!(!schema.is_valid(&bad), "{}", path.display());
        }
    }
    assert!(!schema.is_valid(&json!({"apiVersion": "v1", "kind": "Secret"})));
}
