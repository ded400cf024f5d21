//! Who gets which rights by the chart.

use serde_json::{Value, json};

use super::{WITH_TLS, find, objects};

const RULES: &str = include_str!("../../../charts/keyward/files/verifier-rules.yaml");

#[test]
fn the_verifier_gets_its_own_rules_everywhere_or_in_one_namespace() {
    let rules: Value = serde_yaml::from_str(RULES).unwrap();
    for (more, kind) in [("", "ClusterRole"), (",watchNamespace=shop", "Role")] {
        let objects = objects(&format!("{WITH_TLS}{more}"));
        let role = find(&objects, kind, "keyward-verifier").unwrap();
        assert_eq!(role["rules"], rules);
        let binding = find(&objects, &format!("{kind}Binding"), "keyward-verifier").unwrap();
        assert_eq!(binding["roleRef"]["kind"], kind);
        let subject = json!({"kind": "ServiceAccount", "name": "keyward-verifier", "namespace": "default"});
        assert_eq!(binding["subjects"], json!([subject.clone()]));
        assert_eq!(role["metadata"]["namespace"], binding["metadata"]["namespace"]);
        assert_eq!(role["metadata"]["namespace"].as_str(), (!more.is_empty()).then_some("shop"));
        let sealing = find(&objects, "Role", "keyward-verifier-sealing").unwrap();
        let rules = include_str!("../../../charts/keyward/files/verifier-sealing-rules.yaml");
        assert_eq!(sealing["rules"], serde_yaml::from_str::<Value>(rules).unwrap());
        let binding = find(&objects, "RoleBinding", "keyward-verifier-sealing").unwrap();
        assert_eq!(binding["subjects"], json!([subject]));
    }
}

#[test]
fn the_controller_gets_its_own_rules_everywhere_or_in_one_namespace_and_its_lease_at_home() {
    let rules = |text: &str| serde_yaml::from_str::<Value>(text).unwrap();
    let lease_rules = include_str!("../../../charts/keyward/files/lease-rules.yaml")
        .replace("$(lease)", "keyward-controller");
    for (values, kind) in [("", "ClusterRole"), ("watchNamespace=shop", "Role")] {
        let objects = objects(values);
        let role = find(&objects, kind, "keyward-controller").unwrap();
        assert_eq!(role["rules"], rules(include_str!("../../../charts/keyward/files/controller-rules.yaml")));
        assert_eq!(role["metadata"]["namespace"].as_str(), (!values.is_empty()).then_some("shop"));
        let lease = find(&objects, "Role", "keyward-lease").unwrap();
        assert_eq!(lease["rules"], rules(&lease_rules));
        assert_eq!(lease["metadata"]["namespace"], "default");
        let sealing = find(&objects, "Role", "keyward-sealing").unwrap();
        assert_eq!(sealing["rules"], rules(include_str!("../../../charts/keyward/files/sealing-rules.yaml")));
        assert_eq!(sealing["metadata"]["namespace"], "default");
        let of_controller = format!("{kind}Binding");
        for binding in [
            (&*of_controller, "keyward-controller"),
            ("RoleBinding", "keyward-lease"),
            ("RoleBinding", "keyward-sealing"),
        ] {
            let subject = json!([{"kind": "ServiceAccount", "name": "keyward", "namespace": "default"}]);
            assert_eq!(find(&objects, binding.0, binding.1).unwrap()["subjects"], subject);
        }
    }
}

/// The roles of people, and those of the cluster's that each is added to.
fn added_to(values: &str) -> Vec<String> {
    let of_role = |object: &Value| {
        let labels = object["metadata"]["labels"].as_object()?;
        let to =
            labels.keys().filter_map(|name| name.strip_prefix("rbac.authorization.k8s.io/aggregate-to-"));
        let to: Vec<&str> = to.collect();
        let name = object["metadata"]["name"].as_str()?;
        (!to.is_empty()).then(|| format!("{name} to {}", to.join(", ")))
    };
    objects(values).iter().filter_map(of_role).collect()
}

#[test]
fn the_clusters_own_roles_gain_what_the_values_say() {
    let (view, edit, admin) = (
        "keyward-view to admin, cluster-reader, edit, view",
        "keyward-edit to admin, edit",
        "keyward-admin to admin",
    );
    assert_eq!(added_to(""), [view, edit, admin]);
    assert_eq!(added_to("rbac.aggregateToView=false"), ["keyward-view to cluster-reader", edit, admin]);
    let only_view =
        "rbac.aggregateToClusterReader=false,rbac.aggregateToEdit=false,rbac.aggregateToAdmin=false";
    assert_eq!(added_to(only_view), ["keyward-view to admin, edit, view"]);
    assert_eq!(added_to(&format!("{only_view},rbac.aggregateToView=false")), [] as [&str; 0]);
}

#[test]
fn the_policies_name_the_programs_of_the_installation_and_whom_the_values_exempt() {
    let own = "serviceAccount.name=op,verifier.serviceAccount.name=ver,namespaceOverride=home,admission.exemptGroups={a,b:c}";
    for (values, controller, verifier, exempt) in [
        ("", "default:keyward'", "default:keyward-verifier'", "group in ['system:masters']"),
        (own, "home:op'", "home:ver'", "group in ['a', 'b:c']"),
        ("admission.exemptGroups=null", "default:keyward'", "default:keyward-verifier'", "group in []"),
    ] {
        let objects = objects(values);
        let of_status = find(&objects, "ValidatingAdmissionPolicy", "status.iam.keyward.dev").unwrap();
        let spec = of_status["spec"].to_string();
        for words in [controller, verifier] {
            assert!(spec.contains(&format!("'system:serviceaccount:{words}")), "{values}: {words} in {spec}");
        }
        assert!(spec.contains(exempt) && !spec.contains("$("), "{values}: {exempt} in {spec}");
    }
    let without_verifier = objects("verifier.enabled=false");
    let of_status = find(&without_verifier, "ValidatingAdmissionPolicy", "status.iam.keyward.dev").unwrap();
    assert!(of_status["spec"].to_string().contains("request.userInfo.username != '' ? []"));
}

#[test]
fn what_the_installation_stands_on_is_guarded_at_home_whatever_it_watches() {
    let certificate = "'secrets/keyward-verifier-ca', 'configmaps/keyward-verifier-ca', 'secrets/keyward-verifier-self-signed'";
    for (values, name, lease, has_certificate) in [
        ("", "installation.iam.keyward.dev", "keyward-controller", true),
        (WITH_TLS, "installation.iam.keyward.dev", "keyward-controller", false),
        (
            "watchNamespace=shop,leaderElection.leaseName=boss",
            "shop.installation.iam.keyward.dev",
            "boss",
            true,
        ),
    ] {
        let objects = objects(values);
        let binding = find(&objects, "ValidatingAdmissionPolicyBinding", name).unwrap();
        let home = json!({"matchLabels": {"kubernetes.io/metadata.name": "default"}});
        assert_eq!(binding["spec"]["matchResources"]["namespaceSelector"], home, "{values}");
        let policy = find(&objects, "ValidatingAdmissionPolicy", name).unwrap();
        let spec = policy["spec"].to_string();
        let own = format!("'leases/{lease}', 'secrets/keyward-sealing', 'configmaps/keyward-sealing'");
        assert!(spec.contains(&own), "{values}: {own} in {spec}");
        assert_eq!(spec.contains(certificate), has_certificate, "{values}: {spec}");
    }
}
