//! Short type names where they are unique, qualified ones where they are not.

use std::collections::{BTreeMap, BTreeSet};

use super::{Config, Input, Place, matches};
use crate::facts::{Schema, Type};
use crate::names;
use crate::pointer::escape;

/// Names that say too little to stand alone, whether or not they are unique.
const GENERIC: &[&str] = &[
    "Action", "Config", "Item", "Key", "Kind", "Metadata", "Method", "Name", "Operator", "Phase",
    "Plugin", "Provider", "Result", "Selector", "Spec", "Stat", "State", "Status", "Summary",
    "Type", "Value", "Values", "Version",
];

/// Names of the standard library that a generated type must not hide.
const TAKEN: &[&str] = &[
    "Box",
    "Clone",
    "Debug",
    "Default",
    "Err",
    "None",
    "Ok",
    "Option",
    "PartialEq",
    "Result",
    "Self",
    "Some",
    "String",
    "Vec",
    "Value",
    "Map",
    "At",
    "Validate",
    "Decode",
    "Violation",
    "Object",
    "GoDuration",
    "Quantity",
    "OrExpr",
    "Expr",
    "Pattern",
    "Time",
    "IntOrString",
    "ObjectMeta",
];

/// Which short names are ambiguous.
#[derive(Debug, Default)]
pub(crate) struct Naming {
    ambiguous: BTreeSet<String>,
    roots: BTreeSet<String>,
}

impl Naming {
    /// Looks at all facts for short names that would mean two things.
    pub(crate) fn plan(inputs: &[Input], config: &Config) -> Naming {
        let mut meanings: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut roots = BTreeSet::new();
        for input in inputs {
            let facts = &input.facts;
            roots.insert(facts.name.clone());
            let mut walk = Walk {
                config,
                meanings: &mut meanings,
            };
            walk.visit(&facts.root, &facts.name, "");
            for (name, schema) in &facts.definitions {
                walk.visit(schema, &format!("{}#{}", facts.name, escape(name)), name);
            }
        }
        let mut ambiguous: BTreeSet<String> = meanings
            .iter()
            .filter(|(name, shapes)| {
                shapes.len() > 1
                    || roots.contains(*name)
                    || TAKEN.contains(&name.as_str())
                    || config.renames.iter().any(|(_, to)| to == *name)
            })
            .map(|(name, _)| name.clone())
            .collect();
        ambiguous.extend(GENERIC.iter().map(|name| (*name).to_string()));
        Naming { ambiguous, roots }
    }

    /// The name of the type at `place`.
    pub(crate) fn name(&self, place: &Place) -> String {
        let short = names::pascal(&place.name);
        if place.parent.is_empty() {
            // The root of free-standing facts is called what they are called.
            return place.name.clone();
        }
        let of_kind =
            self.roots.contains(&place.parent) && matches!(short.as_str(), "Spec" | "Status");
        if of_kind || self.ambiguous.contains(&short) {
            format!("{}{short}", place.parent)
        } else {
            short
        }
    }
}

struct Walk<'a> {
    config: &'a Config,
    meanings: &'a mut BTreeMap<String, BTreeSet<String>>,
}

impl Walk<'_> {
    fn visit(&mut self, schema: &Schema, path: &str, name: &str) {
        let named = match &schema.ty {
            Type::Object(properties) => !properties.is_empty(),
            Type::String => !schema.enumeration.is_empty(),
            _ => false,
        };
        let renamed = self.config.renames.iter().any(|(at, _)| matches(at, path));
        if named && !renamed && !name.is_empty() {
            self.meanings
                .entry(names::pascal(name))
                .or_default()
                .insert(format!("{:?}", plain(schema)));
        }
        match &schema.ty {
            Type::Object(properties) => {
                for property in properties {
                    let path = format!("{path}/{}", escape(&property.name));
                    self.visit(&property.schema, &path, &property.name);
                }
            }
            Type::Map(inner) => {
                self.visit(inner, &format!("{path}/values"), &names::singular(name))
            }
            Type::List(inner) => {
                self.visit(inner, &format!("{path}/items"), &names::singular(name))
            }
            _ => {}
        }
    }
}

/// The schema without our words, which make no other type of it.
fn plain(schema: &Schema) -> Schema {
    let mut schema = schema.clone();
    schema.doc.clear();
    match &mut schema.ty {
        Type::Object(properties) => {
            for property in properties {
                property.schema = plain(&property.schema);
            }
        }
        Type::Map(inner) | Type::List(inner) => **inner = plain(inner),
        _ => {}
    }
    schema
}
