//! The best team of both parents' hidden units.

use super::Cross;
use crate::cost::Cost;
use crate::error::{Error, Result};
use crate::evolve::Variation;
use crate::math::Rows;
use crate::network::Mlp;
use crate::train::team::{self, LARGEST, Units, unit_of};
use crate::values::{Count, Positive, Probability};
use serde::{Deserialize, Serialize};

/// The hidden units of both parents in one pool: the best of them, as many as the layer has, by orthogonal least squares,
/// and the output layer in closed form. For networks of one hidden layer.
///
/// Exchange of genes or of places moves units that serve one parent's output weights into a network with others; here each
/// unit is judged by what it explains beside those chosen before it, so the order of hidden units does not matter, and the
/// outputs fit the child. A unit that both parents have is in the pool once. The rows that the team is chosen on are drawn anew for each
/// child, so that two parents do not have the same child twice; the outputs are solved on all rows. Equal parents are not
/// looked at. It is the choice of `Graft`'s pool, between two parents.
///
/// A child costs 3 to 10 passes over the rows, all charged: activations of the pool, their Gram matrix, the choice, the
/// regression. A mutation after it moves solved weights away from what was solved, so it should be rare.
///
/// Orthogonal least squares: Chen, Cowan & Grant 1991.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// Share of the children that are crossed; 0.7 unless said otherwise.
    #[serde(default = "super::default_rate")]
    pub rate: Probability,
    /// Rows that a team is chosen on, at most; 128.
    #[serde(default = "default_rows")]
    pub rows: Count,
    /// Penalty on squared output weights in least squares, per row; 0.01.
    #[serde(default = "default_penalty")]
    pub penalty: Positive,
}

fn default_rows() -> Count {
    Count::new(128).expect("in range")
}
fn default_penalty() -> Positive {
    Positive::new(0.01).expect("in range")
}

impl Team {
    /// Rows that a team is chosen on, of so many.
    fn some(&self, rows: usize) -> usize {
        self.rows.get().min(rows)
    }
}

impl Cross for Team {
    fn rate(&self) -> Probability {
        self.rate
    }

    fn fits(&self, network: &Mlp) -> Result<()> {
        let hidden = network.layers().len() - 1;
        if hidden != 1 {
            let message = format!("`Team` chooses units of one hidden layer, and this network has {hidden}");
            return Err(Error::experiment("P0120", message)
                .help("write one hidden layer, such as `hidden: [(units: 16)]`")
                .help("`PerNeuron(…)` and `Aligned(…)` cross networks of any depth"));
        }
        let units = network.layers()[0].outputs;
        if 2 * units > LARGEST {
            let most = LARGEST / 2;
            return Err(Error::experiment(
                "P0120",
                format!("`Team` chooses among at most {LARGEST} units of two parents"),
            )
            .note(format!("the hidden layer has {units} units"))
            .help(format!("write at most {most} units, or `PerNeuron(…)`")));
        }
        Ok(())
    }

    fn cost(&self, network: &Mlp, rows: &Rows) -> Cost {
        team::cost(network, rows.count(), self.some(rows.count()), 2 * network.layers()[0].outputs)
    }

    fn bytes(&self, network: &Mlp, rows: usize) -> u64 {
        team::bytes(network, rows, self.some(rows), 2 * network.layers()[0].outputs)
    }

    fn cross(&self, child: &mut [f32], other: &[f32], context: &mut Variation) {
        if child == other {
            return;
        }
        let Variation { network, rows, rng, workspace, cost, .. } = context;
        let hidden = &network.layers()[0];
        let units = hidden.outputs;
        let (own, others) = (|unit| unit_of(network, child, unit), |unit| unit_of(network, other, unit));
        // Of two equal units with solved outputs gradient descent would never make two different ones.
        let new: Vec<usize> = (0..units).filter(|&unit| (0..units).all(|place| own(place) != others(unit))).collect();
        let mut pool = Units::none(rows, units + new.len(), hidden.activation);
        pool.copy_layer(0..units, network, child);
        (units..).zip(new).for_each(|(place, unit)| pool.copy(place, others(unit)));
        let count = self.some(rows.count());
        let some = (count < rows.count()).then(|| {
            let mut order: Vec<u32> = (0..rows.count() as u32).collect();
            // The first places of a shuffle, without shuffling the rest.
            (0..count).for_each(|place| order.swap(place, place + rng.below(rows.count() - place)));
            let mut some = Rows::with_shape(count, rows.features(), rows.outputs());
            some.gather(rows, &order[..count]);
            some
        });
        let some = some.as_ref().unwrap_or(rows);
        team::join(network, rows, some, self.penalty.get(), &pool, child, workspace, cost);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolve::fixture::{Fixture, read};
    use crate::math::Activation;
    use crate::network::Workspace;

    fn operator(rows: usize) -> Team {
        read(&format!("(rows: {rows})")).unwrap()
    }

    /// What each hidden unit is: its weights and its threshold.
    fn units(network: &Mlp, params: &[f32]) -> Vec<(Vec<u32>, u32)> {
        let unit = |unit: usize| {
            let (weights, threshold) = unit_of(network, params, unit);
            (weights.iter().map(|w| w.to_bits()).collect(), threshold.to_bits())
        };
        (0..network.layers()[0].outputs).map(unit).collect()
    }

    #[test]
    fn a_child_has_units_of_both_parents_whole_and_is_better_than_either_with_solved_outputs() {
        let fixture = Fixture::with(&[(6, Activation::Tanh)]);
        let (network, rows) = (&fixture.network, &fixture.rows);
        let mut workspace = Workspace::new();
        let mut losses = [0.0; 3];
        for pair in 0..4 {
            let [first, second] = [fixture.genome(2 * pair), fixture.genome(2 * pair + 1)];
            let mut child = first.clone();
            fixture.vary(0, |context| operator(128).cross(&mut child, &second, context));
            let (own, others) = (units(network, &first), units(network, &second));
            let chosen = units(network, &child);
            assert!(chosen.iter().all(|unit| own.contains(unit) || others.contains(unit)));
            assert!((0..6).all(|unit| !chosen[..unit].contains(&chosen[unit])), "no unit twice");
            let taken = chosen.iter().filter(|unit| others.contains(unit)).count();
            assert!((1..6).contains(&taken), "{taken} of the second parent");
            for (total, mut params) in losses.iter_mut().zip([child, first, second]) {
                let mut free = Cost::ZERO;
                crate::train::readout::closed_form(network, rows, 0.01, &mut params, &mut workspace, &mut free);
                *total += network.loss(&params, rows, &mut workspace);
            }
        }
        assert!(losses[0] < losses[1].min(losses[2]), "{losses:?}");
    }

    #[test]
    fn the_order_of_hidden_units_and_a_common_unit_do_no_harm() {
        let fixture = Fixture::with(&[(3, Activation::Tanh)]);
        let hidden = &fixture.network.layers()[0];
        let [first, second] = [fixture.genome(0), fixture.genome(1)];
        let child = |first: &[f32], second: &[f32]| {
            let mut child = first.to_vec();
            fixture.vary(0, |context| operator(128).cross(&mut child, second, context));
            child
        };
        let mut turned = second.clone();
        turned[hidden.weights.clone()].rotate_left(hidden.inputs);
        turned[hidden.biases.clone()].rotate_left(1);
        assert_eq!(child(&first, &second), child(&first, &turned));
        // Both have all units of the first: the child has each once, and not its outputs, which were not solved.
        let mut same = first.clone();
        *same.last_mut().unwrap() += 1.0;
        let mut units_of = units(&fixture.network, &child(&first, &same));
        let mut wanted = units(&fixture.network, &first);
        units_of.sort();
        wanted.sort();
        assert_eq!(units_of, wanted);
    }

    #[test]
    fn everything_is_charged_and_equal_parents_cost_nothing() {
        let fixture = Fixture::with(&[(6, Activation::Tanh)]);
        let mut child = fixture.genome(0);
        let cost = fixture.vary(0, |context| operator(16).cross(&mut child, &fixture.genome(1), context));
        // 12 units of 4 inputs on 16 of 40 rows; 6 of them and 3 outputs on all.
        let (m, h, d, k) = (12, 6, 4, 3);
        let products = |rows: u64, columns: u64| rows * (columns * (columns + 1) / 2 + columns * k);
        let choice = m * (0..h).sum::<u64>() + m * h * (2 * k + 1);
        let expected = Cost {
            forward: 16 * m * d + 40 * d * h + 40 * (d * h + h * k) + 5 * 40 * k * k,
            linear_algebra: products(16, m) + choice + products(40, h) + h * h * h / 6 + h * h * k,
            ..Cost::ZERO
        };
        assert_eq!(cost, expected);
        assert_eq!(operator(16).cost(&fixture.network, &fixture.rows), expected, "the plan knows");
        let mut copy = fixture.genome(1);
        assert_eq!(fixture.vary(0, |context| operator(16).cross(&mut copy, &fixture.genome(1), context)), Cost::ZERO);
    }

    #[test]
    fn other_networks_are_refused_with_the_way_out() {
        for hidden in [&[][..], &[(3, Activation::Tanh), (2, Activation::Tanh)], &[(3000, Activation::Tanh)]] {
            let refused = operator(16).fits(&Fixture::with(hidden).network).unwrap_err();
            assert_eq!(refused.code(), "P0120");
            assert!(!refused.problems()[0].helps.is_empty());
        }
        assert!(operator(16).fits(&Fixture::with(&[(2048, Activation::Tanh)]).network).is_ok());
    }
}
