//! Templates over variables: text in which `{{ name }}` stands for a variable's value.
//!
//! As in Spin: white space inside the braces does not matter, there is no escape, and `}}` without `{{` is text.

/// A parsed template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template<'a>(Vec<Part<'a>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part<'a> {
    Text(&'a str),
    Variable(&'a str),
}

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// An opening pair of braces without a closing one.
    #[error("invalid variable template: unmatched '{{{{' in template")]
    Unmatched,
    /// A name that no variable of the app has.
    #[error("invalid variable template: unknown variable {0:?}")]
    UnknownVariable(String),
}

impl<'a> Template<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, after) = after.split_once("}}").ok_or(TemplateError::Unmatched)?;
            parts.extend([Part::Text(before), Part::Variable(name.trim())]);
            rest = after;
        }
        parts.push(Part::Text(rest));
        Ok(Self(parts))
    }

    /// Whether no variable has a part in it.
    pub(crate) fn is_literal(&self) -> bool {
        self.0.iter().all(|part| matches!(part, Part::Text(_)))
    }

    /// Puts in the values, of which `value` knows all that the app has.
    pub(crate) fn render<'v>(
        &self,
        value: impl Fn(&str) -> Option<&'v str>,
    ) -> Result<String, TemplateError> {
        let mut rendered = String::new();
        for part in &self.0 {
            rendered.push_str(match *part {
                Part::Text(text) => text,
                Part::Variable(name) => {
                    value(name).ok_or_else(|| TemplateError::UnknownVariable(name.to_owned()))?
                }
            });
        }
        Ok(rendered)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn render(template: &str) -> Result<String, TemplateError> {
        Template::parse(template)?.render(|name| match name {
            "a" => Some("1"),
            "empty" => Some(""),
            "braces" => Some("{{ a }}"),
            _ => None,
        })
    }

    #[test]
    fn variables_are_put_in() {
        for (template, rendered) in [
            ("", ""),
            ("text", "text"),
            ("{{ a }}", "1"),
            ("{{a}}", "1"),
            ("{{\ta }}", "1"),
            ("x-{{ a }}-y", "x-1-y"),
            ("{{ a }}{{ a }}", "11"),
            ("{{ a }}:{{ empty }}", "1:"),
            ("}} {{ a }} }}", "}} 1 }}"),
            ("{ a }", "{ a }"),
            ("{{ braces }}", "{{ a }}"),
            ("日本{{ a }}語", "日本1語"),
        ] {
            assert_eq!(render(template).as_deref(), Ok(rendered), "{template:?}");
        }
    }

    #[test]
    fn mistakes_are_told_apart() {
        for (template, message) in [
            ("{{ a }} {{ b", "invalid variable template: unmatched '{{' in template"),
            ("{{", "invalid variable template: unmatched '{{' in template"),
            ("{{ b }}", "invalid variable template: unknown variable \"b\""),
            ("{{ }}", "invalid variable template: unknown variable \"\""),
            ("{{{ a }}}", "invalid variable template: unknown variable \"{ a\""),
        ] {
            assert_eq!(render(template).map_err(|error| error.to_string()), Err(message.to_owned()));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_and_literal_text_is_kept(text in r"(\PC|[{} a])*") {
            if let Ok(template) = Template::parse(&text) {
                let _ = template.render(|_| None);
                if template.is_literal() {
                    prop_assert_eq!(template.render(|_| None).ok(), Some(text));
                }
            }
        }
    }

    #[test]
    fn fuzz() {
        fuzz::text(&["x-{{ a }}-y"], |text| {
            let Ok(template) = Template::parse(text) else { return };
            let _ = template.render(|_| Some("1"));
            if template.is_literal() {
                assert_eq!(template.render(|_| None).ok().as_deref(), Some(text));
            }
        });
    }
}
