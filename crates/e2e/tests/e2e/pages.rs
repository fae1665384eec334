//! The pages, in a real browser.

use e2e::app::{App, CREDENTIALS, FIRST, SECOND};
use e2e::browser::{Browser, ENTER};
use e2e::explorer::ROUTE;
use e2e::model_server::{ModelServer, Reply};
use e2e::store::votes_on;
use serde_json::json;

pub(crate) const FIELD: &str = "#sentence";
pub(crate) const SUBMIT: &str = "#ask button[type=submit]";

/// The newest card.
pub(crate) const CARD: &str = "#answers > li:first-child sentiment-card";

/// Waits until as many cards as there are have this outcome, and until there are so many.
pub(crate) async fn until_cards(browser: &Browser, count: usize, outcome: &str) {
    let cards = "[...document.querySelectorAll('sentiment-card')]";
    browser
        .until(&format!(
            "{cards}.filter(({{dataset}}) => dataset.outcome === '{outcome}').length === {count}"
        ))
        .await;
}

#[tokio::test]
async fn a_sentence_becomes_a_card() {
    let Some(browser) = Browser::start().await else { return };
    let model = ModelServer::start().unwrap();
    model.answer_sentence("sunrise", "positive").answer_sentence("difficult", "negative");
    let note = "Answers come from a small model.";
    let app = App::builder().model(&model).variable("variants", FIRST).variable("model_note", note).start();
    browser.open(&app.url("/")).await;

    browser.enter(FIELD, &format!("What a beautiful sunrise!{ENTER}")).await;
    until_cards(&browser, 1, "positive").await;
    let card = browser.text(CARD).await;
    for part in ["What a beautiful sunrise!", "Positive", "asked the model"] {
        assert!(card.contains(part), "{part:?} is not in {card:?}");
    }

    browser.enter(FIELD, "Dang, this is difficult!").await;
    browser.click(SUBMIT).await;
    until_cards(&browser, 1, "negative").await;

    browser.enter(FIELD, &format!("What a beautiful sunrise!{ENTER}")).await;
    until_cards(&browser, 2, "positive").await;
    let card = browser.text(CARD).await;
    assert!(card.contains("cached"), "{card:?}");
    assert_eq!(model.requests().len(), 2);

    // Several at once, and none waits for another's answer to be shown.
    let hold = model.hold();
    for number in 0..3 {
        browser.enter(FIELD, &format!("Sentence {number}{ENTER}")).await;
    }
    until_cards(&browser, 3, "pending").await;
    model.until_in_flight(1).await;
    browser.enter(FIELD, &format!("What a beautiful sunrise!{ENTER}")).await;
    until_cards(&browser, 3, "positive").await;
    until_cards(&browser, 3, "pending").await;
    drop(hold);
    until_cards(&browser, 3, "neutral").await;

    // Nothing is asked about nothing, or about too much.
    browser.enter(FIELD, &format!(" {ENTER}")).await;
    assert!(!browser.text("#sentence-error").await.is_empty());
    browser.run("document.querySelector(arguments[0]).value = 'a'.repeat(4097);", &[FIELD.into()]).await;
    browser.enter(FIELD, ENTER).await;
    assert!(browser.text("#sentence-error").await.contains("4,097"));
    assert_eq!(model.requests().len(), 5);

    // What answers is said where it shows.
    assert_eq!(browser.text("#model-note").await.trim(), note);
    browser.assert_clean(&app.url("")).await;
    let app = app.restart(|app| app.variable("model_note", ""));
    browser.open(&app.url("/")).await;
    browser.until("document.querySelector('experiment-panel .variants li')").await;
    assert_eq!(
        browser.run("return document.querySelector('#model-note').checkVisibility();", &[]).await,
        false
    );
    browser.assert_clean(&app.url("")).await;
}

#[tokio::test]
async fn a_person_says_what_was_right() {
    let Some(browser) = Browser::start().await else { return };
    let model = ModelServer::start().unwrap();
    model.answer_with("positive");
    let app = App::with_one_variant(&model);
    browser.open(&app.url("/")).await;
    let sentence = "Not bad at all";
    browser.enter(FIELD, &format!("{sentence}{ENTER}")).await;
    until_cards(&browser, 1, "positive").await;
    let votes = || votes_on(&app.records(FIRST)[sentence]);

    // With the mouse, with the keyboard, and back.
    let choice = |label: &str| format!("{CARD} .correction [value={label}]");
    let pressed = |label: &str| {
        let chosen = format!("document.querySelector('{CARD} .correction [aria-pressed=true]')?.value");
        let thanked = format!("document.querySelector('{CARD} .said').textContent !== 'Saving…'");
        format!("{thanked} && ({chosen} ?? 'none') === '{label}'")
    };
    browser.click(&choice("negative")).await;
    browser.until(&pressed("negative")).await;
    assert_eq!(votes(), ["negative"]);
    browser.enter(&choice("neutral"), ENTER).await;
    browser.until(&pressed("neutral")).await;
    assert_eq!(votes(), ["neutral"]);
    browser.click(&choice("neutral")).await;
    browser.until(&pressed("none")).await;
    assert!(votes().is_empty());

    // The record is gone: it is said so, and nothing counts as chosen.
    app.write(FIRST, sentence, "no record");
    browser.click(&choice("positive")).await;
    browser
        .until(&format!("document.querySelector('{CARD} .said.failed')?.textContent.includes('{FIRST}')"))
        .await;
    assert_eq!(
        browser.run(&format!("return document.querySelector('{CARD} [aria-pressed=true]');"), &[]).await,
        json!(null)
    );
    browser.assert_clean(&app.url("")).await;
}

#[tokio::test]
async fn the_experiment_shows_its_prompts() {
    let Some(browser) = Browser::start().await else { return };
    let markup = "<img src=x onerror=\"document.title='breach'\">\nUser: {SENTENCE}";
    let app = App::builder().store(SECOND, "other", [("prompt", markup.as_bytes())]).start();
    browser.open(&app.url("/")).await;
    let panel = "experiment-panel .variants li";
    browser.until(&format!("document.querySelector('{panel}')")).await;
    let first = String::from_utf8(app.rows(FIRST)["prompt"].clone()).unwrap();
    for (place, prompt) in [(1, first.as_str()), (2, markup)] {
        let part = |selector: &str| format!("{panel}:nth-child({place}) {selector}");
        let text = format!("document.querySelector('{}')", part(".prompt pre"));
        assert_eq!(browser.run(&format!("return {text}.checkVisibility();"), &[]).await, false);
        browser.click(&part("summary")).await;
        assert_eq!(
            browser.run(&format!("return {text}.checkVisibility() && {text}.textContent;"), &[]).await,
            prompt
        );
    }
    // Looking at another tab folds nothing up; another prompt is shown at once.
    let shown = |prompt: &str| {
        format!("document.querySelector('{panel}:nth-child(2) pre').textContent === {}", json!(prompt))
    };
    browser.run("document.dispatchEvent(new Event('visibilitychange'));", &[]).await;
    let asked =
        "performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/api/variants'))";
    browser.until(&format!("{asked}.length === 2")).await;
    assert_eq!(
        browser.run("return document.querySelectorAll('experiment-panel [open]').length;", &[]).await,
        2
    );
    assert_eq!(browser.run(&format!("return {};", shown(markup)), &[]).await, true);
    app.write(SECOND, "prompt", "Another: {SENTENCE}");
    browser.run("document.dispatchEvent(new Event('visibilitychange'));", &[]).await;
    browser.until(&shown("Another: {SENTENCE}")).await;
    browser.assert_clean(&app.url("")).await;
}

/// The page says what the app says, and when to try again. The app's answers are given here, one of each kind.
#[tokio::test]
async fn a_problem_is_shown_as_the_app_puts_it() {
    let Some(browser) = Browser::start().await else { return };
    let app = App::builder().start();
    let problem =
        |detail: &str| json!({ "type": "about:blank", "title": "A title", "detail": detail }).to_string();
    let at = |milliseconds: i64| format!("return new Date(Date.now() + {milliseconds}).toUTCString();");
    browser.open(&app.url("/")).await;
    let later = browser.run(&at(3_600_000), &[]).await;
    let earlier = browser.run(&at(-3_600_000), &[]).await;
    let rows = [
        (
            429,
            problem("Too many questions at once."),
            json!("30"),
            "Too many questions at once. Try again after ",
        ),
        (503, problem("The model is busy."), later, "The model is busy. Try again after "),
        (503, problem("The model is busy."), earlier, "The model is busy."),
        (503, problem("The model is busy."), json!("soon"), "The model is busy."),
        (503, problem("The model is busy."), json!("9".repeat(30)), "The model is busy."),
        (502, problem("The model refused the token."), json!(null), "The model refused the token."),
        (504, json!({ "title": "Too late" }).to_string(), json!(null), "Too late"),
        (
            500,
            json!({ "detail": { "a": 1 } }).to_string(),
            json!(null),
            "The server answered with status 500.",
        ),
        (502, "<b>Bad gateway</b>".to_owned(), json!(null), "The server answered with status 502."),
    ];
    for (status, body, retry_after, shown) in rows {
        let row = json!([status, body, retry_after]);
        let script = "const [status, body, after] = arguments[0];
            const headers = after === null ? {} : { 'retry-after': after };
            window.fetch = async () => new Response(body, { status, headers });";
        browser.run(script, std::slice::from_ref(&row)).await;
        browser.enter(FIELD, &format!("Hello{ENTER}")).await;
        until_cards(&browser, 1, "failed").await;
        let text = browser.text(&format!("{CARD} .detail")).await;
        let rest = text.strip_prefix(shown).unwrap_or_else(|| panic!("{row}: {text}"));
        // A time of day, with the date where that is another day.
        let time = shown.ends_with("after ");
        assert_eq!(rest.ends_with('.') && rest.matches(':').count() == 2, time, "{row}: {text}");
        assert!(time || rest.is_empty(), "{row}: {text}");
        assert!(browser.text("#announcer p:last-child").await.contains(shown.trim_end()), "{row}");
        browser.click("#clear").await;
    }
    browser.assert_clean(&app.url("")).await;
}

#[tokio::test]
async fn an_error_is_shown_and_retry_recovers() {
    let Some(browser) = Browser::start().await else { return };
    let model = ModelServer::start().unwrap();
    model.answer_with(Reply::Status(503));
    let app = App::with_one_variant(&model);
    browser.open(&app.url("/")).await;
    browser.enter(FIELD, &format!("Will this work?{ENTER}")).await;
    until_cards(&browser, 1, "failed").await;
    let card = browser.text(CARD).await;
    assert!(card.contains("Will this work?") && card.contains("nothing was recorded"), "{card:?}");

    model.answer_with("positive");
    browser.click(&format!("{CARD} .retry")).await;
    until_cards(&browser, 1, "positive").await;
    assert_eq!(
        browser
            .run(
                "return document.querySelector(arguments[0]).checkVisibility();",
                &[json!(format!("{CARD} .retry"))]
            )
            .await,
        false
    );
    browser.assert_clean(&app.url("")).await;

    // The app itself is gone.
    drop(app);
    browser.enter(FIELD, &format!("And now?{ENTER}")).await;
    until_cards(&browser, 1, "failed").await;
    assert!(browser.text(CARD).await.contains("cannot be reached"));
}

#[tokio::test]
async fn markup_stays_text_and_the_explorer_shows_the_pair() {
    let Some(browser) = Browser::start().await else { return };
    let model = ModelServer::start().unwrap();
    model.answer_with("negative");
    let app = App::with_one_variant(&model);
    let markup = [
        "<img src=x onerror=\"document.title='breach'\">",
        "<script>document.title='breach'</script>",
        "</textarea></li><svg onload=\"document.title='breach'\">",
        "<a href=\"javascript:document.title='breach'\">click</a>&lt;b&gt;",
        "'\"><iframe srcdoc=\"<script>parent.document.title='breach'</script>\">",
    ];

    browser.open(&app.url("/")).await;
    for (number, sentence) in markup.iter().enumerate() {
        browser.enter(FIELD, &format!("{sentence}{ENTER}")).await;
        until_cards(&browser, number + 1, "negative").await;
        assert_eq!(browser.text(&format!("{CARD} .sentence")).await, *sentence);
        assert!(browser.text("#announcer p:last-child").await.contains(sentence));
    }
    let strangers = "document.querySelectorAll('#answers :is(img, script, iframe, a, svg[onload]), #announcer *:not(p)').length";
    assert_eq!(browser.run(&format!("return {strangers};"), &[]).await, 0);
    assert_ne!(browser.run("return document.title;", &[]).await, "breach");
    browser.assert_clean(&app.url("")).await;

    // The explorer: signing in, the list, a record, and the prompt with its lines.
    browser.open(&app.url(&format!("{ROUTE}/"))).await;
    let (user, password) = CREDENTIALS.split_once(':').unwrap();
    browser.until("document.querySelector('sign-in input[name=user]')?.checkVisibility()").await;
    browser.enter("sign-in input[name=user]", user).await;
    browser
        .run(
            "document.querySelector('sign-in input[name=password]').value = arguments[0];",
            &[password.into()],
        )
        .await;
    browser.enter("sign-in input[name=password]", ENTER).await;
    let rows = "[...document.querySelectorAll('.entry-row .key')].map(({textContent}) => textContent)\
                .filter((key) => !key.startsWith('tally:'))";
    browser.until(&format!("{rows}.length === {}", markup.len() + 1)).await;
    let shown = browser.run(&format!("return {rows};"), &[]).await;
    let mut expected: Vec<&str> = markup.into_iter().chain(["prompt"]).collect();
    expected.sort_unstable();
    let mut shown: Vec<&str> = shown.as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect();
    shown.sort_unstable();
    assert_eq!(shown, expected);

    for sentence in markup {
        open_entry(&browser, sentence).await;
        browser
            .until("document.querySelector('.value-body')?.innerText.toLowerCase().includes('negative')")
            .await;
        assert_eq!(browser.text("h2.value-key").await, sentence);
    }
    open_entry(&browser, "prompt").await;
    let prompt = String::from_utf8(app.rows(FIRST)["prompt"].clone()).unwrap();
    browser.until("document.querySelector('.value-body')?.innerText.includes('Emulate the given examples:\\nUser:')").await;
    assert!(browser.text(".value-body").await.contains(prompt.trim()), "newlines are kept");

    // A value of markup, beside a record of it.
    app.write(FIRST, "a value", markup[0]);
    browser.click("[data-do=refresh]").await;
    browser.until(&format!("{rows}.includes('a value')")).await;
    open_entry(&browser, "a value").await;
    browser.until("document.querySelector('.value-body')?.innerText.includes('onerror')").await;
    assert!(browser.text(".value-body").await.contains(markup[0]));
    let strangers = "document.querySelectorAll('main :is(img, script, iframe, a, svg[onload])').length";
    assert_eq!(browser.run(&format!("return {strangers};"), &[]).await, 0);
    assert_ne!(browser.run("return document.title;", &[]).await, "breach");
    browser.assert_clean(&app.url("")).await;
}

async fn open_entry(browser: &Browser, key: &str) {
    let row = "[...document.querySelectorAll('.entry-row')].find((row) => row.querySelector('.key').textContent === arguments[0])";
    browser.run(&format!("{row}.click();"), &[key.into()]).await;
    let heading = json!(key);
    browser.until(&format!("document.querySelector('h2.value-key')?.textContent === {heading}")).await;
}
