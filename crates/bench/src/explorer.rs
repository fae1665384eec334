//! The explorer over a large store: how soon its page shows rows in a real browser, how soon it filters them, and what the
//! runtime's memory does meanwhile.

use std::io::Write as _;

use anyhow::Context as _;
use comfy_table::Table;
use comfy_table::presets::ASCII_MARKDOWN;
use e2e::app::{App, CREDENTIALS, FIRST};
use e2e::browser::Browser;
use e2e::explorer::ROUTE;
use e2e::usage::{forget_peak, peak, resident};
use serde_json::Value;

const KEYS: usize = 100_000;

/// How often the page is opened, with and without its files in the browser's cache.
const OPENINGS: usize = 15;

/// What is typed, letter by letter.
const TYPED: [&str; 5] = ["sentence", "12345", "weather 9", "99", "no such"];

/// Notes, in each page, when the first frame with a row, the frame with the count of all keys, and the frame after each
/// input were shown: a message sent while a frame is made comes when it is done.
const CLOCK: &str = "
    window.clock = {};
    const shown = (note) => requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => note(performance.now());
        port2.postMessage(null);
    });
    const watch = { rows: '.entry-row .key:not(:empty)', all: 'store-tabs [aria-current] .tab-count:not(:empty)' };
    const observer = new MutationObserver(() => {
        for (const [name, selector] of Object.entries(watch)) {
            if (!document.querySelector(selector)) continue;
            delete watch[name];
            shown((now) => { clock[name] = now; });
        }
        if (!Object.keys(watch).length) observer.disconnect();
    });
    observer.observe(document, { subtree: true, childList: true, characterData: true });
    addEventListener('input', ({ timeStamp }) => {
        clock.filtered = null;
        shown((now) => { clock.filtered = now - timeStamp; });
    }, true);";

/// Measures and prints.
pub(crate) fn run() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let browser = Browser::start().await.context("Chromium and ChromeDriver are needed")?;
        let keys: Vec<String> = (0..KEYS).map(key).collect();
        let value = br#"{"sentiment":"positive","model":"llama2-chat","elapsed_ms":200}"#.as_slice();
        let app = App::builder().store(FIRST, "large", keys.iter().map(|key| (key.as_str(), value))).start();
        let memory = memory_of_listing(&app).await?;
        let times = times(&browser, &app).await?;
        print(&times, &memory)
    })
}

/// Keys as sentences have them, in no order.
fn key(number: usize) -> String {
    let number = number * 7919 % KEYS;
    format!("Sentence {number:06} is about the weather {}", number % 100)
}

/// Times in milliseconds.
#[derive(Default)]
struct Times {
    /// From the start of the navigation to the first rows, the page's files in the browser's cache.
    first_rows: Vec<f64>,
    /// The same without the cache.
    first_rows_uncached: Vec<f64>,
    /// … to the count of all keys.
    all_keys: Vec<f64>,
    /// From a key's being pressed to the filtered rows.
    filtered: Vec<f64>,
    /// The runtime's memory in bytes, from before to the peak while the page opened.
    growth: u64,
}

async fn times(browser: &Browser, app: &App) -> anyhow::Result<Times> {
    let page = app.url(&format!("{ROUTE}/#store={FIRST}"));
    browser.run_first(CLOCK).await;
    sign_in(browser, &page).await;
    let mut times = Times::default();
    let before = resident(app.process())?;
    forget_peak(app.process())?;
    for number in 0..2 * OPENINGS {
        let cached = number >= OPENINGS;
        browser.open("about:blank").await;
        if !cached {
            browser.forget_files().await;
        }
        browser.open(&page).await;
        let all = number_of(&browser.until("clock.all").await)?;
        let rows = number_of(&browser.until("clock.rows").await)?;
        if cached {
            times.first_rows.push(rows);
            times.all_keys.push(all);
        } else {
            times.first_rows_uncached.push(rows);
        }
    }
    times.growth = peak(app.process())?.saturating_sub(before);
    for text in TYPED {
        for letter in text.chars() {
            browser.enter("entry-list input", &letter.to_string()).await;
            times.filtered.push(number_of(&browser.until("clock.filtered").await)?);
        }
        let right = "[...document.querySelectorAll('.entry-row .key')].every(({ textContent }) => \
                     textContent.toLowerCase().includes(document.querySelector('entry-list input').value))";
        anyhow::ensure!(
            browser.run(&format!("return {right};"), &[]).await == true,
            "not filtered by {text:?}"
        );
        browser.run("const field = document.querySelector('entry-list input'); field.select();", &[]).await;
    }
    Ok(times)
}

async fn sign_in(browser: &Browser, page: &str) {
    browser.open(page).await;
    browser.until("document.querySelector('sign-in form')?.checkVisibility()").await;
    let script = "const form = document.querySelector('sign-in form'); const { user, password } = form.elements; \
                  [user.value, password.value] = arguments; form.requestSubmit();";
    let (user, password) = CREDENTIALS.split_once(':').unwrap_or_default();
    browser.run(script, &[user.into(), password.into()]).await;
    browser.until("clock.all").await;
}

fn number_of(value: &Value) -> anyhow::Result<f64> {
    value.as_f64().with_context(|| format!("{value} is no time"))
}

/// The runtime's resident memory in bytes.
struct Memory {
    before: u64,
    peak: u64,
    after: u64,
}

/// Lists all keys over REST, several times, after a first time that fills caches.
async fn memory_of_listing(app: &App) -> anyhow::Result<Memory> {
    let explorer = app.explorer();
    explorer.keys("promptstore2").await;
    let before = resident(app.process())?;
    forget_peak(app.process())?;
    for _ in 0..3 {
        let answer = explorer.list(FIRST).await;
        anyhow::ensure!(answer.json()["keys"].as_array().map(Vec::len) == Some(KEYS), "not all keys");
    }
    Ok(Memory { before, peak: peak(app.process())?, after: resident(app.process())? })
}

fn print(times: &Times, memory: &Memory) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header([&format!("{KEYS} keys"), "median", "worst"]);
    for (name, times) in [
        ("opening to first rows", &times.first_rows),
        ("… nothing in the browser's cache", &times.first_rows_uncached),
        ("… to the count of all keys", &times.all_keys),
        ("a letter typed to the filtered rows", &times.filtered),
    ] {
        let mut sorted = times.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).map_or_else(String::new, |time| format!("{time:.0} ms"));
        table.add_row([name.to_owned(), at(sorted.len() / 2), at(sorted.len().saturating_sub(1))]);
    }
    writeln!(out, "{table}")?;
    let mebi = |bytes: u64| bytes as f64 / 1024.0 / 1024.0;
    let Memory { before, peak, after } = memory;
    writeln!(
        out,
        "\nThe runtime's memory: {:.1} MiB before any listing, at most {:.1} MiB while a client lists all keys three times, \
         {:.1} MiB after; it grew by {:.1} MiB while the page was opened {} times.",
        mebi(*before),
        mebi(*peak),
        mebi(*after),
        mebi(times.growth),
        2 * OPENINGS
    )?;
    Ok(())
}
