//! The values of the app's variables, and what each component sees of them.

use std::collections::BTreeMap;
use std::env;
use std::fmt;

use crate::manifest::Manifest;
use crate::template::Template;
pub use crate::template::TemplateError;

/// What gives variables their values: first `--variable`, then the environment variable `SPIN_VARIABLE_NAME`, then the
/// same name in the file `.env` of the current folder, as in Spin.
#[derive(Clone, Default)]
pub struct Providers {
    command_line: BTreeMap<String, String>,
    dotenv: BTreeMap<String, String>,
}

impl Providers {
    /// These values, the environment, and the file `.env` if there is one.
    pub fn new(command_line: BTreeMap<String, String>) -> Self {
        let file = dotenvy::from_path_iter(".env").into_iter().flatten().flatten();
        Self { command_line, dotenv: file.collect() }
    }

    /// The value that a variable is given, whether or not the app has it.
    pub fn given(&self, name: &str) -> Option<String> {
        let in_environment = environment_name(name);
        let given = self.command_line.get(name).cloned().or_else(|| env::var(&in_environment).ok());
        given.or_else(|| self.dotenv.get(&in_environment).cloned())
    }

    /// The value that a variable of the app has: what it is given, else its default. `None` if the app has no such variable,
    /// or it has no value.
    pub fn value(&self, app: &Manifest, name: &str) -> Option<String> {
        let variable = app.variables.get(name)?;
        self.given(name).or_else(|| variable.default.clone())
    }

    /// Gives a variable a value, as on the command line.
    pub fn give(&mut self, name: &str, value: String) {
        self.command_line.insert(name.to_owned(), value);
    }

    /// The variables on the command line that the app does not have: mistyped, most likely. As in Spin, they change nothing.
    pub fn undeclared(&self, app: &Manifest) -> impl Iterator<Item = &str> {
        self.command_line.keys().map(String::as_str).filter(|name| !app.variables.contains_key(*name))
    }
}

/// Without the values, which can be secrets.
impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Providers").field("command_line", &self.command_line.keys()).finish_non_exhaustive()
    }
}

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
    #[error("the variable {variable:?} of the component {component:?}: {reason}")]
    Template {
        /// The component's id.
        component: String,
        /// Its variable.
        variable: String,
        /// What is wrong with its template.
        reason: TemplateError,
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
            Self::Template { reason: TemplateError::UnknownVariable(name), .. } if !name.is_empty() => {
                Some(format!("declare {name} under [variables]"))
            }
            Self::Template { .. } => None,
        }
    }
}

impl Variables {
    /// Finds the value of every variable, then fills in the templates of every component.
    ///
    /// # Errors
    ///
    /// A variable has no value, or a template refers to something that is not a variable of the app.
    pub fn resolve(app: &Manifest, providers: &Providers) -> Result<Self, VariablesError> {
        let mut values = BTreeMap::new();
        let mut missing = Vec::new();
        for name in app.variables.keys() {
            match providers.value(app, name) {
                Some(value) => drop(values.insert(name.clone(), value)),
                None => missing.push(name.clone()),
            }
        }
        if !missing.is_empty() {
            return Err(VariablesError::Required(missing));
        }
        let mut variables = Self { app: values, components: BTreeMap::new() };
        for component in &app.components {
            let mut values = BTreeMap::new();
            for (name, template) in &component.variables {
                let value = variables.expand(template).map_err(|reason| VariablesError::Template {
                    component: component.id.clone(),
                    variable: name.clone(),
                    reason,
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

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn command_line(pairs: &[(&str, &str)]) -> Providers {
        Providers { command_line: map(pairs), ..Providers::default() }
    }

    #[test]
    fn the_command_line_comes_before_the_file_before_the_default() {
        let dotenv = map(&[("SPIN_VARIABLE_PLAIN", "file"), ("SPIN_VARIABLE_PASSWORD", "secret")]);
        let providers = Providers { command_line: map(&[("plain", "command line")]), dotenv: dotenv.clone() };
        let variables = Variables::resolve(&sample(), &providers).unwrap();
        assert_eq!(variables.get("one", "plain"), Ok("command line"));
        assert_eq!(variables.get("one", "credentials"), Ok(":secret"));
        assert_eq!(variables.get("one", "fixed"), Ok("text"));

        let providers = Providers { command_line: map(&[("password", "")]), dotenv: dotenv.clone() };
        let variables = Variables::resolve(&sample(), &providers).unwrap();
        assert_eq!(variables.get("one", "plain"), Ok("file"));
        assert_eq!(variables.get("one", "credentials"), Ok(":"), "an empty value is a value");

        let variables = Variables::resolve(&sample(), &command_line(&[("password", "p")])).unwrap();
        assert_eq!(variables.get("one", "plain"), Ok("default"));

        let providers = Providers { command_line: BTreeMap::new(), dotenv };
        assert_eq!(providers.value(&sample(), "plain").as_deref(), Some("file"));
        assert_eq!(providers.value(&sample(), "other"), None, "the app has no such variable");
    }

    #[test]
    fn every_required_variable_without_a_value_is_named_as_spin_does() {
        let manifest =
            manifest("[variables]\nb = { required = true }\na = { required = true }\nc = { default = \"\" }");
        let error = Variables::resolve(&manifest, &Providers::default()).unwrap_err();
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
        let error = Variables::resolve(&manifest, &Providers::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"the variable "v" of the component "c": invalid variable template: unknown variable "nope""#
        );
        assert_eq!(error.hint().as_deref(), Some("declare nope under [variables]"));
    }

    #[test]
    fn what_a_component_asks_for_is_answered_as_spin_does() {
        let variables = Variables::resolve(&sample(), &command_line(&[("password", "p")])).unwrap();
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
        let variables = Variables::resolve(&sample(), &command_line(&[("password", "hunter2")])).unwrap();
        let shown = format!("{variables:?}");
        assert!(shown.contains("password") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn values_of_no_variable_are_found() {
        let providers = command_line(&[("plain", ""), ("plian", "")]);
        assert_eq!(providers.undeclared(&sample()).collect::<Vec<_>>(), ["plian"]);
    }
}
