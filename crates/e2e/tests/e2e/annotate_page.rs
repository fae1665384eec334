//! The page on which people annotate, worked through as they would.

use e2e::app::{App, CREDENTIALS, FIRST, SECOND};
use e2e::axe;
use e2e::browser::{Browser, ENTER, TAB};
use e2e::model_server::ModelServer;

use crate::annotations;

async fn sign_in(browser: &Browser, app: &App, credentials: &str) {
    browser.open(&app.url("/annotate")).await;
    browser.until("document.activeElement.id === 'user'").await;
    let (user, password) = credentials.split_once(':').unwrap();
    browser.press(&format!("{user}{TAB}{password}{ENTER}")).await;
    browser.until("document.querySelector('#sentence').checkVisibility()").await;
}

/// What the sentence is that is shown, once it is another than `before`.
async fn shown(browser: &Browser, before: &str) -> String {
    let other = format!("document.querySelector('#sentence').textContent !== {before:?}");
    browser.until(&other).await;
    browser.text("#sentence").await
}

/// An app with 200 sentences in it, on a fourth of which the prompts differ: there the second is right.
async fn with_200_sentences(model: &ModelServer) -> App {
    let app = annotations::builder(model).start();
    for number in 0..200 {
        let weather = if number % 4 == 0 { "rain" } else { "sun" };
        app.ask(&format!("{weather} {number}")).await;
    }
    annotations::drawn(&app, 200).await;
    app
}

/// Says what is right of one sentence after another, in the way given, until the page says that it is decided; how many it took.
async fn until_decided(browser: &Browser, say: impl AsyncFn(&str)) -> u64 {
    let mut sentence = browser.text("#sentence").await;
    let mut done = 0;
    while !browser.text("#standing").await.starts_with("Decided") {
        let page = browser.text("body").await;
        for told in [FIRST, SECOND, "case-a", "first", "second"] {
            assert!(!page.contains(told), "annotating is blind: {page}");
        }
        if done > 0 {
            assert!(page.contains("more to decide"), "{page}");
        }
        say(if sentence.starts_with("rain") { "negative" } else { "positive" }).await;
        sentence = shown(browser, &sentence).await;
        done += 1;
        assert!(done < 60, "{}", browser.text("#standing").await);
        browser
            .until(&format!("document.querySelector('#standing').textContent.includes('{done} annotated')"))
            .await;
    }
    assert!(browser.text("#standing").await.contains("See the results"));
    done
}

#[tokio::test]
async fn two_hundred_sentences_by_keyboard_alone_until_it_is_decided() {
    let Some(browser) = Browser::start().await else { return };
    let model = ModelServer::start().unwrap();
    let app = with_200_sentences(&model).await;
    sign_in(&browser, &app, CREDENTIALS).await;
    let key = |expected: &str| if expected == "negative" { "3" } else { "1" };
    let done = until_decided(&browser, async |expected| browser.press(key(expected)).await).await;
    assert!(done >= 7, "7 to 0 is the least that decides, and took {done}");
    // On with the next, and back to it.
    let sentence = browser.text("#sentence").await;
    browser.press("s").await;
    let next = shown(&browser, &sentence).await;
    browser.press("u").await;
    assert_eq!(shown(&browser, &next).await, sentence);
    assert_eq!(axe::violations(&browser).await, [""; 0]);
    browser.assert_clean(&app.url("")).await;
    let report = app.get("/api/results").await.json();
    assert_eq!(report["decision"]["winner"], SECOND);
    // Nothing of who signed in is left behind.
    browser.click("#sign-out").await;
    browser.until("document.activeElement.id === 'user'").await;
    assert!(!browser.text("body").await.contains(&next));
    assert_eq!(browser.run("return sessionStorage.length;", &[]).await, 0);
}

#[tokio::test]
async fn the_same_on_a_phone_with_one_thumb() {
    let Some(browser) = Browser::start().await else { return };
    let model = ModelServer::start().unwrap();
    let app = with_200_sentences(&model).await;
    browser.emulate_phone().await;
    sign_in(&browser, &app, CREDENTIALS).await;
    // In the lower half of the screen, without scrolling, and as large as a finger wants it.
    let reach = "[...document.querySelectorAll('#choices button')].every((button) => {
        const { top, bottom, height, width } = button.getBoundingClientRect();
        return top > innerHeight / 2 && bottom <= innerHeight && height >= 48 && width >= 96;
    }) && scrollY === 0";
    let tap = async |expected: &str| {
        browser.until(reach).await;
        browser.tap(&format!("#choices [value={expected}]")).await;
    };
    assert!(until_decided(&browser, tap).await >= 7);
    let sentence = browser.text("#sentence").await;
    browser.tap("#choices [value='']").await;
    let next = shown(&browser, &sentence).await;
    browser.tap("#undo").await;
    assert_eq!(shown(&browser, &next).await, sentence);
    assert_eq!(axe::violations(&browser).await, [""; 0]);
    browser.assert_clean(&app.url("")).await;
}

#[tokio::test]
async fn the_next_sentence_is_already_there() {
    let Some(browser) = Browser::start().await else { return };
    let model = ModelServer::start().unwrap();
    let app = annotations::builder(&model).start();
    for number in 0..5 {
        app.ask(&format!("rain {number}")).await;
    }
    annotations::drawn(&app, 5).await;
    sign_in(&browser, &app, CREDENTIALS).await;
    // In the same turn in which a key is pressed, so before any answer of the server.
    let seen = browser
        .run(
            "const seen = new Set();
            for (const key of ['1', '2', '3', 's']) {
                seen.add(document.querySelector('#sentence').textContent);
                document.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
            }
            seen.add(document.querySelector('#sentence').textContent);
            return seen.size;",
            &[],
        )
        .await;
    assert_eq!(seen, 5);
    browser.until("document.querySelector('#standing').textContent.includes('4 annotated')").await;
}

/// Two people sign in with names of their own.
#[tokio::test]
async fn people_who_disagree_see_it_and_settle_it() {
    let Some(browser) = Browser::start().await else { return };
    let model = ModelServer::start().unwrap();
    let app = annotations::builder(&model)
        .variable("annotator_user", "ada, bob")
        .variable("annotator_password", "together")
        .start();
    for number in 0..3 {
        app.ask(&format!("rain {number}")).await;
    }
    annotations::drawn(&app, 3).await;
    for (who, expected) in [("ada:together", "negative"), ("bob:together", "positive")] {
        for sentence in ["rain 0", "rain 1"] {
            annotations::annotate_as(&app, who, sentence, expected).await;
        }
    }
    sign_in(&browser, &app, "bob:together").await;
    browser.until("document.querySelectorAll('.dispute').length === 2").await;
    assert_eq!(browser.text("#to-disputes").await, "2 disputed");
    let card = browser.text(".dispute").await;
    for part in ["rain 0", "ada Negative", "bob (you) Positive"] {
        assert!(card.contains(part), "{part:?} is not in {card:?}");
    }
    // A key pressed there says nothing of the sentence above.
    browser.click(".dispute [aria-pressed=true]").await;
    browser.press("3").await;
    assert_eq!(browser.text("#sentence").await, "rain 2");
    assert_eq!(axe::violations(&browser).await, [""; 0]);
    // One agrees, the other cannot tell any more.
    browser.click(".dispute .change button:nth-child(3)").await;
    browser.until("document.querySelectorAll('.dispute').length === 1").await;
    assert_eq!(browser.text("#to-disputes").await, "1 disputed");
    browser.click(".dispute .change button:nth-child(4)").await;
    browser.until("!document.querySelector('#disputes').checkVisibility()").await;
    assert!(browser.text("#standing").await.starts_with("2 annotated"));
    browser.assert_clean(&app.url("")).await;
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
    sign_in(&browser, &app, CREDENTIALS).await;
    let sentence = browser.text("#sentence").await;
    drop(app);
    browser.enter("#sentence", "1").await;
    browser.until("document.querySelector('#failure').textContent.includes('cannot be reached')").await;
    browser.until(&format!("document.querySelector('#sentence').textContent === {sentence:?}")).await;
    browser.until("document.querySelector('#again').checkVisibility()").await;
}

#[tokio::test]
async fn a_narrow_window_shows_all_that_stands_on_a_button() {
    let Some(browser) = Browser::start().await else { return };
    let model = ModelServer::start().unwrap();
    let app = annotations::builder(&model).start();
    app.ask("rain").await;
    annotations::drawn(&app, 1).await;
    browser.narrow().await;
    sign_in(&browser, &app, CREDENTIALS).await;
    let cut = "return [...document.querySelectorAll('#choices button')].filter((button) => {
        const { left, right } = button.getBoundingClientRect();
        const parts = [...button.children].filter((part) => part.checkVisibility());
        const boxes = parts.map((part) => part.getBoundingClientRect());
        return boxes.some((box) => box.left < left + 4 || box.right > right - 4);
    }).map((button) => button.textContent);";
    assert_eq!(browser.run(cut, &[]).await, serde_json::json!([]));
}
