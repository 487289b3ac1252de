//! What is left when small weights are set to zero.

use super::Label;
use super::opened::{Opened, Seed};
use crate::cost::Cost;
use crate::experiment::replicate::metric_of;
use crate::math::Rows;
use crate::network::{Mlp, Workspace};
use crate::rng::Streams;
use crate::task::Encoding;
use crate::train::{Batch, Scratch, Session, Status, Steps, TrainContext, Training};
use serde::Serialize;

/// Shares of the weights that are kept.
const KEPT: [f64; 22] = [
    1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5, 0.45, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15, 0.1, 0.05, 0.02,
    0.0,
];

/// A row of `pruning.csv`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PruningRow {
    /// Arm.
    pub arm: String,
    /// Seed.
    pub seed: u64,
    /// Share of the weights that is kept, the largest of all layers together; thresholds are all kept.
    pub kept: f64,
    /// Full-batch steps of training after the cut; 0 for the cut alone.
    pub steps: u64,
    /// Loss on the training rows; none if it is not finite.
    pub train_loss: Option<f64>,
    /// Accuracy or R² on the training rows.
    pub train_metric: Option<f64>,
    /// Loss on the test rows.
    pub test_loss: Option<f64>,
    /// Accuracy or R² on the test rows.
    pub test_metric: Option<f64>,
}

/// `params` with all but the largest `kept` (0 to 1) of the weights at 0, by magnitude over all layers together; thresholds
/// stay. Of equal weights those of lower index are kept.
pub fn pruned(network: &Mlp, params: &[f32], kept: f64) -> Vec<f32> {
    let mut order: Vec<usize> = network.layers().iter().flat_map(|layer| layer.weights.clone()).collect();
    order.sort_by(|a, b| params[*b].abs().total_cmp(&params[*a].abs()));
    let keep = (kept.clamp(0.0, 1.0) * order.len() as f64).round() as usize;
    let mut out = params.to_vec();
    order[keep..].iter().for_each(|weight| out[*weight] = 0.0);
    out
}

/// Steps that can be made after the cut: `None` for none, or where no arm's method can make them.
pub(super) fn steps(opened: &Opened, wanted: u64) -> Option<u64> {
    let any = (0..opened.arms.len()).any(|arm| goes_on(opened.training(arm)));
    (any && wanted > 0).then_some(wanted)
}

/// Whether a cut leaves the memory of the method whole.
pub(super) fn goes_on(training: &Training) -> bool {
    matches!(training.optimizer.steps(), Steps::ByGradient(_))
}

pub(super) fn look(
    opened: &Opened,
    seed: &Seed,
    arm: usize,
    label: Label,
    fine_tune: Option<u64>,
    out: &mut Vec<PruningRow>,
) {
    let Some(end) = seed.weights[arm].as_ref().and_then(|weights| weights.end.as_deref()) else { return };
    let (study, network, training) = (&opened.study, opened.network(arm), opened.training(arm));
    let judge = Judge {
        network,
        classes: study.experiment.task.is_classification().then_some(study.encoding),
        training: &seed.prepared.supervised.training,
        test: seed.prepared.holdout.test.as_ref(),
    };
    let mut workspace = Workspace::new();
    out.extend(judge.cuts(end, label, &mut workspace));
    let Some(steps) = fine_tune.filter(|_| goes_on(training)) else { return };
    let mut scratch = Scratch::default();
    out.extend(KEPT.iter().map(|&kept| {
        let cut = pruned(network, end, kept);
        let params = trained(network, training, seed, &cut, steps, &mut scratch);
        judge.row(&params, label, (kept, steps), &mut workspace)
    }));
}

/// `cut` after full-batch steps of the arm's optimizer, with what is 0 kept at 0.
fn trained(
    network: &Mlp,
    training: &Training,
    seed: &Seed,
    cut: &[f32],
    steps: u64,
    scratch: &mut Scratch,
) -> Vec<f32> {
    let training = Training { batch: Batch::Full, stop: Vec::new(), ..training.clone() };
    let supervised = &seed.prepared.supervised;
    let context = TrainContext { network, supervised, training: &training, streams: Streams::new(seed.number) };
    let mut session = Session::new(cut, &training);
    let gone: Vec<usize> =
        network.layers().iter().flat_map(|layer| layer.weights.clone()).filter(|weight| cut[*weight] == 0.0).collect();
    let mut last = cut.to_vec();
    for _ in 0..steps {
        // Looking is free: nobody asks what this cost.
        if session.step(&context, scratch, &mut Cost::default()) != Status::Running {
            break;
        }
        gone.iter().for_each(|weight| session.params[*weight] = 0.0);
        last.copy_from_slice(&session.params);
    }
    last
}

/// What weights are worth on rows.
pub(super) struct Judge<'a> {
    pub network: &'a Mlp,
    /// How classes became numbers; none where targets are values.
    pub classes: Option<Encoding>,
    pub training: &'a Rows,
    pub test: Option<&'a Rows>,
}

impl Judge<'_> {
    /// `params` at all shares of weights, without training after the cut.
    pub fn cuts(&self, params: &[f32], label: Label, workspace: &mut Workspace) -> Vec<PruningRow> {
        let cut = |&kept: &f64| self.row(&pruned(self.network, params, kept), label, (kept, 0), workspace);
        KEPT.iter().map(cut).collect()
    }

    fn row(&self, params: &[f32], label: Label, (kept, steps): (f64, u64), workspace: &mut Workspace) -> PruningRow {
        let (train_loss, train_metric) = self.score(params, self.training, workspace);
        let (test_loss, test_metric) = self.test.map_or((None, None), |rows| self.score(params, rows, workspace));
        let (arm, seed) = (label.arm.to_owned(), label.seed);
        PruningRow { arm, seed, kept, steps, train_loss, train_metric, test_loss, test_metric }
    }

    /// Loss and metric.
    fn score(&self, params: &[f32], rows: &Rows, workspace: &mut Workspace) -> (Option<f64>, Option<f64>) {
        let loss = self.network.loss(params, rows, workspace);
        let mut out = vec![0.0; rows.count() * rows.outputs()];
        self.network.predict(params, rows, &mut out, workspace);
        (loss.is_finite().then_some(loss), metric_of(self.classes, &out, rows))
    }
}
