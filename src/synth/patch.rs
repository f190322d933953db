//! Changes to objects that their types do not foresee: JSON Patch (RFC 6902) and
//! JSON Merge Patch (RFC 7396).

use std::fmt;

use serde_json::{Map, Value};

/// A change to an object.
///
/// ```
/// use image_factory::synth::Patch;
/// use serde_json::json;
///
/// let mut object = json!({"spec": {"ports": [80], "type": "ClusterIP"}});
/// Patch::new()
///     .test("/spec/type", json!("ClusterIP"))
///     .add("/spec/ports/-", json!(443))
///     .remove("/spec/type")
///     .apply(&mut object)
///     .unwrap();
/// Patch::merge(json!({"spec": {"replicas": 2}})).apply(&mut object).unwrap();
/// assert_eq!(object, json!({"spec": {"ports": [80, 443], "replicas": 2}}));
/// ```
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Patch {
    operations: Vec<Operation>,
}

/// One step of a [`Patch`]. Paths are JSON pointers (RFC 6901).
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Operation {
    /// Sets a key, or inserts into a list; `-` is the place behind its last item.
    Add(String, Value),
    /// Takes away what must be there.
    Remove(String),
    /// Sets what must be there.
    Replace(String, Value),
    /// Takes away the first and adds it at the second.
    Move(String, String),
    /// Adds the first at the second.
    Copy(String, String),
    /// Fails unless the value is there.
    Test(String, Value),
    /// Sets all keys of the value, those that are null are taken away.
    Merge(Value),
}

/// Why a patch could not be applied; the object is as it was.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PatchError {
    /// Where, as a JSON pointer.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
}

impl PatchError {
    pub(super) fn new(pointer: &str, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.to_owned(),
            message: message.into(),
        }
    }
}

impl fmt::Display for PatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.pointer, self.message)
    }
}

impl std::error::Error for PatchError {}

impl Patch {
    /// A patch that changes nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A merge patch: all keys of the value are set, those that are null removed.
    #[must_use]
    pub fn merge(value: Value) -> Self {
        Self::new().then(Operation::Merge(value))
    }

    /// Sets a key, or inserts into a list; `-` is the place behind its last item.
    #[must_use]
    pub fn add(self, path: impl Into<String>, value: Value) -> Self {
        self.then(Operation::Add(path.into(), value))
    }

    /// Takes away what must be there.
    #[must_use]
    pub fn remove(self, path: impl Into<String>) -> Self {
        self.then(Operation::Remove(path.into()))
    }

    /// Sets what must be there.
    #[must_use]
    pub fn replace(self, path: impl Into<String>, value: Value) -> Self {
        self.then(Operation::Replace(path.into(), value))
    }

    /// Takes `from` away and adds it at `to`.
    #[must_use]
    pub fn moving(self, from: impl Into<String>, to: impl Into<String>) -> Self {
        self.then(Operation::Move(from.into(), to.into()))
    }

    /// Adds what is at `from` at `to`.
    #[must_use]
    pub fn copying(self, from: impl Into<String>, to: impl Into<String>) -> Self {
        self.then(Operation::Copy(from.into(), to.into()))
    }

    /// Fails unless the value is there.
    #[must_use]
    pub fn test(self, path: impl Into<String>, value: Value) -> Self {
        self.then(Operation::Test(path.into(), value))
    }

    /// Adds a step.
    #[must_use]
    pub fn then(mut self, operation: Operation) -> Self {
        self.operations.push(operation);
        self
    }

    /// Applies all steps in their order, or none.
    ///
    /// # Errors
    /// Says which step fails: its path does not exist, or its test does not hold.
    pub fn apply(&self, value: &mut Value) -> Result<(), PatchError> {
        let mut changed = value.clone();
        for operation in &self.operations {
            operation.apply(&mut changed)?;
        }
        *value = changed;
        Ok(())
    }
}

impl Operation {
    fn apply(&self, root: &mut Value) -> Result<(), PatchError> {
        match self {
            Self::Add(path, value) => add(root, path, value.clone()),
            Self::Remove(path) => remove(root, path).map(drop),
            Self::Replace(path, value) => {
                *find(root, path)? = value.clone();
                Ok(())
            }
            Self::Move(from, to) => {
                if to
                    .strip_prefix(from.as_str())
                    .is_some_and(|rest| rest.starts_with('/'))
                {
                    return Err(PatchError::new(to, "cannot be moved into itself"));
                }
                let value = remove(root, from)?;
                add(root, to, value)
            }
            Self::Copy(from, to) => {
                let value = find(root, from)?.clone();
                add(root, to, value)
            }
            Self::Test(path, value) => {
                let found = find(root, path)?;
                if found == value {
                    return Ok(());
                }
                Err(PatchError::new(path, format!("is {found}, not {value}")))
            }
            Self::Merge(value) => {
                merge(root, value);
                Ok(())
            }
        }
    }
}

/// The unescaped parts of a pointer.
fn parts(path: &str) -> Result<Vec<String>, PatchError> {
    if path.is_empty() {
        return Ok(Vec::new());
    }
    let Some(rest) = path.strip_prefix('/') else {
        return Err(PatchError::new(path, "a path begins with `/`"));
    };
    Ok(rest
        .split('/')
        .map(|part| part.replace("~1", "/").replace("~0", "~"))
        .collect())
}

fn find<'v>(root: &'v mut Value, path: &str) -> Result<&'v mut Value, PatchError> {
    let mut value = root;
    for part in parts(path)? {
        value = child(value, &part).ok_or_else(|| PatchError::new(path, "is not there"))?;
    }
    Ok(value)
}

fn child<'v>(value: &'v mut Value, part: &str) -> Option<&'v mut Value> {
    match value {
        Value::Object(map) => map.get_mut(part),
        Value::Array(items) => items.get_mut(position(part)?),
        _ => None,
    }
}

/// The index that a part names: digits without a zero in front.
fn position(part: &str) -> Option<usize> {
    let plain = part.bytes().all(|b| b.is_ascii_digit()) && (part == "0" || !part.starts_with('0'));
    part.parse().ok().filter(|_| plain)
}

/// The collection that holds the path's last part, and that part; `None` for the root.
fn holder<'v>(
    root: &'v mut Value,
    path: &str,
) -> Result<Option<(&'v mut Value, String)>, PatchError> {
    let mut all = parts(path)?;
    let Some(last) = all.pop() else {
        return Ok(None);
    };
    let mut value = root;
    for part in all {
        value = child(value, &part).ok_or_else(|| PatchError::new(path, "is not there"))?;
    }
    Ok(Some((value, last)))
}

fn add(root: &mut Value, path: &str, value: Value) -> Result<(), PatchError> {
    match holder(root, path)? {
        None => *root = value,
        Some((Value::Object(map), key)) => {
            map.insert(key, value);
        }
        Some((Value::Array(items), part)) => {
            let at = if part == "-" {
                Some(items.len())
            } else {
                position(&part)
            };
            match at {
                Some(at) if at <= items.len() => items.insert(at, value),
                _ => return Err(PatchError::new(path, "is beyond the list's end")),
            }
        }
        Some(_) => return Err(PatchError::new(path, "is inside of what is no collection")),
    }
    Ok(())
}

fn remove(root: &mut Value, path: &str) -> Result<Value, PatchError> {
    let missing = || PatchError::new(path, "is not there");
    match holder(root, path)? {
        None => Ok(root.take()),
        // Not swap_remove: the keys behind stay in their order.
        Some((Value::Object(map), key)) => map.shift_remove(&key).ok_or_else(missing),
        Some((Value::Array(items), part)) => match position(&part) {
            Some(at) if at < items.len() => Ok(items.remove(at)),
            _ => Err(missing()),
        },
        Some(_) => Err(missing()),
    }
}

/// RFC 7396, section 2.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(map) = target {
        for (key, change) in changes {
            if change.is_null() {
                map.shift_remove(key);
            } else {
                merge(map.entry(key.clone()).or_insert(Value::Null), change);
            }
        }
    }
}
