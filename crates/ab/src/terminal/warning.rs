//! Warnings: data with advice.

use experiment::analysis::Notice;

use super::program;

/// Something a person may not have meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Warning {
    /// No component of the app may open the label.
    LabelNotGranted { app: String, label: String },
    /// The label means a store that the embedded runtime cannot reach.
    LinkNeedsSpin { label: String },
    /// The rows of an `SQLite` store carry another label than the one its link has, so the app sees an empty store.
    RowsUnderAnotherLabel { store: String, label: String, rows_label: String },
    /// A new prompt: so many observations were made with the former one and will not be served any more.
    ObservationsStale { store: String, count: usize },
    /// The prompt was deleted: the app uses its default prompt instead.
    NoPrompt { store: String },
    /// A prompt that says nowhere where the sentence goes: the app uses its default prompt instead.
    NoPlaceholder { store: String },
    /// A Redis database holds keys that Spin could not list.
    KeysNotText { store: String, count: usize },
    /// A variable was given that the app does not have.
    UndeclaredVariable { name: String },
    /// What endangers a conclusion from observations.
    Analysis(Notice),
    /// A request log tells of assignments to labels that the experiment does not have.
    AssignedElsewhere { log: String, count: u64 },
    /// Requests that went where their visitor had been assigned.
    AssignedByVisitor { count: u64 },
    /// The app would answer with its default prompt.
    DefaultPrompt { store: String, reason: String },
    /// The protocol has no place for a temperature other than the model server's own.
    TemperatureNotSent,
    /// A promoted variant that nothing proves to be the better one.
    NotProven { label: String, conclusion: String },
    /// The environment asks for telemetry, which this build does not have.
    #[cfg(not(feature = "telemetry"))]
    NoTelemetry { variable: &'static str },
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
            Self::LinkNeedsSpin { label } => {
                format!("the store now linked to the label \"{label}\" needs Spin")
            }
            Self::RowsUnderAnotherLabel { store, label, rows_label } => format!(
                "key value store \"{store}\" is linked with the label \"{label}\", but its entries are kept under \
                 \"{rows_label}\": the app does not see them"
            ),
            Self::ObservationsStale { store, count: 1 } => {
                format!("1 observation in \"{store}\" was made with the previous prompt and is now stale")
            }
            Self::ObservationsStale { store, count } => {
                format!(
                    "{count} observations in \"{store}\" were made with the previous prompt and are now stale"
                )
            }
            Self::NoPlaceholder { store } => {
                format!(
                    "the prompt in \"{store}\" has no placeholder {{SENTENCE}}: the app will use its default prompt"
                )
            }
            Self::NoPrompt { store } => {
                format!("\"{store}\" has no prompt: the app will use its default prompt")
            }
            Self::KeysNotText { store, count } => {
                format!(
                    "{count} keys in \"{store}\" were left out: they are not text, or their values are not strings"
                )
            }
            Self::UndeclaredVariable { name } => format!("the app has no variable \"{name}\""),
            Self::Analysis(notice) => notice.message.clone(),
            Self::AssignedByVisitor { count } => format!(
                "requests left out of the assignment check: {count}; they were assigned by visitor, and the log does not show how many visitors there were"
            ),
            Self::AssignedElsewhere { log, count: 1 } => {
                format!("1 assignment in {log} is to a label that is not in the experiment")
            }
            Self::AssignedElsewhere { log, count } => {
                format!("{count} assignments in {log} are to labels that are not in the experiment")
            }
            Self::DefaultPrompt { store, reason } => {
                format!("\"{store}\" is evaluated with the app's default prompt: {reason}")
            }
            Self::TemperatureNotSent => {
                "the protocol open_ai, as Spin speaks it, sends no temperature: the model uses its own"
                    .to_owned()
            }
            Self::NotProven { label, conclusion } => {
                format!("\"{label}\" is not known to be better. {conclusion}")
            }
            #[cfg(not(feature = "telemetry"))]
            Self::NoTelemetry { variable } => {
                format!("{variable} is set, but this build of the embedded runtime has no telemetry")
            }
            Self::NotNoted { reason } => format!("the store could not record its label: {reason}"),
        }
    }

    /// What can be done.
    pub(crate) fn advice(&self) -> Option<String> {
        let program = program();
        match self {
            Self::LabelNotGranted { label, .. } => {
                Some(format!("add \"{label}\" to a component's key_value_stores in spin.toml"))
            }
            Self::LinkNeedsSpin { .. } => {
                Some(format!("run the app with `spin up`; `{program} up` and `{program} kv` cannot reach it"))
            }
            Self::RowsUnderAnotherLabel { store, label, .. } => {
                Some(format!("`{program} link key-value {label} --store {store}` moves them"))
            }
            Self::ObservationsStale { store, .. } => Some(format!(
                "the model will be asked about their sentences again; `{program} kv export --store {store}` saves a copy of them"
            )),
            Self::NoPlaceholder { .. } => Some("put {SENTENCE} where the sentence belongs".to_owned()),
            Self::UndeclaredVariable { .. } => {
                Some("spin.toml lists its variables under [variables]".to_owned())
            }
            Self::Analysis(notice) => Some(notice.advice.to_owned()),
            Self::AssignedElsewhere { .. } => {
                Some("they are not counted; the log may be older than the experiment".to_owned())
            }
            Self::DefaultPrompt { store, .. } | Self::NoPrompt { store } => {
                Some(format!("`{program} kv set --store {store} prompt=@FILE` sets one"))
            }
            #[cfg(not(feature = "telemetry"))]
            Self::NoTelemetry { .. } => Some(
                "install one with `cargo install --path crates/ab --profile dist --features telemetry`, or unset the variable"
                    .to_owned(),
            ),
            Self::TemperatureNotSent => Some("set it to 0 in the model server's configuration".to_owned()),
            Self::NotProven { .. } => Some(format!("`{program} report` shows the numbers")),
            Self::KeysNotText { .. } | Self::NotNoted { .. } | Self::AssignedByVisitor { .. } => None,
        }
    }
}
