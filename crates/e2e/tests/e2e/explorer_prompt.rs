//! The key `prompt` in the explorer: what a change of it does is said, and asked, before it is made.

use e2e::app::{App, FIRST, SECOND};
use e2e::axe;
use e2e::browser::Browser;
use serde_json::json;

use crate::explorer_page::{ask, fill, follow, open, until_text, until_texts};

const PROMPT: &str = "Rate {SENTENCE}";
const OTHER: &str = "Judge {SENTENCE}";
const BROKEN: &str = "Judge the sentence";

const NO_PLACEHOLDER: &str =
    "This prompt does not contain {SENTENCE}, so the app uses its default prompt instead.";
const NO_PROMPT: &str = "Without a prompt, the app uses its default prompt instead.";
/// The first 12 hex digits of the SHA-256 of [`PROMPT`], as `printf 'Rate {SENTENCE}' | sha256sum` gives them.
const FINGERPRINT: &str = "f331744e50d2";

/// Three observations made with [`PROMPT`], one with another, and what is none.
fn entries() -> Vec<(String, String)> {
    let made_with =
        |prompt: &str| json!({ "sentiment": "neutral", "prompt": prompt, "model": "m" }).to_string();
    let own = ["a", "b", "c"].map(|key| (key.to_owned(), made_with(FINGERPRINT)));
    let others = [("d", made_with("0123456789ab")), ("e", "text".to_owned()), ("f", "[1]".to_owned())];
    own.into_iter().chain(others.map(|(key, value)| (key.to_owned(), value))).collect()
}

/// An app with these observations beside a prompt.
fn app(prompt: Option<&str>) -> App {
    let mut entries = entries();
    entries.extend(prompt.map(|prompt| ("prompt".to_owned(), prompt.to_owned())));
    let entries = entries.iter().map(|(key, value)| (key.as_str(), value.as_bytes()));
    App::builder().store(FIRST, "explored", entries).start()
}

fn stale(count: usize, prompt: &str) -> String {
    let many = if count == 1 { "1 observation was".to_owned() } else { format!("{count} observations were") };
    format!(
        "{many} made with {prompt} prompt and will become stale: the app will ask the model about those sentences again."
    )
}

/// Waits until these are the warnings of the dialog on top.
async fn until_warnings(browser: &Browser, warnings: &[String]) {
    let warnings: Vec<&str> = warnings.iter().map(String::as_str).collect();
    until_texts(browser, "dialog:last-of-type .warnings p", &warnings).await;
}

/// Waits until so many keys are counted, beside those of tallies: the embedded runtime counts what is there at the start.
async fn until_count(browser: &Browser, keys: &str) {
    browser.until(&format!("document.querySelector('.count').textContent.startsWith({})", json!(keys))).await;
}

fn prompt_of(app: &App) -> Option<String> {
    app.rows(FIRST).remove("prompt").map(|value| String::from_utf8(value).unwrap())
}

async fn assert_accessible(browser: &Browser, what: &str) {
    for scheme in ["light", "dark"] {
        browser.colour_scheme(scheme).await;
        let found = axe::violations(browser).await;
        assert!(found.is_empty(), "{what}, {scheme}:\n{}", found.join("\n"));
    }
}

#[tokio::test]
async fn a_prompt_is_saved_once_its_effects_are_confirmed() {
    let Some(browser) = Browser::start().await else { return };
    let app = app(Some(PROMPT));
    open(&browser, &app, &format!("store={FIRST}")).await;
    follow(&browser, FIRST, "prompt").await;
    let mut current = PROMPT;
    for (next, warnings) in [
        (BROKEN, vec![NO_PLACEHOLDER.to_owned(), stale(3, "the current")]),
        ("Still without", vec![NO_PLACEHOLDER.to_owned()]),
        (PROMPT, vec![stale(1, "another")]),
        (OTHER, vec![stale(3, "the current")]),
        (BROKEN, vec![NO_PLACEHOLDER.to_owned()]),
        ("Weigh {SENTENCE}", vec![stale(4, "another")]),
    ] {
        until_text(&browser, current).await;
        browser.click("[data-do=edit]").await;
        fill(&browser, &[(".editor textarea", next)]).await;
        browser.click(".editor .primary").await;
        until_warnings(&browser, &warnings).await;
        // Whoever says no is back in the editor, and nothing is lost.
        browser.click("dialog [value=no]").await;
        browser.until("!document.querySelector('dialog')").await;
        assert_eq!(prompt_of(&app).as_deref(), Some(current));
        assert_eq!(browser.run("return document.querySelector('.editor textarea').value;", &[]).await, next);
        ask(&browser, ".editor .primary").await;
        assert_eq!(browser.text("dialog .primary").await, "Save anyway");
        if current == PROMPT {
            assert_accessible(&browser, "the question before a prompt is saved").await;
        }
        browser.click("dialog .primary").await;
        until_text(&browser, next).await;
        assert_eq!(prompt_of(&app).as_deref(), Some(next));
        let notice = browser.run("return document.querySelector('value-view .notice').innerText;", &[]).await;
        assert_eq!(notice, if next.contains("{SENTENCE}") { "" } else { NO_PLACEHOLDER });
        if next == BROKEN {
            assert_accessible(&browser, "a prompt that apps cannot use").await;
        }
        current = next;
    }
    browser.assert_clean(&app.url("")).await;
}

#[tokio::test]
async fn a_prompt_that_changes_nothing_else_is_saved_at_once() {
    let Some(browser) = Browser::start().await else { return };
    let app = App::builder()
        .store(FIRST, "explored", [("note", &b"one"[..]), ("prompt", PROMPT.as_bytes())])
        .start();
    open(&browser, &app, &format!("store={FIRST}")).await;
    // Without observations, and under any other key, there is nothing to ask.
    for (key, before, next) in [("prompt", PROMPT, OTHER), ("note", "one", "no placeholder")] {
        follow(&browser, FIRST, key).await;
        until_text(&browser, before).await;
        browser.click("[data-do=edit]").await;
        fill(&browser, &[(".editor textarea", next)]).await;
        browser.click(".editor .primary").await;
        until_text(&browser, next).await;
        assert_eq!(app.rows(FIRST)[key], next.as_bytes());
    }
    browser.assert_clean(&app.url("")).await;
}

#[tokio::test]
async fn a_prompt_is_added_and_deleted_once_its_effects_are_confirmed() {
    let Some(browser) = Browser::start().await else { return };
    let app = app(None);
    open(&browser, &app, &format!("store={FIRST}")).await;
    until_count(&browser, "6 keys").await;
    ask(&browser, "[data-do=add]").await;
    fill(&browser, &[("dialog [name=key]", "prompt"), ("dialog [name=value]", BROKEN)]).await;
    browser.click("dialog .primary").await;
    until_warnings(&browser, &[NO_PLACEHOLDER.to_owned()]).await;
    browser.click("dialog:last-of-type [value=no]").await;
    browser.until("document.querySelectorAll('dialog').length === 1").await;
    assert_eq!(prompt_of(&app), None);
    fill(&browser, &[("dialog [name=value]", PROMPT)]).await;
    browser.click("dialog .primary").await;
    browser.until("document.querySelectorAll('dialog').length === 2").await;
    browser.click("dialog:last-of-type .primary").await;
    until_text(&browser, PROMPT).await;
    assert_eq!(prompt_of(&app).as_deref(), Some(PROMPT));

    // Alone, and among others: those go as well, and are not stale.
    ask(&browser, "value-view [data-do=delete]").await;
    until_warnings(&browser, &[NO_PROMPT.to_owned(), stale(3, "the current")]).await;
    browser.click("dialog [value=no]").await;
    for row in ["1", "2", "3"] {
        browser.click(&format!(".entry-row[aria-rowindex='{row}'] .tick")).await;
    }
    ask(&browser, "[data-do=delete-chosen]").await;
    until_warnings(&browser, &[NO_PROMPT.to_owned(), stale(1, "the current")]).await;
    assert_accessible(&browser, "the question before a prompt is deleted").await;
    browser.click("dialog .primary").await;
    until_count(&browser, "4 keys").await;
    assert_eq!(prompt_of(&app), None);
    browser.assert_clean(&app.url("")).await;
}

#[tokio::test]
async fn an_import_over_the_prompt_says_what_it_does() {
    let Some(browser) = Browser::start().await else { return };
    let app = app(Some(PROMPT));
    open(&browser, &app, &format!("store={FIRST}")).await;
    let choose = "const [field, text] = [document.querySelector('dialog [name=file]'), arguments[0]]; \
                  const files = new DataTransfer(); files.items.add(new File([text], 'entries.jsonl')); \
                  field.files = files.files; field.dispatchEvent(new Event('change'));";
    let line = |key: &str, base64: &str| format!("{{\"key\": \"{key}\", \"value\": \"{base64}\"}}\n");
    let [same, broken] = ["UmF0ZSB7U0VOVEVOQ0V9", "SnVkZ2UgdGhlIHNlbnRlbmNl"];
    ask(&browser, "[data-do=import]").await;
    for (file, plan, warnings, button) in [
        (line("new", ""), "1 key: 1 new, 0 replaced, 0 unchanged.", vec![], "Import"),
        (line("prompt", same), "1 key: 0 new, 0 replaced, 1 unchanged.", vec![], "Import"),
        (
            line("a", "") + &line("b", "") + &line("prompt", broken),
            "3 keys: 0 new, 3 replaced, 0 unchanged.",
            vec![NO_PLACEHOLDER.to_owned(), stale(1, "the current")],
            "Import anyway",
        ),
    ] {
        browser.run(choose, &[file.into()]).await;
        until_texts(&browser, ".import-plan", &[plan]).await;
        until_warnings(&browser, &warnings).await;
        until_texts(&browser, "dialog .primary", &[button]).await;
    }
    assert_accessible(&browser, "an import over the prompt").await;
    assert_eq!(prompt_of(&app).as_deref(), Some(PROMPT));
    browser.click("dialog .primary").await;
    browser.until("document.querySelector('#status').textContent === '3 keys imported.'").await;
    assert_eq!(prompt_of(&app).as_deref(), Some(BROKEN));
    until_texts(&browser, ".entry-row.is-prompt .preview", &["no {SENTENCE}"]).await;
    browser.assert_clean(&app.url("")).await;
}

#[tokio::test]
async fn the_prompt_comes_first_and_is_not_counted_as_a_sentence() {
    let Some(browser) = Browser::start().await else { return };
    let sentences: Vec<String> =
        (0..600).map(|number| format!("A sentence {number:03} on prompts")).collect();
    let left = sentences.iter().map(|key| (key.as_str(), &b"x"[..])).chain([("prompt", PROMPT.as_bytes())]);
    let app = App::builder()
        .store(FIRST, "left", left)
        .store(SECOND, "right", [("prompt", OTHER.as_bytes())])
        .start();
    open(&browser, &app, &format!("store={FIRST}")).await;
    until_texts(&browser, ".count", &["Prompt and 600 other keys"]).await;
    until_texts(&browser, "store-tabs a > span", &[FIRST, "600", SECOND, "0"]).await;
    until_texts(&browser, ".entry-row[aria-rowindex='1'] .key", &["prompt"]).await;
    until_texts(&browser, ".entry-row.is-prompt .key", &["prompt"]).await;
    until_texts(&browser, ".entry-row[aria-rowindex='2'] .key", &["A sentence 000 on prompts"]).await;
    assert_accessible(&browser, "the keys after the prompt").await;

    // The filter goes for it as for any other key, and so does what is added and deleted meanwhile.
    for (typed, count, first) in [
        ("sentence 00", "10 of 601 keys", "A sentence 000 on prompts"),
        ("prompt", "Prompt and 600 other keys", "prompt"),
    ] {
        fill(&browser, &[("entry-list input", typed)]).await;
        until_texts(&browser, ".count", &[count]).await;
        until_texts(&browser, ".entry-row[aria-rowindex='1'] .key", &[first]).await;
    }
    fill(&browser, &[("entry-list input", "")]).await;
    ask(&browser, "[data-do=add]").await;
    fill(&browser, &[("dialog [name=key]", "A")]).await;
    browser.click("dialog .primary").await;
    until_texts(&browser, ".count", &["Prompt and 601 other keys"]).await;
    until_texts(&browser, ".entry-row[aria-rowindex='2'] .key", &["A"]).await;

    browser.click("#compare").await;
    until_texts(&browser, ".compare-row[aria-rowindex='1'] .key", &["prompt"]).await;
    until_texts(&browser, ".compare-pane .segments label:nth-of-type(1)", &["All 601"]).await;
    browser.assert_clean(&app.url("")).await;
}
