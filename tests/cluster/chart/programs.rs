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
fn a_verifier_comes_with_the_chart_unless_it_is_switched_off() {
    let found = |values: &str| {
        let objects = objects(values);
        assert!(find(&objects, "Deployment", "keyward-controller").is_some());
        serde_json::to_string(&objects).unwrap().contains("keyward-verifier")
    };
    assert_eq!((found(""), found("verifier.enabled=false")), (true, false));
}

#[test]
fn a_verifier_has_its_certificate_from_one_place_and_its_values_are_checked() {
    let words = "at most one of these can be set: verifier.tls.secretName";
    refused(&format!("{WITH_TLS},verifier.allowPlainHttp=true"), words);
    refused(&format!("{WITH_TLS},verifier.tls.certManager.issuerRef.name=x"), words);
    refused(&format!("{WITH_TLS},verifier.maxStalnessSeconds=5"), "maxStalnessSeconds");
    refused(&format!("{WITH_TLS},verifier.tls.secret=x"), "secret");
    refused(&format!("{WITH_TLS},verifier.maxStalenessSeconds=2"), "maxStalenessSeconds");
    refused(&format!("{WITH_TLS},verifier.trustedProxies={{gateway}}"), "trustedProxies");
    refused("verifier.tls.names={a b}", "names");
}

#[test]
fn without_a_certificate_the_controller_makes_one_for_every_name_of_the_service() {
    let values =
        "namespaceOverride=iam,verifier.service.clusterIP=10.0.0.7,verifier.tls.names={keys.example.org}";
    let made = objects(values);
    let (_, controller) = deployed(&made, "controller");
    let flags = parsed(ControllerArgs::augment_args(Command::new("controller")), &controller);
    let names: Vec<&str> =
        flags.get_many::<String>("verifier_certificate_names").unwrap().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "keyward-verifier",
            "keyward-verifier.iam",
            "keyward-verifier.iam.svc",
            "keyward-verifier.iam.svc.cluster.local",
            "keys.example.org",
            "10.0.0.7"
        ]
    );
    let rules = include_str!("../../../charts/keyward/files/certificate-rules.yaml");
    let rules: serde_json::Value = serde_yaml::from_str(rules).unwrap();
    assert_eq!(find(&made, "Role", "keyward-certificate").unwrap()["rules"], rules);
    assert_eq!(secret_of(&made), ("keyward-verifier-self-signed".to_owned(), Some(true)));

    for values in [WITH_TLS, "verifier.allowPlainHttp=true", "verifier.enabled=false"] {
        let given = objects(values);
        let (_, controller) = deployed(&given, "controller");
        let flags = parsed(ControllerArgs::augment_args(Command::new("controller")), &controller);
        assert!(flags.get_many::<String>("verifier_certificate_names").is_none(), "{values}");
        assert!(find(&given, "Role", "keyward-certificate").is_none(), "{values}");
    }
}

#[test]
fn with_an_issuer_cert_manager_makes_it() {
    let values = "verifier.tls.certManager.issuerRef.name=corp,verifier.tls.certManager.issuerRef.kind=ClusterIssuer,\
                  verifier.service.clusterIP=10.0.0.7";
    let made = objects(values);
    let spec = &find(&made, "Certificate", "keyward-verifier").unwrap()["spec"];
    let issuer = serde_json::json!({"name": "corp", "kind": "ClusterIssuer", "group": "cert-manager.io"});
    assert_eq!(spec["issuerRef"], issuer);
    assert_eq!(spec["dnsNames"][2], "keyward-verifier.default.svc");
    assert_eq!(spec["ipAddresses"], serde_json::json!(["10.0.0.7"]));
    assert_eq!(secret_of(&made), (spec["secretName"].as_str().unwrap().to_owned(), Some(true)));
    assert!(find(&made, "Role", "keyward-certificate").is_none());
}

/// The Secret that the verifier's pod mounts, and whether it starts without it.
fn secret_of(objects: &[serde_json::Value]) -> (String, Option<bool>) {
    let (deployment, _) = deployed(objects, "verifier");
    let volume = deployment.spec.unwrap().template.spec.unwrap().volumes.unwrap().remove(0);
    let secret = volume.secret.unwrap();
    (secret.secret_name.unwrap(), secret.optional)
}

#[test]
fn the_programs_understand_what_the_chart_sets() {
    let values = "verifier.allowPlainHttp=true,watchNamespace=shop,\
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
