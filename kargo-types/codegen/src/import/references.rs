//! `$ref`: definitions of this file and of those beside it.

use std::rc::Rc;

use serde_json::Value;

use super::schema::Reader;
use super::{ImportError, document};
use crate::facts::Schema;

/// A definition that something refers to: where it stands, and what it says once read.
pub(super) struct Wanted {
    file: String,
    keyword: String,
    schema: Option<Schema>,
}

impl Reader<'_> {
    /// The name of the definition that a `$ref` points at.
    pub(super) fn reference(&mut self, value: &Value) -> Result<String, ImportError> {
        let help = "expected #/definitions/NAME, here or in a file beside this one, as other.json#/definitions/NAME";
        let target = value.as_str().ok_or_else(|| self.error(help))?;
        let (file, fragment) = target.split_once('#').ok_or_else(|| self.error(help))?;
        let (keyword, name) = fragment
            .strip_prefix('/')
            .and_then(|path| path.split_once('/'))
            .filter(|(keyword, name)| {
                matches!(*keyword, "definitions" | "$defs") && !name.contains('/')
            })
            .ok_or_else(|| self.error(help))?;
        if self.siblings.is_none() {
            return Err(self.error("a CRD has no `$ref`"));
        }
        if file.contains(['/', '\\', ':']) || file == ".." {
            return Err(self.error("only files beside this one are read"));
        }
        let file = if file.is_empty() {
            self.file.clone()
        } else {
            file.to_owned()
        };
        let name = name.replace("~1", "/").replace("~0", "~");
        self.want(&file, keyword, &name)
    }

    /// Notes that a definition is needed, and that it is there.
    pub(super) fn want(
        &mut self,
        file: &str,
        keyword: &str,
        name: &str,
    ) -> Result<String, ImportError> {
        match self.wanted.get(name) {
            Some(known) if known.file == file && known.keyword == keyword => {}
            Some(_) => return Err(self.error(format!("two definitions are called `{name}`"))),
            None => {
                self.load(file)?;
                let there = self.documents.get(file).is_some_and(|document| {
                    document
                        .get(keyword)
                        .is_some_and(|all| all.get(name).is_some())
                });
                if !there {
                    let message = format!(
                        "there is no definition `{name}` in {}",
                        self.file_name(file)
                    );
                    return Err(self.error(message));
                }
                let wanted = Wanted {
                    file: file.to_owned(),
                    keyword: keyword.to_owned(),
                    schema: None,
                };
                self.wanted.insert(name.to_owned(), wanted);
            }
        }
        Ok(name.to_owned())
    }

    fn file_name<'f>(&'f self, file: &'f str) -> &'f str {
        if file.is_empty() { self.main } else { file }
    }

    fn load(&mut self, file: &str) -> Result<(), ImportError> {
        if self.documents.contains_key(file) {
            return Ok(());
        }
        let text = match &mut self.siblings {
            Some(siblings) => siblings(file),
            None => Err("there are no files beside this one".to_owned()),
        };
        let text = text.map_err(|why| self.error(format!("cannot read {file}: {why}")))?;
        let document = match document::parse(file, &text)?.as_slice() {
            [one] => one.clone(),
            _ => return Err(self.error(format!("{file} is not one document"))),
        };
        self.documents.insert(file.to_owned(), Rc::new(document));
        Ok(())
    }

    /// Reads the definitions that are needed, and those that these need.
    pub(super) fn definitions(&mut self) -> Result<Vec<(String, Schema)>, ImportError> {
        loop {
            let open = self
                .wanted
                .iter()
                .find(|(_, wanted)| wanted.schema.is_none());
            let Some((name, wanted)) = open else { break };
            let (name, keyword) = (name.clone(), wanted.keyword.clone());
            self.file = wanted.file.clone();
            let document = self.documents.get(&self.file).cloned();
            let value = document
                .as_ref()
                .and_then(|d| d.get(&keyword))
                .and_then(|all| all.get(&name));
            let missing = self.error(format!("there is no definition `{name}`"));
            self.path = vec![keyword.clone(), name.clone()];
            let schema = self.value(value.ok_or(missing)?)?;
            if let Some(wanted) = self.wanted.get_mut(&name) {
                wanted.schema = Some(schema);
            }
        }
        self.path.clear();
        self.file.clear();
        let wanted = std::mem::take(&mut self.wanted);
        Ok(wanted
            .into_iter()
            .filter_map(|(name, wanted)| Some((name, wanted.schema?)))
            .collect())
    }
}
