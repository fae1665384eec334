use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use e2e::artifacts::root;
use e2e::tool;
use serde_json::Value;

/// The objects of `deploy/`; `None` where `kubectl` is not installed.
pub(crate) fn rendered() -> Option<Vec<Value>> {
    Some(objects(&kubectl(&["kustomize", root().join("deploy").to_str().unwrap()])?))
}

/// The objects of a file in `deploy/`.
pub(crate) fn file(name: &str) -> Vec<Value> {
    objects(&text(name))
}

/// The text of a file in `deploy/`.
pub(crate) fn text(name: &str) -> String {
    let path = root().join("deploy").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The Deployment that Spin Operator makes of the app, as `internal/controller/spinapp_controller.go` of its version 0.6.1
/// does for an executor with a `spinImage`, patched with `hardening.yaml`; `None` where `kubectl` is not installed.
pub(crate) fn deployment(folder: &Path) -> Option<Value> {
    let made = folder.join("made.yaml");
    fs::write(&made, MADE_BY_THE_OPERATOR).unwrap();
    let patch = text("hardening.yaml");
    let patched = kubectl(&[
        "patch",
        "--local",
        "--output",
        "yaml",
        "--filename",
        made.to_str().unwrap(),
        "--patch",
        &patch,
    ])?;
    objects(&patched).pop()
}

const MADE_BY_THE_OPERATOR: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: { name: sentiment-analysis-ab-test, namespace: sentiment }
spec:
  selector:
    matchLabels: { core.spinkube.dev/app-name: sentiment-analysis-ab-test }
  template:
    metadata:
      labels: { core.spinkube.dev/app-name: sentiment-analysis-ab-test }
    spec:
      serviceAccountName: default
      containers:
        - name: sentiment-analysis-ab-test
          image: ghcr.io/spinframework/spin:v4.1.0
          args: [up, --listen, 0.0.0.0:80]
          env: [{ name: SPIN_HTTP_LISTEN_ADDR, value: 0.0.0.0:80 }]
          ports: [{ name: http-app, containerPort: 80 }]
          volumeMounts: [{ name: tmp, mountPath: /tmp }]
      volumes: [{ name: tmp, emptyDir: {} }]
";

pub(crate) fn objects(yaml: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"))
}

/// What `kubectl` prints. No configuration of this machine leads it to a cluster.
fn kubectl(arguments: &[&str]) -> Option<String> {
    let program = tool::find(&["kubectl"])?;
    let output = Command::new(program)
        .args(arguments)
        .env("KUBECONFIG", "/dev/null")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "kubectl {arguments:?}: {said}");
    Some(String::from_utf8(output.stdout).unwrap())
}
