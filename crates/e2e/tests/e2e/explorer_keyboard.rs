//! The explorer by keyboard: Enter does what people expect, and the focus is always where they go on.

use e2e::app::{App, CREDENTIALS, FIRST, SECOND};
use e2e::browser::{Browser, ENTER};
use e2e::explorer::ROUTE;

use crate::explorer_page::{ask, open, sign_in, until_text, until_texts};

/// What the protocol calls two keys that are held down.
const SHIFT: &str = "\u{e008}";
const CONTROL: &str = "\u{e009}";

async fn until_focus(browser: &Browser, selector: &str) {
    browser.until(&format!("document.activeElement.matches('{selector}')")).await;
}

#[tokio::test]
async fn enter_moves_on_from_the_key_and_a_key_is_needed() {
    let Some(browser) = Browser::start().await else { return };
    let app = App::builder().store(FIRST, "explored", [("a", &b"x"[..])]).start();
    open(&browser, &app, &format!("store={FIRST}")).await;
    ask(&browser, "[data-do=add]").await;
    let [key, value] = ["dialog [name=key]", "dialog [name=value]"];
    for blank in ["", " ", &format!("{SHIFT}{ENTER}")] {
        browser.enter(key, blank).await;
        browser.click("dialog .primary").await;
        browser.until("document.querySelector('dialog .error').innerText === 'Enter a key.'").await;
        until_focus(&browser, key).await;
    }
    assert_eq!(app.rows(FIRST).len(), 1);
    browser.run("document.querySelector('dialog [name=key]').value = '';", &[]).await;

    browser.enter(key, &format!("one{ENTER}")).await;
    until_focus(&browser, value).await;
    assert_eq!(browser.run("return document.querySelector('dialog [name=key]').value;", &[]).await, "one");
    // A key may have lines, since a sentence may; an empty value may be meant.
    browser.enter(key, &format!("{SHIFT}{ENTER}")).await;
    browser.enter(value, &format!("{CONTROL}{ENTER}")).await;
    browser.until("!document.querySelector('dialog')").await;
    until_texts(&browser, ".count", &["2 keys"]).await;
    assert_eq!(app.rows(FIRST)["one\n"], b"");
    browser.assert_clean(&app.url("")).await;
}

#[tokio::test]
async fn after_signing_in_the_focus_is_where_a_person_goes_on() {
    let Some(browser) = Browser::start().await else { return };
    let entries = ["a", "b"].map(|key| (key, key.as_bytes()));
    let app = App::builder().store(FIRST, "explored", entries).store(SECOND, "empty", []).start();
    for (place, focus) in [
        (format!("store={FIRST}"), "entry-list virtual-list"),
        (format!("store={SECOND}"), "entry-list input"),
        (format!("store={FIRST}&key=b"), ".value-key"),
        (format!("store={FIRST}&against={SECOND}"), "compare-view input"),
    ] {
        browser.open("about:blank").await;
        open(&browser, &app, &place).await;
        until_focus(&browser, focus).await;
        browser.run("sessionStorage.clear();", &[]).await;
    }

    // Wrong credentials leave the focus where they are corrected.
    browser.open("about:blank").await;
    browser.open(&app.url(&format!("{ROUTE}/#store={FIRST}"))).await;
    browser.until("document.querySelector('sign-in form')?.checkVisibility()").await;
    browser.enter("sign-in [name=user]", "ada").await;
    browser.enter("sign-in [name=password]", "wrong").await;
    browser.click("sign-in button").await;
    browser.until("document.querySelector('sign-in .error').innerText.includes('wrong')").await;
    until_focus(&browser, "sign-in [name=password]").await;

    // From there on the arrows open what they pass, and deleting the last key does not end it.
    sign_in(&browser, CREDENTIALS).await;
    until_focus(&browser, "entry-list virtual-list").await;
    browser.enter("entry-list virtual-list", "\u{e015}").await;
    until_text(&browser, "b").await;
    browser.enter("entry-list virtual-list", &format!("{CONTROL}a")).await;
    ask(&browser, "[data-do=delete-chosen]").await;
    browser.click("dialog .primary").await;
    until_focus(&browser, "entry-list input").await;
    browser.assert_clean(&app.url("")).await;
}

#[tokio::test]
async fn on_a_phone_the_focus_follows_a_new_key() {
    let Some(browser) = Browser::start().await else { return };
    browser.emulate_phone().await;
    let app = App::builder().store(FIRST, "explored", [("a", &b"x"[..])]).start();
    open(&browser, &app, &format!("store={FIRST}")).await;
    ask(&browser, "[data-do=add]").await;
    browser.enter("dialog [name=key]", &format!("b{ENTER}")).await;
    browser.enter("dialog [name=value]", &format!("y{CONTROL}{ENTER}")).await;
    until_text(&browser, "y").await;
    until_focus(&browser, ".value-key").await;
    browser.assert_clean(&app.url("")).await;
}
