//! A tour of the pages: everything that they show, one after another, for a test to look at.

use e2e::app::{App, AppBuilder, CREDENTIALS, FIRST, SECOND};
use e2e::browser::{Browser, ENTER};
use e2e::explorer::ROUTE;
use e2e::model_server::{ModelServer, Reply};
use serde_json::json;

use crate::explorer_page::{ask, fill, follow, sign_in, until_texts};
use crate::results::{dispute, observe, wait_for_annotation};

/// An app for the tour: a value of each kind, keys and values that no line holds, and two stores that disagree.
pub(crate) fn app(model: &ModelServer) -> AppBuilder {
    model
        .answer_with("positive")
        .answer_sentence("odd", "banana")
        .answer_sentence("gone", Reply::Status(503));
    App::builder().model(model).variable("model_note", "Answers come from a small model.")
}

/// The app's own pages. `look` is told what it sees.
pub(crate) async fn of_pages(browser: &Browser, app: &App, look: impl AsyncFn(&str)) {
    browser.open(&app.url("/")).await;
    browser.until("document.querySelector('experiment-panel .variants li')").await;
    look("the page").await;
    browser.run("for (const part of document.querySelectorAll('details')) part.open = true;", &[]).await;
    look("the page with the prompts").await;
    let long = format!("A sentence with a {}long word", "very".repeat(90));
    for (sentence, outcome) in
        [("Sunrise!", "positive"), (&long, "positive"), ("odd", "unsure"), ("gone", "failed")]
    {
        browser.enter("#sentence", &format!("{sentence}{ENTER}")).await;
        browser
            .until(&format!("document.querySelector('sentiment-card').dataset.outcome === '{outcome}'"))
            .await;
    }
    browser.click("li:last-child .correction [value=negative]").await;
    browser.until("document.querySelector('.correction [aria-pressed=true]')").await;
    browser.click("li:nth-child(2) .skip").await;
    browser.click("li:nth-child(3) .more").await;
    browser.enter("#sentence", &format!(" {ENTER}")).await;
    browser.until("document.querySelector('#sentence-error').textContent").await;
    look("the page with cards").await;

    for observations in [0, 2000] {
        observe(app, observations, 4);
        browser.open(&app.url("/results")).await;
        browser.until("document.querySelector('#report')?.checkVisibility()").await;
        look(&format!("the results of {observations} observations")).await;
    }

    annotating(browser, app, &look).await;

    browser.open(&app.url("/nothing-here")).await;
    look("the page that is not there").await;
}

/// The page for annotating: signing in, a sentence, a long one, and nothing left.
async fn annotating(browser: &Browser, app: &App, look: &impl AsyncFn(&str)) {
    browser.open(&app.url("/annotate")).await;
    browser.run("sessionStorage.clear();", &[]).await;
    browser.open(&app.url("/annotate")).await;
    browser.until("document.querySelector('#sign-in')?.checkVisibility()").await;
    look("signing in to annotate").await;
    let (user, password) = CREDENTIALS.split_once(':').unwrap();
    browser.enter("#user", user).await;
    browser.enter("#password", &format!("wrong{ENTER}")).await;
    browser.until("document.querySelector('#failure').textContent.includes('wrong')").await;
    look("a wrong password").await;
    let sentences = ["Rain again".to_owned(), "A sentence without an end, ".repeat(150)];
    wait_for_annotation(app, &sentences);
    browser.run("document.querySelector('#password').value = '';", &[]).await;
    browser.enter("#password", &format!("{password}{ENTER}")).await;
    for _ in &sentences {
        browser.until("document.querySelector('#sentence')?.checkVisibility()").await;
        look("a sentence to annotate").await;
        browser.click("#choices [value='']").await;
    }
    browser.until("document.querySelector('#empty')?.checkVisibility()").await;
    look("nothing to annotate").await;
    // What was said is sent in the background.
    app.log("annotations", "stdout", "\"event\":\"annotation\"", sentences.len());
    dispute(app, &sentences[0], ["ada", "bob"]);
    dispute(app, &"A long dispute, ".repeat(30), ["a person with quite a long name", "ada"]);
    browser.open(&app.url("/annotate")).await;
    browser.until("document.querySelectorAll('.dispute').length === 2").await;
    look("what annotators disagree on").await;
}

/// Entries of every kind, and some that no line holds.
fn entries() -> [(String, Vec<u8>); 6] {
    let record =
        json!({ "sentiment": "positive", "expected": "negative", "model": "llama2-chat", "elapsed_ms": 12 });
    let long = "long".repeat(200);
    [
        ("bytes", vec![0xff; 300]),
        ("json", json!({ "text": long, "number": 1.5, "list": [true, null] }).to_string().into_bytes()),
        ("record", record.to_string().into_bytes()),
        ("text", long.clone().into_bytes()),
        ("", b"of the empty key".to_vec()),
        (long.as_str(), b"of a long key".to_vec()),
    ]
    .map(|(key, value)| (key.to_owned(), value))
}

/// The same app with more to explore.
pub(crate) fn explored(app: AppBuilder) -> AppBuilder {
    let entries = entries();
    let left = entries.iter().map(|(key, value)| (key.as_str(), value.as_slice()));
    let right = [("record", &br#"{"sentiment": "negative"}"#[..]), ("there", b"alone")];
    app.store(FIRST, "left", left).store(SECOND, "right", right)
}

/// The explorer, from signing in to signing out.
pub(crate) async fn of_the_explorer(browser: &Browser, app: &App, look: impl AsyncFn(&str)) {
    browser.open(&app.url(&format!("{ROUTE}/"))).await;
    browser.until("document.querySelector('sign-in form')?.checkVisibility()").await;
    look("signing in").await;
    sign_in(browser, "ada:wrong").await;
    browser.until("document.querySelector('sign-in .error').textContent").await;
    look("signing in in vain").await;
    browser.until("!document.querySelector('sign-in button').disabled").await;
    sign_in(browser, CREDENTIALS).await;

    until_texts(browser, ".count", &["6 keys"]).await;
    browser.until("document.querySelector('.entry-row .badge')").await;
    look("the keys").await;
    browser.click(".entry-row:nth-child(3) .tick").await;
    until_texts(browser, ".chosen", &["1 selected"]).await;
    look("the keys, one of them selected").await;
    ask(browser, "[data-do=delete-chosen]").await;
    look("the question before deleting").await;
    browser.click("dialog [value=no]").await;
    browser.click("[data-do=clear]").await;
    fill(browser, &[("entry-list input", "no such key")]).await;
    browser.until("document.querySelector('.empty').checkVisibility()").await;
    look("no key").await;
    fill(browser, &[("entry-list input", "")]).await;
    for (button, what) in [("add", "the form for a key"), ("import", "the form for a file")] {
        ask(browser, &format!("[data-do={button}]")).await;
        look(what).await;
        browser.click("dialog [data-do=cancel]").await;
    }

    for (key, ways) in [
        ("record", &["table.record", "pre.json", "pre.text", "pre.hex"][..]),
        ("json", &["pre.json"]),
        ("text", &["pre.text"]),
        ("bytes", &["pre.hex"]),
    ] {
        follow(browser, FIRST, key).await;
        for (number, way) in ways.iter().enumerate() {
            if number > 0 {
                browser.click(&format!(".value-tools .segments label:nth-of-type({})", number + 1)).await;
            }
            browser.until(&format!("document.querySelector('.value-body {way}')")).await;
            look(&format!("the value of {key} as {way}")).await;
        }
    }
    follow(browser, FIRST, &"long".repeat(200)).await;
    browser.until("document.querySelector('.value-body pre')?.textContent === 'of a long key'").await;
    look("a long key").await;
    browser.click("[data-do=edit]").await;
    look("the editor").await;
    browser.click(".editor [data-do=cancel]").await;

    browser.click("#compare").await;
    browser.until("document.querySelectorAll('.compare-row').length === 7").await;
    look("the comparison").await;
    browser.click(".compare-row.differs").await;
    browser.until("document.querySelectorAll('.both .sides h3').length === 2").await;
    look("both values").await;
    browser.click(".compare-row[aria-rowindex='5']").await;
    browser.until("document.querySelector('.both .sides pre')?.textContent === 'of a long key'").await;
    look("both values of a long key").await;
    browser.click("#sign-out").await;
    browser.until("document.querySelector('sign-in form')?.checkVisibility()").await;
}
