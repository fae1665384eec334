//! Shadow answers: what the variants that are not served say to a new sentence, asked after the answer has left.

use api::log::warn;
use experiment::{
    Fingerprint, Key, Prompt, Record, Variant,
    journal::{Draw, Round},
    shadow::is_chosen,
    spin::{Journal, StoreError},
};
use sentiment::{DEFAULT_PROMPT, Outcome, Sentence};
use spin_sdk::wasip3::spawn;

use crate::{
    answering::{ask, once_answered, open_and_read},
    instance::Instance,
    log,
    questions::Question,
};

/// Lets the other variants answer a sentence as well, if it is one of those that all answer. `outcome` is the first that `prompt` gave
/// it. Nothing of this delays, changes or fails the answer that is served.
pub(crate) fn follow(
    instance: &'static Instance,
    sentence: Sentence<'_>,
    prompt: Fingerprint,
    outcome: Outcome,
) {
    let settings = &instance.settings;
    if !settings.asks_in_the_shadow() || !is_chosen(sentence.as_str(), settings.shadow) {
        return;
    }
    let mut draw = Draw::new(sentence.as_str());
    draw.add(prompt, outcome.as_str());
    spawn(async move {
        once_answered().await;
        if let Err(error) = complete(instance, draw).await {
            warn(format_args!("a sentence was not drawn: {error}"));
        }
    });
}

/// Adds what the other prompts say, and draws the sentence once all have answered.
async fn complete(instance: &'static Instance, mut draw: Draw) -> Result<(), StoreError> {
    let sentence = draw.sentence.clone();
    let mut prompts = Vec::new();
    for variant in instance.settings.experiment.variants() {
        let Some(prompt) = answer(instance, variant, &sentence, &mut draw).await? else { return Ok(()) };
        prompts.push(prompt);
    }
    let round = Round::new(prompts, &instance.settings.model);
    // A prompt that has changed meanwhile is of another round.
    let complete = round.prompts().iter().all(|prompt| draw.answers.contains_key(prompt.as_str()));
    if round.prompts().len() > 1 && complete && draw.answers.len() == round.prompts().len() {
        instance.with_rng(|rng| Journal::open()?.draw(&round, &draw, rng))?;
    }
    Ok(())
}

/// The outcome that a variant's prompt gave or gives, and the prompt; `None` if the model gives none.
async fn answer(
    instance: &Instance,
    variant: &Variant,
    sentence: &str,
    draw: &mut Draw,
) -> Result<Option<Fingerprint>, StoreError> {
    let settings = &instance.settings;
    let key = Key::for_sentence(sentence);
    let (store, stored) = open_and_read(variant, &key)?;
    let prompt = Prompt::from_store(stored.prompt, DEFAULT_PROMPT);
    let fingerprint = prompt.fingerprint();
    if draw.answers.contains_key(fingerprint.as_str()) {
        return Ok(Some(fingerprint));
    }
    let known = stored.record.and_then(|value| Record::<Outcome>::from_json(&value));
    let known = known.filter(|record| record.is_of(fingerprint, &settings.model));
    let outcome = if let Some(record) = known {
        *record.first()
    } else {
        let Some(question) = Question::in_the_shadow(settings).await? else {
            let label = variant.label();
            warn(format_args!(
                "{label}: a shadow question was not asked: the model was busy for {} s; `cargo ab backfill` asks it",
                settings.model_timeout.as_secs()
            ));
            return Ok(None);
        };
        let outcome = ask(settings, variant, Some(store), &prompt, &key).await;
        question.answered();
        let Ok(outcome) = outcome else { return Ok(None) };
        log::shadow(variant.label(), outcome);
        outcome
    };
    draw.add(fingerprint, outcome.as_str());
    Ok(Some(fingerprint))
}
