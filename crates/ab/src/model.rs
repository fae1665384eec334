//! The model that answers: the app's, or another one.

use std::time::Duration;

use host::models::{Completion, Inference, ModelClient, ModelError};
use sentiment::MAX_TOKENS;
use serde::Serialize;
use spin_app::runtime_config::{ApiType, LlmConfig};

use crate::prepare::offline;
use crate::results::live;
use crate::terminal::{Printer, Warning, failure};
use crate::workspace::Workspace;

/// The parameters that the component `inference` uses where the app says nothing: those of Spin's SDK.
const REPEAT_PENALTY: f32 = 1.1;
const REPEAT_PENALTY_LAST_N_TOKEN_COUNT: u32 = 64;
const TOP_K: u32 = 40;
const TOP_P: f32 = 0.9;

/// What differs from the app's own model.
#[derive(Debug, Clone, Default)]
pub(crate) struct Choice {
    pub(crate) model: Option<String>,
    /// The address of its server. The token that the configuration has for another address does not go there.
    pub(crate) url: Option<String>,
    pub(crate) api: Option<ApiType>,
    pub(crate) token: Option<String>,
    pub(crate) temperature: Option<f32>,
    /// How long one answer may take.
    pub(crate) limit: Duration,
}

/// A model, ready to be asked.
#[derive(Debug, Serialize)]
pub(super) struct Model {
    pub(super) name: String,
    /// The address of its server, without a password.
    pub(super) url: String,
    pub(super) api: &'static str,
    pub(super) temperature: f32,
    pub(super) max_tokens: u32,
    /// What is to be known of it.
    pub(super) note: Option<String>,
    #[serde(skip)]
    client: ModelClient,
}

impl Model {
    /// Finds the model and, where the configuration means the offline one, starts it.
    ///
    /// # Errors
    ///
    /// Nothing says which model, or where; or its address or token cannot be used.
    pub(super) fn find(choice: &Choice, workspace: &Workspace, printer: Printer) -> anyhow::Result<Self> {
        let config = config(choice, workspace)?;
        let name = choice.model.clone().map_or_else(|| live::model(workspace), Ok)?;
        let api = match config.api {
            ApiType::Default => "default",
            ApiType::OpenAi => "open_ai",
        };
        let temperature = match choice.temperature {
            Some(temperature) => temperature,
            None => temperature_of_app(workspace)?,
        };
        if choice.temperature.is_some() && config.api == ApiType::OpenAi {
            printer.warn(&Warning::TemperatureNotSent);
        }
        let client = ModelClient::new(&config, choice.limit)?;
        let offline = offline::ensure(&config)?;
        Ok(Self {
            name,
            url: spin_app::without_password(&config.url),
            api,
            temperature,
            max_tokens: MAX_TOKENS,
            note: offline.then(|| offline_model::DESCRIPTION.to_owned()),
            client,
        })
    }

    /// Completes a rendered prompt, with the parameters that the app uses.
    ///
    /// # Errors
    ///
    /// The model gives no answer.
    pub(super) async fn complete(&self, prompt: String) -> Result<Completion, ModelError> {
        let inference = Inference {
            model: self.name.clone(),
            prompt,
            max_tokens: self.max_tokens,
            repeat_penalty: REPEAT_PENALTY,
            repeat_penalty_last_n_token_count: REPEAT_PENALTY_LAST_N_TOKEN_COUNT,
            temperature: self.temperature,
            top_k: TOP_K,
            top_p: TOP_P,
        };
        self.client.infer(inference).await
    }

    /// How messages call it.
    pub(super) fn shown(&self) -> String {
        let note = self.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
        format!("{} at {}{note}", self.name, self.url)
    }
}

fn config(choice: &Choice, workspace: &Workspace) -> anyhow::Result<LlmConfig> {
    if let Some(url) = &choice.url {
        let auth_token = choice.token.clone().unwrap_or_default();
        return Ok(LlmConfig { url: url.clone(), auth_token, api: choice.api.unwrap_or_default() });
    }
    let config = &workspace.config;
    let Some(mut llm) = config.llm.clone() else {
        if let Some(fault) = config.beyond.iter().find(|fault| fault.message.starts_with("[llm_compute]")) {
            return Err(failure(fault.to_string()).hint("name a model's server with --url").into());
        }
        return Err(failure(format!("{} names no model: it has no [llm_compute]", config.path.display()))
            .hint("name a model's server with --url, or add [llm_compute] with type = \"remote_http\"")
            .into());
    };
    llm.api = choice.api.unwrap_or(llm.api);
    if let Some(token) = &choice.token {
        llm.auth_token.clone_from(token);
    }
    Ok(llm)
}

/// The variable `temperature` of the app; 0 in an app without it, as an evaluation wants no other noise.
fn temperature_of_app(workspace: &Workspace) -> anyhow::Result<f32> {
    let Some(text) = workspace.variable("temperature") else { return Ok(0.0) };
    text.trim().parse().ok().filter(|temperature| (0.0..=2.0).contains(temperature)).ok_or_else(|| {
        failure(format!("the app's variable \"temperature\" is {text:?}, not a number from 0 to 2"))
            .hint("set it in spin.toml, or give --temperature")
            .into()
    })
}
