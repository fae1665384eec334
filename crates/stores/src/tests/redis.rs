//! What is particular to Redis.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use e2e::cluster::wire::Wire;
use e2e::redis_server::RedisServer;

use crate::{Store, StoreError};

/// Sends one command over a connection of its own.
fn command(url: &str, arguments: &[&[u8]]) {
    let mut connection = redis::Client::open(url).unwrap().get_connection().unwrap();
    let mut command = redis::Cmd::new();
    for argument in arguments {
        command.arg(argument);
    }
    command.exec(&mut connection).unwrap();
}

#[test]
fn refuses_what_is_no_url_and_never_tells_a_password() {
    let cases = [
        ("", "did not parse"),
        ("localhost:6379", "did not parse"),
        ("http://user:secret@localhost", "did not parse"),
        ("redis://:secret@localhost/first", "Invalid database number"),
        ("rediss://:secret@localhost", "TLS"),
        ("redis://", "host"),
    ];
    for (url, reason) in cases {
        let error = Store::redis(url).unwrap_err();
        let message = error.to_string();
        assert!(message.starts_with("the URL of the Redis store is not valid: "), "{url}: {message}");
        assert!(message.contains(reason), "{url}: {message}");
        assert!(!format!("{error:?}").contains("secret"), "{url}: {error:?}");
        assert!(error.hint().is_some());
    }
    for (url, place) in [
        ("redis://name:secret@example.org", "redis://name:***@example.org"),
        ("redis://:secret@[::1]:7000/3", "redis://:***@[::1]:7000/3"),
        ("redis+unix:///run/redis.sock?pass=secret&db=2", "redis+unix:///run/redis.sock?pass=***&db=2"),
    ] {
        let store = Store::redis(url).unwrap();
        assert_eq!(store.to_string(), place);
        assert!(!format!("{store:?}").contains("secret"), "{store:?}");
    }
}

#[tokio::test]
async fn says_what_is_wrong_with_the_password() {
    let Some(server) = RedisServer::start(&["--requirepass", "secret"]) else { return };
    let port = server.port;
    for database in [0, 1] {
        let place = format!("redis://127.0.0.1:{port}/{database}");
        let store =
            |login: &str| Store::redis(&format!("redis://{login}127.0.0.1:{port}/{database}")).unwrap();
        let wanted = StoreError::PasswordRequired { place: place.clone() };
        assert_eq!(store("").get("key").await, Err(wanted.clone()));
        assert_eq!(store("").increment("key", 1).await, Err(wanted.clone()));
        assert_eq!(wanted.to_string(), format!("the Redis store {place} requires a password"));

        for login in [":wrongsecret@", "nobody:wrongsecret@"] {
            let refused = store(login).get("key").await.unwrap_err();
            assert!(matches!(refused, StoreError::PasswordRejected { .. }), "{refused:?}");
            assert!(!format!("{refused:?}").contains("wrongsecret"), "{refused:?}");
        }
        assert_eq!(store(":secret@").get("key").await, Ok(None));
        assert_eq!(store("default:secret@").get("key").await, Ok(None));
    }
}

#[tokio::test]
async fn a_refused_login_is_not_for_ever() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let store = Store::redis(&server.url(0)).unwrap();
    store.set("key", b"value".to_vec()).await.unwrap();
    command(&server.url(0), &[b"CONFIG", b"SET", b"requirepass", b"secret"]);
    let with_password = format!("redis://:secret@127.0.0.1:{}", server.port);
    command(&with_password, &[b"CLIENT", b"KILL", b"TYPE", b"normal", b"SKIPME", b"yes"]);
    assert!(matches!(store.get("key").await, Err(StoreError::PasswordRequired { .. })));
    command(&with_password, &[b"CONFIG", b"SET", b"requirepass", b""]);
    assert_eq!(store.get("key").await, Ok(Some(b"value".to_vec())));
}

#[tokio::test]
async fn databases_are_stores_of_their_own() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let [first, second] = [0, 1].map(|database| Store::redis(&server.url(database)).unwrap());
    first.set("key", b"first".to_vec()).await.unwrap();
    assert_eq!(second.get("key").await, Ok(None));
    assert_eq!(first.clone().get("key").await, Ok(Some(b"first".to_vec())));
}

#[tokio::test]
async fn finds_a_server_again_that_was_away() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let (port, store) = (server.port, Store::redis(&server.url(0)).unwrap());
    store.set("key", b"value".to_vec()).await.unwrap();
    drop(server);
    for _ in 0..3 {
        assert!(matches!(store.get("key").await, Err(StoreError::Unreachable { .. })));
    }
    let Some(server) = RedisServer::start_on(port, &[]) else {
        eprintln!("not tested to the end: another process took the port {port}");
        return;
    };
    assert_eq!(store.get("key").await, Ok(None));

    // Once more, this time without anybody having noticed: a read is repeated over a new connection.
    store.set("key", b"value".to_vec()).await.unwrap();
    command(&server.url(0), &[b"CLIENT", b"KILL", b"TYPE", b"normal", b"SKIPME", b"yes"]);
    assert_eq!(store.get("key").await, Ok(Some(b"value".to_vec())));
}

/// Behind one address, as after a failover: the connection that is kept leads to a server that has become a replica.
#[tokio::test]
async fn a_write_finds_the_server_that_has_taken_over() {
    let Some((former, next)) = RedisServer::start(&[]).zip(RedisServer::start(&[])) else { return };
    let wire = Wire::to(former.port);
    let store = Store::redis(&wire.url(0)).unwrap();
    store.set("key", b"value".to_vec()).await.unwrap();
    former.ask(&format!("REPLICAOF 127.0.0.1 {}", next.port));
    assert!(store.set("key", b"later".to_vec()).await.unwrap_err().to_string().contains("read only replica"));
    wire.lead_to(next.port);
    assert_eq!(store.increment("counter", 1).await, Ok(1));
    assert!(next.ask("GET counter").starts_with("$1\r\n1\r\n"));
}

#[tokio::test]
async fn a_silent_server_is_an_error_and_not_a_hang() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let store = Store::redis(&format!("redis://127.0.0.1:{port}")).unwrap();
    let (one, other) = tokio::join!(store.get("key"), store.increment("key", 1));
    let place = format!("redis://127.0.0.1:{port}");
    let timed_out = StoreError::TimedOut { place, waited: 5 };
    assert_eq!((one, other), (Err(timed_out.clone()), Err(timed_out)));

    // From now on one operation asks, and those beside it fail at once.
    let (start, taken) = (Instant::now(), async |store: &Store, start: Instant| {
        assert!(store.get("key").await.is_err());
        start.elapsed()
    });
    let (one, other) = tokio::join!(taken(&store, start), taken(&store, start));
    assert!(
        one.min(other) < Duration::from_secs(2) && one.max(other) >= Duration::from_secs(4),
        "{one:?} {other:?}"
    );
}

#[tokio::test]
async fn what_is_no_string_is_an_error_and_a_key_that_is_no_text_is_left_out() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let store = Store::redis(&server.url(0)).unwrap();
    command(&server.url(0), &[b"LPUSH", b"list", b"item"]);
    command(&server.url(0), &[b"SET", b"\xff", b"value"]);
    let error = store.get("list").await.unwrap_err().to_string();
    assert!(error.contains("WRONGTYPE"), "{error}");
    let key = "list".to_owned();
    assert_eq!(store.increment("list", 1).await, Err(StoreError::NotACounter { key }));
    assert_eq!(store.keys_page(None, 10).await.unwrap().0, ["list"]);
}

/// A table that shrinks while it is listed is listed twice in part: `SCAN` promises no more.
#[tokio::test]
async fn a_key_that_redis_names_twice_is_listed_once() {
    let Some(server) = RedisServer::start(&["--enable-debug-command", "yes", "--hz", "500"]) else { return };
    let store = Store::redis(&server.url(0)).unwrap();
    let kept: BTreeSet<_> = (0..4_000).map(|number| format!("kept {number}")).collect();
    store.set_many(kept.iter().map(|key| (key.clone(), Vec::new())).collect()).await.unwrap();
    let passing: Vec<_> = (0..60_000).map(|number| format!("passing {number}")).collect();

    let (mut listing, mut listed) = (crate::Listing::of(store.clone()), Vec::new());
    let (mut cursor, mut named) = (None, Vec::new());
    loop {
        store.set_many(passing.iter().map(|key| (key.clone(), Vec::new())).collect()).await.unwrap();
        until_tables(&server.url(0), |size| size >= 65_536).await;
        let large = listing.next(50).await.unwrap();
        listed.extend(large.into_iter().flatten());
        let (page, next) = store.keys_page(cursor, 50).await.unwrap();
        named.extend(page);
        store.delete_many(&passing).await.unwrap();
        until_tables(&server.url(0), |size| size <= 16_384).await;
        let small = listing.next(200).await.unwrap();
        let is_over = small.is_none();
        listed.extend(small.into_iter().flatten());
        cursor = next;
        if cursor.is_some() {
            let (page, next) = store.keys_page(cursor, 200).await.unwrap();
            named.extend(page);
            cursor = next;
        }
        if is_over || cursor.is_none() {
            break;
        }
    }
    while let Some(page) = listing.next(1_000).await.unwrap() {
        listed.extend(page);
    }
    let of_kept = |keys: &[String]| keys.iter().filter(|key| key.starts_with("kept")).count();
    let different: BTreeSet<_> = named.iter().cloned().collect();
    assert!(named.len() > different.len(), "Redis named no key twice: this tests nothing");
    assert_eq!(of_kept(&listed), kept.len());
    let once: BTreeSet<_> = listed.iter().cloned().collect();
    assert!(once.len() == listed.len() && once.is_superset(&kept));
    // For tools too, which want them sorted.
    assert_eq!(store.keys().await.unwrap(), (kept.into_iter().collect(), 0));
}

/// Waits until the server has one table of keys, of such a size.
async fn until_tables(url: &str, is_wanted: impl Fn(u64) -> bool) {
    let mut connection = redis::Client::open(url).unwrap().get_connection().unwrap();
    let patience = Instant::now() + Duration::from_mins(1);
    loop {
        let said: String = redis::cmd("DEBUG").arg("HTSTATS").arg(0).query(&mut connection).unwrap();
        let keys = said.split("[Expires").next().unwrap();
        let sizes =
            keys.lines().filter_map(|line| line.trim().strip_prefix("table size:")?.trim().parse().ok());
        let sizes: Vec<u64> = sizes.collect();
        if let [size] = sizes[..]
            && is_wanted(size)
        {
            return;
        }
        assert!(Instant::now() < patience, "{said}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
