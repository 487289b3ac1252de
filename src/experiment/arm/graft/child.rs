//! Children: networks some of whose hidden units were replaced.

use super::pool::{Pool, View};
use super::units::Regime;
use crate::cost::Cost;
use crate::experiment::record::Origins;
use crate::math::Rows;
use crate::math::least_squares::{explained, spreads};
use crate::network::{Loss, Output, Workspace};
use crate::rng::Rng;
use crate::train::team::Units;

/// Candidates for each unit that is replaced.
const SCIONS: usize = 8;

impl Pool<'_> {
    /// Replaces hidden units of `params` by new ones that serve better now. Charges [`Pool::graft_cost`].
    ///
    /// `Smooth`: the best team of the units there are and as many new ones, with the outputs solved anew.
    /// `Tabular`: the weakest `share` of the units makes way for those of eight times as many candidates that explain most
    /// of the gradient at the outputs; their output weights begin at 0, and all others stay.
    ///
    /// Returns where each unit of the layer was before.
    pub fn graft(
        &self,
        params: &mut [f32],
        share: f64,
        rng: &mut Rng,
        workspace: &mut Workspace,
        cost: &mut Cost,
    ) -> Origins {
        let view = self.view(params, workspace, cost);
        let params = self.top_of(params);
        match self.regime {
            Regime::Smooth => self.regroup(&view, params, rng, workspace, cost),
            Regime::Tabular => {
                *cost += self.replacing_cost(share);
                self.replace_weakest(&view, params, share, rng, workspace)
            }
        }
    }

    /// What a graft costs.
    pub fn graft_cost(&self, share: f64) -> Cost {
        match self.regime {
            Regime::Smooth => self.team_cost(2 * self.units()),
            Regime::Tabular => self.view_cost() + self.replacing_cost(share),
        }
    }

    fn replacing_cost(&self, share: f64) -> Cost {
        let (n, h, k, inputs) = (self.count(), self.units(), self.top().outputs(), self.top().inputs());
        let scions = SCIONS * self.replaced(share);
        // Activations of the units there are, their spreads, and what is wrong at the outputs.
        Cost::forward(h * inputs, n)
            + Cost::linear_algebra((n * h) as u64)
            + Cost::forward(self.top().multiply_adds(), n)
            // Candidates, and what they explain.
            + Cost::forward(scions * inputs, n)
            + Cost::linear_algebra((n * scions * (k + 1)) as u64)
    }

    /// Units that make way in `Tabular`.
    fn replaced(&self, share: f64) -> usize {
        ((share * self.units() as f64).round() as usize).clamp(1, self.units())
    }

    fn regroup(
        &self,
        view: &View,
        params: &mut [f32],
        rng: &mut Rng,
        workspace: &mut Workspace,
        cost: &mut Cost,
    ) -> Origins {
        let (h, hidden) = (self.units(), &self.top().layers()[0]);
        let mut candidates = Units::none(&view.rows, 2 * h, hidden.activation);
        candidates.copy_layer(0..h, self.top(), params);
        for unit in h..2 * h {
            candidates.draw(unit, |weights| self.regime.draw_scion(&view.rows, hidden.activation, weights, rng));
        }
        let team = self.team(view, &candidates, params, workspace, cost);
        Origins(team.into_iter().map(|candidate| (candidate < h).then_some(candidate)).collect())
    }

    fn replace_weakest(
        &self,
        view: &View,
        params: &mut [f32],
        share: f64,
        rng: &mut Rng,
        workspace: &mut Workspace,
    ) -> Origins {
        let (rows, h, k) = (&*view.rows, self.units(), self.top().outputs());
        let [hidden, output] = self.top().layers() else { unreachable!("a hidden layer and the outputs") };
        let mut activations = vec![0.0; rows.count() * h];
        self.top().activations(params, rows, 0, &mut activations, workspace);
        let spreads = spreads(&activations, h);
        // How much each unit moves the outputs, with some chance, so that not always the same one goes.
        let mut strength: Vec<(f64, usize)> = (0..h)
            .map(|unit| {
                let out: f64 = (0..k).map(|to| f64::from(params[output.weights.start + to * h + unit].abs())).sum();
                (out * spreads[unit].1 * f64::from(rng.between(0.5, 1.5)), unit)
            })
            .collect();
        strength.sort_by(|a, b| a.0.total_cmp(&b.0));
        let weakest: Vec<usize> = strength[..self.replaced(share)].iter().map(|(_, unit)| *unit).collect();
        // Their mean stays, in the thresholds of the outputs.
        for &unit in &weakest {
            for to in 0..k {
                let weight = &mut params[output.weights.start + to * h + unit];
                let folded = f64::from(std::mem::take(weight)) * spreads[unit].0;
                params[output.biases.start + to] += folded as f32;
            }
        }
        let wrong = self.output_gradient(rows, params, workspace);
        let mut scions = Units::none(rows, SCIONS * weakest.len(), hidden.activation);
        for unit in 0..scions.count() {
            scions.draw(unit, |weights| self.regime.draw_scion(rows, hidden.activation, weights, rng));
        }
        let explained = explained(&scions.activations(rows, workspace), &wrong, scions.count(), k);
        let mut best: Vec<usize> = (0..scions.count()).collect();
        best.sort_by(|a, b| explained[*b].total_cmp(&explained[*a]));
        let mut origins: Vec<Option<usize>> = (0..h).map(Some).collect();
        for (unit, scion) in weakest.into_iter().zip(best) {
            origins[unit] = None;
            let (weights, threshold) = scions.unit(scion);
            params[hidden.weights.start + unit * hidden.inputs..][..hidden.inputs].copy_from_slice(weights);
            params[hidden.biases.start + unit] = threshold;
        }
        Origins(origins)
    }

    /// Gradient of each row's loss by the sums of the output layer, `[rows × outputs]`, up to one factor for all.
    fn output_gradient(&self, rows: &Rows, params: &[f32], workspace: &mut Workspace) -> Vec<f64> {
        let mut predicted = vec![0.0; rows.targets().len()];
        self.top().predict(params, rows, &mut predicted, workspace);
        let slope = |y: f64| match (self.top().loss_kind(), self.top().output()) {
            // Probabilities and their logarithms cancel each other's slopes.
            (Loss::CrossEntropy, _) | (_, Output::Linear | Output::Softmax) => 1.0,
            (Loss::MeanSquared, Output::Logistic) => y * (1.0 - y),
            (Loss::MeanSquared, Output::Tanh) => 1.0 - y * y,
            (Loss::MeanSquared, Output::Step) => 0.0,
        };
        let wrong = predicted.iter().zip(rows.targets()).map(|(y, t)| {
            let y = f64::from(*y);
            (y - f64::from(*t)) * slope(y)
        });
        wrong.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::dialect;
    use crate::math::Activation;
    use crate::network::Mlp;
    use crate::rng::{Purpose, Streams};
    use crate::train::team::unit_of;

    #[test]
    fn origins_tell_which_units_stayed_and_where() {
        for (hidden, regime, new) in [
            (&[(7, Activation::Tanh)][..], "Smooth", 0..=7),
            (&[(7, Activation::Tanh)], "Tabular", 2..=2),
            (&[(4, Activation::Tanh), (7, Activation::Relu)], "Smooth", 0..=7),
            (&[(4, Activation::Tanh), (7, Activation::Relu)], "Tabular", 2..=2),
        ] {
            let settings = dialect().from_str(&format!("(regime: {regime})")).unwrap();
            let network = Mlp::new(2, hidden, 1, Output::Linear, Loss::MeanSquared).unwrap();
            let mut rng = Streams::new(3).stream(Purpose::Synthetic, 0, 0);
            let x: Vec<f32> = (0..80).map(|_| rng.normal() as f32).collect();
            let t: Vec<f32> = x.chunks(2).map(|x| x[0] * x[1]).collect();
            let rows = Rows::new(&x, &t, 2, 1);
            let pool = Pool::new(&settings, &network, &rows);
            let mut kept = [0, 0];
            for graft in 0..8 {
                let before: Vec<f32> = (0..network.parameters()).map(|_| rng.normal() as f32).collect();
                let (mut after, mut workspace, mut cost) = (before.clone(), Workspace::new(), Cost::ZERO);
                let mut stream = Streams::new(graft).stream(Purpose::Arm, 0, 1);
                let Origins(origins) = pool.graft(&mut after, 0.25, &mut stream, &mut workspace, &mut cost);
                let first = network.parameters() - pool.top().parameters();
                let unit = |params: &[f32], unit: usize| {
                    let (weights, threshold) = unit_of(pool.top(), &params[first..], unit);
                    (weights.to_vec(), threshold)
                };
                assert_eq!(origins.len(), 7);
                for (place, origin) in origins.iter().enumerate() {
                    let same = |other: &usize| unit(&after, place) == unit(&before, *other);
                    assert_eq!((0..7).find(same), *origin, "{regime} {hidden:?}");
                    kept[usize::from(origin.is_some())] += 1;
                }
                assert!(new.contains(&origins.iter().filter(|origin| origin.is_none()).count()));
            }
            assert!(kept.iter().all(|count| *count > 0), "{regime} {hidden:?}: {kept:?}");
        }
    }
}
