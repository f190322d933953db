//! `explain CODE`: what a diagnostic means and how to mend it.

use serde_json::json;

use super::{Common, Exit, Format, Streams};
use crate::diagnostics::codes::{self, Code};
use crate::diagnostics::nearest;

/// What to explain.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The code, as in `error[IF011]`
    #[arg(value_name = "CODE")]
    pub code: String,
}

/// Prints what there is to know about a code.
pub fn run(args: &Args, common: &Common, streams: &mut Streams<'_>) -> Exit {
    let Some(code) = Code::find(args.code.trim()) else {
        let wanted = args.code.trim().to_uppercase();
        let known: Vec<&str> = codes::ALL.iter().map(|code| code.id()).collect();
        let nearest = nearest(&wanted, &known)
            .map_or_else(String::new, |id| format!("; the nearest is {id}"));
        let shown = args.code.escape_debug();
        streams.tell(&format!("error: there is no code `{shown}`{nearest}\n"));
        return Exit::Wrong;
    };
    let text = match common.format {
        Format::Human | Format::Drawing(_) => human(code),
        Format::Json => {
            let (id, title, explanation) = (code.id(), code.title(), code.explanation());
            format!(
                "{:#}\n",
                json!({"code": id, "title": title, "explanation": explanation})
            )
        }
    };
    match streams.print(&text) {
        Ok(()) => Exit::Done,
        Err(error) => {
            streams.tell(&format!("error: cannot print: {error}\n"));
            Exit::Wrong
        }
    }
}

fn human(code: Code) -> String {
    let mut text = format!("{}: {}\n\n", code.id(), code.title());
    let mut width = 0;
    for word in code.explanation().split_whitespace() {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > 80 {
            text.push('\n');
            width = 0;
        } else if width > 0 {
            text.push(' ');
            width += 1;
        }
        text.push_str(word);
        width += length;
    }
    text.push('\n');
    text
}
