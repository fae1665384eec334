use proptest::prelude::*;

use super::*;
use crate::cloud_store::CloudStore;

fn parse(text: &str) -> Result<RuntimeConfig, Fault> {
    RuntimeConfig::parse(text.to_owned(), Path::new("conf/rc.toml"))
}

/// An app with these components.
fn app(components: &str) -> Manifest {
    let text = format!("spin_manifest_version = 2\napplication.name = \"a\"\n{components}");
    Manifest::parse(&text, Path::new("app/spin.toml")).unwrap()
}

fn sqlite(path: &str) -> StoreAddress {
    StoreAddress::Sqlite(absolute(Path::new(path)))
}

#[test]
fn without_a_file_there_is_only_the_default_store() {
    let config = RuntimeConfig::load(Path::new("no/such.toml")).unwrap();
    assert!(config.links.is_empty() && config.llm.is_none() && config.beyond.is_empty());
    let with = app("[component.c]\nsource = \"c.wasm\"\nkey_value_stores = [\"default\"]");
    let default = BTreeMap::from([("default".into(), sqlite("app/.spin/sqlite_key_value.db"))]);
    assert_eq!(config.stores(&with), default);
    assert_eq!(config.stores(&app("")), BTreeMap::new(), "the app does not open it");
    let linked = parse("[key_value_store.default]\ntype = \"redis\"\nurl = \"redis://h\"").unwrap();
    assert_eq!(linked.stores(&with), linked.links);
}

#[test]
fn stores_and_the_model_are_read() {
    let config = parse(
        r#"
        [key_value_store.default]
        type = "spin"
        path = "/absolute/default.db"
        [key_value_store.promptstore1]
        type = "spin"
        path = ".spin/stores/case-a.db"
        [key_value_store.shared]
        type = "redis"
        url = "redis://user:secret@localhost:6379/1"
        [llm_compute]
        type = "remote_http"
        url = "http://127.0.0.1:3001"
        auth_token = "secret"
        api_type = "open_ai"
        "#,
    )
    .unwrap();
    let redis = StoreAddress::Redis("redis://user:secret@localhost:6379/1".into());
    assert_eq!(
        config.links,
        BTreeMap::from([
            ("default".into(), sqlite("/absolute/default.db")),
            ("promptstore1".into(), sqlite("conf/.spin/stores/case-a.db")),
            ("shared".into(), redis),
        ])
    );
    let llm =
        LlmConfig { url: "http://127.0.0.1:3001".into(), auth_token: "secret".into(), api: ApiType::OpenAi };
    assert_eq!(config.llm, Some(llm));
    let shown = format!("{config:?}");
    assert!(shown.contains("redis://user:***@localhost:6379/1") && !shown.contains("secret"), "{shown}");
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let store = |rest: &str| format!("[key_value_store.x]\n{rest}");
    let llm = |rest: &str| format!("[llm_compute]\n{rest}");
    for (text, message) in [
        (
            store("type = \"azure_cosmos\"\naccount = \"a\"\ndatabase = \"d\"\ncontainer = \"c\""),
            "conf/rc.toml:2: [key_value_store.x] with the type \"azure_cosmos\" needs Spin",
        ),
        (
            store("type = \"aws_dynamo\"\nregion = \"r\"\ntable = \"t\""),
            "conf/rc.toml:2: [key_value_store.x] with the type \"aws_dynamo\" needs Spin",
        ),
        (
            store("type = \"azure_cosmos\"\naccount = \"a\"\ncontainer = \"c\"\nkey = \"secret\""),
            "conf/rc.toml:3: [key_value_store.x] has no `database`",
        ),
        (
            store("type = \"azure_cosmos\"\nkey = 1\naccount = \"a\"\ndatabase = \"d\"\ncontainer = \"c\""),
            "conf/rc.toml:3: [key_value_store.x] has a `key` of type integer; it must be a string",
        ),
        (
            store("type = \"aws_dynamo\"\nregion = \"r\""),
            "conf/rc.toml:3: [key_value_store.x] has no `table`",
        ),
        (
            store("type = \"aws_dynamo\"\nregion = \"r\"\ntable = \"t\"\nconsistent_read = \"yes\""),
            "conf/rc.toml:5: [key_value_store.x] has a `consistent_read` of type string; it must be a boolean",
        ),
        (
            store("type = \"spin\""),
            "conf/rc.toml:2: [key_value_store.x] without a `path`, a store in memory, needs Spin",
        ),
        (
            store("type = \"spin\"\npath = \"a\"\n\npth = \"b\""),
            "conf/rc.toml:5: [key_value_store.x] has the unknown key `pth`",
        ),
        (
            store("type = \"spin\"\npath = 1"),
            "conf/rc.toml:3: [key_value_store.x] has a `path` of type integer; it must be a string",
        ),
        (
            store("type = \"etcd\""),
            "conf/rc.toml:2: [key_value_store.x] has the type \"etcd\"; it must be \"spin\", \"redis\", \"azure_cosmos\" or \
             \"aws_dynamo\"",
        ),
        (store("path = \"a\""), "conf/rc.toml:1: [key_value_store.x] has no `type`"),
        (store("type = \"redis\""), "conf/rc.toml:2: [key_value_store.x] has no `url`"),
        (
            store("type = \"redis\"\nurl = \"rediss://:secret@h\""),
            "conf/rc.toml:3: [key_value_store.x] with a `rediss://` address (TLS) needs Spin",
        ),
        (
            store("type = \"redis\"\nurl = \"http://:secret@h\""),
            "conf/rc.toml:3: [key_value_store.x] has a `url` that does not start with redis://",
        ),
        (
            store("type = \"redis\"\nurl = \"localhost\""),
            "conf/rc.toml:3: [key_value_store.x] has an invalid `url`: relative URL without a base",
        ),
        (
            llm("type = \"spin\""),
            "conf/rc.toml:2: [llm_compute] with the type \"spin\": a local model needs Spin",
        ),
        (
            llm("type = \"cloud\""),
            "conf/rc.toml:2: [llm_compute] has the type \"cloud\"; it must be \"remote_http\"",
        ),
        (
            llm("type = \"remote_http\"\nurl = \"ftp://h\"\nauth_token = \"\""),
            "conf/rc.toml:3: [llm_compute] has a `url` that starts with neither http:// nor https://",
        ),
        (
            llm("type = \"remote_http\"\nurl = \"http://h\""),
            "conf/rc.toml:3: [llm_compute] has no `auth_token`",
        ),
        (
            llm("type = \"remote_http\"\nurl = \"http://h\"\nauth_token = \"\"\napi_type = \"grpc\""),
            "conf/rc.toml:5: [llm_compute] has the api_type \"grpc\"; it must be \"default\" or \"open_ai\"",
        ),
        (
            "\n[[variables_provider]]\ntype = \"vault\"".into(),
            "conf/rc.toml:2: `variables_provider` needs Spin",
        ),
        ("state_dir = \"x\"".into(), "conf/rc.toml:1: `state_dir` needs Spin"),
        ("[sqlite_database.x]\ntype = \"spin\"".into(), "conf/rc.toml:1: `sqlite_database` needs Spin"),
        ("key_value_store = 1".into(), "conf/rc.toml:1: invalid type: integer `1`, expected a table"),
        ("[key_value_store.x".into(), "conf/rc.toml:1: unclosed table, expected `]`"),
    ] {
        let error = parse(&text).map_or_else(|error| error, |config| config.beyond[0].clone());
        assert_eq!(error.to_string(), message, "{text}");
        let shown = format!("{error:?}");
        assert!(!shown.contains("secret"), "{shown}");
    }
    let unknown = parse("\n\n[key_value_stores.x]\ntype = \"spin\"").unwrap_err().to_string();
    assert!(
        unknown.starts_with("conf/rc.toml:3: unknown key `key_value_stores`, expected one of "),
        "{unknown}"
    );
}

#[test]
fn stores_of_a_cloud_are_read_with_their_credentials_and_shown_without() {
    let config = parse(
        r#"
        [key_value_store.plain]
        type = "azure_cosmos"
        account = "a"
        database = "d"
        container = "c"
        [key_value_store.keyed]
        type = "aws_dynamo"
        region = "r"
        table = "t"
        consistent_read = false
        access_key = "secret-id"
        secret_key = "secret"
        token = "secret-token"
        [key_value_store.half]
        type = "aws_dynamo"
        region = "r"
        table = "t"
        secret_key = "secret"
        endpoint = "http://localhost"
        "#,
    )
    .unwrap();
    let cloud = |address: &str| StoreAddress::Cloud(CloudStore::parse(address).unwrap().unwrap());
    assert_eq!(
        config.links,
        BTreeMap::from([
            ("plain".into(), cloud("azure-cosmos://a/d/c")),
            (
                "keyed".into(),
                cloud("aws-dynamo://secret-id:secret@r/t?consistent_read=false&token=secret-token")
            ),
            ("half".into(), cloud("aws-dynamo://r/t")),
        ])
    );
    let beyond: Vec<_> = config.beyond.iter().map(|fault| &*fault.message).collect();
    assert!(beyond.contains(&"[key_value_store.half] has the unknown key `endpoint`"), "{beyond:?}");
    let shown = format!("{config:?}");
    assert!(shown.contains("Cloud(aws-dynamo://r/t)") && !shown.contains("secret"), "{shown}");
}

#[test]
fn labels_that_are_not_defined_are_named_as_spin_does() {
    let app = app("[component.c]\nsource = \"c.wasm\"\nkey_value_stores = [\"default\", \"mine\"]\n\
                   [component.d]\nsource = \"d.wasm\"\nkey_value_stores = [\"yours\", \"mine\"]");
    let config = parse("").unwrap();
    let unknown = config.check_labels(&app).unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "unknown key_value_stores label \"mine\" for component \"c\"\n\
         unknown key_value_stores label \"yours\" for component \"d\"\n\
         unknown key_value_stores label \"mine\" for component \"d\""
    );
    assert_eq!(
        unknown.hint(),
        "define [key_value_store.mine] and [key_value_store.yours] in the runtime configuration"
    );
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(
        text in r#"(\[key_value_store\.(\PC|[a-z]{1,3})\]|\[llm_compute\]|(type|path|url|auth_token) = (\PC{0,4}|"\PC{0,9}"|"spin"|"redis"|1|\[\])|\PC{0,8}|\n){0,12}"#,
    ) {
        if let Err(error) = parse(&text) {
            prop_assert!(error.to_string().starts_with("conf/rc.toml"), "{}", error);
        }
    }
}
