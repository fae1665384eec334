//! `fermyon:spin/llm@2`. The interface is synchronous: the calling instance waits, its neighbours do not.

use crate::given::grants::NoModel;
use crate::given::models::Inference;
use crate::instances::bindings::fermyon::spin::llm::{
    EmbeddingsResult, EmbeddingsUsage, Error, Host, InferencingParams, InferencingResult, InferencingUsage,
};
use crate::instances::guest::Guest;
use crate::observer::{Activity, Outcome};

/// What Spin uses where the guest gives no parameters.
const DEFAULT_PARAMS: InferencingParams = InferencingParams {
    max_tokens: 100,
    repeat_penalty: 1.1,
    repeat_penalty_last_n_token_count: 64,
    temperature: 0.8,
    top_k: 40,
    top_p: 0.9,
};

impl Host for &mut Guest {
    async fn infer(
        &mut self,
        model: String,
        prompt: String,
        params: Option<InferencingParams>,
    ) -> wasmtime::Result<Result<InferencingResult, Error>> {
        let client = match self.grants.model_client(&model) {
            Ok(client) => client,
            Err(none) => return Ok(Err(no_model(none, &model))),
        };
        let params = params.unwrap_or(DEFAULT_PARAMS);
        let inference = Inference {
            model,
            prompt,
            max_tokens: params.max_tokens,
            repeat_penalty: params.repeat_penalty,
            repeat_penalty_last_n_token_count: params.repeat_penalty_last_n_token_count,
            temperature: params.temperature,
            top_k: params.top_k,
            top_p: params.top_p,
        };
        let observed =
            self.grants.observer.as_ref().map(|observer| {
                observer.begin(Activity::Inference { model: &inference.model }, self.trace())
            });
        let trace = observed.as_ref().map(|observed| observed.trace().clone()).unwrap_or_default();
        let Some(completed) = self.caller().unless_gone(client.within(trace).infer(inference)).await else {
            return Ok(Err(abandoned()));
        };
        if let Some(observed) = observed {
            observed.end(if completed.is_ok() { Outcome::Done } else { Outcome::Failed("model") });
        }
        Ok(match completed {
            Ok(completion) => Ok(InferencingResult {
                text: completion.text,
                usage: InferencingUsage {
                    prompt_token_count: completion.prompt_tokens,
                    generated_token_count: completion.generated_tokens,
                },
            }),
            Err(error) => Err(Error::RuntimeError(error.to_string())),
        })
    }

    async fn generate_embeddings(
        &mut self,
        model: String,
        texts: Vec<String>,
    ) -> wasmtime::Result<Result<EmbeddingsResult, Error>> {
        let client = match self.grants.model_client(&model) {
            Ok(client) => client,
            Err(none) => return Ok(Err(no_model(none, &model))),
        };
        let client = client.within(self.trace().clone());
        let Some(embedded) = self.caller().unless_gone(client.embed(&model, &texts)).await else {
            return Ok(Err(abandoned()));
        };
        Ok(match embedded {
            Ok(embeddings) => Ok(EmbeddingsResult {
                embeddings: embeddings.embeddings,
                usage: EmbeddingsUsage { prompt_token_count: embeddings.prompt_tokens },
            }),
            Err(error) => Err(Error::RuntimeError(error.to_string())),
        })
    }
}

/// What Spin's guests see.
fn no_model(none: NoModel, model: &str) -> Error {
    match none {
        NoModel::AccessDenied => Error::InvalidInput(format!(
            "The component does not have access to use '{model}'. To give the component access, add '{model}' \
             to the 'ai_models' key for the component in your spin.toml manifest"
        )),
        NoModel::NotConfigured => Error::RuntimeError(
            "No model is configured: the runtime config has no [llm_compute] with type = \"remote_http\"."
                .to_owned(),
        ),
    }
}

/// For a guest whose own caller has gone, so that nobody will read it.
fn abandoned() -> Error {
    Error::RuntimeError("the request was abandoned".to_owned())
}
