/// Finishing touches to schemas that schemars derives.
pub mod schema {
    use schemars::Schema;
    use serde_json::{Map, Value, json};

    /// What may be absent need not be null: an `Option` is a property that is
    /// not required, of the type it has when it is there.
    pub fn absent_not_null(schema: &mut Schema) {
        let required: Vec<Value> = schema
            .get("required")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let Some(Value::Object(properties)) = schema.get_mut("properties") else {
            return;
        };
        for (name, property) in properties {
            if !required.contains(&Value::String(name.clone()))
                && let Value::Object(property) = property
            {
                without_null(property);
            }
        }
    }

    fn without_null(property: &mut Map<String, Value>) {
        if let Some(Value::Array(types)) = property.get_mut("type") {
            types.retain(|ty| ty != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                property.insert("type".to_string(), only);
            }
        }
        if let Some(Value::Array(alternatives)) = property.get_mut("anyOf") {
            alternatives.retain(|schema| *schema != json!({ "type": "null" }));
            if let [Value::Object(only)] = alternatives.as_slice() {
                let only = only.clone();
                property.remove("anyOf");
                property.extend(only);
            }
        }
    }

    /// Adds keywords to the schema at a pointer below.
    pub fn extend_at(pointer: &'static str, keywords: Value) -> impl FnMut(&mut Schema) {
        move |schema: &mut Schema| {
            if let (Some(Value::Object(found)), Value::Object(keywords)) =
                (schema.pointer_mut(pointer), &keywords)
            {
                found.extend(keywords.clone());
            }
        }
    }

    /// An object with one property.
    pub fn keyed(key: &str, schema: Schema, keywords: Value, items: Value) -> Schema {
        let mut property = Value::from(schema);
        if let (Value::Object(property), Value::Object(keywords)) = (&mut property, keywords) {
            property.extend(keywords);
            if let (Some(Value::Object(found)), Value::Object(items)) = (property.get_mut("items"), items) {
                found.extend(items);
            }
        }
        schemars::json_schema!({
            "type": "object", "properties": { key: property }, "required": [key]
        })
    }

    /// Exactly one of these.
    pub fn one_of(alternatives: Vec<Schema>) -> Schema {
        schemars::json_schema!({ "oneOf": alternatives })
    }
}
