//! From the keys of the file to a [`Manifest`].

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use super::names::{check_kebab, check_label, check_lower_snake};
use super::{Build, Component, FilesMount, HttpTrigger, Manifest, ManifestError, Route, Variable, schema};
use crate::route::Pattern;
use crate::toml_file::{Entries, TextOr, TomlFile};

pub(super) fn read(file: TomlFile<'_>, path: &Path) -> Result<Manifest, ManifestError> {
    let reader = Reader { file, folder: path.parent().unwrap_or(Path::new("")) };
    reader.check_version()?;
    let app: schema::App = file.parse()?;

    reader.refuse("`targets` of the application", &app.application.targets)?;
    if let Some(base) = app.application.trigger.http.and_then(|http| http.base)
        && base.get_ref() != "/"
    {
        let reason = "Spin has dropped it; put it in front of each route".to_owned();
        return Err(reader.invalid(format!("the base {:?}", base.get_ref()), base.span(), reason));
    }
    let mut components = Vec::new();
    for (id, component) in app.component.0 {
        check_kebab(id.get_ref()).map_err(|reason| {
            reader.invalid(format!("the component id {:?}", id.get_ref()), id.span(), reason)
        })?;
        components.push(reader.component(id.into_inner(), component)?);
    }
    let triggers = reader.triggers(app.trigger, &mut components)?;

    Ok(Manifest {
        path: path.to_owned(),
        folder: reader.folder.to_owned(),
        name: app.application.name,
        version: app.application.version,
        description: app.application.description,
        authors: app.application.authors,
        variables: reader.variables(app.variables)?,
        triggers,
        components,
    })
}

struct Reader<'a> {
    file: TomlFile<'a>,
    folder: &'a Path,
}

impl Reader<'_> {
    fn check_version(&self) -> Result<(), ManifestError> {
        let version = self.file.parse::<schema::VersionProbe>()?.spin_manifest_version;
        match version.get_ref() {
            toml::Value::Integer(2) => Ok(()),
            toml::Value::String(one) if one == "1" => Err(ManifestError::NeedsSpin {
                place: self.file.place(version.span()),
                what: "a manifest of version 1".to_owned(),
                instead: Some("`spin doctor` turns it into version 2"),
            }),
            other => Err(self.invalid(
                format!("the manifest version {other}"),
                version.span(),
                "only 2 is known".to_owned(),
            )),
        }
    }

    fn variables(
        &self,
        entries: Entries<schema::Variable>,
    ) -> Result<BTreeMap<String, Variable>, ManifestError> {
        let mut variables = BTreeMap::new();
        for (name, variable) in entries.0 {
            let invalid =
                |reason| self.invalid(format!("the variable {:?}", name.get_ref()), name.span(), reason);
            check_lower_snake(name.get_ref()).map_err(invalid)?;
            if variable.required == variable.default.is_some() {
                return Err(invalid("it must be `required` or have a `default`, one of the two".to_owned()));
            }
            let schema::Variable { description, default, secret, .. } = variable;
            variables.insert(name.into_inner(), Variable { default, secret, description });
        }
        Ok(variables)
    }

    /// Reads the triggers and moves the components that are defined inside them to `components`.
    fn triggers(
        &self,
        triggers: schema::Triggers,
        components: &mut Vec<Component>,
    ) -> Result<Vec<HttpTrigger>, ManifestError> {
        if let Some(kind) = triggers.others.first() {
            return Err(self.needs_spin(format!("the trigger {:?}", kind.get_ref()), kind.span(), None));
        }
        let mut ids: BTreeSet<String> =
            triggers.http.iter().map(|trigger| trigger.get_ref().id.clone()).collect();
        let mut read: Vec<HttpTrigger> = Vec::new();
        for trigger in triggers.http {
            let span = trigger.span();
            let trigger = trigger.into_inner();
            self.refuse("`components` of a trigger", &trigger.components)?;
            self.refuse("`dependencies` of a trigger (middleware)", &trigger.dependencies)?;
            self.refuse("`static_response`", &trigger.static_response)?;
            if let Some(executor) = trigger.executor
                && !["spin", "http"].contains(&executor.get_ref().kind.as_str())
            {
                let what = format!("the executor {:?}", executor.get_ref().kind);
                return Err(self.needs_spin(what, executor.span(), None));
            }
            let route = self.route(trigger.route, &span)?;
            let shown = match &route {
                Route::Public(pattern) => format!("{pattern:?}"),
                Route::Private => "{ private = true }".to_owned(),
            };
            let (id, component) = match trigger.component {
                Some(TextOr::Text(component)) => {
                    let natural = format!("{component}-http-trigger");
                    (name_trigger(trigger.id, Some(natural), &mut ids), component)
                }
                Some(TextOr::Long(inline)) => {
                    let id = name_trigger(trigger.id, None, &mut ids);
                    let component = self.component(name_inline(&id, components), *inline)?;
                    components.push(component.clone());
                    (id, component.id)
                }
                None => {
                    let what = format!("the trigger of the route {shown}");
                    return Err(self.invalid(what, span, "it names no component".to_owned()));
                }
            };
            if !components.iter().any(|known| known.id == component) {
                let known = components.iter().map(|known| known.id.clone()).collect();
                let place = self.file.place(span);
                return Err(ManifestError::UnknownComponent { place, route: shown, component, known });
            }
            if let Route::Public(pattern) = &route
                && let Some(first) = read.iter().find(
                    |earlier| matches!(&earlier.route, Route::Public(other) if same_paths(other, pattern)),
                )
            {
                return Err(ManifestError::DuplicateRoute {
                    place: self.file.place(span),
                    route: pattern.clone(),
                    first: first.component.clone(),
                    second: component,
                });
            }
            read.push(HttpTrigger { id, route, component });
        }
        Ok(read)
    }

    fn route(
        &self,
        route: TextOr<schema::PrivateRoute>,
        span: &Range<usize>,
    ) -> Result<Route, ManifestError> {
        match route {
            TextOr::Text(pattern) => match Pattern::parse(&pattern) {
                Ok(_) => Ok(Route::Public(pattern)),
                Err(source) => {
                    let place = self.file.place(span.clone());
                    Err(ManifestError::Route { place, route: pattern, source })
                }
            },
            TextOr::Long(schema::PrivateRoute { private: true }) => Ok(Route::Private),
            TextOr::Long(_) => Err(self.invalid(
                "the route { private = false }".to_owned(),
                span.clone(),
                "a route is a string, or { private = true }".to_owned(),
            )),
        }
    }

    fn component(&self, id: String, component: schema::Component) -> Result<Component, ManifestError> {
        let of = |key: &str| format!("`{key}` of the component {id:?}");
        self.refuse(&of("sqlite_databases"), &component.sqlite_databases)?;
        self.refuse(&of("dependencies"), &component.dependencies)?;
        self.refuse(
            &of("dependencies_inherit_configuration"),
            &component.dependencies_inherit_configuration,
        )?;
        self.refuse(&of("profile"), &component.profile)?;
        self.refuse(&of("targets"), &component.targets)?;
        if let Some(hosts) = &component.allowed_http_hosts
            && !is_empty(hosts.get_ref())
        {
            let instead = "use `allowed_outbound_hosts`, which has taken its place";
            return Err(self.needs_spin(of("allowed_http_hosts"), hosts.span(), Some(instead)));
        }
        let span = component.source.span();
        let source = match component.source.into_inner() {
            TextOr::Text(path) => self.folder.join(path),
            TextOr::Long(remote) => {
                let from = if remote.url.is_some() { "a URL" } else { "a registry" };
                let what = format!("the source of the component {id:?}, from {from},");
                return Err(self.needs_spin(what, span, None));
            }
        };
        let mut variables = BTreeMap::new();
        for (name, template) in component.variables.0 {
            check_lower_snake(name.get_ref()).map_err(|reason| {
                self.invalid(
                    format!("the variable {:?} of the component {id:?}", name.get_ref()),
                    name.span(),
                    reason,
                )
            })?;
            variables.insert(name.into_inner(), template);
        }
        let mut key_value_stores = Vec::new();
        for label in component.key_value_stores {
            check_label(label.get_ref()).map_err(|reason| {
                self.invalid(
                    format!("the label {:?} of the component {id:?}", label.get_ref()),
                    label.span(),
                    reason,
                )
            })?;
            key_value_stores.push(label.into_inner());
        }
        Ok(Component {
            source,
            description: component.description,
            variables,
            environment: component.environment,
            files: component.files.into_iter().map(|mount| self.files_mount(mount)).collect(),
            exclude_files: component.exclude_files,
            allowed_outbound_hosts: component.allowed_outbound_hosts,
            key_value_stores,
            ai_models: component.ai_models,
            build: component.build.map(|build| self.build(build)),
            id,
        })
    }

    fn files_mount(&self, mount: TextOr<schema::Placement>) -> FilesMount {
        match mount {
            TextOr::Text(pattern) => FilesMount::Pattern(pattern),
            TextOr::Long(schema::Placement { source, destination }) => {
                FilesMount::Placement { source: self.folder.join(source), destination }
            }
        }
    }

    fn build(&self, build: schema::Build) -> Build {
        let commands = match build.command {
            TextOr::Text(command) => vec![command],
            TextOr::Long(commands) => commands,
        };
        let workdir = build.workdir.map_or_else(|| self.folder.to_owned(), |dir| self.folder.join(dir));
        Build { commands, workdir, watch: build.watch }
    }

    fn refuse(&self, what: &str, key: &schema::Refused) -> Result<(), ManifestError> {
        match key {
            Some(value) if !is_empty(value.get_ref()) => {
                Err(self.needs_spin(what.to_owned(), value.span(), None))
            }
            _ => Ok(()),
        }
    }

    fn needs_spin(&self, what: String, span: Range<usize>, instead: Option<&'static str>) -> ManifestError {
        ManifestError::NeedsSpin { place: self.file.place(span), what, instead }
    }

    fn invalid(&self, what: String, span: Range<usize>, reason: String) -> ManifestError {
        ManifestError::Invalid { place: self.file.place(span), what, reason }
    }
}

/// The id of a trigger: its own, or the natural one, or a numbered one, as Spin does.
fn name_trigger(given: String, natural: Option<String>, taken: &mut BTreeSet<String>) -> String {
    if !given.is_empty() {
        return given;
    }
    let numbered = (1_u32..).map(|number| format!("http-trigger{number}"));
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

fn same_paths(one: &str, other: &str) -> bool {
    matches!((Pattern::parse(one), Pattern::parse(other)), (Ok(one), Ok(other)) if one.takes_what(&other))
}

fn is_empty(value: &toml::Value) -> bool {
    match value {
        toml::Value::Array(items) => items.is_empty(),
        toml::Value::Table(entries) => entries.is_empty(),
        _ => false,
    }
}
