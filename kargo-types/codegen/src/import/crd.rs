//! The envelope of a CRD: everything but the schema.

use serde_json::{Map, Value};

use super::schema::{Reader, segment_pointer};
use super::{ImportError, Imported, Options, Place};
use crate::facts::{Column, Facts, Resource};

/// Reads the CRD that `options` names out of all the CRDs of a file.
pub(super) fn read(
    file: &str,
    crds: Vec<&Value>,
    options: &Options,
) -> Result<Imported, ImportError> {
    let kind_of = |crd: &Value| {
        crd.pointer("/spec/names/kind")
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let at = Envelope {
        file,
        path: Vec::new(),
    };
    let chosen: Vec<&Value> = match &options.kind {
        Some(kind) => crds
            .iter()
            .filter(|crd| kind_of(crd).as_ref() == Some(kind))
            .copied()
            .collect(),
        None => crds.clone(),
    };
    let crd = match chosen.as_slice() {
        [one] => *one,
        _ => {
            let kinds: Vec<String> = crds.iter().filter_map(|crd| kind_of(crd)).collect();
            let found = if kinds.is_empty() {
                "none".to_owned()
            } else {
                kinds.join(", ")
            };
            return Err(at.error(format!(
                "expected one CustomResourceDefinition; found: {found} (choose by kind)"
            )));
        }
    };
    let mut notes = Vec::new();
    let mut reading = Reading {
        at,
        notes: &mut notes,
    };
    let facts = reading.crd(crd, options)?;
    Ok(Imported { facts, notes })
}

struct Envelope<'a> {
    file: &'a str,
    path: Vec<String>,
}

impl Envelope<'_> {
    fn error(&self, message: impl Into<String>) -> ImportError {
        ImportError {
            file: self.file.to_owned(),
            place: Place::Pointer(segment_pointer(&self.path)),
            message: message.into(),
            is_version: false,
        }
    }
}

struct Reading<'a, 'n> {
    at: Envelope<'a>,
    notes: &'n mut Vec<String>,
}

type Object = Map<String, Value>;

impl Reading<'_, '_> {
    fn within<T>(
        &mut self,
        segment: &str,
        f: impl FnOnce(&mut Self) -> Result<T, ImportError>,
    ) -> Result<T, ImportError> {
        self.at.path.push(segment.to_owned());
        let result = f(self);
        self.at.path.pop();
        result
    }

    fn object<'v>(&self, value: Option<&'v Value>) -> Result<&'v Object, ImportError> {
        value
            .and_then(Value::as_object)
            .ok_or_else(|| self.at.error("expected an object here"))
    }

    fn text(&mut self, object: &Object, key: &str) -> Result<String, ImportError> {
        self.within(key, |r| {
            let text = object.get(key).and_then(Value::as_str);
            text.map(str::to_owned)
                .ok_or_else(|| r.at.error("expected a string here"))
        })
    }

    /// Refuses keys of an object that nobody here has heard of, and notes those
    /// that facts have no place for.
    fn keys(
        &mut self,
        object: &Object,
        known: &[&str],
        unused: &[&str],
    ) -> Result<(), ImportError> {
        for key in object.keys() {
            if unused.contains(&key.as_str()) {
                let mut path = self.at.path.clone();
                path.push(key.clone());
                self.notes
                    .push(format!("{}: left out", segment_pointer(&path)));
            } else if !known.contains(&key.as_str()) {
                return self.within(key, |r| Err(r.at.error("facts know nothing of this key")));
            }
        }
        Ok(())
    }

    fn crd(&mut self, crd: &Value, options: &Options) -> Result<Facts, ImportError> {
        let api_version = crd.get("apiVersion").and_then(Value::as_str);
        if api_version != Some("apiextensions.k8s.io/v1") {
            return self.within("apiVersion", |r| {
                Err(r.at.error("only apiextensions.k8s.io/v1 is read"))
            });
        }
        self.within("spec", |r| {
            let spec = r.object(crd.get("spec"))?;
            r.keys(
                spec,
                &[
                    "group",
                    "names",
                    "scope",
                    "versions",
                    "preserveUnknownFields",
                ],
                &["conversion"],
            )?;
            if spec
                .get("preserveUnknownFields")
                .is_some_and(|v| v.as_bool() != Some(false))
            {
                let message = "the whole object keeps unknown fields, which facts cannot express";
                return r.within("preserveUnknownFields", |r| Err(r.at.error(message)));
            }
            let mut resource = Resource {
                group: r.text(spec, "group")?,
                ..Resource::default()
            };
            let name = r.within("names", |r| r.names(spec.get("names"), &mut resource))?;
            resource.namespaced = match r.text(spec, "scope")?.as_str() {
                "Namespaced" => true,
                "Cluster" => false,
                _ => {
                    return r.within("scope", |r| {
                        Err(r.at.error("expected Namespaced or Cluster"))
                    });
                }
            };
            r.within("versions", |r| {
                let (index, version) = r.choose(spec.get("versions"), options)?;
                r.within(&index.to_string(), |r| {
                    r.version(version, name, resource, options)
                })
            })
        })
    }

    fn names(
        &mut self,
        names: Option<&Value>,
        resource: &mut Resource,
    ) -> Result<String, ImportError> {
        let names = self.object(names)?;
        self.keys(
            names,
            &[
                "kind",
                "listKind",
                "plural",
                "singular",
                "shortNames",
                "categories",
            ],
            &[],
        )?;
        let kind = self.text(names, "kind")?;
        if names
            .get("listKind")
            .is_some_and(|list| list.as_str() != Some(&format!("{kind}List")))
        {
            let pointer = segment_pointer(&self.at.path);
            self.notes.push(format!(
                "{pointer}/listKind: left out, though it is not `{kind}List`"
            ));
        }
        resource.plural = self.text(names, "plural")?;
        resource.singular = match names.get("singular") {
            None => kind.to_lowercase(),
            Some(_) => self.text(names, "singular")?,
        };
        resource.short_names = self.texts(names, "shortNames")?;
        resource.categories = self.texts(names, "categories")?;
        Ok(kind)
    }

    fn texts(&mut self, object: &Object, key: &str) -> Result<Vec<String>, ImportError> {
        match object.get(key) {
            None => Ok(Vec::new()),
            value => self.within(key, |r| {
                crate::format::modifiers::strings(value)
                    .ok_or_else(|| r.at.error("expected a list of strings"))
            }),
        }
    }

    fn choose<'v>(
        &self,
        versions: Option<&'v Value>,
        options: &Options,
    ) -> Result<(usize, &'v Object), ImportError> {
        let versions: Vec<&Object> = versions
            .and_then(Value::as_array)
            .map(|list| list.iter().filter_map(Value::as_object).collect())
            .unwrap_or_default();
        let is = |version: &Object, key: &str| version.get(key) == Some(&Value::Bool(true));
        let name = |version: &Object| {
            version
                .get("name")
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let served: Vec<String> = versions
            .iter()
            .filter(|v| is(v, "served"))
            .filter_map(|v| name(v))
            .collect();
        let found = versions
            .iter()
            .enumerate()
            .find(|(_, version)| match &options.version {
                Some(wanted) => name(version).as_ref() == Some(wanted),
                None => is(version, "storage"),
            });
        match found {
            Some((index, version)) if is(version, "served") => Ok((index, *version)),
            _ => {
                let wanted = options.version.as_deref().unwrap_or("the storage version");
                let message = format!("{wanted} is not served; served: {}", served.join(", "));
                let is_version = !served.is_empty();
                Err(ImportError {
                    is_version,
                    ..self.at.error(message)
                })
            }
        }
    }

    fn version(
        &mut self,
        version: &Object,
        name: String,
        mut resource: Resource,
        options: &Options,
    ) -> Result<Facts, ImportError> {
        let known = [
            "name",
            "served",
            "storage",
            "schema",
            "subresources",
            "additionalPrinterColumns",
        ];
        self.keys(
            version,
            &known,
            &["deprecated", "deprecationWarning", "selectableFields"],
        )?;
        resource.version = self.text(version, "name")?;
        if let Some(subresources) = version.get("subresources") {
            resource.status_subresource = self.within("subresources", |r| {
                let subresources = r.object(Some(subresources))?;
                r.keys(subresources, &["status"], &["scale"])?;
                Ok(subresources.contains_key("status"))
            })?;
        }
        if let Some(columns) = version.get("additionalPrinterColumns") {
            resource.columns = self.within("additionalPrinterColumns", |r| {
                let list = columns
                    .as_array()
                    .ok_or_else(|| r.at.error("expected a list"))?;
                let columns = list.iter().enumerate();
                columns
                    .map(|(i, column)| r.within(&i.to_string(), |r| r.column(column)))
                    .collect()
            })?;
        }
        self.within("schema", |r| {
            let schema = r.object(version.get("schema"))?;
            r.keys(schema, &["openAPIV3Schema"], &[])?;
            r.within("openAPIV3Schema", |r| {
                let schema = schema
                    .get("openAPIV3Schema")
                    .ok_or_else(|| r.at.error("this version has no schema"))?;
                let mut reader = Reader::new(r.at.file, r.at.path.clone());
                let root = reader.value(schema)?;
                Ok(Facts {
                    origin: options.origin.clone(),
                    name,
                    resource: Some(resource),
                    root,
                    definitions: Vec::new(),
                })
            })
        })
    }

    fn column(&mut self, column: &Value) -> Result<Column, ImportError> {
        let column = self.object(Some(column))?;
        self.keys(
            column,
            &[
                "name",
                "type",
                "format",
                "jsonPath",
                "priority",
                "description",
            ],
            &[],
        )?;
        let format = match column.get("format") {
            None => None,
            Some(_) => Some(self.text(column, "format")?),
        };
        let priority = match column.get("priority") {
            None => 0,
            Some(value) => self.within("priority", |r| {
                value
                    .as_i64()
                    .ok_or_else(|| r.at.error("expected a whole number"))
            })?,
        };
        Ok(Column {
            name: self.text(column, "name")?,
            ty: self.text(column, "type")?,
            format,
            json_path: self.text(column, "jsonPath")?,
            priority,
        })
    }
}
