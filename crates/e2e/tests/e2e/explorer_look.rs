//! What the explorer shows, and that it can be seen: models, names, messages, and the way back to the app.

use e2e::app::{App, FIRST, SECOND};
use e2e::axe;
use e2e::browser::Browser;
use serde_json::json;

use crate::explorer_page::{fill, follow, open, until_texts};

/// An observation that a model made.
fn made_by(model: &str) -> Vec<u8> {
    json!({ "sentiment": "positive", "expected": "negative", "model": model }).to_string().into_bytes()
}

#[tokio::test]
async fn observations_name_their_model_and_a_stand_in_is_marked() {
    let Some(browser) = Browser::start().await else { return };
    let [real, offline] = ["llama2-chat", "offline-model"].map(made_by);
    let entries = [("a", &real[..]), ("b", &offline)];
    let app =
        App::builder().store(FIRST, "left", entries).store(SECOND, "right", [("b", &offline[..])]).start();
    open(&browser, &app, &format!("store={FIRST}")).await;
    until_texts(&browser, ".entry-row .model", &["llama2-chat", "offline-model"]).await;
    until_texts(&browser, ".entry-row .model.chip", &["offline-model"]).await;
    until_texts(&browser, ".entry-row .verdict", &["wrong", "wrong"]).await;
    for (key, name, marked) in [("a", "llama2-chat", &[][..]), ("b", "offline-model", &["offline-model"])] {
        follow(&browser, FIRST, key).await;
        until_texts(&browser, ".value-body .model", &[name]).await;
        until_texts(&browser, ".value-body .model.chip", marked).await;
    }
    browser.click("#compare").await;
    until_texts(&browser, ".compare-models", &["Models:llama2-chatoffline-model"]).await;
    for scheme in ["light", "dark"] {
        browser.colour_scheme(scheme).await;
        assert_eq!(axe::violations(&browser).await, <[String; 0]>::default(), "{scheme}");
    }
    browser.assert_clean(&app.url("")).await;
}

#[tokio::test]
async fn the_names_of_two_stores_can_be_told_apart_on_a_phone() {
    let Some(browser) = Browser::start().await else { return };
    browser.emulate_phone().await;
    let entries = [("a", &b"x"[..])];
    let app = App::builder().store(FIRST, "left", entries).store(SECOND, "right", entries).start();
    open(&browser, &app, &format!("store={FIRST}&against={SECOND}")).await;
    until_texts(&browser, ".compare-row .key", &["a"]).await;
    until_texts(&browser, ".compare-columns span", &["Sentence", FIRST, SECOND]).await;
    let cut = "return [...document.querySelectorAll('.compare-columns span')]
        .filter((name) => name.scrollWidth > name.clientWidth || name.scrollHeight > name.clientHeight + 1)
        .map((name) => name.textContent);";
    // Spans in a grid have a box of their own; a choice shows as much of its text as fits beside its arrow.
    assert_eq!(browser.run(cut, &[]).await, json!([]));
    let cut = "const pen = document.createElement('canvas').getContext('2d');
        return [...document.querySelectorAll('.versus select')].filter((choice) => {
            pen.font = getComputedStyle(choice).font;
            return pen.measureText(choice.value).width + 40 > choice.clientWidth;
        }).map((choice) => choice.value);";
    assert_eq!(browser.run(cut, &[]).await, json!([]));
    browser.assert_clean(&app.url("")).await;
}

#[tokio::test]
async fn messages_cover_nothing_and_a_link_leads_back_to_the_app() {
    let Some(browser) = Browser::start().await else { return };
    let app = App::builder().store(FIRST, "explored", [("a", &b"x"[..])]).start();
    for phone in [false, true] {
        if phone {
            browser.emulate_phone().await;
        }
        open(&browser, &app, &format!("store={FIRST}&key=a")).await;
        browser.until("document.querySelector('.value-body pre.text')").await;
        browser.click("[data-do=edit]").await;
        fill(&browser, &[(".editor textarea", &format!("on a phone: {phone}"))]).await;
        browser.click(".editor .primary").await;
        browser.until("document.querySelector('#status').textContent === 'Saved.'").await;
        let covered = "const box = (element) => element.getBoundingClientRect();
            const status = box(document.querySelector('#status'));
            const apart = (other) => other.right <= status.left || other.left >= status.right
                || other.bottom <= status.top || other.top >= status.bottom;
            return [...document.querySelectorAll('main, h1, store-tabs, .bar a, .bar button')]
                .filter((element) => element.checkVisibility() && !apart(box(element)))
                .map(({ outerHTML }) => outerHTML.slice(0, 200));";
        assert_eq!(browser.run(covered, &[]).await, json!([]), "on a phone: {phone}");
        let seen =
            "const { left, right, top, bottom } = document.querySelector('#status').getBoundingClientRect();
            return left >= 0 && right <= innerWidth && top >= 0 && bottom <= innerHeight && right > left;";
        assert_eq!(browser.run(seen, &[]).await, true);

        browser.click("#home").await;
        browser.until("location.pathname === '/' && document.querySelector('#sentence')").await;
        browser.run("sessionStorage.clear();", &[]).await;
    }
}
