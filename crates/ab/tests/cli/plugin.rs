//! The plugin for Spin: what its manifest says is what its archive holds.

use std::fs;
use std::process::Command;

use sha2::{Digest as _, Sha256};

use crate::sandbox::Sandbox;

#[cfg(unix)]
#[test]
fn the_manifest_names_the_archive_and_the_archive_holds_the_program() {
    let sandbox = Sandbox::new(&[]);
    let package = |arguments: &[&str]| {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/plugin/package.sh");
        let mut command = Command::new(script);
        command
            .args(["--binary", env!("CARGO_BIN_EXE_ab"), "--output"])
            .arg(sandbox.path("plugin"))
            .args(arguments);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    package(&["--os", "linux", "--arch", "amd64"]);
    package(&["--os", "macos", "--arch", "aarch64", "--url", "https://example.com/v1/"]);

    let manifest: serde_json::Value = serde_json::from_str(&sandbox.read("plugin/ab.json")).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!((&manifest["name"], &manifest["version"]), (&"ab".into(), &version.into()));
    let packages = manifest["packages"].as_array().unwrap();
    assert_eq!(packages.len(), 2);
    for package in packages {
        let text = |key: &str| package[key].as_str().unwrap().to_owned();
        let archive = format!("ab-{version}-{}-{}.tar.gz", text("os"), text("arch"));
        assert!(text("url").ends_with(&archive));
        let bytes = fs::read(sandbox.path("plugin").join(&archive)).unwrap();
        let digit = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
        let digest: Vec<u8> = text("sha256").as_bytes().chunks(2).map(digit).collect();
        assert_eq!(digest, Sha256::digest(&bytes).to_vec());
    }

    // As Spin unpacks and runs it.
    let archive = sandbox.path(&format!("plugin/ab-{version}-linux-amd64.tar.gz"));
    assert!(
        Command::new("tar")
            .arg("-xzf")
            .arg(archive)
            .current_dir(sandbox.path("."))
            .status()
            .unwrap()
            .success()
    );
    let help = Command::new(sandbox.path("ab"))
        .arg("--help")
        .env("SPIN_BIN_PATH", "/usr/bin/spin")
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&help.stdout).contains("Usage: spin ab <COMMAND>"));
}
