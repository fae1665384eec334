//! The pages on a phone: nothing sticks out, every button can be seen, and where two things have no room side by side,
//! there is a way from one to the other and back.

use e2e::app::FIRST;
use e2e::browser::{Browser, PHONE};
use e2e::model_server::ModelServer;
use serde_json::json;

use crate::explorer_page::{follow, open, until_text, until_texts};
use crate::tour;

/// The controls that a finger cannot reach: those that stick out of the page, and those that something covers or cuts off once
/// they are scrolled to. Those of the page behind a dialog may be covered.
const OUT_OF_REACH: &str = "
    const dialog = document.querySelector('dialog[open]');
    const controls = (dialog ?? document).querySelectorAll('button, a[href], input, select, textarea, summary');
    const reached = (control) => {
        control.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
        const { left, right, top, bottom } = control.getClientRects()[0];
        const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
        const label = control.closest('label');
        return left >= 0 && right <= innerWidth && top >= 0 && top < innerHeight
            && hit !== null && (control.contains(hit) || (label?.contains(hit) ?? false));
    };
    const seen = [...controls].filter((control) => control.checkVisibility({ visibilityProperty: true }));
    const out = seen.filter((control) => !control.disabled && !reached(control));
    scrollTo({ top: 0, behavior: 'instant' });
    return out.map(({ outerHTML }) => outerHTML);";

async fn assert_fits(browser: &Browser, what: &str) {
    let width = "[document.documentElement.scrollWidth, innerWidth, visualViewport.scale]";
    let width = browser.run(&format!("return {width};"), &[]).await;
    assert_eq!(width, json!([PHONE.0, PHONE.0, 1]), "{what} is wider than the phone");
    assert_eq!(browser.run(OUT_OF_REACH, &[]).await, json!([]), "out of reach in {what}");
}

#[tokio::test]
async fn the_apps_pages_fit_a_phone() {
    let Some(browser) = Browser::start().await else { return };
    browser.emulate_phone().await;
    let model = ModelServer::start().unwrap();
    let app = tour::app(&model).start();
    tour::of_pages(&browser, &app, async |what| assert_fits(&browser, what).await).await;
}

/// Between the form and the answers, folded up: in sight without a way past all cards, and out of theirs.
#[tokio::test]
async fn a_phone_shows_the_experiment_above_the_cards() {
    let Some(browser) = Browser::start().await else { return };
    let model = ModelServer::start().unwrap();
    let app = tour::app(&model).start();
    let look = "const box = (selector) => document.querySelector(selector).getBoundingClientRect();
        const [form, experiment, answers] = ['#ask', '.experiment', '#answers'].map(box);
        return {
            open: document.querySelector('experiment-panel').checkVisibility(),
            below: experiment.top >= form.bottom && experiment.bottom <= answers.top,
            beside: experiment.left >= answers.right,
        };";
    browser.open(&app.url("/")).await;
    browser.until("document.querySelector('experiment-panel .variants li')").await;
    assert_eq!(browser.run(look, &[]).await, json!({ "open": true, "below": false, "beside": true }));

    browser.emulate_phone().await;
    browser.until("!document.querySelector('experiment-panel').checkVisibility()").await;
    browser.open(&app.url("/")).await;
    browser.until("document.querySelector('experiment-panel .variants li')").await;
    assert_eq!(browser.run(look, &[]).await, json!({ "open": false, "below": true, "beside": false }));
    browser.click(".experiment summary").await;
    assert_eq!(browser.run(look, &[]).await, json!({ "open": true, "below": true, "beside": false }));
    browser.assert_clean(&app.url("")).await;
}

#[tokio::test]
async fn the_explorer_fits_a_phone() {
    let Some(browser) = Browser::start().await else { return };
    browser.emulate_phone().await;
    let model = ModelServer::start().unwrap();
    let app = tour::explored(tour::app(&model)).start();
    tour::of_the_explorer(&browser, &app, async |what| assert_fits(&browser, what).await).await;
}

#[tokio::test]
async fn a_phone_shows_the_keys_or_a_value_and_goes_back_and_forth() {
    let Some(browser) = Browser::start().await else { return };
    browser.emulate_phone().await;
    let model = ModelServer::start().unwrap();
    let app = tour::explored(tour::app(&model)).start();
    let shown = async || {
        let panes =
            "['.list-pane', '.value-pane'].map((pane) => document.querySelector(pane).checkVisibility())";
        browser.run(&format!("return {panes};"), &[]).await
    };
    let [keys, value] = [json!([true, false]), json!([false, true])];
    open(&browser, &app, &format!("store={FIRST}")).await;
    until_texts(&browser, ".count", &["6 keys"]).await;
    assert_eq!(shown().await, keys);

    browser.click(".entry-row[aria-rowindex='6']").await;
    until_text(&browser, &"long".repeat(200)).await;
    assert_eq!(shown().await, value);
    assert_eq!(browser.text(".value-key").await, "text");
    browser.click(".value-head .back").await;
    browser.until("document.querySelector('.list-pane').checkVisibility()").await;
    assert_eq!(shown().await, keys);

    // The phone's own way back.
    browser.click(".entry-row[aria-rowindex='6']").await;
    browser.until("document.querySelector('.value-pane').checkVisibility()").await;
    browser.run("history.back();", &[]).await;
    browser.until("document.querySelector('.list-pane').checkVisibility()").await;
    assert_eq!(shown().await, keys);

    // A link opens the value; the way back leads to its store.
    follow(&browser, FIRST, "json").await;
    assert_eq!(shown().await, value);
    browser.click(".value-head .back").await;
    browser.until("document.querySelector('.list-pane').checkVisibility()").await;
    until_texts(&browser, ".count", &["6 keys"]).await;
    browser.assert_clean(&app.url("")).await;
}
