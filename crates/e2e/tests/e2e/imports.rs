//! Within a crate, files import one another in one direction only.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use e2e::artifacts::root;

/// A module by its path within the crate: `["manifest", "read"]`.
type Module = Vec<String>;

/// A file of a crate.
struct Source {
    path: PathBuf,
    /// What it imports from its own crate: each a path from the root, the last word often an item.
    imports: Vec<Module>,
    /// What it exports again, by the name it gives it: a path from the root.
    exports: BTreeMap<String, Module>,
}

#[test]
fn no_files_of_a_crate_import_one_another_in_a_circle() {
    let mut crates: Vec<PathBuf> = ["", "crates"]
        .iter()
        .flat_map(|folder| fs::read_dir(root().join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("Cargo.toml").is_file() && path.join("src").is_dir())
        .collect();
    crates.sort();
    assert!(crates.len() > 10, "{crates:?}");
    let circles: Vec<String> = crates.iter().filter_map(|folder| circle(&folder.join("src"))).collect();
    assert!(circles.is_empty(), "\n{}", circles.join("\n"));
}

/// A circle of imports between the files below `folder`, if there is one.
fn circle(folder: &Path) -> Option<String> {
    let mut sources = BTreeMap::new();
    read_folder(folder, &Module::new(), &mut sources);
    let mut open: BTreeMap<&Module, BTreeSet<&Module>> = sources
        .iter()
        .map(|(module, source)| {
            let imported = source.imports.iter().map(|path| home(path, &sources));
            (module, imported.filter(|other| *other != module).collect())
        })
        .collect();
    // What imports nothing that is still here is in no circle.
    loop {
        let done: Vec<&Module> =
            open.iter().filter(|(_, imports)| imports.is_empty()).map(|(module, _)| *module).collect();
        if done.is_empty() {
            break;
        }
        for module in done {
            open.remove(module);
            for imports in open.values_mut() {
                imports.remove(module);
            }
        }
    }
    let mut module = *open.keys().next()?;
    let mut walked = Vec::new();
    while !walked.contains(&module) {
        walked.push(module);
        module = open[module].first()?;
    }
    let start = walked.iter().position(|other| *other == module)?;
    let names: Vec<String> = walked[start..]
        .iter()
        .chain([&module])
        .map(|module| sources[*module].path.strip_prefix(root()).unwrap().display().to_string())
        .collect();
    Some(names.join(" imports "))
}

/// The module in whose file the item at `path` is defined.
fn home<'s>(path: &[String], sources: &'s BTreeMap<Module, Source>) -> &'s Module {
    let length = (0..=path.len()).rev().find(|length| sources.contains_key(&path[..*length])).unwrap();
    let (module, source) = sources.get_key_value(&path[..length]).unwrap();
    let exported = path.get(length).and_then(|item| source.exports.get(item));
    match exported {
        Some(target) if target[..] != path[..=length] => home(target, sources),
        _ => module,
    }
}

fn read_folder(folder: &Path, module: &Module, sources: &mut BTreeMap<Module, Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let is_root = module.is_empty() && ["lib", "main"].contains(&name.as_str());
        let own = if is_root || name == "mod" { module.clone() } else { [&module[..], &[name]].concat() };
        if path.is_dir() {
            read_folder(&path, &own, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let source = read(&text, &own, path);
            let known = sources.entry(own).or_insert(Source {
                path: source.path,
                imports: Vec::new(),
                exports: BTreeMap::new(),
            });
            known.imports.extend(source.imports);
            known.exports.extend(source.exports);
        }
    }
}

/// Reads the paths that start with `crate`, `super` or `self`, in `use` or elsewhere, before the tests of the file.
fn read(text: &str, own: &Module, path: PathBuf) -> Source {
    let code: String = text
        .split("#[cfg(test)]")
        .next()
        .unwrap()
        .lines()
        .map(|line| line.split("//").next().unwrap())
        .collect::<Vec<_>>()
        .join("\n");
    let mut source = Source { path, imports: Vec::new(), exports: BTreeMap::new() };
    let mut last_end = 0;
    for (start, _) in code.match_indices("::") {
        if start < last_end {
            continue;
        }
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let first = code[..start].rsplit(|c| !word(c)).next().unwrap();
        let before = code[..start - first.len()].trim_end();
        let base = match first {
            "crate" => Module::new(),
            "super" => own[..own.len() - 1].to_vec(),
            "self" => own.clone(),
            _ => continue,
        };
        if before.ends_with("::") || before.ends_with("in") {
            continue;
        }
        let is_export = before.ends_with("use") && {
            let statement = before[..before.len() - 3].trim_end();
            statement.ends_with("pub") || statement.ends_with(')')
        };
        let tree = tree(&code[start + 2..]);
        last_end = start + 2 + tree.len();
        for (mut imported, name) in paths(tree) {
            let mut target = base.clone();
            while imported.first().is_some_and(|word| word == "super") {
                imported.remove(0);
                target.pop();
            }
            target.extend(imported);
            if is_export {
                source.exports.insert(name, target.clone());
            }
            source.imports.push(target);
        }
    }
    source
}

/// The part of `text` that goes on with a path: words, `::`, and groups in braces.
fn tree(text: &str) -> &str {
    let mut depth = 0;
    for (index, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return &text[..=index];
                }
            }
            _ if depth > 0 || c.is_alphanumeric() || c == '_' || c == ':' || c == '*' => {}
            _ => return &text[..index],
        }
    }
    text
}

/// Every path of a tree, with the name under which it is known.
fn paths(tree: &str) -> Vec<(Module, String)> {
    let (prefix, group) = tree.split_once('{').map_or((tree, None), |(prefix, rest)| (prefix, Some(rest)));
    let words = |text: &str| -> Module {
        text.split("::")
            .map(str::trim)
            .filter(|word| !word.is_empty() && *word != "self" && *word != "*")
            .map(str::to_owned)
            .collect()
    };
    let Some(group) = group else {
        let (path, name) = tree.split_once(" as ").map_or((tree, None), |(path, name)| (path, Some(name)));
        let path = words(path);
        let name =
            name.map(|name| name.trim().to_owned()).or_else(|| path.last().cloned()).unwrap_or_default();
        return vec![(path, name)];
    };
    let mut depth = 0;
    let parts = group[..group.len() - 1].split(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    });
    parts
        .filter(|part| !part.trim().is_empty())
        .flat_map(|part| paths(part.trim()))
        .map(|(path, name)| ([words(prefix), path].concat(), name))
        .collect()
}
