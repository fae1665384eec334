//! `POST /new`, from the API: classifies a sentence to which the variant's store has no answer.

use api::{
    body,
    log::warn,
    recording::{Answered, NewSentence},
    response,
};
use experiment::{Experiment, Key, Prompt, Record, Variant};
use problem::Problem;
use sentiment::{DEFAULT_PROMPT, Outcome, Sentence};
use spin_sdk::http::{Request, Response};

use crate::{
    answering::{ask, open_and_read},
    fresh, inference,
    instance::Instance,
    questions::Question,
    shadow,
};

/// Asks the model, if there may be one more new sentence, and records what it said; then lets the other variants answer.
///
/// Everything is read again where the record is going to be written: a label may have been linked to another store since the API looked, and
/// the same sentence may have been answered.
///
/// Where the variant has no store, the sentence is classified with the default prompt and without a record. If the store cannot
/// be written, only the record is lost.
pub(super) async fn post(request: Request) -> Result<Response<String>, Problem> {
    let (_, mut body) = request.into_parts();
    let instance = Instance::get().await?;
    let settings = &instance.settings;
    let body = body::of_request(&mut body).await?;
    let asked = NewSentence::read(&body)?;
    let sentence = Sentence::new(&asked.sentence).map_err(|error| Problem::bad_request(error.to_string()))?;
    let variant = variant(&settings.experiment, &asked.variant)?;

    let key = Key::for_sentence(sentence.as_str());
    let (store, prompt, known) = match open_and_read(variant, &key) {
        Ok((store, stored)) => {
            let known = stored.record.and_then(|value| Record::<Outcome>::from_json(&value));
            (Some(store), Prompt::from_store(stored.prompt, DEFAULT_PROMPT), known)
        }
        Err(error) if error.is_passing() => {
            warn(format_args!("a sentence was not classified: {error}"));
            return Err(Problem::unavailable(format!(
                "The sentence was not classified: {}. Try again in a second.",
                error.public()
            )));
        }
        Err(_) => (None, Prompt::from_store(None, DEFAULT_PROMPT), None),
    };
    if let Some(record) = &known
        && record.answers(prompt.fingerprint(), &settings.model)
    {
        return response::json(&Answered { outcome: record.answer, cached: true });
    }

    fresh::admit(settings, &asked.address)?;
    let is_new =
        store.is_some() && !known.is_some_and(|record| record.is_of(prompt.fingerprint(), &settings.model));
    let question = Question::served(settings);
    let outcome = ask(settings, variant, store, &prompt, &key).await;
    question.answered();
    let outcome = outcome.map_err(|error| inference::problem(&error, settings))?;
    if is_new {
        shadow::follow(instance, sentence, prompt.fingerprint(), outcome);
    }
    response::json(&Answered { outcome, cached: false })
}

fn variant<'e>(experiment: &'e Experiment, label: &str) -> Result<&'e Variant, Problem> {
    experiment.variants().iter().find(|variant| variant.label() == label).ok_or_else(|| {
        Problem::internal(format!(
            "The component `recorder` knows no variant `{label:.40}`. Give it the same `variants` as `sentiment-analysis` in spin.toml."
        ))
    })
}
