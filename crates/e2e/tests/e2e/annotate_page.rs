//! The page on which people annotate, worked through as they would.

use e2e::app::{App, CREDENTIALS};
use e2e::browser::{Browser, ENTER};
use e2e::model_server::ModelServer;

use crate::annotations;

async fn sign_in(browser: &Browser, app: &App) {
    browser.open(&app.url("/annotate")).await;
    browser.until("document.activeElement.id === 'user'").await;
    let (user, password) = CREDENTIALS.split_once(':').unwrap();
    browser.enter("#user", user).await;
    browser.enter("#password", &format!("{password}{ENTER}")).await;
    browser.until("document.querySelector('#sentence').checkVisibility()").await;
}

/// What the sentence is that is shown, once it is another than `before`.
async fn shown(browser: &Browser, before: &str) -> String {
    let other = format!("document.querySelector('#sentence').textContent !== {before:?}");
    browser.until(&other).await;
    browser.text("#sentence").await
}

#[tokio::test]
async fn two_hundred_sentences_by_keyboard_alone_until_it_is_decided() {
    let Some(browser) = Browser::start().await else { return };
    let model = ModelServer::start().unwrap();
    let app = annotations::builder(&model).start();
    for number in 0..200 {
        let weather = if number % 4 == 0 { "rain" } else { "sun" };
        app.ask(&format!("{weather} {number}")).await;
    }
    annotations::drawn(&app, 200).await;
    for phone in [false, true] {
        if phone {
            browser.emulate_phone().await;
        }
        sign_in(&browser, &app).await;
        let mut sentence = browser.text("#sentence").await;
        let mut pressed = 0;
        while !browser.text("#standing").await.starts_with("Decided") {
            // Where the prompts differ the second is right; on a phone the decision is there already.
            let key = if sentence.starts_with("rain") { "3" } else { "1" };
            browser.enter("#sentence", key).await;
            sentence = shown(&browser, &sentence).await;
            pressed += 1;
            assert!(pressed < 60, "{}", browser.text("#standing").await);
            let said =
                format!("document.querySelector('#standing').textContent.includes('{pressed} annotated')");
            browser.until(&said).await;
        }
        assert_eq!(pressed > 0, !phone);
        assert!(browser.text("#standing").await.contains("See the results"));
        // On with the next, and back to it.
        browser.enter("#sentence", "s").await;
        let next = shown(&browser, &sentence).await;
        browser.enter("#sentence", "u").await;
        assert_eq!(shown(&browser, &next).await, sentence);
        browser.assert_clean(&app.url("")).await;
        browser.run("sessionStorage.clear();", &[]).await;
    }
    assert!(browser.requested().await.iter().all(|url| url.starts_with(&app.url(""))));
}

#[tokio::test]
async fn what_was_not_sent_comes_back() {
    let Some(browser) = Browser::start().await else { return };
    let model = ModelServer::start().unwrap();
    let app = annotations::builder(&model).start();
    for number in 0..3 {
        app.ask(&format!("rain {number}")).await;
    }
    annotations::drawn(&app, 3).await;
    sign_in(&browser, &app).await;
    let sentence = browser.text("#sentence").await;
    drop(app);
    browser.enter("#sentence", "1").await;
    browser.until("document.querySelector('#failure').textContent.includes('cannot be reached')").await;
    browser.until(&format!("document.querySelector('#sentence').textContent === {sentence:?}")).await;
    browser.until("document.querySelector('#again').checkVisibility()").await;
}
