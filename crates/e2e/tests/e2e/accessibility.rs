//! That everybody can use the pages, as far as a machine can tell: axe-core has nothing to say about anything they show, in light
//! and dark, on a large screen and on a phone.

use e2e::axe;
use e2e::browser::Browser;
use e2e::model_server::ModelServer;

use crate::tour;

/// How the pages are looked at: on a phone or not, and in which colours.
const LOOKS: [(bool, &str); 4] = [(false, "light"), (false, "dark"), (true, "light"), (true, "dark")];

async fn dress(browser: &Browser, phone: bool, scheme: &str) {
    browser.colour_scheme(scheme).await;
    if phone {
        browser.emulate_phone().await;
    }
}

async fn assert_accessible(browser: &Browser, what: &str, phone: bool, scheme: &str) {
    let found = axe::violations(browser).await;
    let screen = if phone { "on a phone" } else { "on a large screen" };
    assert!(found.is_empty(), "{what}, {scheme} {screen}:\n{}", found.join("\n"));
}

#[tokio::test]
async fn everybody_can_use_the_apps_pages() {
    let Some(browser) = Browser::start().await else { return };
    let model = ModelServer::start().unwrap();
    for (phone, scheme) in LOOKS {
        dress(&browser, phone, scheme).await;
        let app = tour::app(&model).start();
        tour::of_pages(&browser, &app, async |what| {
            assert_accessible(&browser, what, phone, scheme).await;
        })
        .await;
    }
}

#[tokio::test]
async fn everybody_can_use_the_explorer() {
    let Some(browser) = Browser::start().await else { return };
    let model = ModelServer::start().unwrap();
    let app = tour::explored(tour::app(&model)).start();
    for (phone, scheme) in LOOKS {
        dress(&browser, phone, scheme).await;
        tour::of_the_explorer(&browser, &app, async |what| {
            assert_accessible(&browser, what, phone, scheme).await;
        })
        .await;
    }
}
