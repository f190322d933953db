//! Writes the types from the facts in `schemas/` to `OUT_DIR`.

use crd_codegen::{Errors, Generator};

fn main() -> Result<(), Errors> {
    Generator::new()
        .facts_dir("schemas")
        .duration("Backup/spec/keepFor")
        .choice(
            "Backup/spec/target",
            "place",
            "Place",
            &["bucket", "volume"],
        )
        .out_dir_file("types.rs")
        .run()
}
