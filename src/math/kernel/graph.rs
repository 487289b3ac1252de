//! Feed-forward graphs, node after node, with rows or episodes in lanes.
//!
//! A node's sum is `acc = fma(weight, value, acc)` over its links in order, from 0, on every path: a lane computes what
//! a plain loop over one row computes, bit for bit. Nodes that follow each other, have the same activation and do not
//! feed each other are a *run*: their activations are taken in one go.

use super::AlignedBuffer;
use super::activate::activate;
use super::dense::Head;
use super::head::{alive, head, keep_alive, probabilities};
use super::simd::{Isa, Kernel, LANES, Simd, dispatch_on};
use crate::math::activation::Activation;
use crate::math::rows::{Rows, TILE};
use std::ops::Range;

/// Who hears whom. Values are numbered: the inputs, then the bias (always 1), then the nodes in an order in which each
/// hears only earlier ones; the last nodes are the outputs, which nobody hears.
#[derive(Clone, Debug, PartialEq)]
pub struct Wiring {
    inputs: usize,
    outputs: usize,
    /// Per node, where its links end; they begin where those of the node before end.
    ends: Vec<u32>,
    /// Per link, the number of the value it carries.
    sources: Vec<u32>,
    runs: Vec<Run>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Run {
    end: usize,
    activation: Activation,
}

/// Weights of the links.
#[derive(Clone, Copy, Debug)]
pub enum Weights<'a> {
    /// One number per link, `[links]`.
    PerLink(&'a [f32]),
    /// Numbers that each stand for all links at once: one per lane of [`Wiring::step`], one per result over rows.
    Shared(&'a [f32]),
}

/// Memory that graphs are computed in. One per thread; reused for every graph, grows at need.
#[derive(Clone, Debug, Default)]
pub struct GraphMemory {
    /// The bias and the nodes, `[(1 + nodes) × TILE]`; likewise the next two.
    values: AlignedBuffer,
    slopes: AlignedBuffer,
    deltas: AlignedBuffer,
    /// Per link, sixteen running sums of its gradient.
    gradient: AlignedBuffer,
    /// Per shared weight, sixteen running sums of the loss.
    sums: Vec<[f32; LANES]>,
}

impl GraphMemory {
    /// Memory for no graph yet.
    pub fn new() -> GraphMemory {
        GraphMemory::default()
    }

    fn prepare(&mut self, wiring: &Wiring, backward: bool) {
        let length = (1 + wiring.nodes()) * TILE;
        let more = [&mut self.slopes, &mut self.deltas].into_iter().filter(|_| backward);
        for buffer in [&mut self.values].into_iter().chain(more) {
            if buffer.len() < length {
                buffer.reset(length);
            }
        }
        if backward {
            self.gradient.reset(wiring.links() * LANES);
        }
    }
}

impl Wiring {
    /// A graph whose node `n` has activation `activations[n]` and hears the values that
    /// `sources[ends[n − 1]..ends[n]]` number; the last `outputs` nodes are the outputs.
    ///
    /// # Panics
    /// If a node hears itself, a later one or an output, or the ends do not fit.
    pub fn new(inputs: usize, outputs: usize, activations: &[Activation], ends: Vec<u32>, sources: Vec<u32>) -> Wiring {
        let nodes = activations.len();
        assert!(ends.len() == nodes && outputs <= nodes && ends.is_sorted());
        assert_eq!(ends.last().map_or(0, |end| *end as usize), sources.len());
        let mut runs: Vec<Run> = Vec::new();
        let (mut first, mut link) = (0, 0);
        for (node, activation) in activations.iter().enumerate() {
            let heard = &sources[link..ends[node] as usize];
            link = ends[node] as usize;
            let highest = heard.iter().map(|source| *source as usize + 1).max().unwrap_or(0);
            assert!(highest <= inputs + 1 + node.min(nodes - outputs), "values come before those who hear them");
            match runs.last_mut() {
                Some(run) if run.activation == *activation && highest <= inputs + 1 + first => run.end = node + 1,
                _ => {
                    first = node;
                    runs.push(Run { end: node + 1, activation: *activation });
                }
            }
        }
        Wiring { inputs, outputs, ends, sources, runs }
    }

    /// Inputs; the bias is not one of them.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Outputs.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Nodes that are computed: hidden ones and outputs.
    pub fn nodes(&self) -> usize {
        self.ends.len()
    }

    /// Links, and the multiply-adds of one row.
    pub fn links(&self) -> usize {
        self.sources.len()
    }

    /// Links of one node.
    pub fn links_of(&self, node: usize) -> Range<usize> {
        let start = if node == 0 { 0 } else { self.ends[node - 1] };
        start as usize..self.ends[node] as usize
    }

    /// Number of the value that a link carries.
    pub fn source(&self, link: usize) -> usize {
        self.sources[link] as usize
    }

    /// Whether gradients pass through every node.
    pub fn has_gradient(&self) -> bool {
        self.runs.iter().all(|run| run.activation.has_gradient())
    }

    /// One step of `lanes` episodes: `observations` `[inputs × lanes]` to `out` `[outputs × lanes]`. A shared weight
    /// for each lane, or weights per link for all. Allocates nothing but what `memory` lacks.
    ///
    /// # Panics
    /// If `lanes` is no multiple of 16 or a slice has another length.
    pub fn step(
        &self,
        weights: Weights,
        lanes: usize,
        observations: &[f32],
        out: &mut [f32],
        memory: &mut GraphMemory,
    ) {
        self.step_on(Isa::current(), weights, lanes, observations, out, memory);
    }

    /// Mean losses over all rows: one for weights per link, or one for each shared weight.
    ///
    /// Sums are single precision within 16 running sums, double precision across them.
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn losses(&self, head: Head, weights: Weights, rows: &Rows, losses: &mut [f64], memory: &mut GraphMemory) {
        self.losses_on(Isa::current(), head, weights, rows, losses, memory);
    }

    /// Predictions, `[rows × outputs]`, row-major, for weights per link, or one such block for each shared weight:
    /// probabilities under a cross-entropy, else the outputs.
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn predict(&self, head: Head, weights: Weights, rows: &Rows, out: &mut [f32], memory: &mut GraphMemory) {
        self.predict_on(Isa::current(), head, weights, rows, out, memory);
    }

    /// Mean loss over all rows with weights per link, and its derivatives by them written to `gradient`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn gradient(
        &self,
        head: Head,
        weights: &[f32],
        rows: &Rows,
        gradient: &mut [f32],
        memory: &mut GraphMemory,
    ) -> f64 {
        self.gradient_on(Isa::current(), head, weights, rows, gradient, memory)
    }

    pub(crate) fn step_on(
        &self,
        isa: Isa,
        weights: Weights,
        lanes: usize,
        observations: &[f32],
        out: &mut [f32],
        memory: &mut GraphMemory,
    ) {
        assert!(lanes.is_multiple_of(LANES), "lanes come by sixteen");
        assert_eq!((observations.len(), out.len()), (self.inputs * lanes, self.outputs * lanes));
        match weights {
            Weights::PerLink(weights) => assert_eq!(weights.len(), self.links()),
            Weights::Shared(weights) => assert_eq!(weights.len(), lanes),
        }
        memory.prepare(self, false);
        dispatch_on(isa, Step { wiring: self, weights, lanes, observations, out, memory });
    }

    pub(crate) fn losses_on(
        &self,
        isa: Isa,
        head: Head,
        weights: Weights,
        rows: &Rows,
        losses: &mut [f64],
        memory: &mut GraphMemory,
    ) {
        self.check_rows(head, weights, rows);
        assert_eq!(losses.len(), weights.sets());
        memory.prepare(self, false);
        dispatch_on(isa, LossPass { wiring: self, head, weights, rows, losses, memory });
    }

    pub(crate) fn predict_on(
        &self,
        isa: Isa,
        head: Head,
        weights: Weights,
        rows: &Rows,
        out: &mut [f32],
        memory: &mut GraphMemory,
    ) {
        self.check_rows(head, weights, rows);
        assert_eq!(out.len(), weights.sets() * rows.count() * self.outputs);
        memory.prepare(self, false);
        dispatch_on(isa, Predict { wiring: self, head, weights, rows, out, memory });
    }

    pub(crate) fn gradient_on(
        &self,
        isa: Isa,
        head: Head,
        weights: &[f32],
        rows: &Rows,
        gradient: &mut [f32],
        memory: &mut GraphMemory,
    ) -> f64 {
        self.check_rows(head, Weights::PerLink(weights), rows);
        assert_eq!(gradient.len(), weights.len());
        memory.prepare(self, true);
        dispatch_on(isa, GradientPass { wiring: self, head, weights, rows, gradient, memory })
    }

    fn check_rows(&self, head: Head, weights: Weights, rows: &Rows) {
        assert_eq!((rows.features(), rows.outputs()), (self.inputs, self.outputs));
        if let Weights::PerLink(weights) = weights {
            assert_eq!(weights.len(), self.links());
        }
        let linear = |run: &Run| run.end <= self.nodes() - self.outputs || run.activation == Activation::Linear;
        assert!(head == Head::Squared || self.runs.iter().all(linear), "a cross-entropy sees the sums of its outputs");
    }
}

impl Weights<'_> {
    /// Results over rows that these weights give.
    fn sets(&self) -> usize {
        match self {
            Weights::PerLink(_) => 1,
            Weights::Shared(weights) => weights.len(),
        }
    }
}

/// An activation of one number, with the bits of the vector code.
pub fn activate_one(activation: Activation, x: f32) -> f32 {
    struct One(Activation, f32);
    impl Kernel for One {
        type Output = f32;
        #[inline(always)]
        unsafe fn run<S: Simd>(self) -> f32 {
            let mut lanes = [self.1; LANES];
            // SAFETY: the pointer is good for the one vector that is asked for.
            unsafe { activate::<S>(self.0, lanes.as_mut_ptr(), None, 1) };
            lanes[0]
        }
    }
    dispatch_on(Isa::Scalar, One(activation, x))
}

/// Where a forward pass finds and puts its numbers. `x` holds the inputs, `stride` apart; `values` the bias and the
/// nodes, `vectors` of sixteen each.
#[derive(Clone, Copy)]
struct Pass<'a> {
    wiring: &'a Wiring,
    x: *const f32,
    stride: usize,
    values: *mut f32,
    slopes: Option<*mut f32>,
    vectors: usize,
}

/// `PerLink`, or numbers for each lane of the pass.
#[derive(Clone, Copy)]
enum LaneWeights {
    PerLink(*const f32),
    PerLane(*const f32),
}

impl Pass<'_> {
    /// All nodes.
    #[inline(always)]
    unsafe fn run<S: Simd>(self, weights: LaneWeights) {
        let width = self.vectors * LANES;
        unsafe {
            for vector in 0..self.vectors {
                S::store(self.values.add(vector * LANES), S::splat(1.0));
            }
            let mut first = 0;
            for run in &self.wiring.runs {
                match self.vectors {
                    1 => self.sums::<S, 1>(weights, first, run.end),
                    2 => self.sums::<S, 2>(weights, first, run.end),
                    _ => self.sums::<S, 3>(weights, first, run.end),
                }
                let at = (1 + first) * width;
                let slopes = self.slopes.map(|slopes| slopes.add(at));
                activate::<S>(run.activation, self.values.add(at), slopes, (run.end - first) * self.vectors);
                first = run.end;
            }
        }
    }

    /// Where a value stands.
    #[inline(always)]
    unsafe fn value(&self, source: usize, width: usize) -> *const f32 {
        let inputs = self.wiring.inputs;
        unsafe {
            if source < inputs {
                self.x.add(source * self.stride)
            } else {
                self.values.add((source - inputs) * width).cast_const()
            }
        }
    }

    /// Weighted sums of the nodes from `first` to `end`.
    #[inline(always)]
    unsafe fn sums<S: Simd, const R: usize>(&self, weights: LaneWeights, first: usize, end: usize) {
        let width = R * LANES;
        let sources = self.wiring.sources.as_ptr();
        let ends = self.wiring.ends.as_ptr();
        macro_rules! nodes {
            ($link:ident, $r:ident: $weight:expr) => {
                let mut $link = if first == 0 { 0 } else { *ends.add(first - 1) as usize };
                for node in first..end {
                    let mut sums = [S::splat(0.0); R];
                    let last = *ends.add(node) as usize;
                    while $link < last {
                        let x = self.value(*sources.add($link) as usize, width);
                        for $r in 0..R {
                            sums[$r] = S::fma($weight, S::load(x.add($r * LANES)), sums[$r]);
                        }
                        $link += 1;
                    }
                    for r in 0..R {
                        S::store(self.values.add((1 + node) * width + r * LANES), sums[r]);
                    }
                }
            };
        }
        unsafe {
            match weights {
                LaneWeights::PerLane(numbers) => {
                    let mut shared = [S::splat(0.0); R];
                    for r in 0..R {
                        shared[r] = S::load(numbers.add(r * LANES));
                    }
                    nodes!(link, r: shared[r]);
                }
                LaneWeights::PerLink(numbers) => {
                    nodes!(link, r: S::splat(*numbers.add(link)));
                }
            }
        }
    }
}

struct Step<'a> {
    wiring: &'a Wiring,
    weights: Weights<'a>,
    lanes: usize,
    observations: &'a [f32],
    out: &'a mut [f32],
    memory: &'a mut GraphMemory,
}

impl Kernel for Step<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Step { wiring, weights, lanes, observations, out, memory } = self;
        let mut first = 0;
        while first < lanes {
            let width = (lanes - first).min(TILE);
            unsafe {
                let pass = Pass {
                    wiring,
                    x: observations.as_ptr().add(first),
                    stride: lanes,
                    values: memory.values.as_mut_ptr(),
                    slopes: None,
                    vectors: width / LANES,
                };
                pass.run::<S>(match weights {
                    Weights::PerLink(weights) => LaneWeights::PerLink(weights.as_ptr()),
                    Weights::Shared(weights) => LaneWeights::PerLane(weights.as_ptr().add(first)),
                });
                let from = pass.values.add((1 + wiring.nodes() - wiring.outputs) * width);
                for output in 0..wiring.outputs {
                    for at in (0..width).step_by(LANES) {
                        let to = out.as_mut_ptr().add(output * lanes + first + at);
                        S::store(to, S::load(from.add(output * width + at)));
                    }
                }
            }
            first += width;
        }
    }
}

/// Runs `$body` with `$pass` and `$lane_weights` for set number `$set` of the weights.
macro_rules! each_set {
    ($weights:expr, $set:ident, $lane_weights:ident => $body:block) => {
        match $weights {
            Weights::PerLink(weights) => {
                let ($set, $lane_weights) = (0, LaneWeights::PerLink(weights.as_ptr()));
                $body
            }
            Weights::Shared(weights) => {
                for ($set, weight) in weights.iter().enumerate() {
                    let numbers = [*weight; TILE];
                    let $lane_weights = LaneWeights::PerLane(numbers.as_ptr());
                    $body
                }
            }
        }
    };
}

struct LossPass<'a> {
    wiring: &'a Wiring,
    head: Head,
    weights: Weights<'a>,
    rows: &'a Rows,
    losses: &'a mut [f64],
    memory: &'a mut GraphMemory,
}

impl Kernel for LossPass<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let LossPass { wiring, head: kind, weights, rows, losses, memory } = self;
        memory.sums.clear();
        memory.sums.resize(losses.len(), [0.0; LANES]);
        for (first, live, vectors) in rows.tile_shapes() {
            let width = vectors * LANES;
            let (x, targets) = (rows.tile(first).as_ptr(), rows.target_tile(first).as_ptr());
            let values = memory.values.as_mut_ptr();
            let pass = Pass { wiring, x, stride: width, values, slopes: None, vectors };
            unsafe {
                let outputs = values.add((1 + wiring.nodes() - wiring.outputs) * width);
                each_set!(weights, set, lane_weights => {
                    pass.run::<S>(lane_weights);
                    let sums = &mut memory.sums[set];
                    head::<S>(kind, wiring.outputs, vectors, live, outputs, targets, (sums.as_mut_ptr(), 0), None);
                });
            }
        }
        for (loss, sums) in losses.iter_mut().zip(&memory.sums) {
            *loss = mean(sums, rows.count());
        }
    }
}

struct Predict<'a> {
    wiring: &'a Wiring,
    head: Head,
    weights: Weights<'a>,
    rows: &'a Rows,
    out: &'a mut [f32],
    memory: &'a mut GraphMemory,
}

impl Kernel for Predict<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Predict { wiring, head: kind, weights, rows, out, memory } = self;
        let outputs = wiring.outputs;
        for (first, live, vectors) in rows.tile_shapes() {
            let width = vectors * LANES;
            let values = memory.values.as_mut_ptr();
            let pass = Pass { wiring, x: rows.tile(first).as_ptr(), stride: width, values, slopes: None, vectors };
            let begin = (1 + wiring.nodes() - outputs) * width;
            each_set!(weights, set, lane_weights => {
                unsafe {
                    pass.run::<S>(lane_weights);
                    probabilities::<S>(kind, outputs, vectors, values.add(begin));
                    for row in 0..live {
                        for output in 0..outputs {
                            let to = (set * rows.count() + first + row) * outputs + output;
                            out[to] = *values.add(begin + output * width + row);
                        }
                    }
                }
            });
        }
    }
}

struct GradientPass<'a> {
    wiring: &'a Wiring,
    head: Head,
    weights: &'a [f32],
    rows: &'a Rows,
    gradient: &'a mut [f32],
    memory: &'a mut GraphMemory,
}

impl Kernel for GradientPass<'_> {
    type Output = f64;
    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> f64 {
        let GradientPass { wiring, head: kind, weights, rows, gradient, memory } = self;
        let mut sums = [0.0_f32; LANES];
        let scale = 1.0 / rows.count() as f32;
        let hidden = wiring.nodes() - wiring.outputs;
        let values = memory.values.as_mut_ptr();
        let slopes = memory.slopes.as_mut_ptr();
        let deltas = memory.deltas.as_mut_ptr();
        let running = memory.gradient.as_mut_ptr();
        for (first, live, vectors) in rows.tile_shapes() {
            let width = vectors * LANES;
            let (x, targets) = (rows.tile(first).as_ptr(), rows.target_tile(first).as_ptr());
            let pass = Pass { wiring, x, stride: width, values, slopes: Some(slopes), vectors };
            unsafe {
                pass.run::<S>(LaneWeights::PerLink(weights.as_ptr()));
                let at = (1 + hidden) * width;
                let back = Some((deltas.add(at), scale));
                head::<S>(kind, wiring.outputs, vectors, live, values.add(at), targets, (sums.as_mut_ptr(), 0), back);
                keep_alive::<S>(deltas.add(at), wiring.outputs, vectors, live);
                if live < width {
                    // Lanes without a row may hold infinities, and 0 · ∞ would get into the sums.
                    for node in 1..=wiring.nodes() {
                        for vector in 0..vectors {
                            let at = node * width + vector * LANES;
                            S::store(values.add(at), alive::<S>(S::load(values.add(at)), vector, live));
                            S::store(slopes.add(at), alive::<S>(S::load(slopes.add(at)), vector, live));
                        }
                    }
                }
                for at in (0..(1 + hidden) * width).step_by(LANES) {
                    S::store(deltas.add(at), S::splat(0.0));
                }
                let mut link = wiring.links();
                for node in (0..wiring.nodes()).rev() {
                    let delta = deltas.add((1 + node) * width);
                    let slope = slopes.add((1 + node) * width);
                    for at in (0..width).step_by(LANES) {
                        S::store(delta.add(at), S::mul(S::load(delta.add(at)), S::load(slope.add(at))));
                    }
                    let begin = if node == 0 { 0 } else { *wiring.ends.get_unchecked(node - 1) as usize };
                    while link > begin {
                        link -= 1;
                        let source = *wiring.sources.get_unchecked(link) as usize;
                        let x = pass.value(source, width);
                        let mut sum = S::load(running.add(link * LANES));
                        for at in (0..width).step_by(LANES) {
                            sum = S::fma(S::load(delta.add(at)), S::load(x.add(at)), sum);
                        }
                        S::store(running.add(link * LANES), sum);
                        if source > wiring.inputs {
                            let below = deltas.add((source - wiring.inputs) * width);
                            let weight = S::splat(*weights.get_unchecked(link));
                            for at in (0..width).step_by(LANES) {
                                let passed = S::fma(weight, S::load(delta.add(at)), S::load(below.add(at)));
                                S::store(below.add(at), passed);
                            }
                        }
                    }
                }
            }
        }
        for (to, lanes) in gradient.iter_mut().zip(memory.gradient.chunks_exact(LANES)) {
            *to = lanes.iter().sum();
        }
        mean(&sums, rows.count())
    }
}

fn mean(sums: &[f32; LANES], count: usize) -> f64 {
    sums.iter().map(|sum| f64::from(*sum)).sum::<f64>() / count as f64
}
