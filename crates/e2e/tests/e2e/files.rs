//! The pages' files, as a browser gets them.

use e2e::app::App;
use e2e::explorer::ROUTE;
use e2e::response::Response;
use reqwest::Method;

#[tokio::test]
async fn files_have_a_type_a_tag_and_a_policy() {
    let app = App::builder().start();
    let explorer = |name: &str| format!("{ROUTE}/{name}");
    let files = [
        ("/".to_owned(), "text/html; charset=utf-8"),
        ("/app.js".to_owned(), "text/javascript; charset=utf-8"),
        ("/app.css".to_owned(), "text/css; charset=utf-8"),
        ("/favicon.svg".to_owned(), "image/svg+xml"),
        (explorer(""), "text/html; charset=utf-8"),
        (explorer("app.js"), "text/javascript; charset=utf-8"),
        (explorer("openapi.json"), "application/json"),
    ];
    for (path, content_type) in &files {
        let response = app.get(path).await;
        assert_eq!((response.status, response.header("content-type")), (200, *content_type), "{path}");
        assert_eq!(response.header("content-length"), response.body.len().to_string(), "{path}");
        assert_eq!(response.header("x-content-type-options"), "nosniff", "{path}");
        let policy = response.header("content-security-policy");
        for part in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{path}: {policy:?}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy:?}");

        let head = Response::of(app.request(Method::HEAD, path)).await.unwrap();
        assert_eq!((head.status, head.header("etag")), (200, response.header("etag")), "{path}");
        assert!(head.body.is_empty(), "{path}");

        let known = app.request(Method::GET, path).header("if-none-match", response.header("etag"));
        let unchanged = Response::of(known).await.unwrap();
        assert_eq!((unchanged.status, unchanged.body.len()), (304, 0), "{path}");
    }
}

/// The explorer's page is asked for again and again, its files once.
#[tokio::test]
async fn the_explorers_files_are_kept_for_good() {
    let app = App::builder().start();
    let page = app.get(&format!("{ROUTE}/")).await;
    assert_eq!(page.header("cache-control"), "no-cache");
    let (_, rest) = page.text().split_once("<script type=\"module\" src=\"").unwrap();
    let (folder, _) = rest.split_once('/').unwrap();
    for (folder, cache_control) in
        [(folder, "public, max-age=31536000, immutable"), ("v-of-another-version", "no-cache")]
    {
        let file = app.get(&format!("{ROUTE}/{folder}/app.js")).await;
        assert_eq!((file.status, file.header("cache-control")), (200, cache_control), "{folder}");
    }
}

#[tokio::test]
async fn a_browser_that_is_lost_gets_a_page() {
    let app = App::builder().start();
    let request = app.request(Method::GET, "/nothing").header("accept", "text/html");
    let response = Response::of(request).await.unwrap();
    assert_eq!((response.status, response.header("content-type")), (404, "text/html; charset=utf-8"));
    // With a slash too many, the page is found anyway; the client of the tests follows.
    let response = app.get("/results/?from=a-link").await;
    assert_eq!((response.status, response.header("content-type")), (200, "text/html; charset=utf-8"));
    // Without the slash, relative addresses would go wrong.
    let response = app.get(ROUTE).await;
    assert_eq!((response.status, response.header("content-type")), (200, "text/html; charset=utf-8"));
}

/// From every page there is a way to the others, and they look alike.
#[tokio::test]
async fn the_pages_have_one_header() {
    let app = App::builder().start();
    let header = |page: &str| {
        let (_, rest) = page.split_once("<header").unwrap();
        rest.split_once("</header>").unwrap().0.replace(" aria-current=\"page\"", "")
    };
    let front = header(app.get("/").await.text());
    for link in ["href=\"/\"", "href=\"/results\"", "href=\"/internal/kv-explorer/\""] {
        assert!(front.contains(link), "{link} is not in {front}");
    }
    for path in ["/results", "/nothing"] {
        let request = app.request(Method::GET, path).header("accept", "text/html");
        assert_eq!(header(Response::of(request).await.unwrap().text()), front, "{path}");
    }
}
