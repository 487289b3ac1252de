//! Episodes side by side, a lane each: states, observations, actions and what was earned so far.

// Index loops over lanes, because iterators would stay calls, compiled without the instruction set.
#![allow(clippy::needless_range_loop, clippy::manual_memcpy)]

use super::{Dynamics, RECENT};
use crate::math::kernel::{AlignedBuffer, Isa, Loop, vectorized_on};

/// Episodes that a vector holds.
pub const LANES: usize = 16;

/// A few numbers of one episode, `[T; N]`, and the same of sixteen episodes.
pub trait Numbers<T>: Copy {
    /// How many.
    const LEN: usize;
    /// Those of sixteen episodes, variable by variable.
    type Columns: Copy + AsRef<[[T; LANES]]> + AsMut<[[T; LANES]]>;
    /// Columns of zeros.
    fn columns() -> Self::Columns;
    /// Those of one lane.
    fn of_lane(columns: &Self::Columns, lane: usize) -> Self;
    /// Puts them into a lane.
    fn into_lane(self, columns: &mut Self::Columns, lane: usize);
    /// These where `condition` holds, else `other`.
    fn where_or(self, condition: bool, other: Self) -> Self;
    /// As a slice.
    fn as_slice(&self) -> &[T];
}

impl<T: Copy + Default, const N: usize> Numbers<T> for [T; N] {
    const LEN: usize = N;
    type Columns = [[T; LANES]; N];

    #[inline(always)]
    fn columns() -> Self::Columns {
        [[T::default(); LANES]; N]
    }

    #[inline(always)]
    fn of_lane(columns: &Self::Columns, lane: usize) -> Self {
        let mut numbers = [T::default(); N];
        for index in 0..N {
            numbers[index] = columns[index][lane];
        }
        numbers
    }

    #[inline(always)]
    fn into_lane(self, columns: &mut Self::Columns, lane: usize) {
        for index in 0..N {
            columns[index][lane] = self[index];
        }
    }

    #[inline(always)]
    fn where_or(self, condition: bool, other: Self) -> Self {
        let mut numbers = self;
        for index in 0..N {
            numbers[index] = if condition { self[index] } else { other[index] };
        }
        numbers
    }

    fn as_slice(&self) -> &[T] {
        self
    }
}

/// One number of sixteen episodes.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
struct Column([f64; LANES]);

/// How sixteen episodes stand. Counts and truths are `f64` too, so that one width of lanes serves all.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    /// 1 while the episode runs, else 0.
    running: Column,
    /// Sum of the rewards.
    total: Column,
    /// Steps made.
    steps: Column,
}

impl Tally {
    #[inline(always)]
    fn any_runs(&self) -> bool {
        let mut any = false;
        for lane in 0..LANES {
            any |= self.running.0[lane] != 0.0;
        }
        any
    }
}

/// Episodes side by side. An episode that has ended stays in its last state and earns nothing more.
#[derive(Clone, Debug, Default)]
pub struct Episodes {
    lanes: usize,
    variables: usize,
    state: Vec<Column>,
    tally: Vec<Tally>,
    /// Unrest of the last `RECENT` steps, in a ring: `[RECENT × vectors]`, if the environment asks for it.
    unrest: Vec<Column>,
    steps: usize,
    /// The instruction set to use; `None` for the one in use everywhere.
    isa: Option<Isa>,
    /// What the networks see, `[inputs × lanes]`.
    pub observations: AlignedBuffer,
    /// What they do, `[outputs × lanes]`; to be written before each step.
    pub actions: AlignedBuffer,
}

impl Episodes {
    /// Episodes on one instruction set, for tests that compare them.
    #[cfg(test)]
    pub(super) fn on(isa: Isa) -> Episodes {
        Episodes { isa: Some(isa), ..Episodes::default() }
    }

    /// Begins anew with `count` episodes of `inputs` observations and `outputs` actions; `start` gives a lane's state.
    ///
    /// Lanes are filled up to a multiple of 16 with episodes that have ended. Allocates only to grow.
    ///
    /// # Panics
    /// If there is no episode, or states are of different lengths.
    pub fn begin<'a>(&mut self, count: usize, inputs: usize, outputs: usize, start: impl Fn(usize) -> &'a [f64]) {
        assert!(count > 0, "no episode to run");
        self.lanes = count.next_multiple_of(LANES);
        self.variables = start(0).len();
        self.steps = 0;
        let vectors = self.lanes / LANES;
        self.state.clear();
        self.state.resize(vectors * self.variables, Column::default());
        self.tally.clear();
        self.tally.resize(vectors, Tally::default());
        self.unrest.clear();
        self.observations.reset(inputs * self.lanes);
        self.actions.reset(outputs * self.lanes);
        for lane in 0..self.lanes {
            let start = start(lane.min(count - 1));
            assert_eq!(start.len(), self.variables, "states of one environment");
            for (variable, value) in start.iter().enumerate() {
                self.state[lane / LANES * self.variables + variable].0[lane % LANES] = *value;
            }
            self.tally[lane / LANES].running.0[lane % LANES] = f64::from(u8::from(lane < count));
        }
    }

    /// Lanes: the number of episodes, rounded up to a multiple of 16.
    pub fn lanes(&self) -> usize {
        self.lanes
    }

    /// Whether any episode still runs.
    pub fn any_runs(&self) -> bool {
        self.tally.iter().any(Tally::any_runs)
    }

    /// Whether the episode in this lane still runs.
    pub fn runs(&self, lane: usize) -> bool {
        self.tally[lane / LANES].running.0[lane % LANES] != 0.0
    }

    /// One state variable of one lane.
    pub fn state(&self, lane: usize, variable: usize) -> f64 {
        self.state[lane / LANES * self.variables + variable].0[lane % LANES]
    }

    /// What the episode in this lane has earned so far.
    pub fn total(&self, lane: usize) -> f64 {
        self.tally[lane / LANES].total.0[lane % LANES]
    }

    /// Steps that the episode in this lane has made so far.
    pub fn steps(&self, lane: usize) -> u32 {
        self.tally[lane / LANES].steps.0[lane % LANES] as u32
    }

    /// Sum of the unrest of this lane's last `RECENT` steps; 0 where the environment does not ask for it.
    pub fn unrest(&self, lane: usize) -> f64 {
        let vectors = self.lanes / LANES;
        self.unrest.chunks(vectors).map(|columns| columns[lane / LANES].0[lane % LANES]).sum()
    }

    /// Writes the observations of all lanes.
    pub fn observe<D: Dynamics>(&mut self, dynamics: &D) {
        vectorized_on(self.isa.unwrap_or_else(Isa::current), Observe { dynamics, episodes: self });
    }

    /// One step of all lanes that still run, and their new observations.
    pub fn step<D: Dynamics>(&mut self, dynamics: &D) {
        if D::UNREST && self.unrest.is_empty() {
            self.unrest.resize(RECENT * self.tally.len(), Column::default());
        }
        vectorized_on(self.isa.unwrap_or_else(Isa::current), Advance { dynamics, episodes: self });
        self.steps += 1;
    }
}

/// Copies the columns of a vector's variables.
#[inline(always)]
fn take<N: Numbers<f64>>(from: &[Column], vector: usize, columns: &mut N::Columns) {
    let from = &from[vector * N::LEN..][..N::LEN];
    for variable in 0..N::LEN {
        columns.as_mut()[variable] = from[variable].0;
    }
}

/// Puts them back.
#[inline(always)]
fn give<N: Numbers<f64>>(columns: &N::Columns, to: &mut [Column], vector: usize) {
    let to = &mut to[vector * N::LEN..][..N::LEN];
    for variable in 0..N::LEN {
        to[variable].0 = columns.as_ref()[variable];
    }
}

/// Writes a vector's columns into rows of `lanes` numbers.
#[inline(always)]
fn show<N: Numbers<f32>>(columns: &N::Columns, rows: &mut [f32], lanes: usize, vector: usize) {
    for row in 0..N::LEN {
        let first = row * lanes + vector * LANES;
        // An environment may show fewer observations than it has room for.
        if first < rows.len() {
            let to = &mut rows[first..][..LANES];
            for lane in 0..LANES {
                to[lane] = columns.as_ref()[row][lane];
            }
        }
    }
}

struct Observe<'a, D> {
    dynamics: &'a D,
    episodes: &'a mut Episodes,
}

impl<D: Dynamics> Loop for Observe<'_, D> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Observe { dynamics, episodes } = self;
        let mut state = D::State::columns();
        for vector in 0..episodes.tally.len() {
            take::<D::State>(&episodes.state, vector, &mut state);
            let mut seen = D::Observation::columns();
            for lane in 0..LANES {
                dynamics.observe(D::State::of_lane(&state, lane)).into_lane(&mut seen, lane);
            }
            show::<D::Observation>(&seen, &mut episodes.observations, episodes.lanes, vector);
        }
    }
}

struct Advance<'a, D> {
    dynamics: &'a D,
    episodes: &'a mut Episodes,
}

impl<D: Dynamics> Loop for Advance<'_, D> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Advance { dynamics, episodes } = self;
        let lanes = episodes.lanes;
        // Copies that nothing else can point to: without them the compiler would not dare to use lanes. They are made once,
        // because clearing them takes as long as a part of the physics.
        let (mut state, mut moved) = (D::State::columns(), D::State::columns());
        let mut actions = D::Action::columns();
        let mut seen = D::Observation::columns();
        let (mut runs_on, mut unrest) = ([0.0; LANES], [0.0; LANES]);
        for vector in 0..episodes.tally.len() {
            let tally = &mut episodes.tally[vector];
            if !tally.any_runs() {
                continue;
            }
            let (running, mut total) = (tally.running.0, tally.total.0);
            take::<D::State>(&episodes.state, vector, &mut state);
            for action in 0..D::Action::LEN {
                let from = &episodes.actions[action * lanes + vector * LANES..][..LANES];
                for lane in 0..LANES {
                    actions.as_mut()[action][lane] = from[lane];
                }
            }
            for lane in 0..LANES {
                let old = D::State::of_lane(&state, lane);
                let step = dynamics.step(old, D::Action::of_lane(&actions, lane));
                let runs = running[lane] != 0.0;
                let new = step.state.where_or(runs, old);
                new.into_lane(&mut moved, lane);
                dynamics.observe(new).into_lane(&mut seen, lane);
                total[lane] += if runs { step.reward } else { 0.0 };
                runs_on[lane] = if step.ended { 0.0 } else { running[lane] };
                if D::UNREST {
                    unrest[lane] = dynamics.unrest(new);
                }
            }
            for lane in 0..LANES {
                tally.steps.0[lane] += running[lane];
            }
            (tally.running.0, tally.total.0) = (runs_on, total);
            give::<D::State>(&moved, &mut episodes.state, vector);
            show::<D::Observation>(&seen, &mut episodes.observations, lanes, vector);
            if D::UNREST {
                let ring = episodes.unrest.len() / RECENT;
                let slot = &mut episodes.unrest[episodes.steps % RECENT * ring + vector].0;
                for lane in 0..LANES {
                    // An ended lane keeps the steps before its end.
                    slot[lane] = if runs_on[lane] != 0.0 { unrest[lane] } else { slot[lane] };
                }
            }
        }
    }
}
