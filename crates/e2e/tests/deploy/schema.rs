use regex_lite::Regex;
use serde_json::{Map, Value};

/// A schema in the part of JSON Schema that Kubernetes uses. It is strict: a property that is not named is a fault.
pub(crate) struct Schema(Value);

impl Schema {
    pub(crate) fn new(schema: Value) -> Self {
        Self(schema)
    }

    /// What is wrong with `value`, each fault with its place.
    ///
    /// # Panics
    ///
    /// The schema has a rule that is not known here: none is left out unseen.
    pub(crate) fn faults(&self, value: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        self.check(&self.0, value, "", &mut faults);
        faults
    }

    fn check(&self, schema: &Value, value: &Value, place: &str, faults: &mut Vec<String>) {
        let rules = schema.as_object().unwrap_or_else(|| panic!("{schema} is no schema"));
        let mut fault = |what: String| faults.push(format!("{place}: {what}"));
        for (rule, says) in rules {
            match (&**rule, value) {
                ("type", _) if !is_of_type(says, value) => fault(format!("{value} is not of type {says}")),
                ("enum", _) if !says.as_array().unwrap().contains(value) => {
                    fault(format!("{value} is none of {says}"));
                }
                ("pattern", Value::String(text))
                    if !Regex::new(says.as_str().unwrap()).unwrap().is_match(text) =>
                {
                    fault(format!("{value} does not match {says}"));
                }
                ("minLength", Value::String(text)) if (text.len() as u64) < says.as_u64().unwrap() => {
                    fault(format!("{value} is shorter than {says}"));
                }
                ("maxLength", Value::String(text)) if text.len() as u64 > says.as_u64().unwrap() => {
                    fault(format!("{value} is longer than {says}"));
                }
                ("minItems", Value::Array(items)) if (items.len() as u64) < says.as_u64().unwrap() => {
                    fault(format!("fewer than {says} items"));
                }
                ("minimum", Value::Number(number)) if number.as_f64() < says.as_f64() => {
                    fault(format!("{number} is less than {says}"));
                }
                ("required", Value::Object(properties)) => {
                    let required = says.as_array().unwrap().iter().filter_map(Value::as_str);
                    for name in required.filter(|name| !properties.contains_key(*name)) {
                        fault(format!("\"{name}\" is required"));
                    }
                }
                ("oneOf" | "anyOf", _) => {
                    if !says.as_array().unwrap().iter().any(|schema| self.is_clean(schema, value)) {
                        fault(format!("{value} is none of {says}"));
                    }
                }
                (known, _) if is_known(known) => {}
                (unknown, _) => panic!("an unknown rule: {unknown} of {schema}"),
            }
        }
        if let Some(reference) = rules.get("$ref").and_then(Value::as_str) {
            let name = reference.strip_prefix("#/$defs/").unwrap();
            self.check(&self.0["$defs"][name], value, place, faults);
        }
        match value {
            Value::Object(properties) => self.check_properties(rules, properties, place, faults),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    if let Some(schema) = rules.get("items") {
                        self.check(schema, item, &format!("{place}/{index}"), faults);
                    }
                }
            }
            _ => {}
        }
    }

    fn check_properties(
        &self,
        rules: &Map<String, Value>,
        properties: &Map<String, Value>,
        place: &str,
        faults: &mut Vec<String>,
    ) {
        let (named, others) = (rules.get("properties"), rules.get("additionalProperties"));
        for (name, value) in properties {
            let place = format!("{place}/{name}");
            match (named.and_then(|named| named.get(name)), others) {
                (Some(schema), _) | (None, Some(schema @ Value::Object(_))) => {
                    self.check(schema, value, &place, faults);
                }
                (None, Some(Value::Bool(false))) => faults.push(format!("{place}: there is no such field")),
                (None, None) if named.is_some() => faults.push(format!("{place}: there is no such field")),
                (None, _) => {}
            }
        }
    }

    fn is_clean(&self, schema: &Value, value: &Value) -> bool {
        let mut faults = Vec::new();
        self.check(schema, value, "", &mut faults);
        faults.is_empty()
    }
}

fn is_of_type(types: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("an unknown type: {other}"),
    };
    types.as_array().map_or_else(|| is(types), |types| types.iter().any(is))
}

/// The rules that are applied here, elsewhere in [`Schema::check`], and those that forbid nothing.
fn is_known(rule: &str) -> bool {
    let applied = ["type", "enum", "pattern", "minLength", "maxLength", "minItems", "minimum", "required"];
    let elsewhere = ["$ref", "$defs", "items", "properties", "additionalProperties"];
    let harmless = ["description", "default", "format"];
    [&applied[..], &elsewhere, &harmless].concat().contains(&rule) || rule.starts_with("x-kubernetes-")
}
