//! Which names Spin takes for components, labels and variables.

/// Words of ASCII letters and digits joined by `-`, each all lower case or all upper case and starting with a letter.
pub(super) fn check_kebab(name: &str) -> Result<(), String> {
    check(name, '-')
}

/// A label: kebab-case or `snake_case`.
pub(super) fn check_label(name: &str) -> Result<(), String> {
    check(name, '-').or_else(|kebab| check(name, '_').map_err(|_| kebab))
}

/// A variable in a manifest: `snake_case`, all lower case.
pub(super) fn check_lower_snake(name: &str) -> Result<(), String> {
    check(name, '_')?;
    if name.contains(|c: char| c.is_ascii_uppercase()) {
        return Err("must be all lower case".to_owned());
    }
    Ok(())
}

fn check(name: &str, delimiter: char) -> Result<(), String> {
    for word in name.split(delimiter) {
        let Some(first) = word.chars().next() else {
            return Err(format!("consists of words joined by {delimiter:?}, and no word may be empty"));
        };
        if !first.is_ascii_alphabetic() {
            return Err(format!("each word must start with an ASCII letter, not {first:?}"));
        }
        if let Some(wrong) = word.chars().find(|c| !c.is_ascii_alphanumeric()) {
            return Err(format!(
                "consists of ASCII letters and digits, with {delimiter:?} between words; {wrong:?} cannot be part of it"
            ));
        }
        let (lower, upper) = (char::is_ascii_lowercase, char::is_ascii_uppercase);
        if word.contains(|c| lower(&c)) && word.contains(|c| upper(&c)) {
            return Err(format!("each word must be all lower case or all upper case; {word:?} is neither"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_as_spin_takes_them() {
        // Name, and whether it is kebab-case, a label, lower snake case.
        for (name, kebab, label, lower_snake) in [
            ("a", true, true, true),
            ("kv-explorer", true, true, false),
            ("prompt_store", false, true, true),
            ("promptstore1", true, true, true),
            ("HTTP-api2", true, true, false),
            ("HTTP_api", false, true, false),
            ("", false, false, false),
            ("-a", false, false, false),
            ("a--b", false, false, false),
            ("a-1", false, false, false),
            ("1a", false, false, false),
            ("aB", false, false, false),
            ("a-b_c", false, false, false),
            ("b@d", false, false, false),
            ("é", false, false, false),
            ("a b", false, false, false),
        ] {
            assert_eq!(check_kebab(name).is_ok(), kebab, "{name:?} as kebab-case");
            assert_eq!(check_label(name).is_ok(), label, "{name:?} as a label");
            assert_eq!(check_lower_snake(name).is_ok(), lower_snake, "{name:?} as lower snake case");
        }
    }
}
