//! A world in which base images change, builds take their time and fail, and the planner
//! is asked every hour. Facts are kept as a tree would give them, without the tree.

use std::collections::{BTreeMap, BTreeSet};

use super::build::digest;
use crate::model::{Duration, ObjectName, Time};
use crate::plan::{Action, AttemptFacts, Change, Cure, Decision, End, Facts, Order, Plan, plan};
use crate::record::{Rule, Trigger};

pub(super) const HOUR: i64 = 3600;

/// A small generator of numbers: the same seed, the same world, on every machine.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, below: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below.max(1)
    }
}

/// What becomes of a build.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    Succeeds,
    Fails,
    /// Nobody hears of it again.
    Vanishes,
}

#[derive(Clone, Debug)]
enum Event {
    /// The build ends.
    Ends(usize, Fate),
    /// The new image is analysed.
    Analysed(usize),
    /// The new digest of one of ours is seen as a base.
    Arrives(usize),
    /// Something is to be decided anew.
    Look,
}

/// What went on, in numbers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Totals {
    /// Changes of somebody's base images, and of ours.
    pub(super) updates: u64,
    /// The same, counted for each image that is built on them and follows by itself.
    pub(super) changes: u64,
    pub(super) attempts: u64,
    pub(super) rebuilds: u64,
    pub(super) failures: u64,
    pub(super) emergencies: u64,
    /// The longest time from a change to the build that has it, in seconds.
    pub(super) stalest: i64,
    /// The longest time that an image that was due waited for a place, in seconds.
    pub(super) longest_over: i64,
    /// The most starts in 24 hours, and the most at once.
    pub(super) most_in_a_day: usize,
    pub(super) most_at_once: usize,
}

pub(super) struct World {
    pub(super) facts: Facts,
    pub(super) now: i64,
    pub(super) totals: Totals,
    /// By the name of a base: what it points to, and when it got there.
    history: BTreeMap<ObjectName, Vec<(i64, u64)>>,
    /// By the name of a base: who is built on it, with the place among its bases.
    users: BTreeMap<ObjectName, Vec<(usize, usize)>>,
    /// What each image was built from, by base.
    built: Vec<Vec<u64>>,
    /// What the open attempt builds in: places of bases, digests.
    building: Vec<Vec<(usize, u64)>>,
    events: BTreeMap<(i64, u64), Event>,
    count: u64,
    digests: u64,
    /// May there be something new to decide?
    dirty: bool,
    /// When the planner says that something is due.
    next: i64,
    over_since: Vec<Option<i64>>,
    /// Parents by which an image that is due was held, and those that let go.
    held: Vec<(BTreeSet<String>, BTreeSet<String>)>,
    starts: Vec<i64>,
    /// How wrong the planner's clock is.
    pub(super) clock: i64,
    /// Was it ever wrong? Then an attempt may run, have expired, and run again.
    pub(super) jumped: bool,
}

impl World {
    /// The images' names are in order, parents have a lower place.
    pub(super) fn new(facts: Facts, now: Time) -> Self {
        let mut world = Self {
            now: now.unix_seconds(),
            totals: Totals::default(),
            history: BTreeMap::new(),
            users: BTreeMap::new(),
            built: Vec::new(),
            building: vec![Vec::new(); facts.images.len()],
            events: BTreeMap::new(),
            count: 0,
            digests: 0,
            dirty: true,
            next: i64::MAX,
            over_since: vec![None; facts.images.len()],
            held: vec![Default::default(); facts.images.len()],
            starts: Vec::new(),
            clock: 0,
            jumped: false,
            facts,
        };
        for (at, image) in world.facts.images.iter().enumerate() {
            for (place, base) in image.bases.iter().enumerate() {
                let users = world.users.entry(base.name.clone()).or_default();
                users.push((at, place));
                world
                    .history
                    .entry(base.name.clone())
                    .or_insert(vec![(0, 0)]);
            }
            world.built.push(vec![0; image.bases.len()]);
        }
        world
    }

    fn at(&mut self, when: i64, event: Event) {
        self.count += 1;
        self.events.insert((when, self.count), event);
    }

    fn time(&self) -> Time {
        Time::from_unix_seconds(self.now)
    }

    /// A base points to something new; the same again is nothing.
    pub(super) fn changes(&mut self, base: &ObjectName, to: u64) {
        let now = self.now;
        let Some(history) = self.history.get_mut(base) else {
            return;
        };
        if history.last().is_some_and(|(_, last)| *last == to) {
            return;
        }
        history.push((now, to));
        self.totals.updates += 1;
        self.dirty = true;
        for (at, place) in self.users[base].clone() {
            self.totals.changes += u64::from(self.facts.images[at].auto);
            self.facts.images[at].bases[place].moved = Some(self.time());
            self.reckon(at, place);
        }
    }

    pub(super) fn new_digest(&mut self) -> u64 {
        self.digests += 1;
        self.digests
    }

    /// A base changes to something that it never was.
    pub(super) fn updates(&mut self, base: &ObjectName) {
        let to = self.new_digest();
        self.changes(base, to);
    }

    /// What an image was built with turns out to be weak, and what is there now is not.
    pub(super) fn weak(&mut self, base: &ObjectName) {
        self.dirty = true;
        let since = self.time();
        for (at, place) in self.users.get(base).cloned().unwrap_or_default() {
            let known = &mut self.facts.images[at].bases[place];
            known.cure = known.change.as_ref().map(|change| Cure {
                from: change.from.clone().expect("known"),
                to: change.to.clone(),
                since,
                newest: since,
                ids: vec!["CVE-2027-1".to_owned()],
            });
        }
    }

    /// What of a base's history an image was not built with.
    fn reckon(&mut self, at: usize, place: usize) {
        let base = &mut self.facts.images[at].bases[place];
        let history = &self.history[&base.name];
        let built = self.built[at][place];
        let since = history.iter().rposition(|(_, one)| *one == built);
        let open = &history[since.map_or(0, |at| at + 1)..];
        base.change = open.first().zip(open.last()).map(|(first, last)| Change {
            from: Some(digest(built)),
            to: digest(last.1),
            since: Time::from_unix_seconds(first.0),
            newest: Time::from_unix_seconds(last.0),
        });
        match (&base.change, &mut base.cure) {
            (Some(change), Some(cure)) => cure.to = change.to.clone(),
            (_, cure) => *cure = None,
        }
    }

    /// Goes on until then: what happens, and every hour the planner. `fate` says what
    /// becomes of each build that is started, and how many minutes it takes.
    pub(super) fn run(&mut self, until: i64, mut fate: impl FnMut(&Decision) -> (Fate, i64)) {
        self.dirty = true;
        while self.now < until {
            let hour = (self.now / HOUR + 1) * HOUR;
            while let Some(((when, _), event)) = self.events.pop_first() {
                if when > hour {
                    self.count += 1;
                    self.events.insert((when, self.count), event);
                    break;
                }
                self.now = when.max(self.now);
                self.happens(event);
            }
            self.now = hour;
            // Without an event nothing moves but at a time that was told.
            if self.dirty || self.next <= self.now {
                self.decide(&mut fate);
            }
        }
    }

    fn happens(&mut self, event: Event) {
        self.dirty = true;
        match event {
            Event::Look => {}
            Event::Ends(at, fate) => self.ends(at, fate),
            Event::Analysed(at) => {
                let now = self.time();
                let image = &mut self.facts.images[at];
                image.last_built = Some(now);
                // Children wait a window for the digest.
                self.at(
                    self.now + i64::from(self.facts.policy.window.minutes()) * 60,
                    Event::Look,
                );
                let image = &mut self.facts.images[at];
                let good = image.attempts.iter_mut().rfind(|a| a.end == End::Succeeded);
                if let Some(good) = good {
                    good.end = End::Done;
                    good.ended = Some(now);
                }
            }
            Event::Arrives(at) => {
                let name = self.facts.images[at].name.clone();
                let images = self.facts.images.iter();
                let bases = images.flat_map(|image| &image.bases);
                let own = bases.filter(|base| base.parent.as_ref() == Some(&name));
                let names: BTreeSet<ObjectName> = own.map(|base| base.name.clone()).collect();
                let to = self.new_digest();
                for base in names {
                    self.changes(&base, to);
                }
            }
        }
    }

    fn ends(&mut self, at: usize, fate: Fate) {
        let now = self.time();
        let Some(open) = self.facts.images[at].attempts.last_mut() else {
            return;
        };
        if open.end != End::Open {
            return;
        }
        if fate == Fate::Vanishes {
            return;
        }
        open.ended = Some(now);
        if fate == Fate::Fails {
            open.end = End::Failed;
            self.totals.failures += 1;
            return;
        }
        open.end = End::Succeeded;
        self.totals.rebuilds += 1;
        for (place, to) in std::mem::take(&mut self.building[at]) {
            let change = self.facts.images[at].bases[place].change.as_ref();
            // Nothing, if the tag came back meanwhile.
            let stale = change.map_or(0, |change| self.now - change.since.unix_seconds());
            self.totals.stalest = self.totals.stalest.max(stale);
            self.built[at][place] = to;
            self.reckon(at, place);
        }
        self.at(self.now + 300, Event::Analysed(at));
        self.at(self.now + 600, Event::Arrives(at));
    }

    pub(super) fn plan(&self) -> Plan {
        let now = Time::from_unix_seconds(self.now + self.clock);
        plan(&self.facts, &Order::Due, now)
    }

    fn decide(&mut self, fate: &mut impl FnMut(&Decision) -> (Fate, i64)) {
        let plan = self.plan();
        self.next = i64::MAX;
        self.dirty = false;
        for decision in &plan.decisions {
            if decision.action == Action::None {
                continue;
            }
            let found = self
                .facts
                .images
                .binary_search_by(|i| i.name.cmp(&decision.image));
            let at = found.expect("an image");
            self.check_holds(at, decision);
            if decision.action == Action::Rebuild {
                self.check_start(at, decision);
                let (fate, minutes) = fate(decision);
                self.start(at, decision, fate, minutes);
                continue;
            }
            if decision.reasons.first().map(|r| r.rule) == Some(Rule::Limit) {
                self.over_since[at].get_or_insert(self.now);
                self.dirty = true;
            }
            if let Some(at) = decision.at.filter(|at| *at > plan.now) {
                self.next = self.next.min(at.unix_seconds() - self.clock);
            }
        }
        let attempts = self.facts.images.iter().flat_map(|image| &image.attempts);
        let within = self.now - 6 * HOUR;
        let open = attempts.filter(|one| one.end == End::Open && one.at.unix_seconds() > within);
        self.totals.most_at_once = self.totals.most_at_once.max(open.count());
    }

    /// Once a parent let go of a child that is due, it does not take hold again.
    fn check_holds(&mut self, at: usize, decision: &Decision) {
        let due = self.facts.images[at]
            .bases
            .iter()
            .any(|base| base.change.is_some())
            && decision.action != Action::None
            && decision
                .reasons
                .iter()
                .all(|reason| reason.rule != Rule::Running);
        let (holds, gone) = &mut self.held[at];
        let soaks = decision
            .at
            .is_some_and(|at| at.unix_seconds() > self.now + self.clock);
        self.jumped |= self.clock != 0;
        if !due || soaks || self.jumped {
            return;
        }
        let after: BTreeSet<String> = decision.after.iter().map(ToString::to_string).collect();
        gone.extend(holds.difference(&after).cloned());
        assert!(gone.is_disjoint(&after), "held again: {decision:?}");
        *holds = after;
    }

    /// Nothing is built early, and nothing for what it has.
    fn check_start(&self, at: usize, decision: &Decision) {
        let image = &self.facts.images[at];
        let policy = &self.facts.policy;
        let now = Time::from_unix_seconds(self.now + self.clock);
        let running = image.attempts.iter().any(|attempt| {
            attempt.end == End::Open && attempt.at.plus(Duration::from_minutes(360)) > now
        });
        assert!(!running, "{decision:?}");
        let changes: Vec<_> = image
            .bases
            .iter()
            .filter_map(|base| Some((base, base.change.as_ref()?)))
            .collect();
        if decision.trigger == Trigger::Change {
            let dues = changes.iter().map(|(base, change)| {
                let delay = if base.parent.is_some() {
                    Duration::from_minutes(0)
                } else {
                    image.delay
                };
                let due = change.since.plus(delay);
                policy
                    .max_delay
                    .map_or(due, |most| due.min(change.since.plus(most)))
            });
            assert!(dues.min().expect("a change") <= now, "early: {decision:?}");
        }
        let frozen = policy
            .freeze
            .iter()
            .any(|freeze| freeze.from <= now && now < freeze.to);
        assert!(!frozen || decision.emergency, "frozen: {decision:?}");
        assert!(image.auto && decision.after.is_empty());
        // All that changed is built in, each base as it is now.
        let told: Vec<_> = decision
            .reasons
            .iter()
            .filter_map(|r| Some((r.base.clone()?, r.to.clone()?)))
            .collect();
        for (base, change) in changes {
            assert!(
                told.contains(&(base.name.clone(), change.to.clone())),
                "{decision:?}"
            );
        }
    }

    fn start(&mut self, at: usize, decision: &Decision, fate: Fate, minutes: i64) {
        let began = Time::from_unix_seconds(self.now + self.clock);
        if let Some(since) = self.over_since[at].take() {
            self.totals.longest_over = self.totals.longest_over.max(self.now - since);
        }
        self.held[at] = Default::default();
        self.totals.attempts += 1;
        self.totals.emergencies += u64::from(decision.emergency);
        let places = self.facts.images[at].bases.iter().enumerate();
        self.building[at] = places
            .filter(|(_, base)| base.change.is_some())
            .map(|(place, base)| (place, self.history[&base.name].last().expect("one").1))
            .collect();
        let changes = decision.reasons.iter();
        let changes = changes.filter_map(|reason| Some((reason.base.clone()?, reason.since?)));
        let image = &mut self.facts.images[at];
        image.attempts.push(AttemptFacts {
            number: self.totals.attempts,
            followed: true,
            at: began,
            ended: None,
            end: End::Open,
            changes: changes.collect(),
        });
        let surplus = image.attempts.len().saturating_sub(6);
        image.attempts.drain(..surplus);
        self.at(self.now + minutes * 60, Event::Ends(at, fate));
        if fate == Fate::Vanishes {
            self.totals.failures += 1;
            self.at(self.now + 6 * HOUR, Event::Look);
        }
        self.starts.push(self.now);
        let day = self.now - 24 * HOUR;
        self.starts.retain(|start| *start > day);
        self.totals.most_in_a_day = self.totals.most_in_a_day.max(self.starts.len());
    }

    /// Images that go by themselves and have not all that changed.
    pub(super) fn behind(&self) -> Vec<String> {
        let images = self.facts.images.iter().filter(|image| image.auto);
        let behind = images.filter(|image| image.bases.iter().any(|base| base.change.is_some()));
        behind.map(|image| image.name.to_string()).collect()
    }
}
