//! What can be wrong with a manifest.

use std::path::PathBuf;

use crate::route::RouteError;
use crate::toml_file::{Place, SyntaxError};

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file cannot be read.
    #[error("cannot read the manifest {}: {source}", path.display())]
    Unreadable {
        /// The file, as it was given.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not TOML, a key that does not exist, a value of the wrong type.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// Something that Spin offers and this runtime does not.
    #[error("{place}: {what} needs Spin")]
    NeedsSpin {
        /// Where it is used.
        place: Place,
        /// What it is, with its value.
        what: String,
        /// What to write instead, where there is something.
        instead: Option<&'static str>,
    },
    /// A value that says nothing sensible.
    #[error("{place}: {what} is not valid: {reason}")]
    Invalid {
        /// Where it stands.
        place: Place,
        /// What it is, with its value.
        what: String,
        /// Which rule it breaks.
        reason: String,
    },
    /// A route that cannot be served.
    #[error("{place}: the route {route:?} is not valid: {source}")]
    Route {
        /// Where it stands.
        place: Place,
        /// The route, as it was written.
        route: String,
        /// Which rule it breaks.
        source: RouteError,
    },
    /// A trigger without its component.
    #[error("{place}: the route {route} leads to the component {component:?}, which does not exist")]
    UnknownComponent {
        /// Where the trigger stands.
        place: Place,
        /// The trigger's route.
        route: String,
        /// The name that no component has.
        component: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// Two components that want the same requests.
    #[error("{place}: the route {route:?} leads to the component {second:?} here and to {first:?} above")]
    DuplicateRoute {
        /// Where the second trigger stands.
        place: Place,
        /// The route, as it was written.
        route: String,
        /// The component of the first trigger.
        first: String,
        /// The component of the second trigger.
        second: String,
    },
}

impl ManifestError {
    /// What to do about it, where that can be said.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unreadable { source, .. } if source.kind() == std::io::ErrorKind::NotFound => Some(
                "a Spin app is a folder with a spin.toml: start from there, or name it with --from"
                    .to_owned(),
            ),
            Self::NeedsSpin { instead: Some(instead), .. } => Some((*instead).to_owned()),
            Self::NeedsSpin { .. } => Some("run this app with `spin up`, or do without".to_owned()),
            Self::UnknownComponent { component, known, .. } if known.is_empty() => {
                Some(format!("add [component.{component}]"))
            }
            Self::UnknownComponent { component, known, .. } => {
                Some(format!("add [component.{component}], or name one of {}", known.join(", ")))
            }
            Self::DuplicateRoute { .. } => Some("give each route to one component".to_owned()),
            Self::Syntax(_) | Self::Invalid { .. } | Self::Route { .. } => {
                Some("correct it as Spin's manifest reference describes".to_owned())
            }
            Self::Unreadable { .. } => None,
        }
    }
}

/// A label that a component opens and the runtime config does not define.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown key_value_stores label {label:?} for component {component:?}")]
pub struct UnknownLabel {
    /// The label.
    pub label: String,
    /// The component that lists it in `key_value_stores`.
    pub component: String,
}

/// Every label that is not defined, in the order of the manifest; never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct UnknownLabels(pub Vec<UnknownLabel>);

impl UnknownLabels {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let mut labels: Vec<_> = self.0.iter().map(|unknown| unknown.label.as_str()).collect();
        labels.sort_unstable();
        labels.dedup();
        let tables: Vec<_> = labels.iter().map(|label| format!("[key_value_store.{label}]")).collect();
        Some(format!("define {} in the runtime config", tables.join(" and ")))
    }
}
