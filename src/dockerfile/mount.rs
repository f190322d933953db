//! `RUN --mount=…`: comma-separated keys and values.

use super::expand::{Budget, Style, Variables, expand};
use super::text::short;
use super::values;
use crate::diagnostics::did_you_mean;

/// What is wrong with a mount: message and help.
pub(super) type Wrong = (String, Option<String>);

const TYPES: [&str; 5] = ["bind", "cache", "tmpfs", "secret", "ssh"];
const SHARING: [&str; 3] = ["shared", "private", "locked"];
const KEYS: [&str; 19] = [
    "type",
    "from",
    "source",
    "target",
    "readonly",
    "id",
    "sharing",
    "required",
    "size",
    "mode",
    "uid",
    "gid",
    "src",
    "dst",
    "destination",
    "ro",
    "rw",
    "readwrite",
    "env",
];

/// What a mount is taken from, as far as every build looks.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// The value of `from`; empty if there is none.
    pub(super) from: String,
    /// Must the stage be there before the command runs?
    pub(super) ordered: bool,
}

/// Reads what all builds read, and says what is wrong where the stage is built.
pub(super) fn mount(
    text: &str,
    escape: u8,
    budget: &mut Budget,
) -> Result<(Source, Option<Wrong>), Wrong> {
    let fields = fields(text)?;
    let mut from = String::new();
    for field in &fields {
        let Some((key, value)) = field.split_once('=') else {
            continue;
        };
        if !key.eq_ignore_ascii_case("from") {
            continue;
        }
        if value.find('$').is_some_and(|at| at + 1 < value.len()) {
            return Err((
                format!("`from={}` holds a variable, which is not expanded there", short(value)),
                Some("Give the image a stage of its own, `FROM $VARIABLE AS name`, and mount from that.".to_owned()),
            ));
        }
        value.clone_into(&mut from);
    }
    let mut checked = Checked::default();
    let wrong = checked.fields(&fields, escape, budget).err();
    let cache = checked.kind.as_deref() == Some("cache");
    let ordered = !from.is_empty() || cache;
    Ok((Source { from, ordered }, wrong))
}

/// The fields of one line of comma-separated values.
fn fields(text: &str) -> Result<Vec<String>, Wrong> {
    let wrong = |what: &str| {
        let help = "A value that holds a comma or a quote is put in double quotes as a whole, `\"key=a,b\"`, its own quotes doubled.";
        (
            format!("`--mount={}`: {what}", short(text)),
            Some(help.to_owned()),
        )
    };
    let mut rest = text
        .strip_suffix('\n')
        .map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    if rest.is_empty() {
        return Err(wrong("it says nothing to mount"));
    }
    let mut fields = Vec::new();
    loop {
        let Some(quoted) = rest.strip_prefix('"') else {
            let (field, tail) = match rest.split_once(',') {
                Some((field, tail)) => (field, Some(tail)),
                None => (rest, None),
            };
            if field.contains('"') {
                return Err(wrong("a quote stands inside of a value"));
            }
            fields.push(field.to_owned());
            match tail {
                Some(tail) => rest = tail,
                None => return Ok(fields),
            }
            continue;
        };
        rest = quoted;
        let mut field = String::new();
        loop {
            let Some((part, tail)) = rest.split_once('"') else {
                return Err(wrong("a quote is not closed"));
            };
            field.push_str(part);
            match tail.strip_prefix('"') {
                Some(tail) => {
                    field.push('"');
                    rest = tail;
                }
                None => {
                    rest = tail;
                    break;
                }
            }
        }
        fields.push(field);
        if rest.is_empty() {
            return Ok(fields);
        }
        match rest.strip_prefix(',') {
            Some(tail) => rest = tail,
            None => return Err(wrong("something follows a closing quote")),
        }
    }
}

/// What the stage's own build checks, as far as no variable hides it.
#[derive(Default)]
struct Checked {
    /// The type; `None` if a variable holds it.
    kind: Option<String>,
    from: bool,
    source: bool,
    target: Option<String>,
    id: bool,
    sharing: bool,
    owner: Option<&'static str>,
    hidden: bool,
}

impl Checked {
    fn fields(&mut self, fields: &[String], escape: u8, budget: &mut Budget) -> Result<(), Wrong> {
        self.kind = Some("bind".to_owned());
        for field in fields {
            match field.split_once('=') {
                None => self.bare(field)?,
                Some((key, value)) => {
                    let expanded = expand(value, Style::word(escape), Variables::Unknown, budget)
                        .map_err(|problem| {
                        (format!("`{}`: {}", short(field), problem.message), None)
                    })?;
                    let known = expanded
                        .value
                        .lacks
                        .is_empty()
                        .then_some(expanded.value.text);
                    self.pair(field, &key.to_lowercase(), known)?;
                }
            }
        }
        self.together()
    }

    fn kind_is(&self, kinds: &[&str]) -> bool {
        self.kind
            .as_deref()
            .is_none_or(|kind| kinds.contains(&kind))
    }

    fn bare(&self, field: &str) -> Result<(), Wrong> {
        match field.to_lowercase().as_str() {
            "readonly" | "ro" | "readwrite" | "rw" => Ok(()),
            "required" => self.only("required", &["secret", "ssh"]),
            _ => Err((
                format!("`{}` in a mount has no value", short(field)),
                Some("Each field is `key=value`.".to_owned()),
            )),
        }
    }

    fn only(&self, key: &str, kinds: &[&str]) -> Result<(), Wrong> {
        if self.kind_is(kinds) {
            return Ok(());
        }
        let kind = self.kind.as_deref().unwrap_or_default();
        Err((
            format!("a mount of type `{kind}` has no `{key}`"),
            Some("`type=…` stands before what depends on it.".to_owned()),
        ))
    }

    /// `known` is the value, unless a variable hides it.
    fn pair(&mut self, field: &str, key: &str, known: Option<String>) -> Result<(), Wrong> {
        let invalid = |is: bool| match is {
            true => Ok(()),
            false => Err((
                format!("`{}` in a mount has no value of its kind", short(field)),
                None,
            )),
        };
        let holds = |check: fn(&str) -> bool| invalid(known.as_deref().is_none_or(check));
        let some = known.as_deref() != Some("");
        match key {
            "type" => {
                self.kind = known.map(|kind| kind.to_lowercase());
                one_of("type", &TYPES, self.kind.as_deref())
            }
            "from" => {
                self.from = some;
                self.hidden |= known.is_none();
                Ok(())
            }
            "source" | "src" => {
                self.source = some;
                Ok(())
            }
            "target" | "dst" | "destination" => {
                self.target = Some(known.unwrap_or_else(|| "$".to_owned()));
                Ok(())
            }
            "readonly" | "ro" | "readwrite" | "rw" => holds(|text| values::boolean(text).is_some()),
            "required" => {
                self.only(key, &["secret", "ssh"])?;
                holds(|text| values::boolean(text).is_some())
            }
            "size" => {
                self.only(key, &["tmpfs"])?;
                holds(values::is_size)
            }
            "id" => {
                self.id = some;
                Ok(())
            }
            "sharing" => {
                self.sharing = some;
                let lower = known.map(|sharing| sharing.to_lowercase());
                one_of("sharing", &SHARING, lower.as_deref())
            }
            "mode" => {
                self.owner = self.owner.or(Some("mode"));
                holds(|text| values::unsigned(text, 8).is_some())
            }
            "uid" | "gid" => {
                self.owner = self
                    .owner
                    .or(Some(if key == "uid" { "uid" } else { "gid" }));
                holds(|text| values::unsigned(text, 10).is_some())
            }
            "env" => Ok(()),
            _ => Err((
                format!("a mount has no `{}`", short(key)),
                Some(did_you_mean(key, &KEYS)),
            )),
        }
    }

    /// What the fields say together.
    fn together(&self) -> Result<(), Wrong> {
        let Some(kind) = self.kind.as_deref() else {
            return Ok(());
        };
        let wrong = |message: String| Err((message, None));
        if let Some(owner) = self
            .owner
            .filter(|_| !matches!(kind, "secret" | "ssh" | "cache"))
        {
            return wrong(format!("a mount of type `{kind}` has no `{owner}`"));
        }
        if self.sharing && kind != "cache" {
            return wrong(format!("a mount of type `{kind}` has no `sharing`"));
        }
        let target = self.target.as_deref();
        match kind {
            "secret" if self.from && !self.hidden => {
                wrong("a secret is mounted from no stage".to_owned())
            }
            "secret" if !self.source && !self.id && target.unwrap_or_default().is_empty() => {
                wrong("a mount of type `secret` needs a `source`, `target` or `id`".to_owned())
            }
            "secret" if self.source && self.id => {
                wrong("a mount of type `secret` has a `source` or an `id`, not both".to_owned())
            }
            "ssh" if self.source => wrong("a mount of type `ssh` has no `source`".to_owned()),
            "bind" | "cache" | "tmpfs" if target == Some("/") => {
                wrong("nothing can be mounted at `/`".to_owned())
            }
            _ => Ok(()),
        }
    }
}

fn one_of(what: &str, known: &[&str], value: Option<&str>) -> Result<(), Wrong> {
    match value {
        Some(value) if !known.contains(&value) => Err((
            format!("a mount has no {what} `{}`", short(value)),
            Some(did_you_mean(value, known)),
        )),
        _ => Ok(()),
    }
}
