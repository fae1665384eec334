//! The cards of the page: who answered and when that is told, what outlives a reload, and how much of a sentence shows.

use e2e::app::{App, FIRST};
use e2e::browser::{Browser, ENTER};
use e2e::model_server::{ModelServer, Reply};
use e2e::store::votes_on;
use serde_json::json;

use crate::pages::{CARD, FIELD, SUBMIT, until_cards};

/// Knowing who answered would sway the judgement.
#[tokio::test]
async fn the_variant_is_named_once_the_question_is_answered_or_skipped() {
    let Some(browser) = Browser::start().await else { return };
    let model = ModelServer::start().unwrap();
    model.answer_with("positive");
    let app = App::with_one_variant(&model);
    browser.open(&app.url("/")).await;
    browser.until("document.querySelector('experiment-panel .variants li')").await;
    for (sentence, button) in [("Not bad", "[value=negative]"), ("Quite good", ".skip")] {
        browser.enter(FIELD, &format!("{sentence}{ENTER}")).await;
        browser
            .until(&format!("document.querySelector('{CARD} .sentence')?.textContent === '{sentence}'"))
            .await;
        until_cards(&browser, 1 + usize::from(button == ".skip"), "positive").await;
        for place in [CARD, "#announcer"] {
            let markup = format!("return document.querySelector('{place}').outerHTML;");
            let markup = browser.run(&markup, &[]).await;
            assert!(!markup.as_str().unwrap().contains(FIRST), "{markup}");
        }
        // With the keyboard alone.
        browser.enter(&format!("{CARD} .correction {button}"), ENTER).await;
        browser.until(&format!("document.querySelector('{CARD} .variant').textContent === '{FIRST}'")).await;
        assert!(browser.text(&format!("{CARD} .thanks")).await.starts_with("Answered by"));
        let colour = format!("return document.querySelector('{CARD} .variant').dataset.series;");
        assert_eq!(browser.run(&colour, &[]).await, "0");
    }
    // Who skipped has seen the variant: there is no judgement any more, and the focus is not lost.
    let left = format!(
        "const card = document.querySelector('{CARD}');
        return [card.querySelector('.correction').checkVisibility(), card === document.activeElement];"
    );
    assert_eq!(browser.run(&left, &[]).await, json!([false, true]));
    let records = app.records(FIRST);
    assert_eq!(votes_on(&records["Not bad"]), ["negative"]);
    assert!(votes_on(&records["Quite good"]).is_empty());
    browser.assert_clean(&app.url("")).await;
}

#[tokio::test]
async fn cards_outlive_a_reload_until_they_are_cleared() {
    let Some(browser) = Browser::start().await else { return };
    let model = ModelServer::start().unwrap();
    model.answer_with("positive").answer_sentence("gone", Reply::Status(503));
    let app = App::with_one_variant(&model);
    let texts = "return [...document.querySelectorAll('sentiment-card')].map((card) => card.innerText);";
    browser.open(&app.url("/")).await;
    let markup = "<img src=x onerror=\"document.title='breach'\">";
    for (number, sentence) in ["judged", "skipped", "open", markup].into_iter().enumerate() {
        browser.enter(FIELD, &format!("{sentence}{ENTER}")).await;
        until_cards(&browser, number + 1, "positive").await;
    }
    browser.click("#answers > li:last-child [value=neutral]").await;
    browser
        .until("document.querySelector('#answers > li:last-child .said').textContent.startsWith('Thanks')")
        .await;
    browser.click("#answers > li:nth-last-child(2) .skip").await;
    browser.enter(FIELD, &format!("gone{ENTER}")).await;
    until_cards(&browser, 1, "failed").await;
    let before = browser.run(texts, &[]).await;
    let _hold = model.hold();
    browser.enter(FIELD, &format!("under way{ENTER}")).await;
    model.until_in_flight(1).await;

    browser.open(&app.url("/")).await;
    until_cards(&browser, 4, "positive").await;
    let mut after = browser.run(texts, &[]).await;
    let ended = after.as_array_mut().unwrap().remove(0);
    assert!(
        ended.as_str().unwrap().contains("under way") && ended.as_str().unwrap().contains("left or reloaded"),
        "{ended}"
    );
    assert_eq!(after, before);
    let pressed = "return document.querySelector('#answers > li:last-child [aria-pressed=true]').value;";
    assert_eq!(browser.run(pressed, &[]).await, "neutral");
    assert_eq!(browser.run("return document.querySelectorAll('#answers img').length;", &[]).await, 0);
    assert_ne!(browser.run("return document.title;", &[]).await, "breach");
    assert!(browser.text("#kept-note").await.contains("until you close it"));
    // Nothing is read out again, and what is kept can still be judged.
    assert_eq!(browser.run("return document.querySelector('#announcer').childElementCount;", &[]).await, 0);
    browser.click("#answers > li:nth-last-child(3) [value=positive]").await;
    browser.until("document.querySelector('#answers > li:nth-last-child(3) .variant').textContent").await;
    assert_eq!(votes_on(&app.records(FIRST)["open"]), ["positive"]);

    browser.click("#clear").await;
    until_cards(&browser, 0, "positive").await;
    assert_eq!(browser.run("return document.activeElement.id;", &[]).await, "sentence");
    browser.open(&app.url("/")).await;
    browser.until("document.querySelector('experiment-panel .variants li')").await;
    assert_eq!(browser.run(texts, &[]).await, json!([]));
    assert_eq!(browser.run("return document.querySelector('#clear').checkVisibility();", &[]).await, false);
    assert_eq!(app.records(FIRST).len(), 4, "the stores keep theirs");
    browser.assert_clean(&app.url("")).await;
}

#[tokio::test]
async fn only_whole_cards_are_taken_back_and_no_more_than_fifty() {
    let Some(browser) = Browser::start().await else { return };
    let app = App::builder().start();
    browser.open(&app.url("/")).await;
    let card = json!({
        "sentence": "kept",
        "state": { "status": "answered", "answer": { "sentiment": "positive", "variant": FIRST }, "milliseconds": 5 },
        "judgement": { "stage": "open", "expected": null },
    });
    let changed = |path: &str, value: serde_json::Value| {
        let mut card = card.clone();
        *card.pointer_mut(path).unwrap() = value;
        card
    };
    let broken = [
        json!(null),
        json!([]),
        json!({}),
        changed("/sentence", json!(1)),
        changed("/state/status", json!("pending")),
        changed("/state/answer/sentiment", json!("<b>")),
        changed("/state/answer", json!(null)),
        changed("/state/milliseconds", json!("5")),
        changed("/judgement/stage", json!("closed")),
        changed("/judgement/expected", json!("good")),
    ];
    let many: Vec<_> = broken.into_iter().chain(std::iter::repeat_n(card, 60)).collect();
    for (kept, count) in [(json!(many).to_string(), 50), ("{".to_owned(), 0), ("{}".to_owned(), 0)] {
        browser.run("sessionStorage.setItem('cards', arguments[0]);", &[json!(kept)]).await;
        browser.open(&app.url("/")).await;
        browser.until("document.querySelector('experiment-panel .variants li')").await;
        assert_eq!(
            browser.run("return document.querySelectorAll('sentiment-card').length;", &[]).await,
            count
        );
    }
    browser.assert_clean(&app.url("")).await;
}

#[tokio::test]
async fn a_long_sentence_is_cut_off_until_all_of_it_is_wanted() {
    let Some(browser) = Browser::start().await else { return };
    let model = ModelServer::start().unwrap();
    model.answer_with("positive");
    let app = App::with_one_variant(&model);
    browser.open(&app.url("/")).await;
    let sentence = "Dang, this is difficult! ".repeat(163);
    browser
        .run("document.querySelector(arguments[0]).value = arguments[1];", &[FIELD.into(), json!(sentence)])
        .await;
    browser.click(SUBMIT).await;
    until_cards(&browser, 1, "positive").await;
    let more = format!("{CARD} .more");
    let look = format!(
        "const card = document.querySelector('{CARD}'), more = card.querySelector('.more');
        return [card.offsetHeight < 400, more.innerText, more.getAttribute('aria-expanded')];"
    );
    browser.until(&format!("document.querySelector('{more}').checkVisibility()")).await;
    assert_eq!(browser.run(&look, &[]).await, json!([true, "Show all", "false"]));
    assert_eq!(
        browser.run(&format!("return document.querySelector('{CARD} .sentence').textContent;"), &[]).await,
        sentence.trim()
    );
    browser.enter(&more, ENTER).await;
    assert_eq!(browser.run(&look, &[]).await, json!([false, "Show less", "true"]));
    browser.click(&more).await;
    assert_eq!(browser.run(&look, &[]).await, json!([true, "Show all", "false"]));

    // A short one has nothing more to show.
    browser.enter(FIELD, &format!("Fine.{ENTER}")).await;
    until_cards(&browser, 2, "positive").await;
    assert_eq!(
        browser.run(&format!("return document.querySelector('{more}').checkVisibility();"), &[]).await,
        false
    );
    browser.assert_clean(&app.url("")).await;
}
