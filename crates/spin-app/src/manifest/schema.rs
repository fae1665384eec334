//! The keys of `spin.toml`, version 2, as Spin 4.1 takes them.
//!
//! A key of type [`Beyond`] is one that the embedded runtime does not support: it is read so that it can be named. A key
//! that starts with `_` says nothing that is needed here.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use toml::Spanned;

use crate::toml_file::{Entries, TextOr};

/// A key that needs Spin, unless it is empty.
pub(super) type Beyond = Option<Spanned<toml::Value>>;

/// Only the version, so that another version's file is not reported as one with unknown keys.
#[derive(Deserialize)]
pub(super) struct VersionProbe {
    #[serde(alias = "spin_version")]
    pub(super) spin_manifest_version: Spanned<toml::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct App {
    #[serde(rename = "spin_manifest_version")]
    _version: IgnoredAny,
    pub(super) application: Application,
    #[serde(default)]
    pub(super) variables: Entries<Variable>,
    #[serde(default)]
    pub(super) trigger: Triggers,
    #[serde(default)]
    pub(super) component: Entries<Component>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Application {
    pub(super) name: String,
    #[serde(default)]
    pub(super) version: String,
    #[serde(default, rename = "description")]
    _description: IgnoredAny,
    #[serde(default, rename = "authors")]
    _authors: IgnoredAny,
    pub(super) targets: Beyond,
    #[serde(default)]
    pub(super) trigger: ApplicationTriggers,
    #[serde(default, rename = "tool")]
    _tool: IgnoredAny,
}

/// `[application.trigger.TYPE]`.
#[derive(Default, Deserialize)]
pub(super) struct ApplicationTriggers {
    pub(super) http: Option<ApplicationHttp>,
    // Settings of other triggers say nothing unless such a trigger exists, and that is beyond the embedded runtime.
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApplicationHttp {
    pub(super) base: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Variable {
    #[serde(default, rename = "description")]
    _description: IgnoredAny,
    #[serde(default)]
    pub(super) required: bool,
    pub(super) default: Option<String>,
    #[serde(default, rename = "secret")]
    _secret: IgnoredAny,
}

/// `[[trigger.http]]`, and all other kinds of trigger by their kind.
#[derive(Default)]
pub(super) struct Triggers {
    pub(super) http: Vec<Spanned<HttpTrigger>>,
    pub(super) others: Vec<(Spanned<String>, Vec<OtherTrigger>)>,
}

impl<'de> Deserialize<'de> for Triggers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TriggersVisitor;

        impl<'de> Visitor<'de> for TriggersVisitor {
            type Value = Triggers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("triggers by their kind, as in [[trigger.http]]")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Triggers, A::Error> {
                let mut triggers = Triggers::default();
                while let Some(kind) = map.next_key::<Spanned<String>>()? {
                    if kind.get_ref() == "http" {
                        triggers.http = map.next_value()?;
                    } else {
                        triggers.others.push((kind, map.next_value()?));
                    }
                }
                Ok(triggers)
            }
        }
        deserializer.deserialize_map(TriggersVisitor)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HttpTrigger {
    #[serde(default)]
    pub(super) id: String,
    pub(super) component: Option<TextOr<Box<Component>>>,
    pub(super) route: TextOr<PrivateRoute>,
    pub(super) executor: Option<Spanned<Executor>>,
    pub(super) components: Beyond,
    pub(super) dependencies: Beyond,
    pub(super) static_response: Beyond,
}

/// What a trigger of any kind has. The rest is for the program that runs such triggers.
#[derive(Deserialize)]
pub(super) struct OtherTrigger {
    #[serde(default)]
    pub(super) id: String,
    pub(super) component: Option<TextOr<Box<Component>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PrivateRoute {
    pub(super) private: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Executor {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(rename = "argv")]
    _argv: Option<IgnoredAny>,
    #[serde(rename = "entrypoint")]
    _entrypoint: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Component {
    pub(super) source: Spanned<TextOr<RemoteSource>>,
    #[serde(default, rename = "description")]
    _description: IgnoredAny,
    #[serde(default)]
    pub(super) variables: Entries<String>,
    #[serde(default)]
    pub(super) environment: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) files: Vec<TextOr<Placement>>,
    #[serde(default)]
    pub(super) exclude_files: Vec<String>,
    pub(super) allowed_http_hosts: Beyond,
    #[serde(default)]
    pub(super) allowed_outbound_hosts: Vec<String>,
    #[serde(default)]
    pub(super) key_value_stores: Vec<Spanned<String>>,
    pub(super) sqlite_databases: Beyond,
    #[serde(default)]
    pub(super) ai_models: Vec<String>,
    pub(super) targets: Beyond,
    pub(super) build: Option<Build>,
    #[serde(default, rename = "tool")]
    _tool: IgnoredAny,
    pub(super) dependencies_inherit_configuration: Beyond,
    pub(super) dependencies: Beyond,
    pub(super) profile: Beyond,
}

/// `source = { url, digest }` or `source = { registry, package, version }`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RemoteSource {
    pub(super) url: Option<String>,
    #[serde(rename = "digest")]
    _digest: Option<IgnoredAny>,
    #[serde(rename = "registry")]
    _registry: Option<IgnoredAny>,
    #[serde(rename = "package")]
    _package: Option<IgnoredAny>,
    #[serde(rename = "version")]
    _version: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Placement {
    pub(super) source: String,
    pub(super) destination: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Build {
    pub(super) command: TextOr<Vec<String>>,
    pub(super) workdir: Option<String>,
    #[serde(default, rename = "watch")]
    _watch: IgnoredAny,
}
