//! The manifests are what Kubernetes and Spin Operator accept, keep to the strictest profile, and fit the app.

use std::path::Path;

use e2e::artifacts::root;
use serde_json::{Value, json};
use spin_app::{Manifest, RuntimeConfig, StoreAddress};

use crate::rendered::{deployment, file, rendered, text};
use crate::schemas::{Schemas, VERSIONS};

const APP: &str = "sentiment-analysis-ab-test";

/// All that is applied, and what becomes of it; `None` where `kubectl` is not installed.
fn all() -> Option<Vec<Value>> {
    let mut objects = rendered()?;
    objects.extend(file("namespace.yaml"));
    objects.push(deployment(tempfile::tempdir().unwrap().path())?);
    Some(objects)
}

fn one<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let found = objects.iter().find(|object| object["kind"] == kind && object["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("no {kind} {name}"))
}

#[test]
fn kubernetes_and_spin_operator_accept_what_is_rendered() {
    let Some(objects) = all() else { return };
    assert!(objects.len() > 10, "{objects:#?}");
    for version in VERSIONS {
        let schemas = Schemas::of(version);
        for object in &objects {
            let (kind, name) = (&object["kind"], &object["metadata"]["name"]);
            assert_eq!(schemas.faults(object), Vec::<String>::new(), "{kind} {name}, Kubernetes {version}");
        }
    }
    let is_inside =
        |object: &Value| object["metadata"]["namespace"] == "sentiment" || object["kind"] == "Namespace";
    assert!(objects.iter().all(is_inside), "{objects:#?}");
}

#[test]
fn a_broken_manifest_is_found() {
    let Some(objects) = all() else { return };
    for (kind, name, place, value, fault) in [
        ("SpinApp", APP, "/spec/image", Value::Null, "\"image\" is required"),
        ("SpinApp", APP, "/spec/replica", json!(2), "replica: there is no such field"),
        ("SpinApp", APP, "/spec/checks/readiness/httpGet/port", json!(80), "port: there is no such field"),
        ("SpinApp", APP, "/spec/securityContext", json!({}), "securityContext: there is no such field"),
        ("SpinApp", APP, "/spec/resources/limits/memory", json!(true), "/spec/resources/limits/memory: "),
        ("SpinApp", APP, "/spec/variables/0/name", Value::Null, "\"name\" is required"),
        ("SpinApp", APP, "/metadata/name", json!("Not a name"), "has no name, or one that is none"),
        (
            "SpinApp",
            APP,
            "/apiVersion",
            json!("core.spinoperator.dev/v1alpha1"),
            "there is no \"SpinApp\" in ",
        ),
        ("SpinApp", APP, "/apiVersion", json!("core.spinkube.dev/v1"), "there is no \"SpinApp\" in "),
        ("SpinAppExecutor", "spin-4-1", "/spec/createDeployment", json!("yes"), "/spec/createDeployment: "),
        (
            "StatefulSet",
            "redis",
            "/spec/template/spec/containers/0/ports/0/containerPort",
            json!("x"),
            "containerPort: ",
        ),
        (
            "StatefulSet",
            "redis",
            "/spec/template/spec/containers/0/livenesProbe",
            json!({}),
            "livenesProbe: there is no such field",
        ),
        (
            "StatefulSet",
            "redis",
            "/spec/serviceNames",
            json!("redis"),
            "serviceNames: there is no such field",
        ),
        ("Deployment", APP, "/spec/template/spec/securityContext/runAsUser", json!("root"), "/runAsUser: "),
        ("Deployment", APP, "/spec/selector", Value::Null, "\"selector\" is required"),
        ("NetworkPolicy", "app", "/spec/egress/0/ports/0/port", json!([6379]), "/port: "),
        ("NetworkPolicy", "app", "/spec/egres", json!([]), "egres: there is no such field"),
        ("PodDisruptionBudget", APP, "/spec/minAvailabel", json!(1), "minAvailabel: there is no such field"),
        ("HorizontalPodAutoscaler", APP, "/spec/maxReplicas", json!("eight"), "/spec/maxReplicas: "),
        ("HorizontalPodAutoscaler", APP, "/apiVersion", json!("autoscaling/v2beta2"), "there is no "),
        ("Service", "redis", "/spec/ports/0/targetport", json!(1), "targetport: there is no such field"),
        ("Namespace", "sentiment", "/metadata/labels", json!([]), "/metadata/labels: "),
    ] {
        let mut broken = one(&objects, kind, name).clone();
        set(&mut broken, place, value);
        for version in VERSIONS {
            let faults = Schemas::of(version).faults(&broken);
            assert!(faults.iter().any(|found| found.contains(fault)), "{place}: {faults:?}");
        }
    }
}

/// Puts a value where a JSON pointer leads, or removes what is there; its last part need not exist.
fn set(object: &mut Value, place: &str, value: Value) {
    let (parent, key) = place.rsplit_once('/').unwrap();
    let parent = object.pointer_mut(parent).unwrap_or_else(|| panic!("no {parent}")).as_object_mut().unwrap();
    if value.is_null() {
        parent.remove(key).unwrap_or_else(|| panic!("no {place}"));
    } else {
        parent.insert(key.to_owned(), value);
    }
}

/// What the profile `restricted` of Kubernetes' pod security asks of a pod, and a file system that nobody writes to.
fn weaknesses(pod: &Value) -> Vec<&'static str> {
    let security = &pod["securityContext"];
    let mut weak = Vec::new();
    let mut check = |is_so: bool, what| {
        if !is_so {
            weak.push(what);
        }
    };
    check(
        security["runAsNonRoot"] == true && security["runAsUser"].as_u64().is_some_and(|user| user > 0),
        "root",
    );
    check(security["seccompProfile"]["type"] == "RuntimeDefault", "seccomp");
    check(pod["automountServiceAccountToken"] == false, "token");
    let containers = pod["containers"].as_array().unwrap();
    check(!containers.is_empty(), "containers");
    for container in containers {
        let security = &container["securityContext"];
        check(security["allowPrivilegeEscalation"] == false, "escalation");
        check(security["readOnlyRootFilesystem"] == true, "writable");
        check(security["capabilities"] == json!({ "drop": ["ALL"] }), "capabilities");
    }
    weak
}

#[test]
fn every_pod_keeps_to_the_profile_that_its_namespace_enforces() {
    let Some(objects) = all() else { return };
    let enforced =
        &one(&objects, "Namespace", "sentiment")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"];
    assert_eq!(enforced, "restricted");
    let pods: Vec<_> = objects
        .iter()
        .map(|object| &object["spec"]["template"]["spec"])
        .filter(|it| it.is_object())
        .collect();
    assert_eq!(pods.len(), 2, "Redis and the app: {objects:#?}");
    for pod in pods {
        assert_eq!(weaknesses(pod), Vec::<&str>::new(), "{pod:#}");
        assert_eq!(weaknesses(&json!({ "containers": pod["containers"] })), ["root", "seccomp", "token"]);
    }
    let app = &one(&objects, "Deployment", APP)["spec"]["template"]["spec"];
    // An inference ends before its replica does.
    let serves_on = app["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"].as_u64().unwrap();
    let timeout: u64 = manifest().variables["model_timeout"].default.as_deref().unwrap().parse().unwrap();
    assert!(serves_on > timeout && app["terminationGracePeriodSeconds"].as_u64().unwrap() > serves_on);
}

#[test]
fn every_container_says_what_it_needs_and_how_it_is_probed() {
    let Some(objects) = all() else { return };
    let app = &one(&objects, "SpinApp", APP)["spec"];
    let redis = &one(&objects, "StatefulSet", "redis")["spec"]["template"]["spec"]["containers"][0];
    for resources in [&app["resources"], &redis["resources"]] {
        for place in ["/requests/cpu", "/requests/memory", "/limits/memory"] {
            assert!(resources.pointer(place).is_some(), "{place}: {resources}");
        }
    }
    for probe in [
        &app["checks"]["readiness"],
        &app["checks"]["liveness"],
        &redis["readinessProbe"],
        &redis["livenessProbe"],
    ] {
        assert!(probe.is_object(), "{probe}");
    }
    let command = redis["command"][2].as_str().unwrap();
    for option in
        ["--maxmemory 512mb", "--maxmemory-policy noeviction", "--appendonly yes", "--appendfsync everysec"]
    {
        assert!(command.contains(option), "{command}");
    }
    // A copy of every page that changes while the file is rewritten.
    assert_eq!(redis["resources"]["limits"]["memory"], "1Gi");
    let claim = &one(&objects, "StatefulSet", "redis")["spec"]["volumeClaimTemplates"][0];
    assert_eq!(claim["metadata"]["name"], redis["volumeMounts"][0]["name"]);
}

#[test]
fn the_number_of_replicas_is_the_autoscalers() {
    let Some(objects) = all() else { return };
    let app = &one(&objects, "SpinApp", APP)["spec"];
    // Spin Operator's admission refuses both together.
    assert!(app["enableAutoscaling"] == true && app["replicas"].is_null(), "{app:#}");
    let scaler = &one(&objects, "HorizontalPodAutoscaler", APP)["spec"];
    assert_eq!(
        scaler["scaleTargetRef"],
        json!({ "apiVersion": "apps/v1", "kind": "Deployment", "name": APP })
    );
    assert!(scaler["minReplicas"].as_u64() >= Some(2) && scaler["metrics"][0]["resource"]["name"] == "cpu");
    let budget = &one(&objects, "PodDisruptionBudget", APP)["spec"];
    let labels = &one(&objects, "Deployment", APP)["spec"]["template"]["metadata"]["labels"];
    assert_eq!(&budget["selector"]["matchLabels"], labels);
}

#[test]
fn nothing_is_reachable_unless_it_is_named() {
    let Some(objects) = all() else { return };
    let policy = |name| &one(&objects, "NetworkPolicy", name)["spec"];
    assert_eq!(
        *policy("nothing-by-default"),
        json!({ "podSelector": {}, "policyTypes": ["Ingress", "Egress"] })
    );
    let app = json!({ "podSelector": { "matchLabels": { "core.spinkube.dev/app-name": APP } } });
    let redis = json!({ "podSelector": { "matchLabels": { "app.kubernetes.io/name": "redis" } } });
    assert_eq!(policy("redis")["ingress"], json!([{ "from": [app], "ports": [{ "port": "redis" }] }]));
    assert_eq!(policy("redis")["egress"], Value::Null);
    assert_eq!(policy("app")["egress"][0], json!({ "to": [redis], "ports": [{ "port": 6379 }] }));
    // An empty list of peers or of ports would be everybody and everything.
    for object in objects.iter().filter(|object| object["kind"] == "NetworkPolicy") {
        let rules =
            ["/spec/ingress", "/spec/egress"].map(|place| object.pointer(place).and_then(Value::as_array));
        for rule in rules.into_iter().flatten().flatten() {
            let peers = rule["from"].as_array().or(rule["to"].as_array());
            assert!(peers.is_some_and(|peers| !peers.is_empty()), "{object:#}");
            assert!(rule["ports"].as_array().is_some_and(|ports| !ports.is_empty()), "{object:#}");
        }
    }
}

fn manifest() -> Manifest {
    Manifest::load(&root().join("spin.toml")).unwrap()
}

#[test]
fn the_links_are_those_that_the_app_opens_each_to_a_database_of_its_own() {
    let config =
        RuntimeConfig::parse(text("runtime-config.toml"), Path::new("deploy/runtime-config.toml")).unwrap();
    config.check_labels(&manifest()).unwrap();
    assert!(config.beyond.is_empty(), "{:?}", config.beyond);
    let databases: Vec<_> = config
        .links
        .values()
        .map(|address| match address {
            StoreAddress::Redis(url) => url.strip_prefix("redis://:REDIS_PASSWORD@redis:6379/").unwrap(),
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(databases.len(), 3);
    for (index, database) in databases.iter().enumerate() {
        assert!(
            !databases[..index].contains(database) && database.parse::<u8>().unwrap() < 3,
            "{databases:?}"
        );
    }
    let Some(objects) = all() else { return };
    let redis = &one(&objects, "StatefulSet", "redis")["spec"]["template"]["spec"]["containers"][0];
    assert!(redis["command"][2].as_str().unwrap().contains("--databases 16 "));
    // The model that they name is one that the app may reach.
    let url = config.llm.unwrap().url;
    let rest = url.strip_prefix("http://").unwrap();
    let (host, port) = rest.split_once(':').unwrap();
    let namespace = host.split('.').nth(1).unwrap();
    let rule = &one(&objects, "NetworkPolicy", "app")["spec"]["egress"][1];
    assert_eq!(rule["to"][0]["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"], namespace);
    assert_eq!(rule["ports"][0]["port"].to_string(), port);
}

#[test]
fn the_app_gets_variables_that_it_has_and_secrets_only_by_reference() {
    let Some(objects) = all() else { return };
    let manifest = manifest();
    let app = &one(&objects, "SpinApp", APP)["spec"];
    for variable in app["variables"].as_array().unwrap() {
        let name = variable["name"].as_str().unwrap();
        assert!(manifest.variables.contains_key(name), "the app has no variable {name}");
        let is_secret = ["password", "token"].iter().any(|word| name.contains(word));
        assert_eq!(is_secret, variable["value"].is_null() && name != "kv_explorer_user", "{variable}");
    }
    let password =
        &one(&objects, "StatefulSet", "redis")["spec"]["template"]["spec"]["containers"][0]["env"][0];
    assert_eq!(password["valueFrom"]["secretKeyRef"]["key"], "redis-password");
    assert!(objects.iter().all(|object| object["kind"] != "Secret"));
    // README.md makes the Secrets that are named here.
    let readme = text("README.md");
    for secret in [&app["runtimeConfig"]["loadFromSecret"], &password["valueFrom"]["secretKeyRef"]["name"]] {
        assert!(readme.contains(&format!("secret generic {}", secret.as_str().unwrap())), "{secret}");
    }
}
