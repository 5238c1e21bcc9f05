//! The fan-out: a statement over many collections as a machine that is stepped.

use std::sync::Arc;

use super::{
    Catalog, FileRange, Host, Needs, Options, ResultSet, Sources, binding,
    hit::Merged,
    jobs,
    ledger::Ledger,
    member::{Member, State},
    run::{Halt, Run},
    shape::Shape,
    spaces::{Spaces, concerns_one_collection},
    stages::{
        answer::{Answer, answer},
        merge::merge,
    },
};
use crate::{
    error::{Error, Result, SnapshotError},
    filter::Condition,
    gather::Gather as _,
    plan::Plan,
    query::Explain,
};

/// What a step came to.
#[derive(Debug)]
pub enum Step {
    /// The answer.
    Done(ResultSet),
    /// These bytes are missing: bring them and step again. Sorted, near neighbours joined.
    Need(Vec<FileRange>),
}

/// One statement on its way through a release.
#[derive(Debug)]
pub struct Fanout {
    pub(super) statement: Statement,
    pub(super) members: Vec<Member>,
    pub(super) spaces: Spaces,
    pub(super) ledger: Ledger,
    pub(super) waves: u32,
    /// The ranking whose records are on their way.
    merged: Option<Merged>,
    /// The first error that was not the statement's, while others may still answer.
    failure: Option<Error>,
}

/// What does not change while the statement runs.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) catalog: Arc<Catalog>,
    pub(super) plan: Plan,
    pub(super) options: Options,
    pub(super) shape: Shape,
    pub(super) names: Vec<String>,
}

impl Statement {
    pub(super) fn run<'r>(&'r self, sources: &'r dyn Sources, host: &'r Host<'r>) -> Run<'r> {
        let Self { catalog, plan, options, shape, names } = self;
        let condition = plan.filter.as_ref().map(Condition::new);
        let (path, clock) = (options.path, options.clock);
        Run { catalog, plan, condition, shape, names, sources, host, path, clock }
    }

    fn now(&self) -> u64 {
        self.options.clock.map_or(0, |clock| clock())
    }
}

impl Fanout {
    /// Binds a plan to a release: which collections it names, and which of them cannot hold a match.
    ///
    /// # Errors
    /// `CatalogError` for names that are not there and collections that cannot be asked so, `InputError` for a query
    /// vector that does not fit, `QueryError` for a literal that does not fit its column.
    pub fn new(catalog: Arc<Catalog>, plan: Plan) -> Result<Self> {
        Self::with(catalog, plan, Options::default())
    }

    /// The same with options.
    ///
    /// # Errors
    /// As [`new`](Self::new). Where the options are not strict, collections that cannot be asked are reported in the
    /// answer instead, as long as there is another one.
    pub fn with(catalog: Arc<Catalog>, plan: Plan, options: Options) -> Result<Self> {
        let started = options.clock.map_or(0, |clock| clock());
        let (names, members) = binding::bind(&catalog, &plan, options.router.as_deref())?;
        let shape = Shape::new(&plan, false);
        let mut fanout = Self {
            statement: Statement { catalog, plan, options, shape, names },
            members,
            spaces: Spaces::default(),
            ledger: Ledger::default(),
            waves: 0,
            merged: None,
            failure: None,
        };
        fanout.place_in_spaces()?;
        fanout.statement.shape = Shape::new(&fanout.statement.plan, fanout.spaces.list.len() > 1);
        fanout.ledger.route = fanout.statement.now().saturating_sub(started);
        Ok(fanout)
    }

    /// Which collections' distances can be compared. All that FROM names count, whether routing skips them or not, so
    /// that the ranking does not depend on statistics.
    fn place_in_spaces(&mut self) -> Result<()> {
        let Statement { catalog, plan, options, .. } = &self.statement;
        if !plan.is_search() {
            return Ok(());
        }
        let mut failed = Vec::new();
        for (number, member) in self.members.iter_mut().enumerate() {
            match self.spaces.place(catalog, plan, &options.texts, member.place) {
                Ok(space) => member.space = space,
                Err(error) => failed.push(Halt::of(number, error)),
            }
        }
        failed.into_iter().try_for_each(|halt| self.give_up(halt))?;
        self.spaces.check(&self.statement.catalog, &self.statement.plan)
    }

    /// Goes as far as the resident bytes allow. After [`Step::Done`] a further step answers again.
    ///
    /// # Errors
    /// Whatever the files turn out to be; and a file that stays without bytes it was said to have.
    pub fn step(&mut self, sources: &dyn Sources) -> Result<Step> {
        self.step_with(sources, &Host::ALONE)
    }

    /// The same with threads, or with a way to stop it.
    ///
    /// # Errors
    /// As [`step`](Self::step), and [`CatalogError::Stopped`](crate::error::CatalogError::Stopped).
    pub fn step_with(&mut self, sources: &dyn Sources, host: &Host<'_>) -> Result<Step> {
        if self.statement.plan.explain == Some(Explain::Plan) {
            #[cfg(not(target_arch = "wasm32"))]
            super::clustered::foresee(&self.statement.run(sources, host), &mut self.members);
            return Ok(Step::Done(self.result(Answer::default())));
        }
        if self.statement.shape.is_empty() {
            return Ok(Step::Done(
                self.result(Answer::of_no_rows(&self.statement.plan, &self.statement.shape)),
            ));
        }
        self.ledger.started.get_or_insert(self.statement.now());
        loop {
            let mut needs = Needs::default();
            match self.advance(sources, host, &mut needs) {
                Ok(Some(result)) => return Ok(Step::Done(result)),
                Ok(None) => {
                    self.waves += 1;
                    let ranges = needs.into_ranges();
                    self.check_inside(&ranges)?;
                    return Ok(Step::Need(ranges));
                }
                // Without the collection the others are merged anew.
                Err(halt) => self.give_up(halt)?,
            }
        }
    }

    /// Goes on without the collections that an error concerns, if the caller allows that and others are left.
    fn give_up(&mut self, Halt { members, error }: Halt) -> Result<()> {
        if self.statement.options.strict || members.is_empty() || !concerns_one_collection(&error) {
            return Err(*error);
        }
        for member in members {
            if let Some(member) = self.members.get_mut(member) {
                let (code, message) = (error.code(), error.to_string());
                member.state = State::Failed { code, message };
            }
        }
        // What was found by clusters was cut by a bound to which the failed collections' rows belong.
        for member in &mut self.members {
            if let State::Asked(target) = &mut member.state
                && target.by_clusters
            {
                target.found = None;
            }
        }
        let first = self.failure.take().unwrap_or(*error);
        let left = self.members.iter().any(|member| matches!(member.state, State::Asked(_)));
        if !left && !self.members.iter().any(|member| matches!(member.state, State::Skipped(_))) {
            return Err(first);
        }
        self.failure = Some(first);
        Ok(())
    }

    /// A forged description can name ranges that no file has. They would be asked for without end.
    fn check_inside(&self, ranges: &[FileRange]) -> Result<()> {
        for FileRange { file, range } in ranges {
            let file = self.statement.catalog.index().file(*file);
            if file.is_none_or(|file| range.end > file.bytes || range.is_empty()) {
                let name = file.map_or("a file", |file| &file.name);
                let reason = format!("{name} has no bytes {} to {}; export again", range.start, range.end);
                return Err(SnapshotError::BadRelease { reason }.into());
            }
        }
        Ok(())
    }

    /// Steps once over files that are wholly resident.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub fn run(self, sources: &dyn Sources) -> Result<ResultSet> {
        self.run_with(sources, &Host::ALONE)
    }

    /// The same with threads, or with a way to stop it.
    ///
    /// # Errors
    /// As [`step_with`](Self::step_with).
    pub fn run_with(mut self, sources: &dyn Sources, host: &Host<'_>) -> Result<ResultSet> {
        match self.step_with(sources, host)? {
            Step::Done(result) => Ok(result),
            Step::Need(ranges) => {
                let file = ranges.first().and_then(|need| self.statement.catalog.index().file(need.file));
                let name = file.map_or("a file", |file| &file.name);
                let reason = format!("{name} is not wholly resident; bring what step asks for");
                Err(SnapshotError::BadRelease { reason }.into())
            }
        }
    }

    /// The stages, as far as they go. `None`: `needs` holds what is missing.
    fn advance(
        &mut self,
        sources: &dyn Sources,
        host: &Host<'_>,
        needs: &mut Needs,
    ) -> Result<Option<ResultSet>, Halt> {
        let run = self.statement.run(sources, host);
        run.check_stop()?;
        embed(&run, &self.members, &mut self.spaces, &mut self.ledger, needs)?;
        jobs::search(&run, &mut self.members, &self.spaces, needs)?;
        if !needs.is_empty() {
            return Ok(None);
        }
        let started = run.now();
        let merged = match self.merged.take() {
            Some(merged) => merged,
            None => merge(&run, &self.members, &self.spaces)?,
        };
        self.ledger.merge += run.now().saturating_sub(started);
        let wanted: Vec<(usize, u64)> = merged.wanted().into_iter().map(|hit| (hit.member, hit.row)).gather();
        self.ledger.merged = wanted.len() as u64;
        let Some(shown) = jobs::records(&run, &mut self.members, &merged, &wanted, needs)? else {
            self.merged = Some(merged);
            return Ok(None);
        };
        let started = run.now();
        let answer = answer(&run, merged, shown);
        self.ledger.answer += run.now().saturating_sub(started);
        Ok(Some(self.result(answer)))
    }
}

/// Makes the vectors of texts, if anybody is asked for them.
fn embed(
    run: &Run<'_>,
    members: &[Member],
    spaces: &mut Spaces,
    ledger: &mut Ledger,
    needs: &mut Needs,
) -> Result<(), Halt> {
    let asked = |member: &Member| matches!(member.state, State::Asked(_));
    if !members.iter().any(asked) {
        return Ok(());
    }
    let (started, texts) = (run.now(), spaces.texts());
    let made = spaces.embed(run.catalog, run.sources, needs);
    ledger.texts += texts.saturating_sub(spaces.texts()) as u64;
    ledger.embed += run.now().saturating_sub(started);
    made.map_err(|(spaces, error)| {
        let lacks = |(_, member): &(usize, &Member)| asked(member) && spaces.contains(&member.space);
        let members = members.iter().enumerate().filter(lacks).map(|(place, _)| place);
        Halt { members: members.gather(), error }
    })
}
