//! What a build reaches: circles, ONBUILDs that are fired, and the order of stages.

use std::collections::BTreeMap;

use super::super::fault;
use super::{Judge, MAX_FAULTS, MAX_PARTS, State, too_much};
use crate::diagnostics::Span;

impl Judge<'_> {
    /// Stages that take files from each other. A base that does is found by the order.
    pub(super) fn cycles(&mut self) -> bool {
        let mut color = vec![0u8; self.stages.len()];
        for root in 0..self.stages.len() {
            // Each open stage, and how many of those it needs were looked at.
            let mut open = vec![(root, 0)];
            while let Some((stage, at)) = open.last_mut() {
                let (stage, next) = (*stage, *at);
                *at += 1;
                let seen = color.get(stage).copied().unwrap_or(2);
                if next == 0 && seen == 2 {
                    open.pop();
                    continue;
                }
                let from = self
                    .linked
                    .get(stage)
                    .map_or(&[][..], |linked| &linked.from);
                if let Some(slot) = color.get_mut(stage) {
                    *slot = 1;
                }
                match from.get(next).copied() {
                    None => {
                        if let Some(slot) = color.get_mut(stage) {
                            *slot = 2;
                        }
                        open.pop();
                    }
                    Some(other) if color.get(other) == Some(&1) => {
                        self.circle(&open, other);
                        return true;
                    }
                    Some(other) => open.push((other, 0)),
                }
            }
        }
        false
    }

    fn circle(&mut self, open: &[(usize, usize)], back: usize) {
        let start = open
            .iter()
            .position(|(stage, _)| *stage == back)
            .unwrap_or(0);
        let members: Vec<String> = open
            .iter()
            .skip(start)
            .take(20)
            .map(|(stage, _)| self.called(*stage))
            .collect();
        let message = match members.as_slice() {
            [one] => format!("stage {one} takes files from itself"),
            _ => format!(
                "stages take files from each other in a circle: {}",
                members.join(", ")
            ),
        };
        let last = open.last().map_or(0, |(stage, _)| *stage);
        let places = self
            .linked
            .get(last)
            .map_or(&[][..], |linked| &linked.ordered);
        let place = places
            .iter()
            .find(|(stage, _)| *stage == back)
            .map(|(_, span)| *span);
        let whole = self
            .stages
            .get(last)
            .map_or(Span::new(0, 0), |stage| stage.span);
        self.faults.push(
            fault(place.unwrap_or(whole), message)
                .help("A stage takes files from stages before it."),
        );
    }

    /// Finds what the target reaches, firing the ONBUILDs of the bases on the way.
    pub(super) fn fire(
        &mut self,
        target: usize,
        names: &BTreeMap<String, usize>,
        states: &mut Vec<State>,
    ) {
        self.reachable = vec![false; self.stages.len()];
        let mut open = vec![target];
        while let Some(index) = open.pop() {
            match self.reachable.get_mut(index) {
                Some(reachable) if !*reachable => *reachable = true,
                _ => continue,
            }
            self.trigger(index, names, states, true);
            if let Some(linked) = self.linked.get(index) {
                open.extend(linked.base);
                open.extend(&linked.from);
            }
            let faults = self
                .stages
                .get(index)
                .map_or(&[][..], |stage| &stage.when_built);
            if self.faults.len() < MAX_FAULTS {
                self.faults.extend_from_slice(faults);
            }
        }
        // Those that no build would fire are listed as far as they can be read.
        for index in 0..self.stages.len() {
            self.trigger(index, names, states, false);
        }
    }

    /// Fires the ONBUILDs of a stage's base, once.
    fn trigger(
        &mut self,
        index: usize,
        names: &BTreeMap<String, usize>,
        states: &mut Vec<State>,
        strict: bool,
    ) {
        let Some(linked) = self.linked.get_mut(index) else {
            return;
        };
        if std::mem::replace(&mut linked.fired, true) {
            return;
        }
        let Some(base) = linked.base.and_then(|base| self.stages.get(base)) else {
            return;
        };
        for trigger in &base.triggers {
            self.fired += 1 + trigger.needs.len();
            if self.fired > MAX_PARTS {
                self.faults.push(too_much(Some(base.span)));
                return;
            }
            if strict && self.faults.len() < MAX_FAULTS {
                self.faults.extend_from_slice(&trigger.faults);
            }
            for need in &trigger.needs {
                self.need(index, need, names, states, strict);
            }
        }
    }

    /// What is built takes files only from what was built before it.
    pub(super) fn order(&mut self) {
        for (index, linked) in self.linked.iter().enumerate() {
            if !self.reachable.get(index).copied().unwrap_or(false) {
                continue;
            }
            for (stage, span) in &linked.ordered {
                // A stage that an ONBUILD copies from itself counts as built.
                if *stage > index {
                    let message = format!("stage {} comes after this one", self.called(*stage));
                    self.faults.push(
                        fault(*span, message)
                            .help("A stage takes files from stages before it. Of several stages with one name, the last is meant."),
                    );
                }
            }
        }
    }
}
