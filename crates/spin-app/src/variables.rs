//! The values of the app's variables, and what each component sees of them.

use std::collections::BTreeMap;
use std::fmt;

use crate::manifest::Manifest;
use crate::template::Template;
pub use crate::template::TemplateError;

/// Every variable with its value, resolved once, when the app starts.
///
/// Values can be secrets, so neither [`Debug`](fmt::Debug) nor an error shows any.
#[derive(Clone, PartialEq, Eq)]
pub struct Variables {
    app: BTreeMap<String, String>,
    components: BTreeMap<String, BTreeMap<String, String>>,
}

/// Why the variables have no values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VariablesError {
    /// Required variables without a value, in order; never empty.
    #[error("no provider resolved required variable(s): {}", spin_keys(.0))]
    Required(Vec<String>),
    /// A component's variable that refers to something else than a variable of the app.
    #[error("the variable {variable:?} of the component {component:?}: {source}")]
    Template {
        /// The component's id.
        component: String,
        /// Its variable.
        variable: String,
        /// What is wrong with its template.
        source: TemplateError,
    },
}

/// Why a component's request for a variable has no answer; the texts are those of Spin, without the kind in front.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GetError {
    /// No variable can have this name.
    #[error("{0}")]
    InvalidName(String),
    /// The component has no such variable.
    #[error("{0}")]
    Undefined(String),
}

impl VariablesError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Required(names) => {
                let ways: Vec<_> = names.iter().map(|name| format!("--variable {name}=VALUE")).collect();
                let first = names.first().map(|name| environment_name(name)).unwrap_or_default();
                Some(format!("give {}, or set it in the environment, as {first}", ways.join(" ")))
            }
            Self::Template { source: TemplateError::UnknownVariable(name), .. } if !name.is_empty() => {
                Some(format!("declare {name} under [variables]"))
            }
            Self::Template { .. } => None,
        }
    }
}

impl Variables {
    /// Finds the value of every variable: in `overrides` (`--variable`), else in the environment under
    /// `SPIN_VARIABLE_NAME`, else its default. Then fills in the templates of every component.
    ///
    /// `env` is where the environment is read: [`environment`], but in tests. As in Spin, an override of a variable that
    /// the app does not have changes nothing; [`undeclared`] finds those.
    pub fn resolve(
        manifest: &Manifest,
        overrides: &BTreeMap<String, String>,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, VariablesError> {
        let mut app = BTreeMap::new();
        let mut missing = Vec::new();
        for (name, variable) in &manifest.variables {
            let provided = overrides.get(name).cloned().or_else(|| env(&environment_name(name)));
            match provided.or_else(|| variable.default.clone()) {
                Some(value) => drop(app.insert(name.clone(), value)),
                None => missing.push(name.clone()),
            }
        }
        if !missing.is_empty() {
            return Err(VariablesError::Required(missing));
        }
        let mut variables = Self { app, components: BTreeMap::new() };
        for component in &manifest.components {
            let mut values = BTreeMap::new();
            for (name, template) in &component.variables {
                let value = variables.expand(template).map_err(|source| VariablesError::Template {
                    component: component.id.clone(),
                    variable: name.clone(),
                    source,
                })?;
                values.insert(name.clone(), value);
            }
            variables.components.insert(component.id.clone(), values);
        }
        Ok(variables)
    }

    /// The value that a component gets for one of its variables.
    pub fn get(&self, component: &str, name: &str) -> Result<&str, GetError> {
        if let Some(value) = self.components.get(component).and_then(|values| values.get(name)) {
            return Ok(value);
        }
        check_key(name).map_err(|reason| GetError::InvalidName(format!("{name:?}: {reason}")))?;
        Err(GetError::Undefined(format!("no variable for {component:?}.{name:?}")))
    }

    /// Fills in a template over the app's variables.
    pub fn expand(&self, template: &str) -> Result<String, TemplateError> {
        Template::parse(template)?.render(|name| self.app.get(name).map(String::as_str))
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: BTreeMap<_, Vec<_>> =
            self.components.iter().map(|(component, values)| (component, values.keys().collect())).collect();
        f.debug_struct("Variables").field("app", &self.app.keys()).field("components", &names).finish()
    }
}

/// The overrides that name no variable of the app: mistyped, most likely.
pub fn undeclared<'a>(
    manifest: &Manifest,
    overrides: &'a BTreeMap<String, String>,
) -> impl Iterator<Item = &'a str> {
    overrides.keys().map(String::as_str).filter(|name| !manifest.variables.contains_key(*name))
}

/// The process's environment and, for names that are not set there, the file `.env` of the current folder, as in Spin.
pub fn environment() -> impl Fn(&str) -> Option<String> {
    let file: BTreeMap<_, _> = dotenvy::from_path_iter(".env").into_iter().flatten().flatten().collect();
    move |name| std::env::var(name).ok().or_else(|| file.get(name).cloned())
}

fn environment_name(variable: &str) -> String {
    format!("SPIN_VARIABLE_{}", variable.to_ascii_uppercase())
}

fn spin_keys(names: &[String]) -> String {
    let keys: Vec<_> = names.iter().map(|name| format!("Key({name:?})")).collect();
    format!("[{}]", keys.join(", "))
}

/// The rule that Spin applies to a name that a component asks for. It differs from that for names in a manifest.
fn check_key(name: &str) -> Result<(), String> {
    let known = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_';
    if let Some(invalid) = name.chars().find(|c| !known(c)) {
        return Err(format!(
            "invalid character {invalid:?}. Variable names may contain only lower-case letters, numbers, and underscores."
        ));
    }
    let broken = if name.is_empty() {
        "must not be empty"
    } else if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        "must start with a lowercase ASCII letter"
    } else if name.ends_with('_') {
        "must end with a lowercase ASCII letter or digit"
    } else if name.contains("__") {
        "must not contain multiple consecutive underscores"
    } else {
        return Ok(());
    };
    Err(broken.to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn manifest(text: &str) -> Manifest {
        let text = format!("spin_manifest_version = 2\napplication.name = \"a\"\n[trigger]\n{text}");
        Manifest::parse(&text, Path::new("spin.toml")).unwrap()
    }

    fn sample() -> Manifest {
        manifest(
            r#"
            [variables]
            plain = { default = "default" }
            user = { default = "" }
            password = { required = true, secret = true }
            [component.one]
            source = "one.wasm"
            variables = { credentials = "{{ user }}:{{ password }}", fixed = "text", plain = "{{plain}}" }
            [component.two]
            source = "two.wasm"
            "#,
        )
    }

    fn overrides(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn an_override_comes_before_the_environment_before_the_default() {
        let env = |name: &str| match name {
            "SPIN_VARIABLE_PLAIN" => Some("environment".to_owned()),
            "SPIN_VARIABLE_PASSWORD" => Some("secret".to_owned()),
            _ => None,
        };
        let variables = Variables::resolve(&sample(), &overrides(&[("plain", "override")]), env).unwrap();
        assert_eq!(variables.get("one", "plain"), Ok("override"));
        assert_eq!(variables.get("one", "credentials"), Ok(":secret"));
        assert_eq!(variables.get("one", "fixed"), Ok("text"));

        let variables = Variables::resolve(&sample(), &overrides(&[("password", "")]), env).unwrap();
        assert_eq!(variables.get("one", "plain"), Ok("environment"));
        assert_eq!(variables.get("one", "credentials"), Ok(":"), "an empty override is a value");

        let variables = Variables::resolve(&sample(), &overrides(&[("password", "p")]), |_| None).unwrap();
        assert_eq!(variables.get("one", "plain"), Ok("default"));
    }

    #[test]
    fn every_required_variable_without_a_value_is_named_as_spin_does() {
        let manifest =
            manifest("[variables]\nb = { required = true }\na = { required = true }\nc = { default = \"\" }");
        let error = Variables::resolve(&manifest, &BTreeMap::new(), |_| None).unwrap_err();
        assert_eq!(error.to_string(), r#"no provider resolved required variable(s): [Key("a"), Key("b")]"#);
        assert_eq!(
            error.hint().as_deref(),
            Some(
                "give --variable a=VALUE --variable b=VALUE, or set it in the environment, as SPIN_VARIABLE_A"
            )
        );
    }

    #[test]
    fn a_template_over_an_unknown_variable_is_an_error() {
        let manifest = manifest("[component.c]\nsource = \"c.wasm\"\nvariables = { v = \"{{ nope }}\" }");
        let error = Variables::resolve(&manifest, &BTreeMap::new(), |_| None).unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"the variable "v" of the component "c": invalid variable template: unknown variable "nope""#
        );
        assert_eq!(error.hint().as_deref(), Some("declare nope under [variables]"));
    }

    #[test]
    fn what_a_component_asks_for_is_answered_as_spin_does() {
        let variables = Variables::resolve(&sample(), &overrides(&[("password", "p")]), |_| None).unwrap();
        let invalid = |message: &str| Err(GetError::InvalidName(message.to_owned()));
        let undefined = |message: &str| Err(GetError::Undefined(message.to_owned()));
        let characters = "Variable names may contain only lower-case letters, numbers, and underscores.";
        for (component, name, answer) in [
            // The app's variables are not the component's.
            ("one", "password", undefined(r#"no variable for "one"."password""#)),
            ("two", "fixed", undefined(r#"no variable for "two"."fixed""#)),
            ("one", "a_1", undefined(r#"no variable for "one"."a_1""#)),
            ("one", "", invalid(r#""": must not be empty"#)),
            ("one", "aX", invalid(&format!(r#""aX": invalid character 'X'. {characters}"#))),
            ("one", "x-y", invalid(&format!(r#""x-y": invalid character '-'. {characters}"#))),
            ("one", "1a", invalid(r#""1a": must start with a lowercase ASCII letter"#)),
            ("one", "_a", invalid(r#""_a": must start with a lowercase ASCII letter"#)),
            ("one", "a_", invalid(r#""a_": must end with a lowercase ASCII letter or digit"#)),
            ("one", "a__b", invalid(r#""a__b": must not contain multiple consecutive underscores"#)),
        ] {
            assert_eq!(variables.get(component, name), answer, "{component}.{name}");
        }
    }

    #[test]
    fn no_value_is_shown() {
        let variables =
            Variables::resolve(&sample(), &overrides(&[("password", "hunter2")]), |_| None).unwrap();
        let shown = format!("{variables:?}");
        assert!(shown.contains("password") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn overrides_of_no_variable_are_found() {
        let overrides = overrides(&[("plain", ""), ("plian", "")]);
        assert_eq!(undeclared(&sample(), &overrides).collect::<Vec<_>>(), ["plian"]);
    }
}
