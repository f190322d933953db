//! The engine as both the build and the program set it up.

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};

/// The one set of rules that templates are compiled under: what is undefined is an
/// error, nothing is escaped (these are texts, no HTML), a tag alone on its line
/// leaves no blank line.
pub(crate) fn environment<'source>() -> Environment<'source> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    // Delimiters are the engine's own, so this cannot fail; were it to, the loops
    // would leave blank lines and the tests of the texts would say so.
    if let Ok(syntax) = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()
    {
        environment.set_syntax(syntax);
    }
    environment
}
