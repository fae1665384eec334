//! Which path and method mean what, under whatever route the component is mounted.

use crate::page::{self, Asset, Keep};
use crate::safe_key;
use http::{HeaderMap, Method, StatusCode, Uri};
use percent_encoding::percent_decode_str;
use problem::Problem;

/// What a request is for.
#[derive(Debug, PartialEq)]
pub(crate) enum Route {
    /// The page's address without its trailing slash, from which relative addresses would go wrong.
    Directory,
    /// A file of the page, and how long it can be kept.
    Asset(&'static Asset, Keep),
    /// A call of the REST API.
    Api(Call),
}

/// A call of the REST API.
#[derive(Debug, PartialEq)]
pub(crate) enum Call {
    /// `GET /api/stores`
    Stores,
    /// A call on the store that the label means.
    Store(String, StoreCall),
}

/// A call on one store.
#[derive(Debug, PartialEq)]
pub(crate) enum StoreCall {
    /// `GET /api/stores/:store`
    List,
    /// `POST /api/stores/:store`
    Set,
    /// `GET /api/stores/:store/keys/:safe`
    Get(String),
    /// `PUT /api/stores/:store/keys/:safe`
    Put(String),
    /// `DELETE /api/stores/:store/keys/:safe`
    Delete(String),
    /// `POST /api/stores/:store/values`
    Values,
    /// `POST /api/stores/:store/delete`
    DeleteMany,
    /// `GET /api/stores/:store/export`
    Export,
    /// `POST /api/stores/:store/import`
    Import,
}

impl StoreCall {
    /// Whether the call may change the store.
    pub(crate) fn changes(&self) -> bool {
        match self {
            Self::List | Self::Get(_) | Self::Values | Self::Export => false,
            Self::Set | Self::Put(_) | Self::Delete(_) | Self::DeleteMany | Self::Import => true,
        }
    }
}

/// The request's path below the component's route. The host names it in a header; where it does not, the component is
/// taken to be mounted at the root.
pub(crate) fn path_in_component<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> &'a str {
    headers.get("spin-path-info").and_then(|value| value.to_str().ok()).unwrap_or_else(|| uri.path())
}

/// Reads a path below the component's route.
pub(crate) fn parse(method: &Method, path: &str) -> Result<Route, Problem> {
    let Some(relative) = path.strip_prefix('/') else {
        return allow(method, "GET, HEAD").map(|()| Route::Directory);
    };
    if let Some(below) = relative.strip_prefix("api/") {
        return call(method, below).map(Route::Api);
    }
    let (asset, keep) = page::find(relative).ok_or_else(not_found)?;
    allow(method, "GET, HEAD").map(|()| Route::Asset(asset, keep))
}

fn call(method: &Method, path: &str) -> Result<Call, Problem> {
    let segments: Vec<&str> = path.split('/').collect();
    let (label, rest) = match segments.as_slice() {
        ["stores"] => return allow(method, "GET").map(|()| Call::Stores),
        ["stores", label, rest @ ..] if !label.is_empty() => (decoded(label)?, rest),
        _ => return Err(not_found()),
    };
    let only = |allowed, call: StoreCall| allow(method, allowed).map(|()| call);
    let call = match rest {
        [] => match *method {
            Method::GET => StoreCall::List,
            Method::POST => StoreCall::Set,
            _ => return Err(Problem::method_not_allowed(method, "GET, POST")),
        },
        ["keys", safe] => {
            let key = safe_key::decode(&decoded(safe)?)?;
            match *method {
                Method::GET => StoreCall::Get(key),
                Method::PUT => StoreCall::Put(key),
                Method::DELETE => StoreCall::Delete(key),
                _ => return Err(Problem::method_not_allowed(method, "GET, PUT, DELETE")),
            }
        }
        ["values"] => only("POST", StoreCall::Values)?,
        ["delete"] => only("POST", StoreCall::DeleteMany)?,
        ["export"] => only("GET", StoreCall::Export)?,
        ["import"] => only("POST", StoreCall::Import)?,
        _ => return Err(not_found()),
    };
    Ok(Call::Store(label, call))
}

fn decoded(segment: &str) -> Result<String, Problem> {
    match percent_decode_str(segment).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err(Problem::bad_request("The path is not UTF-8 once its percent escapes are decoded.")),
    }
}

/// Refuses every method but the `allowed` ones, which are listed as in an `Allow` header.
fn allow(method: &Method, allowed: &str) -> Result<(), Problem> {
    if allowed.split(", ").any(|one| one == method) {
        Ok(())
    } else {
        Err(Problem::method_not_allowed(method, allowed))
    }
}

fn not_found() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "There is nothing at this address. The API is described in openapi.json.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(method: &Method, path: &str) -> Result<Call, u16> {
        match parse(method, path) {
            Ok(Route::Api(call)) => Ok(call),
            Ok(other) => panic!("{path} is {other:?}"),
            Err(problem) => Err(problem.status().as_u16()),
        }
    }

    fn store(call: StoreCall) -> Call {
        Call::Store("a".to_owned(), call)
    }

    #[test]
    fn every_address_of_the_api() {
        let key = || "a/b".to_owned();
        let cases = [
            (Method::GET, "/api/stores", Ok(Call::Stores)),
            (Method::GET, "/api/stores/a", Ok(store(StoreCall::List))),
            (Method::POST, "/api/stores/a", Ok(store(StoreCall::Set))),
            (Method::GET, "/api/stores/a/keys/YS9i", Ok(store(StoreCall::Get(key())))),
            (Method::PUT, "/api/stores/a/keys/YS9i", Ok(store(StoreCall::Put(key())))),
            (Method::DELETE, "/api/stores/a/keys/YS9i", Ok(store(StoreCall::Delete(key())))),
            (Method::GET, "/api/stores/a/keys/", Ok(store(StoreCall::Get(String::new())))),
            (Method::GET, "/api/stores/a/keys/YQ%3D%3D", Ok(store(StoreCall::Get("a".to_owned())))),
            (Method::POST, "/api/stores/a/values", Ok(store(StoreCall::Values))),
            (Method::POST, "/api/stores/a/delete", Ok(store(StoreCall::DeleteMany))),
            (Method::GET, "/api/stores/a/export", Ok(store(StoreCall::Export))),
            (Method::POST, "/api/stores/a/import", Ok(store(StoreCall::Import))),
            (Method::GET, "/api/stores/b%2Fc", Ok(Call::Store("b/c".to_owned(), StoreCall::List))),
            (Method::GET, "/api/stores/", Err(404)),
            (Method::GET, "/api/stores/a/keys", Err(404)),
            (Method::GET, "/api/stores/a/keys/YQ==/x", Err(404)),
            (Method::GET, "/api/stores/a/nothing", Err(404)),
            (Method::GET, "/api/", Err(404)),
            (Method::GET, "/api/stores/a/keys/Y", Err(400)),
            (Method::GET, "/api/stores/%ff", Err(400)),
            (Method::POST, "/api/stores", Err(405)),
            (Method::PATCH, "/api/stores/a", Err(405)),
            (Method::POST, "/api/stores/a/keys/YQ==", Err(405)),
            (Method::OPTIONS, "/api/stores/a/export", Err(405)),
        ];
        for (method, path, expected) in cases {
            assert_eq!(api(&method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn the_page_and_its_files() {
        assert_eq!(parse(&Method::GET, "").unwrap(), Route::Directory);
        assert!(
            matches!(parse(&Method::GET, "/").unwrap(), Route::Asset(asset, _) if asset.name == "index.html")
        );
        assert!(matches!(parse(&Method::HEAD, "/openapi.json").unwrap(), Route::Asset(..)));
        for path in ["/nothing", "/../index.html", "//", "/api"] {
            assert_eq!(parse(&Method::GET, path).unwrap_err().status(), StatusCode::NOT_FOUND, "{path}");
        }
        assert_eq!(parse(&Method::POST, "/").unwrap_err().status(), StatusCode::METHOD_NOT_ALLOWED);
    }

    #[test]
    fn the_description_has_every_call() {
        let description: serde_json::Value =
            serde_json::from_str(include_str!("../page/openapi.json")).unwrap();
        let described: Vec<String> = description["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, operations)| {
                let operations = operations.as_object().unwrap().keys().filter(|name| *name != "parameters");
                operations.map(move |name| format!("{} /{path}", name.to_uppercase()).replace("//", "/"))
            })
            .collect();
        let mut answered = 0;
        for path in [
            "/api/stores",
            "/api/stores/{store}",
            "/api/stores/{store}/keys/{safe}",
            "/api/stores/{store}/values",
            "/api/stores/{store}/delete",
            "/api/stores/{store}/export",
            "/api/stores/{store}/import",
        ] {
            for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
                let concrete = path.replace("{store}", "a").replace("{safe}", "YQ==");
                let here = parse(&method, &concrete).is_ok();
                assert_eq!(described.contains(&format!("{method} {path}")), here, "{method} {path}");
                answered += usize::from(here);
            }
        }
        assert_eq!(described.len(), answered);
    }

    #[test]
    fn fuzz() {
        let seeds = [
            "/api/stores/a/keys/YS9i",
            "/api/stores/b%2Fc/import",
            "/api/stores",
            "/openapi.json",
            "/page.css",
        ];
        fuzz::text(&seeds, |path| {
            for method in
                [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS]
            {
                let _ = parse(&method, path);
            }
        });
    }
}
