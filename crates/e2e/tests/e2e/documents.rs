//! What the documents say is so.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use e2e::app::{App, SENTIMENT};
use e2e::artifacts::{ab, root};
use e2e::model_server::ModelServer;

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The commands in a document's `sh` blocks, without comments.
fn commands(name: &str) -> Vec<String> {
    let text = read(name);
    let blocks = text.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let lines = blocks.flat_map(str::lines).map(|line| line.split(" # ").next().unwrap().trim());
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

/// The components and crates of the repository, by their folders.
fn parts() -> BTreeSet<String> {
    let folders = |path: &str| {
        let entries = fs::read_dir(root().join(path)).unwrap().map(|entry| entry.unwrap());
        entries
            .filter(|entry| entry.path().join("Cargo.toml").is_file())
            .map(|entry| entry.file_name())
            .collect::<Vec<_>>()
    };
    let names = folders("").into_iter().chain(folders("crates"));
    names.map(|name| name.into_string().unwrap()).collect()
}

#[test]
fn the_architecture_names_every_part() {
    let text = read("ARCHITECTURE.md");
    let parts = parts();
    assert!(parts.len() > 8, "{parts:?}");
    let missing: Vec<&String> = parts.iter().filter(|part| !text.contains(part.as_str())).collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md does not name {missing:?}");
}

/// The folders with sources below `folder`, by their names; those of tests say themselves what they are.
fn source_folders(folder: &Path, names: &mut BTreeSet<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let is_source = |entry: fs::DirEntry| entry.path().extension().is_some_and(|it| it == "rs");
        if name != "tests" && fs::read_dir(&path).unwrap().any(|entry| is_source(entry.unwrap())) {
            names.insert(name);
        }
        source_folders(&path, names);
    }
}

#[test]
fn the_architecture_names_every_folder_of_every_part() {
    let text = read("ARCHITECTURE.md");
    let mut missing = Vec::new();
    for part in parts() {
        let in_crates = root().join("crates").join(&part).is_dir();
        let (folder, name) = if in_crates {
            (format!("crates/{part}"), format!("crates/{part}"))
        } else {
            (part.clone(), format!("{part}/"))
        };
        let Some((_, rest)) = text.split_once(&format!("**`{name}`**")) else {
            missing.push(name);
            continue;
        };
        // A part's entry ends where the next one begins.
        let entry = rest.split("\n\n**`").next().unwrap();
        let mut folders = BTreeSet::new();
        source_folders(&root().join(&folder).join("src"), &mut folders);
        let unnamed = folders.into_iter().filter(|it| !entry.contains(&format!("`{it}/`")));
        missing.extend(unnamed.map(|it| format!("{folder}: {it}/")));
    }
    assert!(missing.is_empty(), "the code map of ARCHITECTURE.md does not name {missing:#?}");
}

#[test]
fn links_between_documents_lead_somewhere() {
    for name in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"] {
        let text = read(name);
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.contains("://") && !target.starts_with('#')) {
            let path = target.split('#').next().unwrap();
            assert!(root().join(path).exists(), "{name} links to {target}");
        }
    }
}

#[test]
fn every_command_of_the_readme_exists() {
    let commands = commands("README.md");
    assert!(commands.len() > 10, "{commands:?}");
    let manifest = read("spin.toml");
    for command in commands {
        let words: Vec<&str> = command.split_whitespace().collect();
        match words[..] {
            ["cargo", "ab", ..] => parse(&words[2..], &manifest),
            // `curl` is asked for real in `the_answer_of_the_readme`.
            ["cargo", "test", ..] | ["curl", ..] => {}
            ["spin", "build", "--up", "--runtime-config-file", file] => {
                assert!(root().join(file).is_file(), "{command}");
            }
            ["export", ..] => {
                for name in words[1..]
                    .iter()
                    .filter_map(|word| word.split_once('=')?.0.strip_prefix("SPIN_VARIABLE_"))
                {
                    assert!(manifest.contains(&format!("\n{} = ", name.to_lowercase())), "{command}");
                }
            }
            _ => panic!("this test does not know how to check `{command}`"),
        }
    }
}

/// Checks that the command line knows a command and its options, and that what it names exists.
fn parse(words: &[&str], manifest: &str) {
    let is_option = |word: &&&str| word.starts_with('-');
    let command: Vec<&str> = words.iter().copied().take_while(|word| !is_option(&word)).collect();
    // Not all words before the first option are subcommands: those that are have a help of their own.
    let help = (1..=command.len()).rev().find_map(|count| {
        let output = Command::new(ab()).args(&command[..count]).arg("--help").output().unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        output.status.success().then_some(help)
    });
    let help = help.unwrap_or_else(|| panic!("`ab {}` is no command", command.join(" ")));
    for option in words.iter().filter(is_option) {
        let name = option.split('=').next().unwrap();
        assert!(help.contains(name), "`ab {}` does not know {name}:\n{help}", command.join(" "));
    }
    for pair in words.windows(2).filter(|pair| pair[0] == "--variable") {
        let name = pair[1].split('=').next().unwrap();
        assert!(manifest.contains(&format!("\n{name} = ")), "the app has no variable {name}");
    }
    for file in words.iter().filter_map(|word| word.split_once("=@")) {
        assert!(root().join(file.1).is_file(), "{} does not exist", file.1);
    }
}

#[tokio::test]
async fn the_answer_of_the_readme() {
    let readme = read("README.md");
    let (_, rest) =
        readme.split_once("curl -s http://127.0.0.1:3000").expect("README.md shows how to ask with curl");
    let (call, rest) = rest.split_once('\n').unwrap();
    let (path, body) = call.split_once(" -d '").unwrap();
    assert_eq!(path, SENTIMENT);
    let shown = rest.lines().next().unwrap().trim_start_matches("# ");

    let model = ModelServer::start().unwrap();
    model.answer_with("positive");
    let app = App::with_one_variant(&model);
    let response = app.post(body.trim_end_matches('\'').to_owned()).await;
    assert_eq!(response.text(), shown);
}
