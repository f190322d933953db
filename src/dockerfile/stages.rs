//! The file as a whole: ARGs expanded, stages linked, and who needs whom.

mod file;
mod reach;

use std::collections::{BTreeMap, BTreeSet};

use super::expand::{Budget, Style, Value, Variables, expand};
use super::instruction::{Need, Text};
use super::text::{lower, short};
use super::{
    Bases, Fault, ImageReference, Options, Stage, Unresolved, Use, UseKind, fault, values,
};
use crate::diagnostics::{Span, code, did_you_mean};
use file::{Read, read, too_much};

/// More stages, references and the like than this in one file are refused: they
/// were written to fill somebody's memory.
const MAX_PARTS: usize = 100_000;
/// As many faults are told.
const MAX_FAULTS: usize = 100;

/// No stage is built on it, and nothing is pulled for it.
const SCRATCH: &str = "scratch";

/// What a stage, or what stands behind a `from`, is made of.
#[derive(Clone, Copy, PartialEq)]
enum State {
    /// A stage of the file.
    Stage(usize),
    /// An image, by its index in the uses if it is one.
    Outside(Option<usize>),
}

pub(super) fn bases(bytes: &[u8], options: &Options<'_>) -> Result<Bases, Vec<Fault>> {
    let (file, escape, budget) = read(bytes, options);
    let mut judge = Judge {
        stages: &file.stages,
        escape,
        budget,
        faults: file.faults,
        uses: Vec::new(),
        unresolved: Vec::new(),
        declared: file
            .arguments
            .iter()
            .map(|(name, _)| name.clone())
            .collect(),
        linked: Vec::new(),
        reachable: Vec::new(),
        fired: 0,
    };
    judge.whole(&file.arguments, options);
    let Judge {
        mut faults,
        mut uses,
        mut unresolved,
        reachable,
        ..
    } = judge;
    if !faults.is_empty() {
        for fault in &mut faults {
            fault.span = whole_characters(bytes, fault.span);
        }
        faults.sort_by_key(|fault| (fault.span.start, fault.span.end));
        faults.dedup();
        if faults.len() > MAX_FAULTS {
            faults.truncate(MAX_FAULTS);
        }
        return Err(faults);
    }
    uses.sort_by_key(|one| (one.span.start, one.stage));
    unresolved.sort_by_key(|one| (one.span.start, one.stage));
    let stages = file.stages.iter().zip(reachable);
    Ok(Bases {
        uses,
        unresolved,
        stages: stages
            .map(|(stage, reachable)| Stage {
                name: stage.name.clone(),
                span: stage.span,
                line: stage.line,
                reachable,
            })
            .collect(),
    })
}

/// The span, widened where it would cut a character: some bytes of one are
/// blanks to BuildKit.
fn whole_characters(bytes: &[u8], span: Span) -> Span {
    let inside = |at: usize| bytes.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
    let Span { mut start, mut end } = span;
    for _ in 0..3 {
        start -= usize::from(start > 0 && inside(start));
        end += usize::from(inside(end));
    }
    Span::new(start, end.max(start))
}

/// A stage with its place in the whole.
#[derive(Default)]
struct Linked {
    base: Option<usize>,
    /// Indices of the stages that it takes files from.
    from: Vec<usize>,
    /// Those among them that have to come before it, and where they are named.
    ordered: Vec<(usize, Span)>,
    /// Uses of other stages that it shares.
    images: Vec<usize>,
    fired: bool,
}

struct Judge<'f> {
    stages: &'f [Read],
    escape: u8,
    budget: Budget,
    faults: Vec<Fault>,
    uses: Vec<Use>,
    unresolved: Vec<Unresolved>,
    declared: BTreeSet<String>,
    linked: Vec<Linked>,
    reachable: Vec<bool>,
    /// How much ONBUILDs have brought.
    fired: usize,
}

impl Judge<'_> {
    fn whole(&mut self, arguments: &[(String, Option<Text>)], options: &Options<'_>) {
        let Some(last) = self.stages.len().checked_sub(1) else {
            return;
        };
        let target = options.target.filter(|target| !target.is_empty());
        let variables = self.arguments(arguments, options.build_args, target);
        let names = self.link(&variables);
        let target = match target {
            None => last,
            Some(target) => match names.get(&lower(target)) {
                Some(target) => *target,
                None => {
                    self.no_target(target, &names);
                    last
                }
            },
        };
        // Where a `from` leads: the stages, then each image in the order of the file.
        let mut states: Vec<State> = (0..self.stages.len()).map(State::Stage).collect();
        for (index, stage) in self.stages.iter().enumerate() {
            for need in &stage.needs {
                self.need(index, need, &names, &mut states, true);
            }
        }
        let circle = self.cycles();
        self.fire(target, &names, &mut states);
        if !circle {
            self.order();
        }
        let reachable = &self.reachable;
        let is_reachable = |stage: usize| reachable.get(stage).copied().unwrap_or(false);
        for one in &mut self.uses {
            one.reachable = is_reachable(one.stage);
        }
        for (stage, linked) in self.linked.iter().enumerate() {
            for one in linked.images.iter().filter(|_| is_reachable(stage)) {
                if let Some(one) = self.uses.get_mut(*one) {
                    one.reachable = true;
                }
            }
        }
        for one in &mut self.unresolved {
            one.reachable = is_reachable(one.stage);
        }
    }

    fn no_target(&mut self, target: &str, names: &BTreeMap<String, usize>) {
        let names: Vec<&str> = names.keys().take(50).map(String::as_str).collect();
        let help = match names.is_empty() {
            true => {
                "No stage of the file has a name: `FROM image AS name` gives it one.".to_owned()
            }
            false => did_you_mean(target, &names),
        };
        let message = format!("the file has no stage `{}` to build", short(target));
        self.faults.push(
            fault(Span::new(0, 0), message)
                .help(help)
                .code(code::DOCKERFILE_TARGET),
        );
    }

    /// The variables that FROM sees.
    fn arguments(
        &mut self,
        arguments: &[(String, Option<Text>)],
        build_args: &BTreeMap<String, String>,
        target: Option<&str>,
    ) -> BTreeMap<String, Value> {
        let last = self.stages.last().and_then(|stage| stage.name.as_deref());
        let built_in = [
            ("BUILDPLATFORM", "linux/amd64"),
            ("BUILDOS", "linux"),
            ("BUILDOSVERSION", ""),
            ("BUILDARCH", "amd64"),
            ("BUILDVARIANT", ""),
            ("TARGETPLATFORM", "linux/amd64"),
            ("TARGETOS", "linux"),
            ("TARGETOSVERSION", ""),
            ("TARGETARCH", "amd64"),
            ("TARGETVARIANT", ""),
            ("TARGETSTAGE", target.or(last).unwrap_or("default")),
        ];
        let given = |name: &str| build_args.get(name).map(Value::of);
        let mut variables: BTreeMap<String, Value> = built_in
            .into_iter()
            .map(|(name, value)| {
                (
                    name.to_owned(),
                    given(name).unwrap_or_else(|| Value::of(value)),
                )
            })
            .collect();
        for (name, default) in arguments {
            let value = match (given(name), default) {
                (Some(value), _) => Some(value),
                (None, Some(default)) => self.expand(default, &variables),
                (None, None) => None,
            };
            if let Some(value) = value {
                variables.insert(name.clone(), value);
            }
        }
        variables
    }

    fn expand(&mut self, text: &Text, variables: &BTreeMap<String, Value>) -> Option<Value> {
        let style = Style::word(self.escape);
        match expand(
            &text.text,
            style,
            Variables::Known(variables),
            &mut self.budget,
        ) {
            Ok(expanded) => Some(expanded.value),
            Err(problem) => {
                self.faults
                    .push(fault(text.place(problem.at), problem.message));
                None
            }
        }
    }

    /// Finds each stage's base, and the stage of each name: the last that has it.
    fn link(&mut self, variables: &BTreeMap<String, Value>) -> BTreeMap<String, usize> {
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        for (index, stage) in self.stages.iter().enumerate() {
            let mut linked = Linked::default();
            if let Some(image) = self.expand(&stage.image, variables) {
                match names.get(&image.text).filter(|_| image.lacks.is_empty()) {
                    Some(base) => linked.base = Some(*base),
                    None => self.base(index, stage, image),
                }
            }
            if let Some(platform) = &stage.platform {
                self.platform(platform, variables);
            }
            self.linked.push(linked);
            if let Some(name) = &stage.name {
                names.insert(name.clone(), index);
            }
        }
        names
    }

    /// A FROM of something that is no stage.
    fn base(&mut self, index: usize, stage: &Read, image: Value) {
        for variable in &image.lacks {
            self.unresolved.push(Unresolved {
                variable: variable.clone(),
                declared: self.declared.contains(variable),
                span: stage.image.span,
                line: stage.line,
                stage: index,
                kind: UseKind::From,
                reachable: false,
            });
        }
        if !image.lacks.is_empty() {
            return;
        }
        if image.text.is_empty() {
            let message = format!(
                "`{}` is empty after its variables are expanded",
                short(&stage.image.text)
            );
            self.faults
                .push(fault(stage.image.span, message).code(code::DOCKERFILE_REFERENCE));
            return;
        }
        let need = Need {
            kind: UseKind::From,
            from: image.text,
            span: stage.image.span,
            line: stage.line,
            ordered: false,
        };
        self.outside(index, &need, true);
    }

    /// A reference to an image, and its index in the uses; what cannot be one
    /// is a fault, if `strict`.
    fn outside(&mut self, stage: usize, need: &Need, strict: bool) -> Option<usize> {
        // A mount that names no source has none.
        if need.from.is_empty() || need.from == SCRATCH {
            return None;
        }
        match ImageReference::parse(&need.from) {
            Ok(image) => {
                self.uses.push(Use {
                    reference: need.from.clone(),
                    image,
                    kind: need.kind,
                    stage,
                    span: need.span,
                    line: need.line,
                    reachable: false,
                });
                return self.uses.len().checked_sub(1);
            }
            Err(wrong) if strict => self.faults.push(Fault {
                help: wrong.help,
                ..fault(need.span, wrong.message).code(code::DOCKERFILE_REFERENCE)
            }),
            Err(_) => {}
        }
        None
    }

    fn platform(&mut self, platform: &Text, variables: &BTreeMap<String, Value>) {
        let Some(value) = self.expand(platform, variables) else {
            return;
        };
        if values::is_platform(&value.text) {
            return;
        }
        let fault = match value.lacks.first() {
            Some(variable) => {
                let message = format!(
                    "the platform depends on `{}`, which has no value",
                    short(variable)
                );
                fault(platform.span, message).help(format!(
                    "Give ARG {} a default, or a build argument.",
                    short(variable)
                ))
            }
            None => fault(
                platform.span,
                format!("`{}` is no platform", short(&value.text)),
            )
            .help("A platform is `system/architecture`, such as `linux/arm64`."),
        };
        self.faults.push(fault);
    }

    /// Finds what a stage needs: another stage, or an image.
    fn need(
        &mut self,
        index: usize,
        need: &Need,
        names: &BTreeMap<String, usize>,
        states: &mut Vec<State>,
        strict: bool,
    ) {
        let name = if need.from.is_empty() {
            SCRATCH
        } else {
            &need.from
        };
        let number = need
            .from
            .parse::<i64>()
            .ok()
            .filter(|_| need.kind == UseKind::Copy);
        let found = match number {
            // Images that were named before count on behind the stages.
            Some(number) => usize::try_from(number)
                .ok()
                .and_then(|number| states.get(number))
                .copied(),
            None => Some(
                names
                    .get(&lower(name))
                    .map_or(State::Outside(None), |stage| State::Stage(*stage)),
            ),
        };
        match found {
            None => {
                if strict {
                    let message = format!("there is no stage {}", short(&need.from));
                    let count = self.stages.len();
                    self.faults.push(fault(need.span, message).help(format!(
                        "Stages are counted from 0; this file has {count}. Give the stage a name and use that."
                    )));
                }
            }
            Some(State::Stage(stage)) => {
                if let Some(linked) = self.linked.get_mut(index) {
                    linked.from.push(stage);
                    if need.ordered {
                        linked.ordered.push((stage, need.span));
                    }
                }
            }
            Some(State::Outside(_)) if number.is_none() => {
                let one = self.outside(index, need, strict);
                if strict {
                    states.push(State::Outside(one));
                }
            }
            // An image that another instruction names, by its number.
            Some(State::Outside(one)) => {
                if let Some(linked) = self.linked.get_mut(index) {
                    linked.images.extend(one);
                }
            }
        }
    }

    /// The stage for people: its name, or its index.
    fn called(&self, index: usize) -> String {
        match self.stages.get(index).and_then(|stage| stage.name.as_ref()) {
            Some(name) => format!("`{name}`"),
            None => index.to_string(),
        }
    }
}
