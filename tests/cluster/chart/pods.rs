//! The pods: where they run, how few may be left, who reaches them, and with what they may do.

use serde_json::{Value, json};

use super::{WITH_TLS, all_objects, deployed, find, objects, refused};

/// The pod of a process, as the chart's Deployment describes it.
fn pod(objects: &[Value], process: &str) -> Value {
    find(objects, "Deployment", &format!("keyward-{process}")).unwrap()["spec"]["template"]["spec"].clone()
}

#[test]
fn who_sends_to_a_verifier_finds_verifiers_only() {
    let objects = objects(WITH_TLS);
    let labels = |process: &str| {
        let (deployment, _) = deployed(&objects, process);
        serde_json::to_value(deployment.spec.unwrap().template.metadata.unwrap().labels).unwrap()
    };
    let selects = |name: &str, labels: &Value| {
        let selector = &find(&objects, "Service", name).unwrap()["spec"]["selector"];
        selector.as_object().unwrap().iter().all(|(name, value)| labels[name] == *value)
    };
    for (service, controller, verifier) in [
        ("keyward-verifier", false, true),
        ("keyward-verifier-metrics", false, true),
        ("keyward-metrics", true, false),
    ] {
        let found = (selects(service, &labels("controller")), selects(service, &labels("verifier")));
        assert_eq!(found, (controller, verifier), "{service}");
    }
}

#[test]
fn a_pod_may_do_as_little_as_can_be() {
    let objects = objects(WITH_TLS);
    for process in ["controller", "verifier"] {
        let pod = pod(&objects, process);
        let security = json!({
            "runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532, "seccompProfile": {"type": "RuntimeDefault"},
        });
        assert_eq!(pod["securityContext"], security);
        let security = json!({
            "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]},
        });
        assert_eq!(pod["containers"][0]["securityContext"], security);
        assert_eq!(pod["enableServiceLinks"], false, "a Service may be called keyward-log");
        assert_eq!(pod["hostUsers"], Value::Null);
    }
    refused("runAsGroup=null", "runAsGroup can be null only where runAsUser is null");
    let chosen = all_objects("runAsUser=null");
    for process in ["controller", "verifier"] {
        let pod = pod(&chosen, process);
        assert_eq!(pod["securityContext"]["runAsUser"], Value::Null, "the platform chooses one");
        assert_eq!(pod["securityContext"]["runAsGroup"], Value::Null, "and the group with it");
        assert_eq!(pod["hostUsers"], false);
    }
}

#[test]
fn pods_of_a_process_are_spread_over_nodes_unless_the_values_say_otherwise() {
    let spread = |objects: &[Value], process| pod(objects, process)["topologySpreadConstraints"].clone();
    let (default, chosen) = (objects(WITH_TLS), all_objects(""));
    for process in ["controller", "verifier"] {
        let labels = json!({
            "app.kubernetes.io/name": "keyward", "app.kubernetes.io/instance": "keyward",
            "app.kubernetes.io/component": process,
        });
        let selector = json!({"matchLabels": labels});
        let constraint = json!([{
            "maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": selector, "matchLabelKeys": ["pod-template-hash"],
        }]);
        assert_eq!(spread(&default, process), constraint);
        let chosen = &spread(&chosen, process)[0];
        assert_eq!(chosen["topologyKey"], "topology.kubernetes.io/zone");
        assert_eq!(chosen["labelSelector"], selector, "its own pods, where the values name none");
    }
}

#[test]
fn a_pod_is_placed_as_the_values_say() {
    let objects = all_objects("");
    for process in ["controller", "verifier"] {
        let pod = pod(&objects, process);
        assert_eq!(pod["nodeSelector"], json!({"kubernetes.io/os": "linux"}));
        assert_eq!(pod["tolerations"][0]["key"], "dedicated");
        assert_eq!(pod["priorityClassName"], "system-cluster-critical");
        assert_eq!(pod["imagePullSecrets"], json!([{"name": "registry"}]));
        assert!(pod["affinity"].is_object());
        let (deployment, container) = deployed(&objects, process);
        assert!(container.env.unwrap().iter().any(|variable| variable.name == "EXAMPLE"));
        assert!(container.args.unwrap()[1].starts_with("--"));
        let metadata = deployment.spec.unwrap().template.metadata.unwrap();
        assert_eq!(metadata.labels.unwrap()["mesh"], "off");
        assert_eq!(metadata.annotations.unwrap()["example.org/owner"], "platform");
    }
}

#[test]
fn the_image_is_named_by_tag_or_by_digest() {
    let image = |values: &str| deployed(&objects(values), "controller").1.image.unwrap();
    assert_eq!(image(""), concat!("ghcr.io/keyward-dev/keyward:", env!("CARGO_PKG_VERSION")));
    assert_eq!(
        image("image.repository=registry.example.com/keyward,image.tag=next"),
        "registry.example.com/keyward:next"
    );
    let digest = "sha256:0123456789abcdef";
    assert_eq!(
        image(&format!("image.tag=next,image.digest={digest}")),
        format!("ghcr.io/keyward-dev/keyward@{digest}")
    );
}

#[test]
fn a_budget_says_how_many_may_be_away_or_must_stay() {
    let budget = |values: &str, process: &str| {
        let objects = objects(&format!("{WITH_TLS},{values}"));
        find(&objects, "PodDisruptionBudget", &format!("keyward-{process}")).map(|budget| {
            let spec = &budget["spec"];
            assert_eq!(spec["unhealthyPodEvictionPolicy"], "AlwaysAllow");
            (spec["maxUnavailable"].clone(), spec["minAvailable"].clone())
        })
    };
    for (process, prefix) in [("controller", ""), ("verifier", "verifier.")] {
        let set = |value: &str| budget(&format!("{prefix}{value}"), process);
        assert_eq!(set("replicaCount=2"), Some((json!(1), Value::Null)));
        assert_eq!(set("podDisruptionBudget.maxUnavailable=50%"), Some((json!("50%"), Value::Null)));
        assert_eq!(set("podDisruptionBudget.minAvailable=1"), Some((Value::Null, json!(1))));
        assert_eq!(set("replicaCount=1"), None, "it would keep a node from being drained");
        assert_eq!(set("podDisruptionBudget.enabled=false"), None);
    }
}

#[test]
fn a_network_policy_lets_in_who_is_named_and_nothing_out_that_is_not() {
    let policy = |objects: &[Value], process: &str| {
        find(objects, "NetworkPolicy", &format!("keyward-{process}")).map(|policy| policy["spec"].clone())
    };
    let none = objects("networkPolicy.enabled=false,verifier.networkPolicy.enabled=false");
    assert_eq!((policy(&none, "controller"), policy(&none, "verifier")), (None, None));

    let open = objects("");
    let controller = policy(&open, "controller").unwrap();
    assert_eq!(controller["policyTypes"], json!(["Ingress"]));
    assert_eq!(controller["ingress"], json!([{"ports": [{"port": "metrics"}]}]));
    let verifier = policy(&open, "verifier").unwrap();
    assert_eq!(
        verifier["ingress"],
        json!([{"ports": [{"port": "metrics"}]}, {"ports": [{"port": "verifier"}]}]),
        "its own port is open to everyone, the API server included"
    );

    let closed = all_objects("");
    let monitoring =
        json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}});
    for process in ["controller", "verifier"] {
        let spec = policy(&closed, process).unwrap();
        assert_eq!(spec["policyTypes"], json!(["Ingress", "Egress"]));
        assert_eq!(spec["egress"][0]["to"], json!([{"ipBlock": {"cidr": "192.0.2.0/24"}}]));
        assert_eq!(spec["ingress"][0], json!({"ports": [{"port": "metrics"}], "from": [monitoring]}));
        let selected = deployed(&closed, process).0.spec.unwrap().selector;
        assert_eq!(spec["podSelector"], serde_json::to_value(selected).unwrap());
    }
    let gateway = json!({"podSelector": {"matchLabels": {"app": "gateway"}}});
    let asks = json!({"ports": [{"port": "verifier"}], "from": [gateway]});
    assert_eq!(policy(&closed, "verifier").unwrap()["ingress"][1], asks);
}
