//! Completions: what a shell offers after `cargo ab`.

use std::process::Command;

use crate::sandbox::Sandbox;

/// What bash offers for the last of `words`, where cargo has completions of its own.
fn offered(sandbox: &Sandbox, words: &str) -> Vec<String> {
    let script = format!(
        "_cargo() {{ COMPREPLY=(\"cargo's own\"); }}
         complete -F _cargo cargo
         source completions.bash
         COMP_WORDS=({words}) COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
         $(complete -p cargo | sed 's/.* -F \\([^ ]*\\) .*/\\1/') cargo \"${{COMP_WORDS[-1]}}\" \"${{COMP_WORDS[-2]}}\"
         printf '%s\\n' \"${{COMPREPLY[@]}}\""
    );
    let output =
        Command::new("bash").args(["--norc", "-c", &script]).current_dir(sandbox.path(".")).output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[cfg(unix)]
#[test]
fn bash_completes_the_words_after_cargo_ab() {
    let sandbox = Sandbox::new(&[]);
    sandbox.write("completions.bash", sandbox.ab("completions bash").ok().bytes());
    for (words, expected) in [
        ("cargo ab repo", &["report"][..]),
        ("cargo ab kv cr", &["create"]),
        ("cargo ab kv list --fo", &["--format"]),
        ("cargo ab kv list --format j", &["json"]),
        ("cargo ab unlink key", &["key-value"]),
        ("cargo bui", &["cargo's own"]),
        ("cargo build ab", &["cargo's own"]),
    ] {
        assert_eq!(offered(&sandbox, words), expected, "{words}");
    }
}

#[test]
fn every_shell_has_completions_for_the_way_the_program_is_called() {
    let sandbox = Sandbox::new(&[]);
    for (shell, sign) in [
        ("bash", "complete -F _cargo_or_ab "),
        ("zsh", "#compdef cargo-ab\n"),
        ("fish", "complete -c cargo -n "),
        ("powershell", "-CommandName 'cargo'"),
        ("elvish", "edit:completion:arg-completer[cargo]"),
    ] {
        let script = sandbox.ab(&format!("completions {shell}")).ok().output_text();
        assert!(
            script.contains(sign) && script.contains("unlink") && script.contains("import"),
            "{shell}: {script}"
        );
    }
    let help = sandbox.ab("help completions").ok().output_text();
    assert!(help.contains("cargo ab completions bash > ~/.cargo-ab.bash"), "{help}");
    let mut alone = sandbox.command(&["completions", "zsh"]);
    let script = String::from_utf8(alone.env_remove("CARGO").output().unwrap().stdout).unwrap();
    assert!(script.starts_with("#compdef ab\n"));
}
