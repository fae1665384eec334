//! `build` runs what the manifest says.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use insta::assert_snapshot;

use crate::sandbox::Sandbox;

fn with_builds(builds: &[(&str, &str)]) -> Sandbox {
    let sandbox = Sandbox::new(&[]);
    let mut manifest = sandbox.read("spin.toml");
    for (id, build) in builds {
        writeln!(manifest, "[component.{id}]\nsource = \"x.wasm\"\n[component.{id}.build]\n{build}").unwrap();
    }
    sandbox.write("spin.toml", manifest);
    sandbox
}

#[test]
fn components_are_built_in_their_folders() {
    let sandbox = with_builds(&[
        ("first", "command = \"echo from the shell > $PWD/built && echo a line\""),
        ("second", "command = [\"echo 1 > one\", \"echo 2 > two\"]\nworkdir = \"sub\""),
        ("third", "command = \"echo broken && exit 3\""),
    ]);
    fs::create_dir(sandbox.path("sub")).unwrap();
    assert_snapshot!(
        sandbox.session(&["build -c first -c second", "build", "build --component-id nowhere"]),
        @r#"
        $ cargo ab build -c first -c second
        Building component first with `echo from the shell > $PWD/built && echo a line`
        a line
        Building component second with `echo 1 > one`
        Building component second with `echo 2 > two`
        Finished building all components
        $ cargo ab build
        Building component first with `echo from the shell > $PWD/built && echo a line`
        a line
        Building component second with `echo 1 > one`
        Building component second with `echo 2 > two`
        Building component third with `echo broken && exit 3`
        broken
        error: the build command of component third failed: exit status: 3
        hint: it was `echo broken && exit 3` in [FOLDER]
        [exit status: 1]
        $ cargo ab build --component-id nowhere
        error: there is no component "nowhere" in [FOLDER]/spin.toml
        hint: its components: api, first, second, third
        [exit status: 1]
        "#
    );
    assert_eq!(sandbox.read("built"), "from the shell\n");
    assert_eq!(sandbox.read("sub/one") + &sandbox.read("sub/two"), "1\n2\n");
    assert_eq!(sandbox.ab("build -c first").ok().output_text(), "", "standard output is for data");
    assert_snapshot!(Sandbox::new(&[]).session(&["build"]), @r#"
    $ cargo ab build
    None of the components have a build command.
    "#);
}

#[test]
fn components_with_the_same_commands_are_built_once() {
    let sandbox = with_builds(&[
        ("first", "command = \"echo one >> built && exit $(cat status)\""),
        ("second", "command = \"echo other >> built\""),
        ("third", "command = \"echo one >> built && exit $(cat status)\""),
        ("fourth", "command = \"echo one >> built && exit $(cat status)\"\nworkdir = \"sub\""),
    ]);
    fs::create_dir(sandbox.path("sub")).unwrap();
    sandbox.write("status", "0");
    sandbox.write("sub/status", "0");
    assert_snapshot!(sandbox.session(&["build", "build -c third"]), @r#"
    $ cargo ab build
    Building components first, third with `echo one >> built && exit $(cat status)`
    Building component second with `echo other >> built`
    Building component fourth with `echo one >> built && exit $(cat status)`
    Finished building all components
    $ cargo ab build -c third
    Building component third with `echo one >> built && exit $(cat status)`
    Finished building all components
    "#);
    assert_eq!(sandbox.read("built"), "one\nother\none\n");
    assert_eq!(sandbox.read("sub/built"), "one\n");
    sandbox.write("status", "3");
    assert_snapshot!(sandbox.session(&["build"]), @r#"
    $ cargo ab build
    Building components first, third with `echo one >> built && exit $(cat status)`
    error: the build command of components first, third failed: exit status: 3
    hint: it was `echo one >> built && exit $(cat status)` in [FOLDER]
    [exit status: 1]
    "#);
}

#[test]
fn a_component_inside_a_trigger_is_built_linked_and_asked_for() {
    let sandbox = Sandbox::new(&[]);
    let manifest = sandbox.read("spin.toml")
        + "[[trigger.http]]\nroute = \"/...\"\n[trigger.http.component]\nsource = \"x.wasm\"\n\
           key_value_stores = [\"one\"]\nbuild.command = \"echo inside\"\n\
           [[trigger.redis]]\nchannel = \"x\"\ncomponent = \"api\"\n";
    sandbox.write("spin.toml", manifest.replace("[[trigger.redis]]", "[[other.redis]]"));
    assert!(!sandbox.ab("build").succeeded(), "a manifest that Spin would not accept");
    sandbox.write("spin.toml", manifest);
    assert_snapshot!(
        sandbox.session(&["build", "build -c http-trigger1-component", "kv create case-a", "up --listen 127.0.0.1:0"]),
        @r#"
        $ cargo ab build
        Building component http-trigger1-component with `echo inside`
        inside
        Finished building all components
        $ cargo ab build -c http-trigger1-component
        Building component http-trigger1-component with `echo inside`
        inside
        Finished building all components
        $ cargo ab kv create case-a
        Key value store "case-a" created
        $ cargo ab up --listen 127.0.0.1:0
        error: [FOLDER]/spin.toml:13: the trigger "redis" needs Spin
        hint: run this app with `spin up`, or remove it
        [exit status: 1]
        "#
    );
    sandbox.write("spin.toml", sandbox.read("spin.toml").split("[[trigger.redis]]").next().unwrap());
    assert_snapshot!(sandbox.session(&["up --listen 127.0.0.1:0", "link key-value one --store case-a"]), @r#"
    $ cargo ab up --listen 127.0.0.1:0
    error: app "sentiment-analysis-ab-test" accesses a key value store labeled "one", which is not linked
    hint: `cargo ab link key-value one --app sentiment-analysis-ab-test --store STORE`; `cargo ab kv list` shows the stores
    [exit status: 1]
    $ cargo ab link key-value one --store case-a
    Key value store "case-a" is now linked to app "sentiment-analysis-ab-test" with the label "one"
    "#);
}

#[cfg(unix)]
#[test]
fn a_missing_target_is_added_with_rustup() {
    let sandbox = with_builds(&[("first", "command = \"echo would run cargo --target wasm32-wasip2\"")]);
    script(&sandbox.path("bin/rustc"), "echo \"$PWD/sysroot\"");
    let build = |path: &str| {
        let mut command = sandbox.command(&["build"]);
        let output = command.env("PATH", path).output().unwrap();
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    // The shell is called by its name, so it has to be on the way too.
    let shell = sandbox.path("shell");
    fs::create_dir_all(&shell).unwrap();
    std::os::unix::fs::symlink("/bin/sh", shell.join("sh")).unwrap();
    let path = format!("{}:{}", sandbox.path("bin").display(), shell.display());

    assert_snapshot!(build(&shell.display().to_string()), @r#"
    error: Rust is not installed, and the components are written in it
    hint: install it from https://rustup.rs, then `rustup target add wasm32-wasip2`
    "#);
    assert_snapshot!(build(&path), @r#"
    Adding the Rust target wasm32-wasip2 with rustup
    error: the Rust target wasm32-wasip2 is missing, and so is rustup, which would add it
    hint: install rustup from https://rustup.rs, or your system's package of the standard library for wasm32-wasip2
    "#);
    script(&sandbox.path("bin/rustup"), "echo \"rustup $*\"; /bin/mkdir -p sysroot/lib/rustlib/$3");
    assert_snapshot!(build(&path), @r#"
    Adding the Rust target wasm32-wasip2 with rustup
    rustup target add wasm32-wasip2
    Building component first with `echo would run cargo --target wasm32-wasip2`
    would run cargo --target wasm32-wasip2
    Finished building all components
    "#);
    assert_snapshot!(build(&path), @r#"
    Building component first with `echo would run cargo --target wasm32-wasip2`
    would run cargo --target wasm32-wasip2
    Finished building all components
    "#);
}

#[cfg(unix)]
fn script(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
