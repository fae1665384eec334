use std::fs;

use e2e::artifacts::root;
use serde_json::{Value, json};

use crate::rendered::objects;
use crate::schema::Schema;

/// The oldest Kubernetes for which the manifests are written, and the newest that was known then.
pub(crate) const VERSIONS: [&str; 2] = ["1.30.0", "1.37.0"];

/// The kinds of one version of Kubernetes, and those that Spin Operator adds.
pub(crate) struct Schemas {
    /// Kubernetes' definitions, by their full names.
    definitions: Value,
    /// Spin Operator's resource definitions.
    added: Vec<Value>,
}

impl Schemas {
    pub(crate) fn of(version: &str) -> Self {
        let definitions = serde_json::from_str(&vendored(&format!("kubernetes/v{version}.json"))).unwrap();
        let added = ["spinapps", "spinappexecutors"].map(|plural| {
            let definition = vendored(&format!("spin-operator/core.spinkube.dev_{plural}.yaml"));
            objects(&definition).pop().unwrap()
        });
        Self { definitions, added: added.into() }
    }

    /// What the API server would refuse about `object`, each with its place; unknown fields as well, which it would
    /// only warn of.
    pub(crate) fn faults(&self, object: &Value) -> Vec<String> {
        let (version, kind) = (&object["apiVersion"], &object["kind"]);
        let Some(schema) = self.kind(version.as_str().unwrap_or(""), kind.as_str().unwrap_or("")) else {
            return vec![format!("there is no {kind} in {version}")];
        };
        let mut faults = schema.faults(object);
        if object["metadata"]["name"].as_str().is_none_or(|name| !is_name(name)) {
            faults.push(format!("{kind} has no name, or one that is none"));
        }
        faults
    }

    fn kind(&self, api_version: &str, kind: &str) -> Option<Schema> {
        let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
        let added =
            self.added.iter().find(|it| it["spec"]["group"] == group && it["spec"]["names"]["kind"] == kind);
        let schema = if let Some(definition) = added {
            let versions = definition["spec"]["versions"].as_array().unwrap();
            let mut schema =
                versions.iter().find(|it| it["name"] == version)?["schema"]["openAPIV3Schema"].clone();
            // What the API server knows by itself.
            schema["properties"]["metadata"] = json!({ "type": "object" });
            schema
        } else {
            let id = json!({ "group": group, "kind": kind, "version": version });
            let definitions = self.definitions["$defs"].as_object().unwrap();
            let is_kind = |it: &Value| {
                it["x-kubernetes-group-version-kind"].as_array().is_some_and(|ids| ids.contains(&id))
            };
            let (name, _) = definitions.iter().find(|(_, definition)| is_kind(definition))?;
            json!({ "$defs": definitions, "$ref": format!("#/$defs/{name}") })
        };
        Some(Schema::new(schema))
    }
}

/// What the name of most objects may be: a label of DNS.
fn is_name(name: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    !name.is_empty() && name.chars().all(is_allowed) && !name.starts_with('-') && !name.ends_with('-')
}

fn vendored(path: &str) -> String {
    fs::read_to_string(root().join("crates/e2e/vendor").join(path)).unwrap()
}
