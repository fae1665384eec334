//! Warnings: data with advice.

use crate::failure::program;

/// Something a person may not have meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Warning {
    /// No component of the app may open the label.
    LabelNotGranted { app: String, label: String },
    /// The rows of an SQLite store carry another label than the one its link has, so the app sees an empty store.
    RowsUnderAnotherLabel { store: String, label: String, rows_label: String },
    /// A new prompt: so many observations were made with the former one and will not be served any more.
    ObservationsStale { store: String, count: usize },
    /// A prompt that says nowhere where the sentence goes: the app uses its default prompt instead.
    NoPlaceholder { store: String },
    /// A Redis database holds keys that Spin could not list.
    KeysNotText { store: String, count: usize },
    /// A variable was given that the app does not have.
    UndeclaredVariable { name: String },
    /// A store's own notes could not be updated while unlinking it.
    NotNoted { reason: String },
}

impl Warning {
    /// What is the matter.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::LabelNotGranted { app, label } => {
                format!("no component of app \"{app}\" may open the label \"{label}\"")
            }
            Self::RowsUnderAnotherLabel { store, label, rows_label } => format!(
                "key value store \"{store}\" is linked with the label \"{label}\", but its entries are kept under \
                 \"{rows_label}\": the app does not see them"
            ),
            Self::ObservationsStale { store, count: 1 } => {
                format!("1 observation in \"{store}\" was made with the former prompt and is stale now")
            }
            Self::ObservationsStale { store, count } => {
                format!("{count} observations in \"{store}\" were made with the former prompt and are stale now")
            }
            Self::NoPlaceholder { store } => {
                format!("the prompt in \"{store}\" has no placeholder {{SENTENCE}}: the app will use its default prompt")
            }
            Self::KeysNotText { store, count } => {
                format!("{count} keys in \"{store}\" are not text or hold no string and were left out")
            }
            Self::UndeclaredVariable { name } => format!("the app has no variable \"{name}\""),
            Self::NotNoted { reason } => format!("the store could not be told: {reason}"),
        }
    }

    /// What can be done.
    pub(crate) fn advice(&self) -> Option<String> {
        let program = program();
        match self {
            Self::LabelNotGranted { label, .. } => {
                Some(format!("add \"{label}\" to a component's key_value_stores in spin.toml"))
            }
            Self::RowsUnderAnotherLabel { store, label, .. } => {
                Some(format!("`{program} link key-value {label} --store {store}` moves them"))
            }
            Self::ObservationsStale { store, .. } => Some(format!(
                "their sentences are inferred again when they are asked; `{program} kv export --store {store}` keeps a copy"
            )),
            Self::NoPlaceholder { .. } => Some("put {SENTENCE} where the sentence belongs".to_owned()),
            Self::UndeclaredVariable { .. } => Some("spin.toml lists those it has under [variables]".to_owned()),
            Self::KeysNotText { .. } | Self::NotNoted { .. } => None,
        }
    }
}
