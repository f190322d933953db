//! The instructions of a file, by stage.

use super::super::expand::Budget;
use super::super::instruction::{self, Context, Kind, Need, Parsed, Text, Trigger};
use super::super::lines::{Scanner, directive};
use super::super::text::{decode, short};
use super::super::{Fault, Options, fault, values};
use super::{MAX_FAULTS, MAX_PARTS};
use crate::diagnostics::Span;

/// A stage as it is read.
pub(super) struct Read {
    pub(super) image: Text,
    pub(super) platform: Option<Text>,
    pub(super) name: Option<String>,
    pub(super) span: Span,
    pub(super) line: usize,
    pub(super) needs: Vec<Need>,
    pub(super) triggers: Vec<Trigger>,
    pub(super) when_built: Vec<Fault>,
}

/// The instructions of a file.
#[derive(Default)]
pub(super) struct File {
    pub(super) arguments: Vec<(String, Option<Text>)>,
    pub(super) stages: Vec<Read>,
    pub(super) faults: Vec<Fault>,
}

pub(super) fn read(bytes: &[u8], options: &Options<'_>) -> (File, u8, Budget) {
    let mut file = File::default();
    let mut scanner = Scanner::new(bytes);
    let mut context = Context {
        build_args: options.build_args,
        budget: Budget::default(),
        in_stage: false,
        in_trigger: false,
    };
    let mut any = false;
    let mut parts = 0;
    file.check_directive(bytes);
    while let Some((line, parsed)) = instruction::next(&mut scanner, &mut context) {
        any = true;
        // A mistake costs more than the rest: a word is looked for that was meant.
        parts += parsed.needs.len() + 10 * parsed.when_built.len();
        parts += match &parsed.kind {
            Kind::From { .. } => 1,
            Kind::Arg(arguments) if !context.in_stage => arguments.len(),
            Kind::Onbuild(trigger) => 1 + trigger.needs.len() + 10 * trigger.faults.len(),
            Kind::Arg(_) | Kind::Other => 0,
        };
        if parts > MAX_PARTS {
            file.faults.push(too_much(parsed.span));
        }
        if parts > MAX_PARTS || file.faults.len() > MAX_FAULTS {
            break;
        }
        file.add(line, parsed, &mut context);
    }
    file.faults.append(&mut scanner.faults);
    if file.stages.is_empty() && file.faults.is_empty() {
        let message = match (any, bytes.is_empty()) {
            (_, true) => "the file is empty",
            (true, _) => "the file has no FROM",
            (false, _) => "the file has no instructions",
        };
        let place = Span::new(0, 0);
        file.faults.push(
            fault(place, message)
                .help("A Dockerfile has at least one stage, which begins with `FROM image`."),
        );
    }
    (file, scanner.escape, context.budget)
}

pub(super) fn too_much(span: Option<Span>) -> Fault {
    let message = format!("the file has more than {MAX_PARTS} stages, arguments and references");
    fault(span.unwrap_or(Span::new(0, 0)), message)
}

impl File {
    fn add(&mut self, line: usize, parsed: Parsed, context: &mut Context<'_>) {
        let span = parsed.span.unwrap_or(Span::new(0, 0));
        let faulty = !parsed.faults.is_empty();
        self.faults.extend(parsed.faults);
        match (parsed.kind, self.stages.last_mut()) {
            (
                Kind::From {
                    image,
                    platform,
                    name,
                },
                _,
            ) => {
                context.in_stage = true;
                self.stages.push(Read {
                    image,
                    platform,
                    name,
                    span,
                    line,
                    needs: Vec::new(),
                    triggers: Vec::new(),
                    when_built: Vec::new(),
                });
            }
            (Kind::Arg(arguments), None) => self.arguments.extend(arguments),
            (_, None) if faulty => {}
            (_, None) => self.faults.push(
                fault(span, "only ARG can stand before the first FROM")
                    .help("Move it below the FROM of its stage."),
            ),
            (kind, Some(stage)) => {
                if let Kind::Onbuild(trigger) = kind {
                    stage.triggers.push(trigger);
                }
                stage.needs.extend(parsed.needs);
                if stage.when_built.len() < MAX_FAULTS {
                    stage.when_built.extend(parsed.when_built);
                }
            }
        }
    }

    /// The `check` directive is read by itself: at the very start of its line,
    /// also behind a `#!`.
    fn check_directive(&mut self, bytes: &[u8]) {
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut at = bytes.len() - text.len();
        for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let start = at;
            at += line.len() + 1;
            if number == 0 && line.starts_with(b"#!") {
                continue;
            }
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let Some((key, value)) = line.strip_prefix(b"#").and_then(directive) else {
                return;
            };
            if key == "check" {
                if let Some(part) = wrong_check(&decode(value)) {
                    let span = Span::new(start, start + line.len());
                    let message = format!("`{}` is no option of `check`", short(&part));
                    self.faults.push(
                        fault(span, message)
                            .help("Options are `skip=…`, `experimental=…` and `error=true`, with `;` between."),
                    );
                }
                return;
            }
            if !matches!(key.as_str(), "syntax" | "escape") {
                return;
            }
        }
    }
}

/// The option of a `check` directive that there is not.
fn wrong_check(value: &str) -> Option<String> {
    let value = value.trim();
    if value.is_empty() {
        return None;
    }
    let wrong = |part: &&str| match part.split_once('=') {
        None => true,
        Some((key, value)) => match key.trim() {
            "skip" | "experimental" => false,
            "error" => values::boolean(value.trim()).is_none(),
            _ => true,
        },
    };
    value.splitn(3, ';').find(wrong).map(str::to_owned)
}
