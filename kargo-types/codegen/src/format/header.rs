//! The lines of a facts file before `root:`.

use std::collections::BTreeSet;

use super::cursor::{Cursor, FormatError, Result};
use super::modifiers;
use crate::facts::{Column, Origin, Resource};

/// The lines before `root:`.
#[derive(Default)]
pub(super) struct Header {
    seen: BTreeSet<String>,
    name: Option<String>,
    source: Option<String>,
    licence: Option<String>,
    group: Option<String>,
    version: Option<String>,
    plural: Option<String>,
    singular: Option<String>,
    scope: Option<bool>,
    short_names: Vec<String>,
    categories: Vec<String>,
    status: bool,
    columns: Vec<Column>,
}

impl Header {
    pub(super) fn line(&mut self, cursor: &mut Cursor<'_>) -> Result<()> {
        let start = cursor.error("");
        let key = cursor.word().to_owned();
        if key != "column" && !self.seen.insert(key.clone()) {
            return Err(FormatError {
                message: format!("`{key}` stands twice"),
                ..start
            });
        }
        cursor.expect(" ", "a header line, as `name …`, or `root: …`")?;
        match key.as_str() {
            "name" => self.name = Some(cursor.text("a name")?),
            "source" => self.source = Some(cursor.text("the source")?),
            "licence" => self.licence = Some(cursor.text("an SPDX identifier")?),
            "group" => self.group = Some(cursor.text("an API group")?),
            "version" => self.version = Some(cursor.text("a version")?),
            "plural" => self.plural = Some(cursor.text("a name")?),
            "singular" => self.singular = Some(cursor.text("a name")?),
            "scope" => {
                let place = cursor.error("expected Namespaced or Cluster");
                self.scope = match cursor.word() {
                    "Namespaced" => Some(true),
                    "Cluster" => Some(false),
                    _ => return Err(place),
                };
            }
            "shortNames" => self.short_names = list(cursor)?,
            "categories" => self.categories = list(cursor)?,
            "subresource" => {
                cursor.expect("status", "`status`")?;
                self.status = true;
            }
            "column" => self.columns.push(column(cursor)?),
            _ => {
                let message = format!("no header line is called `{key}`");
                return Err(FormatError { message, ..start });
            }
        }
        cursor.end()
    }

    pub(super) fn finish(self, at: &Cursor<'_>) -> Result<(Origin, String, Option<Resource>)> {
        let need = |value: Option<String>, key: &str| {
            value.ok_or_else(|| at.error(format!("the header has no line `{key}`")))
        };
        let of_resource = [
            "version",
            "plural",
            "singular",
            "scope",
            "shortNames",
            "categories",
            "subresource",
        ];
        let has_resource_lines =
            of_resource.iter().any(|key| self.seen.contains(*key)) || !self.columns.is_empty();
        let resource = match self.group {
            None if has_resource_lines => {
                return Err(at.error("the header has no line `group`, which the others need"));
            }
            None => None,
            Some(group) => Some(Resource {
                group,
                version: need(self.version, "version")?,
                plural: need(self.plural, "plural")?,
                singular: need(self.singular, "singular")?,
                short_names: self.short_names,
                categories: self.categories,
                namespaced: self
                    .scope
                    .ok_or_else(|| at.error("the header has no line `scope`"))?,
                status_subresource: self.status,
                columns: self.columns,
            }),
        };
        let origin = Origin {
            source: need(self.source, "source")?,
            licence: need(self.licence, "licence")?,
        };
        Ok((origin, need(self.name, "name")?, resource))
    }
}

fn list(cursor: &mut Cursor<'_>) -> Result<Vec<String>> {
    let start = cursor.error("expected a list of JSON strings, at least one");
    let value = cursor.json("a list of JSON strings")?;
    modifiers::strings(Some(&value))
        .filter(|list| !list.is_empty())
        .ok_or(start)
}

fn column(cursor: &mut Cursor<'_>) -> Result<Column> {
    let name = cursor.string("the column's heading")?;
    cursor.expect(" type=", "` type=`")?;
    let ty = cursor.string("the column's type")?;
    cursor.expect(" jsonPath=", "` jsonPath=`")?;
    let json_path = cursor.string("the column's JSON path")?;
    let format = match cursor.eat(" format=") {
        true => Some(cursor.string("the column's format")?),
        false => None,
    };
    let mut priority = 0;
    if cursor.eat(" priority=") {
        let start = cursor.error("expected a whole number other than 0");
        let value = cursor.json("a whole number")?;
        priority = value.as_i64().filter(|number| *number != 0).ok_or(start)?;
    }
    Ok(Column {
        name,
        ty,
        format,
        json_path,
        priority,
    })
}
