//! Pointers into facts: `/spec/metrics/items/provider`.
//!
//! A pointer is a path of property names from the root, with `items` for the
//! items of a list and `values` for the values of a map; the root itself is the
//! empty pointer. A pointer into a definition starts with `#NAME`. `~` and `/`
//! within a name are written `~0` and `~1`.

use std::borrow::Cow;

use crate::facts::{Facts, Schema, Type};

/// A name as it stands within a pointer.
pub(crate) fn escape(name: &str) -> Cow<'_, str> {
    if name.contains(['~', '/']) {
        Cow::Owned(name.replace('~', "~0").replace('/', "~1"))
    } else {
        Cow::Borrowed(name)
    }
}

fn unescape(segment: &str) -> String {
    segment.replace("~1", "/").replace("~0", "~")
}

/// Calls `visit` with the pointer and schema of every value in `facts`, parents
/// before what is below them.
pub fn walk<'a>(facts: &'a Facts, visit: &mut dyn FnMut(&str, &'a Schema)) {
    below(&mut String::new(), &facts.root, visit);
    for (name, schema) in &facts.definitions {
        below(&mut format!("#{}", escape(name)), schema, visit);
    }
}

fn below<'a>(pointer: &mut String, schema: &'a Schema, visit: &mut dyn FnMut(&str, &'a Schema)) {
    visit(pointer, schema);
    let mut enter = |name: &str, inner: &'a Schema| {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(&escape(name));
        below(pointer, inner, visit);
        pointer.truncate(length);
    };
    match &schema.ty {
        Type::Object(properties) => {
            properties
                .iter()
                .for_each(|property| enter(&property.name, &property.schema));
        }
        Type::Map(inner) => enter("values", inner),
        Type::List(inner) => enter("items", inner),
        _ => {}
    }
}

/// The schema that `pointer` names, for changing it. A [`Type::Ref`] is not
/// followed.
pub fn find_mut<'a>(facts: &'a mut Facts, pointer: &str) -> Option<&'a mut Schema> {
    let mut segments = pointer.split('/');
    let first = segments.next().unwrap_or_default();
    let mut schema = match first.strip_prefix('#') {
        None if first.is_empty() => &mut facts.root,
        None => return None,
        Some(name) => {
            let name = unescape(name);
            &mut facts
                .definitions
                .iter_mut()
                .find(|(other, _)| *other == name)?
                .1
        }
    };
    for segment in segments {
        schema = match &mut schema.ty {
            Type::Object(properties) => {
                let name = unescape(segment);
                &mut properties
                    .iter_mut()
                    .find(|property| property.name == name)?
                    .schema
            }
            Type::Map(inner) if segment == "values" => inner,
            Type::List(inner) if segment == "items" => inner,
            _ => return None,
        };
    }
    Some(schema)
}
