//! What went wrong, and where in which facts file.

use std::fmt;

/// One reason why no code was written.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    /// The facts file (with its line, where the file itself cannot be read), or
    /// the call of the generator that does not apply.
    pub file: String,
    /// Pointer to the value within the facts; empty for the whole.
    pub pointer: String,
    /// What is wrong and what to do about it.
    pub message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() {
            String::new()
        } else {
            format!(" {}:", self.pointer)
        };
        write!(f, "{}:{pointer} {}", self.file, self.message)
    }
}

/// All reasons why no code was written, in order of file and pointer.
#[derive(Clone, PartialEq, Eq)]
pub struct Errors(pub Vec<Error>);

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

// A build script that returns an error prints it with `Debug`; people read it.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}
impl std::error::Error for Errors {}
