//! The model that answers, asked as the app asks it: the app's own, or another one.

mod no_answer;
pub(crate) mod server;

use std::time::Duration;

use api::{Misconfigured, settings};
use chat::{Dialect, Parameter, Question, Server};
use host::models::{Completion, Inference, ModelClient};
use sentiment::MAX_TOKENS;
use serde::Serialize;
use serde_json::{Map, Value};
use spin_app::Manifest;
use spin_app::runtime_config::{ApiType, LlmConfig};
use spin_app::variables::Providers;

pub(crate) use self::no_answer::NoAnswer;
use self::server::ModelServer;
use crate::prepare::offline;
use crate::results::live;
use crate::terminal::{Printer, Warning, failure};
use crate::workspace::Workspace;

/// The parameters that the component `inference` uses where the app says nothing: those of Spin's SDK.
const REPEAT_PENALTY: f32 = 1.1;
const REPEAT_PENALTY_LAST_N_TOKEN_COUNT: u32 = 64;
const TOP_K: u32 = 40;
const TOP_P: f32 = 0.9;

/// How messages call the protocol of a server that is asked directly.
const DIRECT: &str = "OpenAI's chat protocol";

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
pub(crate) struct Model {
    pub(crate) name: String,
    /// The address of its server, without a password.
    pub(crate) url: String,
    pub(crate) api: &'static str,
    pub(crate) temperature: f32,
    pub(crate) max_tokens: u32,
    /// What is to be known of it.
    pub(crate) note: Option<String>,
    #[serde(skip)]
    way: Way,
}

/// How the model is reached.
#[derive(Debug)]
enum Way {
    /// Directly, by the variable `model_server`.
    Server(Box<ModelServer>),
    /// As Spin's model interface reaches it.
    Interface { client: ModelClient, api: ApiType },
}

impl Model {
    /// Finds the model and, where the configuration means the offline one, starts it.
    ///
    /// # Errors
    ///
    /// Nothing says which model, or where; or its address or token cannot be used.
    pub(crate) fn find(choice: &Choice, workspace: &Workspace, printer: Printer) -> anyhow::Result<Self> {
        let name = choice.model.clone().map_or_else(|| live::model(workspace), Ok)?;
        let own = choice.url.is_none() && choice.api.is_none();
        let token = choice.token.as_deref();
        let server =
            if own { server::configured(&workspace.app, &workspace.variables, token)? } else { None };
        let (url, api, note, way) = if let Some(server) = server {
            let url = server.address().to_owned();
            (url, "chat", None, Way::Server(Box::new(ModelServer::new(server, choice.limit))))
        } else {
            let config = config(choice, workspace)?;
            let api = match config.api {
                ApiType::Default => "default",
                ApiType::OpenAi => "open_ai",
            };
            if choice.temperature.is_some() && config.api == ApiType::OpenAi {
                printer.warn(&Warning::TemperatureNotSent);
            }
            let client = ModelClient::new(&config, choice.limit)?;
            let note = offline::ensure(&config)?.then(|| offline_model::DESCRIPTION.to_owned());
            let way = Way::Interface { client, api: config.api };
            (spin_app::without_password(&config.url), api, note, way)
        };
        offline::check_name(&name, note.is_some())?;
        let temperature = match choice.temperature {
            Some(temperature) => temperature,
            // Without the variable, no noise is wanted.
            None => setting(workspace, "temperature", 0.0, settings::temperature)?,
        };
        let max_tokens = setting(workspace, "max_tokens", MAX_TOKENS, settings::max_tokens)?;
        Ok(Self { name, url, api, temperature, max_tokens, note, way })
    }

    /// Completes a rendered prompt, with the parameters that the app uses.
    ///
    /// # Errors
    ///
    /// The model gives no answer.
    pub(crate) async fn complete(&self, prompt: &str) -> Result<Completion, NoAnswer> {
        match &self.way {
            Way::Server(server) => {
                let Self { name: model, max_tokens, temperature, .. } = self;
                let (max_tokens, temperature) = (*max_tokens, *temperature);
                let question =
                    Question { model, prompt, max_tokens, temperature, seed: Some(Question::SEED) };
                let completion = server.ask(&question).await?;
                let chat::Completion { text, prompt_tokens, generated_tokens, .. } = completion;
                Ok(Completion { text, prompt_tokens, generated_tokens })
            }
            Way::Interface { client, .. } => {
                let inference = Inference {
                    model: self.name.clone(),
                    prompt: prompt.to_owned(),
                    max_tokens: self.max_tokens,
                    repeat_penalty: REPEAT_PENALTY,
                    repeat_penalty_last_n_token_count: REPEAT_PENALTY_LAST_N_TOKEN_COUNT,
                    temperature: self.temperature,
                    top_k: TOP_K,
                    top_p: TOP_P,
                };
                Ok(client.infer(inference).await?)
            }
        }
    }

    /// The parameters that its last answer was asked with, by their names in the protocol. Nothing before there is one: what a model
    /// server takes shows only then.
    pub(crate) fn sent(&self) -> Map<String, Value> {
        let Self { max_tokens, temperature, .. } = self;
        let sent: Vec<(&str, Value)> = match &self.way {
            Way::Server(server) => {
                let value = |parameter| match parameter {
                    Parameter::MaxTokens | Parameter::MaxCompletionTokens => number(max_tokens),
                    Parameter::Temperature => number(temperature),
                    Parameter::Seed => number(&Question::SEED),
                };
                let parameters = server.dialect().into_iter().flat_map(Dialect::parameters);
                parameters.map(|parameter| (parameter.name(), value(parameter))).collect()
            }
            Way::Interface { api: ApiType::OpenAi, .. } => vec![
                ("max_completion_tokens", number(max_tokens)),
                ("frequency_penalty", number(&REPEAT_PENALTY)),
            ],
            Way::Interface { api: ApiType::Default, .. } => vec![
                ("maxTokens", number(max_tokens)),
                ("repeatPenalty", number(&REPEAT_PENALTY)),
                ("repeatPenaltyLastNTokenCount", number(&REPEAT_PENALTY_LAST_N_TOKEN_COUNT)),
                ("temperature", number(temperature)),
                ("topK", number(&TOP_K)),
                ("topP", number(&TOP_P)),
            ],
        };
        sent.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// How messages call the protocol.
    pub(crate) const fn protocol(&self) -> &'static str {
        match &self.way {
            Way::Server(_) => DIRECT,
            Way::Interface { api, .. } => interface(*api),
        }
    }

    /// The server that is asked directly, if it is.
    pub(crate) fn server(&self) -> Option<&ModelServer> {
        match &self.way {
            Way::Server(server) => Some(server),
            Way::Interface { .. } => None,
        }
    }

    /// How messages call it.
    pub(crate) fn shown(&self) -> String {
        let note = self.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
        format!("{} at {}{note}", self.name, self.url)
    }
}

/// Which model the app will ask, where, and how, in a line; `None` where nothing says.
pub(crate) fn summary(
    app: &Manifest,
    variables: &Providers,
    server: Option<&Server>,
    llm: Option<&LlmConfig>,
) -> Option<String> {
    let name = variables.value(app, "model").unwrap_or_default();
    let (url, protocol) = match (server, llm) {
        (Some(server), _) => (server.address().to_owned(), DIRECT),
        (None, Some(llm)) => (spin_app::without_password(&llm.url), interface(llm.api)),
        (None, None) => return None,
    };
    Some(format!("{} at {url} in {protocol}", name.trim()))
}

/// How messages call a protocol of Spin's model interface.
const fn interface(api: ApiType) -> &'static str {
    match api {
        ApiType::Default => "Spin's own protocol",
        ApiType::OpenAi => "OpenAI's protocol as Spin speaks it",
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

/// The setting in a variable of the app, or `absent` in an app without it.
pub(crate) fn setting<T>(
    workspace: &Workspace,
    name: &str,
    absent: T,
    parse: fn(&str) -> Result<T, Misconfigured>,
) -> anyhow::Result<T> {
    let Some(text) = workspace.variable(name) else { return Ok(absent) };
    Ok(parse(&text).map_err(|error| failure(error.to_string()))?)
}

/// A number as it is sent, which as another type might have more digits.
fn number(number: &impl ToString) -> Value {
    serde_json::from_str(&number.to_string()).unwrap_or_default()
}
