use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::RuntimeConfig;

const CRATE: &str = env!("CARGO_MANIFEST_DIR");

fn parse(text: &str) -> Result<Manifest, Fault> {
    Manifest::parse(text, Path::new("app/spin.toml"))
}

/// An app of one component, with more keys for it, and more after it.
fn app(component: &str, rest: &str) -> String {
    format!(
        "spin_manifest_version = 2\napplication.name = \"a\"\n[[trigger.http]]\nroute = \"/...\"\ncomponent = \"c\"\n\
         [component.c]\nsource = \"c.wasm\"\n{component}\n{rest}"
    )
}

/// The message for a mistake, or for what the embedded runtime cannot run, and the hint.
fn mistake(text: &str) -> (String, String) {
    let fault = parse(text).map_or_else(|fault| fault, |manifest| manifest.beyond[0].clone());
    (fault.to_string(), fault.hint)
}

#[test]
fn every_key_is_read() {
    let path = Path::new(CRATE).join("fixtures/every-key.toml");
    let manifest = Manifest::load(&path).unwrap();
    let at = |file: &str| Path::new(CRATE).join("fixtures").join(file);

    assert_eq!(manifest.path, path);
    assert_eq!((manifest.name.as_str(), manifest.version.as_str()), ("every-key", "1.2.3"));
    assert_eq!(manifest.beyond, []);
    assert_eq!(manifest.variables["plain"].default.as_deref(), Some("text"));
    assert_eq!(manifest.variables["password"].default, None);

    let triggers: Vec<_> =
        manifest.triggers.iter().map(|t| (t.id.as_str(), &t.route, t.component.as_str())).collect();
    let public = |pattern: &str| Route::Public(pattern.to_owned());
    assert_eq!(
        triggers,
        [
            ("named", &public("/zebra/..."), "zebra"),
            ("zebra-http-trigger", &public("/zebra-too"), "zebra"),
            ("http-trigger1", &public("/zebra-three"), "zebra"),
            ("ant-http-trigger", &Route::Private, "ant"),
            ("http-trigger2", &public("/inline"), "http-trigger2-component"),
        ]
    );

    let ids: Vec<_> = manifest.components.iter().map(|component| component.id.as_str()).collect();
    assert_eq!(ids, ["zebra", "ant", "http-trigger2-component"], "in the order of the file");
    let zebra = manifest.component("zebra").unwrap();
    assert_eq!(zebra.source, Some(at("wasm/zebra.wasm")));
    assert_eq!(zebra.variables["greeting"], "Hello, {{ plain }}");
    assert_eq!(zebra.environment["RUST_LOG"], "info");
    assert_eq!(
        zebra.files,
        [
            FilesMount::Pattern("images/*.png".to_owned()),
            FilesMount::Placement { source: at("assets"), destination: "/".to_owned() },
        ]
    );
    assert_eq!(zebra.exclude_files, ["assets/secret/*"]);
    assert_eq!(zebra.allowed_outbound_hosts, ["https://example.com", "http://ant.spin.internal"]);
    assert_eq!(zebra.key_value_stores, ["default", "snake_case", "kebab-case"]);
    assert_eq!(zebra.ai_models, ["llama2-chat", "a-model-of-my-own"]);
    let build = zebra.build.as_ref().unwrap();
    assert_eq!(build.commands, ["npm install", "npm run build"]);
    assert_eq!(build.workdir.as_deref(), Some(Path::new("zebra")));
    let ant = manifest.component("ant").unwrap().build.as_ref().unwrap();
    assert_eq!((ant.commands.as_slice(), &ant.workdir), (&["make".to_owned()][..], &None));
}

#[test]
fn the_apps_own_files_are_read() {
    let root = Path::new(CRATE).join("../..");
    let manifest = Manifest::load(&root).unwrap();
    assert_eq!(manifest.path, root.join("spin.toml"), "a folder stands for the spin.toml in it");
    assert!(manifest.triggers.iter().any(|trigger| trigger.route == Route::Private));
    let variables =
        crate::variables::Variables::resolve(&manifest, &crate::variables::Providers::default()).unwrap();
    for component in &manifest.components {
        crate::outbound::AllowedHosts::resolve(&component.allowed_outbound_hosts, &variables).unwrap();
    }
    let config = RuntimeConfig::load(&root.join("runtime-config.toml")).unwrap();
    config.check_labels(&manifest).unwrap();
    assert_eq!((&manifest.beyond[..], &config.beyond[..]), (&[][..], &[][..]));
}

#[test]
fn what_only_spin_can_do_is_refused_by_name() {
    let with = |component: &str| app(component, "");
    let trigger = |keys: &str| app("", &format!("[[trigger.http]]\nroute = \"/t\"\n{keys}"));
    for (text, line, what) in [
        (with("sqlite_databases = [\"default\"]"), 8, "`sqlite_databases` of the component \"c\""),
        (with("dependencies = { \"a:b\" = \"1\" }"), 8, "`dependencies` of the component \"c\""),
        (
            with("dependencies_inherit_configuration = true"),
            8,
            "`dependencies_inherit_configuration` of the component \"c\"",
        ),
        (with("profile.debug.source = \"d.wasm\""), 8, "`profile` of the component \"c\""),
        (with("targets = [\"spin-up:3.3\"]"), 8, "`targets` of the component \"c\""),
        (with("allowed_http_hosts = [\"example.com\"]"), 8, "`allowed_http_hosts` of the component \"c\""),
        (
            app(
                "",
                "[component.d]\nsource = { url = \"https://example.com/d.wasm\", digest = \"sha256:00\" }",
            ),
            10,
            "the source of the component \"d\", from a URL,",
        ),
        (
            app(
                "",
                "[component.d]\nsource = { registry = \"example.com\", package = \"d:d\", version = \"1.0.0\" }",
            ),
            10,
            "the source of the component \"d\", from a registry,",
        ),
        (app("", "\n[[trigger.redis]]\nchannel = \"x\"\ncomponent = \"c\""), 10, "the trigger \"redis\""),
        (
            trigger("component = \"c\"\nexecutor = { type = \"wagi\", argv = \"x\" }"),
            12,
            "the executor \"wagi\"",
        ),
        (trigger("static_response = { status_code = 404 }"), 11, "`static_response`"),
        (trigger("component = \"c\"\ncomponents = { x = \"c\" }"), 12, "`components` of a trigger"),
        (
            trigger("component = \"c\"\ndependencies.middleware = [{ path = \"m.wasm\" }]"),
            12,
            "`dependencies` of a trigger (middleware)",
        ),
    ] {
        assert_eq!(mistake(&text).0, format!("app/spin.toml:{line}: {what} needs Spin"), "{text}");
    }
    assert_eq!(
        mistake("spin_manifest_version = \"1\"\nname = \"old\"\n[[component]]\nid = \"x\""),
        (
            "app/spin.toml:1: a manifest of version 1 needs Spin".to_owned(),
            "`spin doctor` turns it into version 2".to_owned()
        )
    );
    assert_eq!(
        mistake("spin_manifest_version = 2\n[application]\nname = \"a\"\ntargets = [\"x\"]\n[trigger]").0,
        "app/spin.toml:4: `targets` of the application needs Spin"
    );
}

#[test]
fn mistakes_are_named_with_their_line() {
    let trigger = |keys: &str| app("", &format!("[[trigger.http]]\n{keys}"));
    for (text, message) in [
        ("spin_manifest_version = 3".to_owned(), "1: the manifest version 3 is not valid: only version 2 is supported"),
        ("[application]".to_owned(), "1: missing key `spin_manifest_version`"),
        ("spin_manifest_version = 2\n[application".to_owned(), "2: unclosed table, expected `]`"),
        ("spin_manifest_version = 2\n[application]\n[trigger]".to_owned(), "2: missing key `name`"),
        (app("source = \"d.wasm\"", ""), "8: duplicate key"),
        (app("key_value_stores = \"default\"", ""), "8: invalid type: string \"default\", expected a sequence"),
        (app("key_value_stores = [\n\"a\",\n\"b@d\"]", ""),
         "10: the label \"b@d\" of the component \"c\" is not valid: \
          consists of ASCII letters and digits, with '-' between words; '@' cannot be part of it"),
        (app("", "[component.d_e]\nsource = \"d.wasm\""),
         "9: the component id \"d_e\" is not valid: \
          consists of ASCII letters and digits, with '-' between words; '_' cannot be part of it"),
        (app("", "[component.d]"), "9: missing key `source`"),
        (app("variables = { Upper = \"x\" }", ""),
         "8: the variable \"Upper\" of the component \"c\" is not valid: \
          each word must be all lower case or all upper case; \"Upper\" is neither"),
        (app("", "[variables]\nUSER = { default = \"\" }"),
         "10: the variable \"USER\" is not valid: must be all lower case"),
        (app("", "[variables]\nneither = {}"),
         "10: the variable \"neither\" is not valid: it must be `required` or have a `default`, one of the two"),
        (app("", "[variables]\nboth = { required = true, default = \"\" }"),
         "10: the variable \"both\" is not valid: it must be `required` or have a `default`, one of the two"),
        (trigger("route = \"/x\""),
         "9: the trigger of the route \"/x\" is not valid: it names no component"),
        (trigger("component = \"c\""), "9: missing key `route`"),
        (trigger("route = 1\ncomponent = \"c\""),
         "10: invalid type: integer `1`, expected a string, or this key's longer form"),
        (trigger("route = { private = false }\ncomponent = \"c\""),
         "9: the route { private = false } is not valid: a route is a string, or { private = true }"),
        (trigger("route = \"/a/*/b\"\ncomponent = \"c\""),
         "9: the route \"/a/*/b\" is not valid: a wildcard is the last segment: /... at the end"),
        (trigger("route = \"/d\"\ncomponent = \"d\""),
         "9: the route \"/d\" leads to the component \"d\", which does not exist"),
        (trigger("route = { private = true }\ncomponent = \"d\""),
         "9: the route { private = true } leads to the component \"d\", which does not exist"),
        (trigger("route = \"...\"\ncomponent = { source = \"d.wasm\" }"),
         "9: the route \"...\" leads to the component \"http-trigger1-component\" here and to \"c\" above"),
        ("spin_manifest_version = 2\napplication.name = \"a\"\n[trigger]\n[application.trigger.http]\nbase = \"/b\""
             .to_owned(),
         "5: the base \"/b\" is not valid: Spin has dropped it; put it in front of each route"),
    ] {
        assert_eq!(mistake(&text).0, format!("app/spin.toml:{message}"), "{text}");
    }
    assert_eq!(
        mistake(&trigger("route = \"/d\"\ncomponent = \"d\"")).1,
        "add [component.d], or name one of c"
    );
}

#[test]
fn unknown_keys_are_named_wherever_they_stand() {
    for (text, line, key) in [
        (app("", "[extra]"), 9, "extra"),
        (app("key_value_store = [\"default\"]", ""), 8, "key_value_store"),
        (app("build = { command = \"x\", comand = \"y\" }", ""), 8, "comand"),
        (app("files = [{ source = \"a\", dest = \"/\" }]", ""), 8, "dest"),
        (app("", "[variables]\nx = { default = \"\", secrets = true }"), 10, "secrets"),
        (app("", "[[trigger.http]]\nroute = { privat = true }\ncomponent = \"c\""), 10, "privat"),
        (app("", "[[trigger.http]]\nroute = \"/x\"\ncomponents = {}\ncomponet = \"c\""), 12, "componet"),
        (
            app("", "[[trigger.http]]\nroute = \"/x\"\ncomponent = { source = \"c.wasm\", sources = 1 }"),
            11,
            "sources",
        ),
    ] {
        let (message, _) = mistake(&text);
        let expected = format!("app/spin.toml:{line}: unknown key `{key}`, expected ");
        assert!(message.starts_with(&expected), "{message}\n{text}");
    }
}

#[test]
fn a_manifest_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = Manifest::load(folder.path()).unwrap_err();
    let path = folder.path().join("spin.toml");
    assert!(error.to_string().starts_with(&format!("cannot read {}: ", path.display())), "{error}");
}

#[test]
fn what_only_spin_can_run_can_be_built_and_linked() {
    let manifest = parse(
        "spin_manifest_version = 2\napplication.name = \"a\"\n\
         [[trigger.redis]]\nchannel = \"x\"\ncomponent = { source = \"r.wasm\", key_value_stores = [\"queue\"] }\n\
         [[trigger.http]]\nroute = \"/a\"\nid = \"given\"\n\
         component = { source = { url = \"https://example.com/h.wasm\", digest = \"x\" }, build.command = \"make\", \
         key_value_stores = [\"default\"] }\n\
         [[trigger.http]]\nroute = \"/b\"\nstatic_response = { status_code = 404 }\n",
    )
    .unwrap();
    let ids: Vec<_> = manifest.components.iter().map(|component| component.id.as_str()).collect();
    assert_eq!(ids, ["given-component", "redis-trigger1-component"]);
    assert_eq!(manifest.components[0].build.as_ref().unwrap().commands, ["make"]);
    assert_eq!(manifest.labels(), ["default", "queue"].into());
    let beyond: Vec<_> = manifest.beyond.iter().map(|fault| fault.message.as_str()).collect();
    assert_eq!(
        beyond,
        [
            "the source of the component \"given-component\", from a URL, needs Spin",
            "`static_response` needs Spin",
            "the trigger \"redis\" needs Spin",
        ]
    );
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(
        text in r#"(\[\[?trigger\.http\]\]?|\[component\.\PC\]|\PC{0,8} = (\PC|"\PC{0,4}"|\[\]|\{\}|1)|\n){0,12}"#,
    ) {
        let text = format!("spin_manifest_version = 2\n{text}");
        if let Err(error) = parse(&text) {
            prop_assert!(error.to_string().starts_with("app/spin.toml:"));
        }
    }
}

#[test]
fn fuzz() {
    let every_key = std::fs::read_to_string(Path::new(CRATE).join("fixtures/every-key.toml")).unwrap();
    let small = app(
        "key_value_stores = [\"a\"]\nfiles = [{ source = \"a\", destination = \"/\" }]",
        "[variables]\nv = { default = \"1\" }",
    );
    fuzz::text(&[&small, &every_key], |text| {
        if let Err(fault) = parse(text) {
            assert!(fault.to_string().starts_with("app/spin.toml"), "{fault}");
        }
    });
}
