//! From a request to a file of the site, and from the file to an answer: content type, strong `ETag`, 304, problems.

use api::log::warn;
use bytes::Bytes;
use headers::{CacheControl, ContentLength, ContentType, ETag, HeaderMapExt, IfNoneMatch};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use percent_encoding::percent_decode_str;
use problem::Problem;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// The largest file that is served, in bytes; a whole file is held in memory while it is sent.
const MAX_FILE: u64 = 4 * 1024 * 1024;

/// The page for a browser that asked for something that is not there.
const NOT_FOUND_PAGE: &str = "404.html";

/// Answers a request from the files under `root`.
///
/// Only `GET` and `HEAD` are allowed. An answer to `HEAD` keeps its body, because the host checks `content-length`
/// against it; the HTTP server in front of the component does not send it.
pub(crate) fn answer<B>(root: &Path, request: &Request<B>) -> Response<Bytes> {
    let path = request.uri().path();
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return problem(Problem::method_not_allowed(request.method(), "GET, HEAD"));
    }
    match find(root, path) {
        Ok((file, body)) => found(&file, body, request.headers()),
        Err(error) if is_absence(&error) => match page_without_slash(root, request.uri()) {
            Some(location) => redirect(location),
            None => not_found(root, path, request.headers()),
        },
        Err(error) => {
            warn(format_args!("cannot read the file for {path}: {error}"));
            problem(Problem::internal("The file could not be read; the app's log has the reason."))
        }
    }
}

/// The file that a path means, and its content: `/` is `index.html`, and `/results` is `results` or `results.html`.
fn find(root: &Path, path: &str) -> io::Result<(PathBuf, Bytes)> {
    let relative = relative_path(path).ok_or(ErrorKind::NotFound)?;
    let file = root.join(relative);
    match read(&file) {
        Ok(body) => Ok((file, body)),
        Err(error) if is_absence(&error) && file.extension().is_none() => {
            let page = file.with_extension("html");
            let body = read(&page)?;
            Ok((page, body))
        }
        Err(error) => Err(error),
    }
}

/// Where `/results/` leads: to `/results`, if there is such a page.
fn page_without_slash(root: &Path, uri: &Uri) -> Option<HeaderValue> {
    let path = uri.path().strip_suffix('/')?;
    // A file that is not a page is not meant, and neither is the front page, which has no name.
    if matches!(path, "" | "/") || Path::new(path).extension().is_some() || find(root, path).is_err() {
        return None;
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    HeaderValue::try_from(format!("{path}{query}")).ok()
}

fn redirect(location: HeaderValue) -> Response<Bytes> {
    let mut response = with_length(with_status(StatusCode::PERMANENT_REDIRECT, Bytes::new()));
    response.headers_mut().insert(header::LOCATION, location);
    response.headers_mut().typed_insert(CacheControl::new().with_no_cache());
    response
}

/// Whether the error says that there is no such file: `/index.html/x` and a name too long to exist are as absent.
fn is_absence(error: &io::Error) -> bool {
    use ErrorKind::{InvalidFilename, IsADirectory, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory | IsADirectory | InvalidFilename)
}

/// The path of a file under the root, or nothing for a path that could mean anything else: a segment that is empty,
/// hidden, `..`, or has a backslash or a control character in it, before or after percent-decoding.
fn relative_path(path: &str) -> Option<String> {
    let decoded = percent_decode_str(path.strip_prefix('/')?).decode_utf8().ok()?;
    if decoded.is_empty() {
        return Some("index.html".into());
    }
    let plain = |segment: &str| {
        !segment.is_empty()
            && !segment.starts_with('.')
            && !segment.contains(|c: char| c == '\\' || c.is_control())
    };
    decoded.split('/').all(plain).then(|| decoded.into_owned())
}

/// Reads a regular file of at most [`MAX_FILE`] bytes; anything that is not a file is not found.
fn read(path: &Path) -> io::Result<Bytes> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(ErrorKind::NotFound.into());
    }
    let mut body = Vec::new();
    // One byte more than allowed tells a file that is too large from one that just fits.
    file.take(MAX_FILE + 1).read_to_end(&mut body)?;
    if body.len() as u64 > MAX_FILE {
        return Err(io::Error::new(ErrorKind::FileTooLarge, format!("larger than {MAX_FILE} bytes")));
    }
    Ok(body.into())
}

fn found(file: &Path, body: Bytes, conditions: &http::HeaderMap) -> Response<Bytes> {
    let etag = etag(&body);
    let unchanged = match (&etag, conditions.typed_get::<IfNoneMatch>()) {
        (Some(etag), Some(known)) => !known.precondition_passes(etag),
        _ => false,
    };
    let mut response = if unchanged {
        with_status(StatusCode::NOT_MODIFIED, Bytes::new())
    } else {
        page(StatusCode::OK, file, body)
    };
    if let Some(etag) = etag {
        response.headers_mut().typed_insert(etag);
    }
    // Keep it, but ask each time: a changed file is seen at once, an unchanged one costs a 304.
    response.headers_mut().typed_insert(CacheControl::new().with_no_cache());
    response
}

/// A strong validator: the first 128 bits of the content's SHA-256.
fn etag(body: &[u8]) -> Option<ETag> {
    let digest = Sha256::digest(body);
    let bits = u128::from_be_bytes(*digest.first_chunk()?);
    format!("\"{bits:032x}\"").parse().ok()
}

fn not_found(root: &Path, path: &str, headers: &http::HeaderMap) -> Response<Bytes> {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let file = root.join(NOT_FOUND_PAGE);
    let mut response = match read(&file) {
        Ok(body) if accept.contains("text/html") => page(StatusCode::NOT_FOUND, &file, body),
        _ => {
            let detail = format!("There is nothing at {path}; the page is at /, the API under /api.");
            problem(Problem::new(StatusCode::NOT_FOUND, detail))
        }
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    response
}

fn page(status: StatusCode, file: &Path, body: Bytes) -> Response<Bytes> {
    let guess = mime_guess::from_path(file).first_or_octet_stream();
    // Every text of the site is UTF-8.
    let content_type = match guess.type_().as_str() {
        "text" => format!("{guess}; charset=utf-8").parse().unwrap_or(guess),
        _ => guess,
    };
    let mut response = with_status(status, body);
    response.headers_mut().typed_insert(ContentType::from(content_type));
    with_length(response)
}

fn problem(problem: Problem) -> Response<Bytes> {
    problem.into_response().map(Bytes::from)
}

fn with_status(status: StatusCode, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

fn with_length(mut response: Response<Bytes>) -> Response<Bytes> {
    let length = ContentLength(response.body().len() as u64);
    response.headers_mut().typed_insert(length);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A site with the files that the tests ask for.
    fn site() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let files = [
            ("index.html", "<p>"),
            ("app.js", "1"),
            ("404.html", "lost"),
            ("results.html", "r"),
            (".env", "no"),
        ];
        for (name, content) in files {
            fs::write(root.path().join(name), content).unwrap();
        }
        fs::create_dir(root.path().join("folder")).unwrap();
        fs::File::create(root.path().join("huge.bin")).unwrap().set_len(MAX_FILE + 1).unwrap();
        root
    }

    fn ask(root: &Path, method: &str, path: &str, headers: &[(&str, &str)]) -> Response<Bytes> {
        let request =
            headers.iter().fold(Request::builder().method(method).uri(path), |request, (name, value)| {
                request.header(*name, *value)
            });
        answer(root, &request.body(()).unwrap())
    }

    fn header<'a>(response: &'a Response<Bytes>, name: &str) -> &'a str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[test]
    fn a_path_leads_to_its_file_and_type() {
        let root = site();
        for (path, body, content_type) in [
            ("/", "<p>", "text/html; charset=utf-8"),
            ("/?a=b", "<p>", "text/html; charset=utf-8"),
            ("/index.html", "<p>", "text/html; charset=utf-8"),
            ("/results", "r", "text/html; charset=utf-8"),
            ("/app.js", "1", "text/javascript; charset=utf-8"),
            ("/%61pp.js", "1", "text/javascript; charset=utf-8"),
        ] {
            let response = ask(root.path(), "GET", path, &[]);
            assert_eq!(response.status(), 200, "{path}");
            assert_eq!(response.body(), body, "{path}");
            assert_eq!(header(&response, "content-type"), content_type, "{path}");
            assert_eq!(header(&response, "content-length"), body.len().to_string(), "{path}");
            assert_eq!(header(&response, "cache-control"), "no-cache", "{path}");
        }
    }

    #[test]
    fn nothing_but_the_sites_files_can_be_reached() {
        let root = site();
        fs::write(root.path().join("folder/inside.txt"), "inside").unwrap();
        let inner = root.path().join("folder");
        let long = format!("/{}", "x".repeat(5000));
        for path in [
            "/../app.js",
            "/%2e%2e/app.js",
            "/..%2fapp.js",
            "/%2E./app.js",
            "/..%5capp.js",
            "/x/../../app.js",
            "//inside.txt",
            "/%2finside.txt",
            "/inside.txt/",
            "/inside.txt/x",
            "/inside.txt%00",
            "/inside.txt%00.js",
            "/./inside.txt",
            "/inside%0a.txt",
            "/%ff",
            "/%",
            "/.",
            "/..",
            "*",
            &long,
        ] {
            let response = ask(&inner, "GET", path, &[]);
            assert_eq!(response.status(), 404, "{path}");
            assert_eq!(header(&response, "content-type"), "application/problem+json", "{path}");
        }
        for path in ["/.env", "/folder", "/folder/", "/nothing", "/nothing.html", "/index"] {
            let expected = if path == "/index" { 200 } else { 404 };
            assert_eq!(ask(root.path(), "GET", path, &[]).status(), expected, "{path}");
        }
    }

    #[test]
    fn a_pages_address_with_a_slash_leads_to_the_page() {
        let root = site();
        for (path, location) in [
            ("/results/", "/results"),
            ("/results/?a=b&c", "/results?a=b&c"),
            ("/%72esults/", "/%72esults"),
            ("/nothing/", ""),
            ("/app.js/", ""),
            ("/results//", ""),
            ("//results/", ""),
            ("/%2fresults/", ""),
            ("//", ""),
        ] {
            let response = ask(root.path(), "GET", path, &[]);
            let status = if location.is_empty() { 404 } else { 308 };
            assert_eq!(
                (response.status().as_u16(), header(&response, "location")),
                (status, location),
                "{path}"
            );
        }
    }

    #[test]
    fn a_known_etag_is_answered_with_304_until_the_file_changes() {
        let root = site();
        let etag = header(&ask(root.path(), "GET", "/app.js", &[]), "etag").to_owned();
        assert!(etag.starts_with('"') && etag.len() == 34, "{etag}");
        let weak_and_other = format!("\"other\", W/{etag}");
        for known in [&etag, &weak_and_other, "*"] {
            let response = ask(root.path(), "GET", "/app.js", &[("if-none-match", known)]);
            assert_eq!(response.status(), 304, "{known}");
            assert_eq!(header(&response, "etag"), etag);
            assert!(response.body().is_empty() && !response.headers().contains_key("content-length"));
        }
        for unknown in ["\"other\"", "nonsense", ""] {
            let response = ask(root.path(), "GET", "/app.js", &[("if-none-match", unknown)]);
            assert_eq!(response.status(), 200, "{unknown}");
        }
        fs::write(root.path().join("app.js"), "2").unwrap();
        let response = ask(root.path(), "GET", "/app.js", &[("if-none-match", &etag)]);
        assert_eq!((response.status().as_u16(), response.body().as_ref()), (200, b"2".as_ref()));
    }

    #[test]
    fn other_methods_and_unreadable_files_are_problems() {
        let root = site();
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"] {
            let response = ask(root.path(), method, "/", &[]);
            assert_eq!(
                (response.status().as_u16(), header(&response, "allow")),
                (405, "GET, HEAD"),
                "{method}"
            );
        }
        assert_eq!(ask(root.path(), "HEAD", "/", &[]).status(), 200);
        assert_eq!(ask(root.path(), "GET", "/huge.bin", &[]).status(), 500);
    }

    #[test]
    fn a_browser_gets_a_page_that_says_nothing_is_there() {
        let root = site();
        let response = ask(root.path(), "GET", "/nothing", &[("accept", "text/html,*/*;q=0.8")]);
        assert_eq!((response.status().as_u16(), response.body().as_ref()), (404, b"lost".as_ref()));
        let response = ask(root.path(), "GET", "/nothing", &[("accept", "application/json")]);
        let problem: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(problem["status"], 404);
        assert!(problem["detail"].as_str().unwrap().contains("/nothing"));
    }

    #[test]
    fn fuzz() {
        fuzz::text(&["/results", "/app.css", "/%61/b.html"], |path| {
            if let Some(relative) = relative_path(path) {
                let stays = |part| matches!(part, std::path::Component::Normal(_));
                assert!(Path::new(&relative).components().all(stays), "{relative:?} leads out of the site");
            }
        });
    }
}
