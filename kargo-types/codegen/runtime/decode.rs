/// The JSON type of a value, for messages.
fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn wrong_type(value: &Value, at: &At<'_>, out: &mut Vec<Violation>, wanted: &str) {
    at.wrong(out, format!("{} where {wanted} should be", type_of(value)));
}

/// One of the texts of an enum.
pub fn one_of_texts<T: Copy>(
    value: &Value,
    at: &At<'_>,
    out: &mut Vec<Violation>,
    all: &[T],
    text: fn(&T) -> &'static str,
) -> Option<T> {
    let names = || {
        let names: Vec<String> = all.iter().map(|one| format!("`{}`", text(one))).collect();
        names.join(", ")
    };
    let Value::String(given) = value else {
        wrong_type(value, at, out, &format!("one of {}", names()));
        return None;
    };
    let found = all.iter().copied().find(|one| text(one) == given);
    if found.is_none() {
        at.wrong(out, format!("`{given}` is none of {}", names()));
    }
    found
}

/// The only key of an object and its value.
pub fn only_key<'a>(
    value: &'a Value,
    at: &At<'_>,
    out: &mut Vec<Violation>,
    keys: &[&'static str],
) -> Option<(&'static str, &'a Value)> {
    let Value::Object(map) = value else {
        wrong_type(value, at, out, "an object");
        return None;
    };
    let mut found = None;
    for (key, value) in map {
        match keys.iter().find(|known| *known == key) {
            None => at.key(key).wrong(out, unknown_key(key, keys)),
            Some(known) if found.is_none() => found = Some((*known, value)),
            Some(_) => at.key(key).wrong(out, "only one key is allowed here"),
        }
    }
    if found.is_none() && map.is_empty() {
        at.wrong(out, format!("one of {} is required", quoted(keys)));
    }
    found
}

fn quoted(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

fn unknown_key(key: &str, known: &[&str]) -> String {
    match nearest(key, known) {
        Some(near) => format!("unknown key `{key}`; is `{near}` meant?"),
        None => format!("unknown key `{key}`"),
    }
}

/// The name that takes the fewest edits, if it takes few.
fn nearest<'a>(given: &str, names: &[&'a str]) -> Option<&'a str> {
    let allowed = given.chars().count().div_ceil(3);
    names
        .iter()
        .map(|name| (edits(given, name), *name))
        .filter(|(edits, _)| *edits <= allowed)
        .min()
        .map(|(_, name)| name)
}

/// Levenshtein's distance, letters' case aside.
fn edits(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, from) in left.to_lowercase().chars().enumerate() {
        let mut diagonal = line;
        let mut before = line + 1;
        for (above, to) in row.iter_mut().skip(1).zip(&right) {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = *above;
            before = replaced.min(diagonal + 1).min(before + 1);
            *above = before;
        }
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// An object that is being read.
#[derive(Debug)]
pub struct Object<'a, 'o> {
    map: &'a Map<String, Value>,
    known: &'static [&'static str],
    at: &'a At<'a>,
    out: &'o mut Vec<Violation>,
}

impl<'a, 'o> Object<'a, 'o> {
    /// Begins to read; notes every key that is not `known`.
    pub fn read(
        value: &'a Value,
        at: &'a At<'a>,
        out: &'o mut Vec<Violation>,
        known: &'static [&'static str],
    ) -> Option<Self> {
        let object = Self::read_open(value, at, out, known)?;
        for key in object.map.keys() {
            if !known.contains(&key.as_str()) {
                at.key(key).wrong(object.out, unknown_key(key, known));
            }
        }
        Some(object)
    }

    /// Begins to read an object that may have more keys than those `known`.
    pub fn read_open(
        value: &'a Value,
        at: &'a At<'a>,
        out: &'o mut Vec<Violation>,
        known: &'static [&'static str],
    ) -> Option<Self> {
        let Value::Object(map) = value else {
            wrong_type(value, at, out, "an object");
            return None;
        };
        Some(Object { map, known, at, out })
    }

    /// The keys that are not known.
    pub fn other(&self) -> Option<BTreeMap<String, Value>> {
        let unknown = self.map.iter().filter(|(key, _)| !self.known.contains(&key.as_str()));
        Some(unknown.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    /// A property that must be there.
    pub fn required<T: Decode>(&mut self, key: &str) -> Option<T> {
        let at = self.at.key(key);
        match self.map.get(key) {
            Some(value) => T::decode(value, &at, self.out),
            None => {
                at.wrong(self.out, format!("`{key}` is required"));
                None
            }
        }
    }

    /// A property that must be there, if only as null.
    pub fn required_or_null<T: Decode>(&mut self, key: &str) -> Option<Option<T>> {
        match self.map.get(key) {
            Some(Value::Null) => Some(None),
            _ => self.required(key).map(Some),
        }
    }

    /// A property that may be absent.
    pub fn optional<T: Decode>(&mut self, key: &str) -> Option<Option<T>> {
        match self.map.get(key) {
            Some(value) => T::decode(value, &self.at.key(key), self.out).map(Some),
            None => Some(None),
        }
    }

    /// A property that may be absent, or null, which means the same.
    pub fn optional_or_null<T: Decode>(&mut self, key: &str) -> Option<Option<T>> {
        match self.map.get(key) {
            Some(Value::Null) => Some(None),
            _ => self.optional(key),
        }
    }

    /// A property whose absence means its default.
    pub fn or_default<T: Decode + Default>(&mut self, key: &str) -> Option<T> {
        self.optional(key).map(Option::unwrap_or_default)
    }

    /// A property that must have this value.
    pub fn constant(&mut self, key: &str, wanted: &str) {
        match self.map.get(key) {
            Some(Value::String(given)) if given == wanted => {}
            Some(_) => self.at.key(key).wrong(self.out, format!("must be `{wanted}`")),
            None => self.at.key(key).wrong(self.out, format!("`{key}` is required")),
        }
    }

    /// The value of a property that says what the object is.
    pub fn tag(&mut self, key: &str, all: &[&'static str]) -> Option<&'static str> {
        let given: String = self.required(key)?;
        let found = all.iter().find(|known| **known == given).copied();
        if found.is_none() {
            let hint = nearest(&given, all).map_or(String::new(), |near| format!("; is `{near}` meant?"));
            let message = format!("`{given}` is not known here{hint}");
            self.at.key(key).wrong(self.out, message);
        }
        found
    }

    /// What belongs to the tag; nothing there is an empty object.
    pub fn content<T: Decode>(&mut self, key: &str) -> Option<T> {
        let none = Value::Object(Map::new());
        T::decode(self.map.get(key).unwrap_or(&none), &self.at.key(key), self.out)
    }

    /// The one of these properties that is set.
    pub fn one_of(&mut self, keys: &[&'static str]) -> Option<&'static str> {
        let found = self.at_most_one_of(keys)?;
        if found.is_none() {
            self.at.wrong(self.out, format!("one of {} is required", quoted(keys)));
        }
        found
    }

    /// The one of these properties that is set, if any. A property that is empty
    /// (`""`, `false`, null) counts as set only where no other is.
    pub fn at_most_one_of(&mut self, keys: &[&'static str]) -> Option<Option<&'static str>> {
        let present = |key: &&&'static str| self.map.contains_key(**key);
        let full = |key: &&&'static str| match self.map.get(**key) {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(Value::String(text)) => !text.is_empty(),
            Some(_) => true,
        };
        let mut set = keys.iter().filter(full);
        let first = set.next().copied();
        if let (Some(first), Some(second)) = (first, set.next()) {
            let message = format!("cannot be set together with `{first}`");
            self.at.key(second).wrong(self.out, message);
            return None;
        }
        Some(first.or_else(|| keys.iter().find(present).copied()))
    }
}

impl Decode for String {
    fn decode(value: &Value, at: &At<'_>, out: &mut Vec<Violation>) -> Option<Self> {
        let text = value.as_str();
        if text.is_none() {
            wrong_type(value, at, out, "a string");
        }
        text.map(str::to_string)
    }
}

impl Decode for bool {
    fn decode(value: &Value, at: &At<'_>, out: &mut Vec<Violation>) -> Option<Self> {
        let truth = value.as_bool();
        if truth.is_none() {
            wrong_type(value, at, out, "true or false");
        }
        truth
    }
}

impl Decode for i64 {
    fn decode(value: &Value, at: &At<'_>, out: &mut Vec<Violation>) -> Option<Self> {
        match value {
            Value::Number(number) if number.as_i64().is_some() => number.as_i64(),
            Value::Number(number) => {
                at.wrong(out, format!("{number} is no whole number of 64 bits"));
                None
            }
            other => {
                wrong_type(other, at, out, "a whole number");
                None
            }
        }
    }
}

impl Decode for i32 {
    fn decode(value: &Value, at: &At<'_>, out: &mut Vec<Violation>) -> Option<Self> {
        let wide = i64::decode(value, at, out)?;
        let narrow = i32::try_from(wide).ok();
        if narrow.is_none() {
            at.wrong(out, format!("{wide} is no whole number of 32 bits"));
        }
        narrow
    }
}

impl Decode for f64 {
    fn decode(value: &Value, at: &At<'_>, out: &mut Vec<Violation>) -> Option<Self> {
        let number = value.as_f64();
        if number.is_none() {
            wrong_type(value, at, out, "a number");
        }
        number
    }
}

impl Decode for Value {
    fn decode(value: &Value, _: &At<'_>, _: &mut Vec<Violation>) -> Option<Self> {
        Some(value.clone())
    }
}

impl Decode for Map<String, Value> {
    fn decode(value: &Value, at: &At<'_>, out: &mut Vec<Violation>) -> Option<Self> {
        let map = value.as_object();
        if map.is_none() {
            wrong_type(value, at, out, "an object");
        }
        map.cloned()
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(value: &Value, at: &At<'_>, out: &mut Vec<Violation>) -> Option<Self> {
        let Value::Array(items) = value else {
            wrong_type(value, at, out, "a list");
            return None;
        };
        // All items are read, so that all mistakes are found.
        let decoded: Vec<Option<T>> = items
            .iter()
            .enumerate()
            .map(|(index, item)| T::decode(item, &at.index(index), out))
            .collect();
        decoded.into_iter().collect()
    }
}

impl<T: Decode> Decode for BTreeMap<String, T> {
    fn decode(value: &Value, at: &At<'_>, out: &mut Vec<Violation>) -> Option<Self> {
        let Value::Object(map) = value else {
            wrong_type(value, at, out, "an object");
            return None;
        };
        let decoded: Vec<Option<(String, T)>> = map
            .iter()
            .map(|(key, value)| Some((key.clone(), T::decode(value, &at.key(key), out)?)))
            .collect();
        decoded.into_iter().collect()
    }
}

impl Decode for IntOrString {
    fn decode(value: &Value, at: &At<'_>, out: &mut Vec<Violation>) -> Option<Self> {
        match value {
            Value::String(text) => Some(IntOrString::String(text.clone())),
            Value::Number(_) => i32::decode(value, at, out).map(IntOrString::Int),
            other => {
                wrong_type(other, at, out, "a whole number or a string");
                None
            }
        }
    }
}

impl Decode for Time {
    fn decode(value: &Value, at: &At<'_>, out: &mut Vec<Violation>) -> Option<Self> {
        let text = String::decode(value, at, out)?;
        let time = Time::deserialize(value).ok();
        if time.is_none() {
            at.wrong(out, format!("`{text}` is no time as `2026-01-31T12:00:00Z`"));
        }
        time
    }
}

impl Decode for ObjectMeta {
    fn decode(value: &Value, at: &At<'_>, out: &mut Vec<Violation>) -> Option<Self> {
        decode_core(value, at, out)
    }
}

/// Reads a type of another crate through serde. Keys it does not know are found
/// by writing it again and looking for what was lost.
pub fn decode_core<T: DeserializeOwned + Serialize>(
    value: &Value,
    at: &At<'_>,
    out: &mut Vec<Violation>,
) -> Option<T> {
    match serde_path_to_error::deserialize::<_, T>(value) {
        Err(error) => {
            let mut pointer = at.pointer();
            for segment in error.path() {
                use serde_path_to_error::Segment;
                match segment {
                    Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
                    Segment::Map { key } => {
                        pointer.push('/');
                        pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
                    }
                    Segment::Enum { .. } | Segment::Unknown => {}
                }
            }
            out.push(Violation { pointer, message: error.inner().to_string() });
            None
        }
        Ok(decoded) => {
            if let Ok(written) = serde_json::to_value(&decoded) {
                lost(value, &written, at, out);
            }
            Some(decoded)
        }
    }
}

fn lost(given: &Value, written: &Value, at: &At<'_>, out: &mut Vec<Violation>) {
    match (given, written) {
        (Value::Object(given), Value::Object(written)) => {
            for (key, value) in given {
                let empty = match value {
                    Value::Null => true,
                    Value::Array(items) => items.is_empty(),
                    Value::Object(map) => map.is_empty(),
                    _ => false,
                };
                match written.get(key) {
                    Some(written) => lost(value, written, &at.key(key), out),
                    None if empty && is_plausible(key) => {}
                    None => at.key(key).wrong(out, format!("unknown key `{key}`")),
                }
            }
        }
        (Value::Array(given), Value::Array(written)) => {
            for (index, (given, written)) in given.iter().zip(written).enumerate() {
                lost(given, written, &at.index(index), out);
            }
        }
        _ => {}
    }
}

/// A key that Kubernetes types drop when it is empty.
fn is_plausible(key: &str) -> bool {
    key.starts_with(|first: char| first.is_ascii_lowercase())
}

