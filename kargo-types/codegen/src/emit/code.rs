//! Lines of Rust with their indentation.

/// Rust under construction.
#[derive(Debug, Default)]
pub(crate) struct Code {
    text: String,
    depth: usize,
}

impl Code {
    /// One line; an empty one has no blanks.
    pub(crate) fn line(&mut self, line: impl AsRef<str>) {
        let line = line.as_ref();
        if !line.is_empty() {
            for _ in 0..self.depth {
                self.text.push_str("    ");
            }
            self.text.push_str(line);
        }
        self.text.push('\n');
    }

    /// A line that opens a block.
    pub(crate) fn open(&mut self, line: impl AsRef<str>) {
        self.line(line);
        self.depth += 1;
    }

    /// A line that closes a block.
    pub(crate) fn close(&mut self, line: impl AsRef<str>) {
        self.depth = self.depth.saturating_sub(1);
        self.line(line);
    }

    /// A doc comment, wrapped.
    pub(crate) fn doc(&mut self, text: &str) {
        let width = 96usize.saturating_sub(self.depth * 4);
        for paragraph in text.lines() {
            let mut line = String::new();
            for word in paragraph.split_whitespace() {
                if !line.is_empty() && line.chars().count() + word.chars().count() + 1 > width {
                    self.line(format!("/// {line}"));
                    line.clear();
                }
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
            }
            self.line(if line.is_empty() {
                "///".to_string()
            } else {
                format!("/// {line}")
            });
        }
    }

    /// `head([a, b]tail` on one line where it fits, else one item a line.
    pub(crate) fn list(&mut self, head: &str, items: &[String], tail: &str) {
        let joined = items.join(", ");
        let one = format!("{head}{joined}{tail}");
        if self.depth * 4 + one.chars().count() <= 100 {
            return self.line(one);
        }
        self.open(head.trim_end());
        for item in items {
            self.line(format!("{item},"));
        }
        self.close(tail.trim_start());
    }

    /// The text so far.
    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

/// A Rust string literal, raw where that reads better.
pub(crate) fn literal(text: &str) -> String {
    if text.contains('\\') && !text.contains("\"#") && !text.contains(char::is_control) {
        if text.contains('"') {
            return format!("r#\"{text}\"#");
        }
        return format!("r\"{text}\"");
    }
    format!("{text:?}")
}
