//! ONBUILD: an instruction that is fired in another build.

use super::super::fault;
use super::super::lines::{Scanner, SourceMap};
use super::super::words::Split;
use super::{Checked, Kind, Reader, Trigger, next};
use crate::diagnostics::Span;

impl Reader<'_, '_> {
    pub(super) fn onbuild(
        &mut self,
        split: &Split,
        child: &Split,
        scanner: &Scanner<'_>,
    ) -> Checked {
        let name = self.text(child.name.clone()).to_uppercase();
        if matches!(name.as_str(), "MAINTAINER" | "FROM") {
            return Err(self.fault(&child.name, format!("ONBUILD cannot hold {name}")));
        }
        if !self.context.in_trigger {
            self.parsed.kind = Kind::Onbuild(self.trigger(split, scanner));
        }
        Ok(())
    }

    /// The rest of the line, read as a file of its own, which is how it is fired.
    pub(super) fn trigger(&mut self, split: &Split, scanner: &Scanner<'_>) -> Trigger {
        let end = self.line.text.len();
        let rest = self.line.part(split.name.end..end);
        let blanks = rest
            .iter()
            .take_while(|byte| matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | b' '));
        let start = split.name.end + blanks.count();
        let mut text = self.line.part(start..end).to_vec();
        let mut map = SourceMap::default();
        for (at, source) in self.line.map.pieces(start..end) {
            map.piece(at - start, source);
        }
        for body in &self.bodies {
            map.piece(text.len(), body.text.start.saturating_sub(1));
            text.push(b'\n');
            map.piece(text.len(), body.text.start);
            text.extend_from_slice(scanner.slice(body.text.clone()));
            map.piece(text.len(), body.end.start);
            text.extend_from_slice(scanner.slice(body.end.clone()));
        }
        let whole = self.span(split.name.start..split.arguments.end);
        let place = |span: Span| map.span(span.start.min(text.len())..span.end.min(text.len()));
        let mut inner = Scanner::new(&text);
        let mut trigger = Trigger::default();
        let in_stage = std::mem::replace(&mut self.context.in_stage, true);
        self.context.in_trigger = true;
        let first = next(&mut inner, self.context);
        let second = next(&mut inner, self.context);
        self.context.in_trigger = false;
        self.context.in_stage = in_stage;
        if let Some((_, parsed)) = first.filter(|_| second.is_none()) {
            trigger.needs = parsed.needs;
            trigger.faults = parsed.faults;
            trigger.faults.extend(parsed.when_built);
        } else {
            trigger
                .faults
                .push(fault(whole, "ONBUILD holds exactly one instruction"));
        }
        trigger.faults.append(&mut inner.faults);
        for need in &mut trigger.needs {
            need.span = place(need.span);
            need.line = self.line.number;
        }
        for fault in &mut trigger.faults {
            fault.span = place(fault.span);
        }
        trigger
    }
}
