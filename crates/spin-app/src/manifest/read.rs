//! From the keys of the file to a [`Manifest`].

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::names::{check_kebab, check_label, check_lower_snake};
use super::{Build, Component, FilesMount, HttpTrigger, Manifest, Route, Variable, schema};
use crate::route::Pattern;
use crate::toml_file::{Entries, Fault, TextOr, TomlFile};

const HINT: &str = "correct it as described in Spin's manifest reference";

pub(super) fn read(text: &str, path: &Path) -> Result<Manifest, Fault> {
    let file = TomlFile::new(path, text, HINT);
    check_version(file)?;
    let app: schema::App = file.parse()?;

    let manifest = Manifest {
        path: path.to_owned(),
        folder: path.parent().unwrap_or(Path::new("")).to_owned(),
        name: app.application.name,
        version: app.application.version,
        variables: BTreeMap::new(),
        triggers: Vec::new(),
        components: Vec::new(),
        beyond: Vec::new(),
    };
    let mut reader = Reader { file, manifest };
    reader.beyond("`targets` of the application", &app.application.targets);
    if let Some(base) = app.application.trigger.http.and_then(|http| http.base)
        && base.get_ref() != "/"
    {
        let what = format!("the base {:?}", base.get_ref());
        let fault = reader.invalid(&what, base.span(), "Spin has dropped it; put it in front of each route");
        reader.manifest.beyond.push(fault);
    }
    for (id, component) in app.component.0 {
        check_kebab(id.get_ref()).map_err(|reason| {
            reader.invalid(&format!("the component id {:?}", id.get_ref()), id.span(), &reason)
        })?;
        reader.component(id.into_inner(), component)?;
    }
    reader.triggers(app.trigger)?;
    reader.variables(app.variables)?;
    Ok(reader.manifest)
}

fn check_version(file: TomlFile<'_>) -> Result<(), Fault> {
    let version = file.parse::<schema::VersionProbe>()?.spin_manifest_version;
    match version.get_ref() {
        toml::Value::Integer(2) => Ok(()),
        toml::Value::String(one) if one == "1" => {
            let hint = "`spin doctor` turns it into version 2".to_owned();
            Err(Fault { hint, ..file.needs_spin(version.span(), "a manifest of version 1") })
        }
        other => Err(file.fault(
            version.span(),
            format!("the manifest version {other} is not valid: only version 2 is supported"),
        )),
    }
}

struct Reader<'a> {
    file: TomlFile<'a>,
    /// What has been read so far.
    manifest: Manifest,
}

impl Reader<'_> {
    fn variables(&mut self, entries: Entries<schema::Variable>) -> Result<(), Fault> {
        for (name, variable) in entries.0 {
            let invalid = |reason: &str| {
                self.invalid(&format!("the variable {:?}", name.get_ref()), name.span(), reason)
            };
            check_lower_snake(name.get_ref()).map_err(|reason| invalid(&reason))?;
            if variable.required == variable.default.is_some() {
                return Err(invalid("it must be `required` or have a `default`, one of the two"));
            }
            self.manifest.variables.insert(name.into_inner(), Variable { default: variable.default });
        }
        Ok(())
    }

    fn triggers(&mut self, triggers: schema::Triggers) -> Result<(), Fault> {
        let given = triggers.http.iter().map(|trigger| &trigger.get_ref().id);
        let others = triggers.others.iter().flat_map(|(_, triggers)| triggers).map(|trigger| &trigger.id);
        let mut ids: BTreeSet<String> = given.chain(others).cloned().collect();
        for trigger in triggers.http {
            self.http_trigger(trigger.span(), trigger.into_inner(), &mut ids)?;
        }
        for (kind, triggers) in triggers.others {
            let what = format!("the trigger {:?}", kind.get_ref());
            self.manifest.beyond.push(self.file.needs_spin(kind.span(), &what));
            for trigger in triggers {
                if let Some(component) = trigger.component {
                    let (_, component) =
                        self.trigger_component(kind.get_ref(), trigger.id, component, &mut ids)?;
                    self.check_component(&what, &component, kind.span())?;
                }
            }
        }
        Ok(())
    }

    fn http_trigger(
        &mut self,
        span: Range<usize>,
        trigger: schema::HttpTrigger,
        ids: &mut BTreeSet<String>,
    ) -> Result<(), Fault> {
        self.beyond("`components` of a trigger", &trigger.components);
        self.beyond("`dependencies` of a trigger (middleware)", &trigger.dependencies);
        self.beyond("`static_response`", &trigger.static_response);
        if let Some(executor) = trigger.executor
            && !["spin", "http"].contains(&executor.get_ref().kind.as_str())
        {
            let what = format!("the executor {:?}", executor.get_ref().kind);
            self.manifest.beyond.push(self.file.needs_spin(executor.span(), &what));
        }
        let route = match trigger.route {
            TextOr::Text(pattern) => Route::Public(pattern),
            TextOr::Long(schema::PrivateRoute { private: true }) => Route::Private,
            TextOr::Long(_) => {
                let reason = "a route is a string, or { private = true }";
                return Err(self.invalid("the route { private = false }", span, reason));
            }
        };
        let shown = match &route {
            Route::Public(pattern) => format!("{pattern:?}"),
            Route::Private => "{ private = true }".to_owned(),
        };
        let Some(component) = trigger.component else {
            if trigger.static_response.is_some() {
                return Ok(());
            }
            let what = format!("the trigger of the route {shown}");
            return Err(self.invalid(&what, span, "it names no component"));
        };
        let (id, component) = self.trigger_component("http", trigger.id, component, ids)?;
        self.check_component(&format!("the route {shown}"), &component, span.clone())?;
        if let Route::Public(pattern) = &route {
            self.check_route(pattern, &component, span);
        }
        self.manifest.triggers.push(HttpTrigger { id, route, component });
        Ok(())
    }

    /// The ids of a trigger and of its component, which joins the others if it is defined inside the trigger.
    fn trigger_component(
        &mut self,
        kind: &str,
        id: String,
        component: TextOr<Box<schema::Component>>,
        ids: &mut BTreeSet<String>,
    ) -> Result<(String, String), Fault> {
        match component {
            TextOr::Text(component) => {
                let natural = format!("{component}-{kind}-trigger");
                Ok((name_trigger(kind, id, Some(natural), ids), component))
            }
            TextOr::Long(inline) => {
                let id = name_trigger(kind, id, None, ids);
                let component = name_inline(&id, &self.manifest.components);
                self.component(component.clone(), *inline)?;
                Ok((id, component))
            }
        }
    }

    fn check_component(&self, what: &str, component: &str, span: Range<usize>) -> Result<(), Fault> {
        if self.manifest.component(component).is_some() {
            return Ok(());
        }
        let known: Vec<&str> = self.manifest.components.iter().map(|known| known.id.as_str()).collect();
        let hint = match known[..] {
            [] => format!("add [component.{component}]"),
            _ => format!("add [component.{component}], or name one of {}", known.join(", ")),
        };
        let message = format!("{what} leads to the component {component:?}, which does not exist");
        Err(Fault { hint, ..self.file.fault(span, message) })
    }

    /// Spin accepts any text as a route. The embedded runtime serves what can be matched, each by one component.
    fn check_route(&mut self, route: &str, component: &str, span: Range<usize>) {
        let pattern = match Pattern::parse(route) {
            Ok(pattern) => pattern,
            Err(reason) => {
                let fault = self.invalid(&format!("the route {route:?}"), span, &reason.to_string());
                return self.manifest.beyond.push(fault);
            }
        };
        let same = |trigger: &&HttpTrigger| match &trigger.route {
            Route::Public(other) => Pattern::parse(other).is_ok_and(|other| other.takes_what(&pattern)),
            Route::Private => false,
        };
        if let Some(first) = self.manifest.triggers.iter().find(same) {
            let message = format!(
                "the route {route:?} leads to the component {component:?} here and to {:?} above",
                first.component
            );
            let hint = "give each route to one component".to_owned();
            self.manifest.beyond.push(Fault { hint, ..self.file.fault(span, message) });
        }
    }

    /// Reads a component and adds it to the others.
    fn component(&mut self, id: String, component: schema::Component) -> Result<(), Fault> {
        let of = |key: &str| format!("`{key}` of the component {id:?}");
        for (key, value) in [
            ("sqlite_databases", &component.sqlite_databases),
            ("dependencies", &component.dependencies),
            ("dependencies_inherit_configuration", &component.dependencies_inherit_configuration),
            ("profile", &component.profile),
            ("targets", &component.targets),
            ("allowed_http_hosts", &component.allowed_http_hosts),
        ] {
            self.beyond(&of(key), value);
        }
        let span = component.source.span();
        let source = match component.source.into_inner() {
            TextOr::Text(path) => Some(self.manifest.folder.join(path)),
            TextOr::Long(remote) => {
                let from = if remote.url.is_some() { "a URL" } else { "a registry" };
                let what = format!("the source of the component {id:?}, from {from},");
                self.manifest.beyond.push(self.file.needs_spin(span, &what));
                None
            }
        };
        let mut variables = BTreeMap::new();
        for (name, template) in component.variables.0 {
            check_lower_snake(name.get_ref()).map_err(|reason| {
                let what = format!("the variable {:?} of the component {id:?}", name.get_ref());
                self.invalid(&what, name.span(), &reason)
            })?;
            variables.insert(name.into_inner(), template);
        }
        let mut key_value_stores = Vec::new();
        for label in component.key_value_stores {
            check_label(label.get_ref()).map_err(|reason| {
                let what = format!("the label {:?} of the component {id:?}", label.get_ref());
                self.invalid(&what, label.span(), &reason)
            })?;
            key_value_stores.push(label.into_inner());
        }
        let folder = &self.manifest.folder;
        let files = component.files.into_iter().map(|mount| match mount {
            TextOr::Text(pattern) => FilesMount::Pattern(pattern),
            TextOr::Long(schema::Placement { source, destination }) => {
                FilesMount::Placement { source: folder.join(source), destination }
            }
        });
        let component = Component {
            source,
            variables,
            environment: component.environment,
            files: files.collect(),
            exclude_files: component.exclude_files,
            allowed_outbound_hosts: component.allowed_outbound_hosts,
            key_value_stores,
            ai_models: component.ai_models,
            build: component.build.map(|build| Build {
                commands: match build.command {
                    TextOr::Text(command) => vec![command],
                    TextOr::Long(commands) => commands,
                },
                workdir: build.workdir.map(PathBuf::from),
            }),
            id,
        };
        self.manifest.components.push(component);
        Ok(())
    }

    fn beyond(&mut self, what: &str, key: &schema::Beyond) {
        if let Some(value) = key
            && !is_empty(value.get_ref())
        {
            self.manifest.beyond.push(self.file.needs_spin(value.span(), what));
        }
    }

    fn invalid(&self, what: &str, span: Range<usize>, reason: &str) -> Fault {
        self.file.fault(span, format!("{what} is not valid: {reason}"))
    }
}

/// The id of a trigger: its own, or the natural one, or a numbered one, as Spin does.
fn name_trigger(kind: &str, given: String, natural: Option<String>, taken: &mut BTreeSet<String>) -> String {
    if !given.is_empty() {
        return given;
    }
    let numbered = (1_u32..).map(|number| format!("{kind}-trigger{number}"));
    let id = natural.into_iter().chain(numbered).find(|id| !taken.contains(id)).unwrap_or_default();
    taken.insert(id.clone());
    id
}

/// The id of a component that is defined inside a trigger, as Spin does.
fn name_inline(trigger: &str, components: &[Component]) -> String {
    let natural = Some(format!("{trigger}-component")).filter(|id| check_kebab(id).is_ok());
    let numbered = (1_u32..).map(|number| format!("inline-component{number}"));
    let free = |id: &String| components.iter().all(|component| component.id != *id);
    natural.into_iter().chain(numbered).find(free).unwrap_or_default()
}

fn is_empty(value: &toml::Value) -> bool {
    match value {
        toml::Value::Array(items) => items.is_empty(),
        toml::Value::Table(entries) => entries.is_empty(),
        _ => false,
    }
}
