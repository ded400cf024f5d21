//! What the chart sets, as the programs read it.

use clap::{Args as _, Command};
use k8s_openapi::api::core::v1::Container;
use keyward::runtime::config::{ControllerArgs, VerifierArgs};

use super::{WITH_TLS, deployed, find, objects, refused};

/// What the allocator reads by itself.
const OF_ALLOCATOR: &str = "MIMALLOC_";

/// What the flags of `command` come to under the container's environment.
fn parsed(command: Command, container: &Container) -> clap::ArgMatches {
    let flags: Vec<(String, String)> = command
        .get_arguments()
        .filter_map(|flag| Some((flag.get_env()?.to_str()?.to_owned(), format!("--{}", flag.get_long()?))))
        .collect();
    let ours = container.env.iter().flatten().filter(|variable| !variable.name.starts_with(OF_ALLOCATOR));
    let set = ours.filter_map(|variable| {
        let flag = flags.iter().find(|(name, _)| *name == variable.name);
        let (_, flag) = flag.unwrap_or_else(|| panic!("no flag reads {}", variable.name));
        Some(format!("{flag}={}", variable.value.as_ref()?))
    });
    command.try_get_matches_from(["keyward".to_owned()].into_iter().chain(set)).unwrap()
}

#[test]
fn there_is_no_verifier_until_it_is_asked_for() {
    let objects = objects("");
    assert!(find(&objects, "Deployment", "keyward-controller").is_some());
    assert!(!serde_json::to_string(&objects).unwrap().contains("keyward-verifier"));
}

#[test]
fn a_verifier_needs_a_certificate_or_that_plain_http_is_meant() {
    let words = "needs exactly one of: verifier.tls.secretName";
    refused("verifier.enabled=true", words);
    refused(&format!("{WITH_TLS},verifier.allowPlainHttp=true"), words);
    refused(&format!("{WITH_TLS},verifier.maxStalnessSeconds=5"), "maxStalnessSeconds");
    refused(&format!("{WITH_TLS},verifier.tls.secret=x"), "secret");
    refused(&format!("{WITH_TLS},verifier.maxStalenessSeconds=2"), "maxStalenessSeconds");
    refused(&format!("{WITH_TLS},verifier.trustedProxies={{gateway}}"), "trustedProxies");
}

#[test]
fn the_programs_understand_what_the_chart_sets() {
    let values = "verifier.enabled=true,verifier.allowPlainHttp=true,watchNamespace=shop,\
                  verifier.trustedProxies={10.0.0.0/8,192.0.2.7},verifier.maxStalenessSeconds=30";
    let objects = objects(values);
    let (_, controller) = deployed(&objects, "controller");
    parsed(ControllerArgs::augment_args(Command::new("controller")), &controller);
    let (_, verifier) = deployed(&objects, "verifier");
    let flags = parsed(VerifierArgs::augment_args(Command::new("verifier")), &verifier);
    assert_eq!(flags.get_one("max_staleness_seconds"), Some(&30_u64));
    assert_eq!(flags.get_one("allow_plain_http"), Some(&true));
    assert_eq!(flags.get_one::<String>("namespace").map(String::as_str), Some("shop"));
    let trusted: Vec<String> =
        flags.get_raw("trusted_proxies").unwrap().map(|text| text.to_str().unwrap().to_owned()).collect();
    assert_eq!(trusted, ["10.0.0.0/8", "192.0.2.7"]);
}

#[test]
fn the_certificate_is_where_the_verifier_looks_for_it() {
    let (deployment, verifier) = deployed(&objects(WITH_TLS), "verifier");
    let flags = parsed(VerifierArgs::augment_args(Command::new("verifier")), &verifier);
    let mount = &verifier.volume_mounts.unwrap()[0];
    for (flag, file) in [("tls_cert_file", "tls.crt"), ("tls_key_file", "tls.key")] {
        let path = flags.get_one::<std::path::PathBuf>(flag).unwrap();
        assert_eq!(*path, std::path::Path::new(&mount.mount_path).join(file));
    }
    let volume = deployment.spec.unwrap().template.spec.unwrap().volumes.unwrap().remove(0);
    assert_eq!(
        (volume.name, volume.secret.unwrap().secret_name.as_deref()),
        (mount.name.clone(), Some("verifier-tls"))
    );
}
