//! The explorer's page, in a real browser.

use e2e::app::{App, CREDENTIALS, FIRST, SECOND};
use e2e::browser::Browser;
use e2e::explorer::ROUTE;
use serde_json::{Value, json};

/// The open value, where it is shown as text.
const TEXT: &str = "document.querySelector('.value-body pre.text')?.textContent";

/// Opens a place on the page, which begins after `#`, and signs in.
pub(crate) async fn open(browser: &Browser, app: &App, place: &str) {
    browser.open(&app.url(&format!("{ROUTE}/#{place}"))).await;
    sign_in(browser, CREDENTIALS).await;
    browser.until("document.querySelector('sign-in').hidden").await;
}

pub(crate) async fn sign_in(browser: &Browser, credentials: &str) {
    let (user, password) = credentials.split_once(':').unwrap();
    browser.until("document.querySelector('sign-in form')?.checkVisibility()").await;
    let script = "const form = document.querySelector('sign-in form'); const { user, password } = form.elements; \
                  [user.value, password.value] = arguments; form.requestSubmit();";
    browser.run(script, &[user.into(), password.into()]).await;
}

/// Follows a link to a key, and waits until its heading is there.
pub(crate) async fn follow(browser: &Browser, label: &str, key: &str) {
    let script = "location.hash = new URLSearchParams({ store: arguments[0], key: arguments[1] });";
    browser.run(script, &[label.into(), key.into()]).await;
    browser.until(&format!("document.querySelector('.value-key').textContent === {}", json!(key))).await;
}

/// Waits until all elements that a selector finds have these texts.
pub(crate) async fn until_texts(browser: &Browser, selector: &str, expected: &[&str]) {
    let texts = format!("[...document.querySelectorAll({})].map((it) => it.textContent)", json!(selector));
    browser.until(&format!("JSON.stringify({texts}) === JSON.stringify({})", json!(expected))).await;
}

pub(crate) async fn until_text(browser: &Browser, text: &str) {
    browser.until(&format!("{TEXT} === {}", json!(text))).await;
}

/// Puts texts into fields, as pasting would.
pub(crate) async fn fill(browser: &Browser, fields: &[(&str, &str)]) {
    for (selector, text) in fields {
        let script = "const field = document.querySelector(arguments[0]); field.value = arguments[1]; \
                      field.dispatchEvent(new Event('input', { bubbles: true }));";
        browser.run(script, &[json!(selector), json!(text)]).await;
    }
}

/// Presses a button that opens a dialog, and waits for that.
pub(crate) async fn ask(browser: &Browser, selector: &str) {
    browser.click(selector).await;
    browser.until("document.querySelector('dialog[open] .primary')").await;
}

#[tokio::test]
async fn signing_in_and_finding_a_key() {
    let Some(browser) = Browser::start().await else { return };
    let keys = ["a/b", "a=b", "b"].map(|key| (key, key.as_bytes()));
    let app = App::builder().store(FIRST, "explored", keys).start();
    browser.open(&app.url(&format!("{ROUTE}/"))).await;
    for wrong in ["ada:wrong", "nobody:pâss:wörd 🔑", CREDENTIALS.trim_end_matches('🔑')] {
        browser.until("document.querySelector('sign-in form')?.checkVisibility()").await;
        browser.requested().await;
        sign_in(&browser, wrong).await;
        let message = "document.querySelector('sign-in .error').innerText.includes('wrong')";
        let asked_again = "!document.querySelector('sign-in button').disabled";
        browser.until(&format!("{message} && {asked_again}")).await;
        assert_eq!(browser.run("return sessionStorage.length;", &[]).await, 0);
        let tries = browser.requested().await.into_iter().filter(|url| url.contains("/api/")).count();
        assert_eq!(tries, 1, "{wrong}");
    }
    sign_in(&browser, CREDENTIALS).await;
    until_texts(&browser, "store-tabs a > span", &[FIRST, "3", SECOND, "0"]).await;
    until_texts(&browser, ".entry-row .key", &["a/b", "a=b", "b"]).await;

    // Filtered as somebody types.
    for (typed, left, count) in
        [("A", &["a/b", "a=b"][..], "2 of 3 keys"), ("=", &["a=b"], "1 of 3 keys"), ("?", &[], "0 of 3 keys")]
    {
        browser.enter("entry-list input", typed).await;
        until_texts(&browser, ".entry-row .key", left).await;
        assert_eq!(browser.text(".count").await, count);
    }

    // A link opens the store, the filter and the key; the tab is still signed in.
    browser.open(&app.url("/")).await;
    browser.open(&app.url(&format!("{ROUTE}/#store={FIRST}&filter=a&key=a%2Fb"))).await;
    until_text(&browser, "a/b").await;
    until_texts(&browser, ".entry-row .key", &["a/b", "a=b"]).await;
    until_texts(&browser, ".entry-row[aria-current=true] .key", &["a/b"]).await;
    until_texts(&browser, "store-tabs [aria-current=page] span:first-child", &[FIRST]).await;

    browser.click("#sign-out").await;
    browser.until("document.querySelector('sign-in form')?.checkVisibility()").await;
    let kept = browser.run("return sessionStorage.getItem('kv-explorer-credentials');", &[]).await;
    assert_eq!(kept, Value::Null);
    browser.assert_clean(&app.url("")).await;
}

#[tokio::test]
async fn a_value_is_shown_as_what_it_is() {
    let Some(browser) = Browser::start().await else { return };
    let text = "One line\n\n  and \"another\" 😀\n";
    let record = json!({
        "sentiment": "positive", "expected": "negative", "model": "llama2-chat", "prompt": "0123456789abcdef",
        "votes": { "00112233aabb": "neutral", "44556677ccdd": "neutral" },
        "at": "2026-07-31T12:34:56.789Z", "elapsed_ms": 1234, "prompt_tokens": 96, "generated_tokens": 2,
    })
    .to_string();
    let entries = [
        ("bytes", &b"\0\xffA\n"[..]),
        ("json", br#"{"b":[1,2.50],"a":{}}"#),
        ("record", record.as_bytes()),
        ("text", text.as_bytes()),
    ];
    let app = App::builder().store(FIRST, "explored", entries).start();
    open(&browser, &app, &format!("store={FIRST}")).await;

    follow(&browser, FIRST, "text").await;
    until_text(&browser, text).await;
    follow(&browser, FIRST, "json").await;
    let formatted = "{\n  \"b\": [\n    1,\n    2.50\n  ],\n  \"a\": {}\n}";
    until_texts(&browser, ".value-body pre.json", &[formatted]).await;
    follow(&browser, FIRST, "bytes").await;
    let spaces = " ".repeat(39);
    until_texts(&browser, ".value-body pre.hex", &[&format!("00000000  00 ff 41 0a{spaces}··A·")]).await;
    follow(&browser, FIRST, "record").await;
    let fields =
        ["Outcome", "Votes", "Model", "Prompt", "Time", "Duration", "Prompt tokens", "Generated tokens"];
    until_texts(&browser, ".value-body table.record th", &fields).await;
    let shown = browser.text(".value-body table.record").await;
    for part in [
        "positive",
        "negative",
        "0123456789abcdef",
        "llama2-chat",
        "2026",
        "1,234 ms",
        "96",
        "neutral 2",
        "negative 1",
    ] {
        assert!(shown.contains(part), "{part:?} is not in {shown:?}");
    }
    // Each value can be seen as its bytes.
    browser.click(".value-tools .segments label:last-child").await;
    browser
        .until("document.querySelector('.value-body pre.hex')?.textContent.startsWith('00000000  7b 22')")
        .await;
    browser.assert_clean(&app.url("")).await;
}

#[tokio::test]
async fn the_list_shows_the_outcome_of_the_longest_sentence_and_where_the_focus_is() {
    let Some(browser) = Browser::start().await else { return };
    // Every character of it is escaped.
    let record = json!({
        "sentiment": "negative", "model": "llama2-chat", "prompt": "0123456789ab", "at": "2026-07-31T12:34:56.789Z",
        "elapsed_ms": 1234, "prompt_tokens": 96, "generated_tokens": 2, "sentence": "\"".repeat(4096),
    })
    .to_string();
    let app =
        App::builder().store(FIRST, "explored", [("sha256:0123", record.as_bytes()), ("note", b"")]).start();
    open(&browser, &app, &format!("store={FIRST}")).await;
    until_texts(&browser, ".entry-row .badge", &["negative"]).await;

    // Within the list, rows would cover an outline.
    let colour = "return getComputedStyle(document.querySelector('virtual-list')).borderTopColor;";
    browser.run("document.querySelector('entry-list input').focus();", &[]).await;
    assert_eq!(browser.run(colour, &[]).await, "rgba(0, 0, 0, 0)");
    browser.run("document.querySelector('virtual-list').focus();", &[]).await;
    assert_ne!(browser.run(colour, &[]).await, "rgba(0, 0, 0, 0)");
    browser.assert_clean(&app.url("")).await;
}

#[tokio::test]
async fn values_are_added_edited_and_deleted() {
    let Some(browser) = Browser::start().await else { return };
    let keys = ["note", "page/1", "page/2", "page/3"].map(|key| (key, &b"one\ntwo\n"[..]));
    let app = App::builder().store(FIRST, "explored", keys).start();
    open(&browser, &app, &format!("store={FIRST}")).await;
    let value = |key: &str| app.rows(FIRST).get(key).map(|value| String::from_utf8(value.clone()).unwrap());

    let edited = "zero\none\n\n\ttwo \"quoted\" \\ é 😀\n";
    follow(&browser, FIRST, "note").await;
    until_text(&browser, "one\ntwo\n").await;
    browser.click("[data-do=edit]").await;
    fill(&browser, &[(".editor textarea", edited)]).await;
    browser.click(".editor .primary").await;
    until_text(&browser, edited).await;
    assert_eq!(value("note").as_deref(), Some(edited));

    // What somebody else wrote meanwhile is not overwritten.
    browser.click("[data-do=edit]").await;
    app.write(FIRST, "note", "theirs");
    fill(&browser, &[(".editor textarea", "mine")]).await;
    browser.click(".editor .primary").await;
    browser.until("document.querySelector('value-view .failure').innerText.includes('has changed')").await;
    assert_eq!(browser.text(".editor .primary").await, "Overwrite anyway");
    assert_eq!(value("note").as_deref(), Some("theirs"));
    ask(&browser, "[data-do=cancel]").await;
    browser.click("dialog .primary").await;
    until_text(&browser, "theirs").await;

    let key = "a/b?c=d#é\ne";
    ask(&browser, "[data-do=add]").await;
    fill(&browser, &[("dialog [name=key]", "note"), ("dialog [name=value]", edited)]).await;
    browser.click("dialog .primary").await;
    browser.until("document.querySelector('dialog .error').innerText.includes('has this key')").await;
    fill(&browser, &[("dialog [name=key]", key)]).await;
    browser.until("!document.querySelector('dialog .primary').disabled").await;
    browser.click("dialog .primary").await;
    until_text(&browser, edited).await;
    assert_eq!((value(key).as_deref(), value("note").as_deref()), (Some(edited), Some("theirs")));

    ask(&browser, "value-view [data-do=delete]").await;
    browser.click("dialog .primary").await;
    until_texts(&browser, ".count", &["4 keys"]).await;
    assert_eq!(value(key), None);

    // Many at once.
    fill(&browser, &[("entry-list input", "page/")]).await;
    until_texts(&browser, ".count", &["3 of 4 keys"]).await;
    browser.run("for (const tick of document.querySelectorAll('.entry-row .tick')) tick.click();", &[]).await;
    until_texts(&browser, ".chosen", &["3 selected"]).await;
    ask(&browser, "[data-do=delete-chosen]").await;
    browser.click("dialog .primary").await;
    until_texts(&browser, ".count", &["0 of 1 key"]).await;
    assert_eq!(app.rows(FIRST).into_keys().collect::<Vec<_>>(), ["note"]);
    browser.assert_clean(&app.url("")).await;
}

#[tokio::test]
async fn of_many_keys_only_the_rows_in_sight_exist() {
    let Some(browser) = Browser::start().await else { return };
    let keys: Vec<String> = (0..5000).map(|number| format!("Sentence {number:04}")).collect();
    let app =
        App::builder().store(FIRST, "explored", keys.iter().map(|key| (key.as_str(), &b"x"[..]))).start();
    open(&browser, &app, &format!("store={FIRST}")).await;
    until_texts(&browser, ".count", &["5,000 keys"]).await;
    let has = |key: &str| {
        let key = json!(key);
        format!(
            "[...document.querySelectorAll('.entry-row .key')].some(({{ textContent }}) => textContent === {key})"
        )
    };
    for (scroll, first_or_last) in [("0", "Sentence 0000"), ("list.scrollHeight", "Sentence 4999")] {
        let script = format!(
            "const list = document.querySelector('entry-list virtual-list'); list.scrollTop = {scroll};"
        );
        browser.run(&script, &[]).await;
        browser.until(&has(first_or_last)).await;
        let rows = browser.run("return document.querySelectorAll('.entry-row').length;", &[]).await;
        assert!((10..=60).contains(&rows.as_u64().unwrap()), "{rows} rows");
    }
    fill(&browser, &[("entry-list input", "E 123")]).await;
    until_texts(&browser, ".count", &["10 of 5,000 keys"]).await;
    assert_eq!(browser.run(&format!("return {};", has("Sentence 1239")), &[]).await, true);
    browser.assert_clean(&app.url("")).await;
}

#[tokio::test]
async fn two_stores_side_by_side_disagreements_first() {
    let Some(browser) = Browser::start().await else { return };
    let [good, bad] = ["positive", "negative"]
        .map(|outcome| json!({ "sentiment": outcome, "model": "llama2-chat" }).to_string().into_bytes());
    let left = [("agrees", &good[..]), ("differs", &good), ("here", &bad)];
    let right = [("agrees", &good[..]), ("differs", &bad), ("there", &bad)];
    let app = App::builder().store(FIRST, "left", left).store(SECOND, "right", right).start();
    open(&browser, &app, &format!("store={FIRST}")).await;
    until_texts(&browser, ".entry-row .key", &["agrees", "differs", "here"]).await;
    browser.click("#compare").await;
    let summary = "Both stores have an outcome for 2 sentences: 1 (50%) the same, 1 different.";
    let kinds = ["All 4", "Different 1", "Same 1", "Only promptstore1 1", "Only promptstore2 1"];
    let outcomes = ["positive", "negative", "positive", "positive", "negative", "negative"];
    for (selector, expected) in [
        (".compare-summary", &[summary][..]),
        (".compare-pane .segments label", &kinds),
        (".compare-row .key", &["differs", "agrees", "here", "there"]),
        (".compare-row .badge", &outcomes),
        (".compare-row.differs .key", &["differs"]),
    ] {
        until_texts(&browser, selector, expected).await;
    }
    browser.click(".compare-row.differs").await;
    until_texts(&browser, ".both .sides h3", &[FIRST, SECOND]).await;
    until_texts(&browser, ".both .sides .badge", &["positive", "negative"]).await;
    browser.assert_clean(&app.url("")).await;
}

#[tokio::test]
async fn what_is_open_last_is_what_the_comparison_shows() {
    let Some(browser) = Browser::start().await else { return };
    let slow = vec![b'x'; 1 << 20];
    let entries = [("a slow one", slow.as_slice()), ("quick", b"quick".as_slice())];
    let app = App::builder().store(FIRST, "a", entries).store(SECOND, "b", entries).start();
    open(&browser, &app, &format!("store={FIRST}&against={SECOND}")).await;
    until_texts(&browser, ".compare-row .key", &["a slow one", "quick"]).await;
    browser.run("for (const row of document.querySelectorAll('.compare-row')) row.click();", &[]).await;
    // Until all four values have come.
    let come = "performance.getEntriesByType('resource').filter(({ name, responseEnd }) => name.includes('/keys/') && responseEnd).length > 3";
    browser.until(come).await;
    until_texts(&browser, ".both .sides pre", &["quick", "quick"]).await;
    browser.run("return new Promise((done) => setTimeout(done, 300));", &[]).await;
    until_texts(&browser, ".both h2, .both .sides pre", &["quick", "quick", "quick"]).await;
}

#[tokio::test]
async fn lists_within_lists_without_end_are_shown_as_text() {
    let Some(browser) = Browser::start().await else { return };
    let deep = ["[".repeat(100_000), "]".repeat(100_000)].concat();
    let record = format!("{{\"sentiment\":\"positive\",\"model\":\"m\",\"more\":{deep}}}");
    let app =
        App::builder().store(FIRST, "a", [("deep", deep.as_bytes()), ("record", record.as_bytes())]).start();
    open(&browser, &app, &format!("store={FIRST}")).await;
    for (key, whole) in [("deep", &deep), ("record", &record)] {
        follow(&browser, FIRST, key).await;
        browser.until(&format!("{TEXT}?.startsWith({})", json!(&whole[..50]))).await;
    }
}
