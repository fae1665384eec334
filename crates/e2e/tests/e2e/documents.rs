//! The documents are right about the repository. What README.md says about the app is in `readme`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use e2e::artifacts::root;

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
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
