//! The generated code as people read it, held in `generated.rs.golden`.

use std::path::Path;

use crd_codegen::Generator;

use crate::types;

#[test]
fn generated_code_is_the_golden_copy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = types::describe(Generator::new())
        .facts_dir(root.join("schemas"))
        .generate()
        .unwrap()
        .types
        // File names are those that a build script sees.
        .replace(&format!("{}/", root.display()), "");
    let golden = root.join("tests/generated.rs.golden");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&golden, &text).unwrap();
    }
    let old = std::fs::read_to_string(&golden).unwrap_or_default();
    let differing = text
        .lines()
        .zip(old.lines())
        .position(|(new, old)| new != old);
    assert!(
        text == old,
        "generated.rs.golden is not what the generator writes now (from line {}); \
         look at the change, then run UPDATE_GOLDEN=1 cargo test -p kargo-types --test facts golden",
        differing.map_or(0, |line| line + 1),
    );
}
