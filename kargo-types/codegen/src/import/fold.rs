//! Folding of core Kubernetes objects, which k8s-openapi has types of.

use crate::facts::{Facts, Schema, Type};
use crate::{format, pointer};

/// A value to be taken as a core Kubernetes type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// Where (see [`crate::pointer`]).
    pub pointer: String,
    /// As what, for example `batch/v1.JobSpec`.
    pub name: String,
}

impl std::str::FromStr for Fold {
    type Err = String;

    /// Reads `POINTER=NAME`.
    fn from_str(text: &str) -> Result<Fold, String> {
        match text.split_once('=') {
            Some((pointer, name)) if pointer.contains('/') && format::is_bare(name) => Ok(Fold {
                pointer: pointer.to_owned(),
                name: name.to_owned(),
            }),
            _ => Err("expected POINTER=NAME, as /spec/job/spec=batch/v1.JobSpec".to_owned()),
        }
    }
}

/// Digest of what a schema says, our words and the order of properties and enum
/// values aside: 16 hex digits, FNV-1a over the text of the facts. It tells that
/// something changed; it is no protection from forgery.
pub fn digest(schema: &Schema) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in format::canonical(schema).bytes() {
        hash ^= u64::from(byte);
        hash = hash.wrapping_mul(0x0000_0100_0000_01b3);
    }
    format!("{hash:016x}")
}

/// Folds one value; false when there is none. `default` and `nullable` belong to
/// the place rather than to the core type and stay.
pub(super) fn apply(facts: &mut Facts, fold: &Fold) -> bool {
    let Some(schema) = pointer::find_mut(facts, &fold.pointer) else {
        return false;
    };
    let mut folded = Schema::of(Type::Any);
    folded.default = schema.default.take();
    folded.nullable = std::mem::take(&mut schema.nullable);
    folded.ty = Type::Core {
        name: fold.name.clone(),
        digest: digest(schema),
    };
    *schema = folded;
    true
}

/// The folds that facts hold, to be done again on a newer document.
pub(crate) fn of(facts: &Facts) -> Vec<Fold> {
    let mut folds = Vec::new();
    pointer::walk(facts, &mut |pointer, schema| {
        if let Type::Core { name, .. } = &schema.ty {
            folds.push(Fold {
                pointer: pointer.to_owned(),
                name: name.clone(),
            });
        }
    });
    folds
}

/// Folds what is there and leaves out what is not.
pub(crate) fn replay(facts: &mut Facts, folds: &[Fold]) {
    for fold in folds {
        apply(facts, fold);
    }
}
