//! Turns a CRD or JSON Schema into facts, and says what changed between two.
use std::process::ExitCode;

fn main() -> ExitCode {
    crd_codegen::shell::main()
}
