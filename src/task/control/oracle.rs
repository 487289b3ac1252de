//! Steps of another implementation, held against ours.

use super::{Dynamics, Environment, Episodes};

/// Holds every line of a table (state, action, next state, observation, reward, end) against the environment, all of
/// them side by side; `outputs` gives the network's outputs that mean an action.
pub(super) fn check<D: Dynamics, const N: usize>(
    environment: &D,
    table: &str,
    full: impl Fn(&[f64]) -> Vec<f64>,
    outputs: fn(f64) -> [f32; N],
) {
    let about = Environment::about(environment);
    let parse = |line: &str| line.split(',').map(|number| number.parse().unwrap()).collect::<Vec<f64>>();
    let lines: Vec<Vec<f64>> = table.lines().filter(|line| !line.starts_with('#')).map(parse).collect();
    assert!(lines.len() >= 200);
    let (variables, inputs) = (about.state.len(), about.observations.len());
    let starts: Vec<Vec<f64>> = lines.iter().map(|line| full(&line[..variables])).collect();
    let mut episodes = Episodes::default();
    episodes.begin(lines.len(), inputs, about.actions.len(), |lane| &starts[lane]);
    let lanes = episodes.lanes();
    for (lane, line) in lines.iter().enumerate() {
        for (output, value) in outputs(line[variables]).iter().enumerate() {
            episodes.actions[output * lanes + lane] = *value;
        }
    }
    Environment::step(environment, &mut episodes);
    for (lane, line) in lines.iter().enumerate() {
        let close = |found: f64, expected: f64, what: &str| {
            let near = (found - expected).abs() <= 1e-6 * expected.abs().max(1.0);
            assert!(near, "line {lane}, {what}: {found}, expected {expected}: {line:?}");
        };
        let expected = &line[variables + 1..];
        for (variable, expected) in expected[..variables].iter().enumerate() {
            close(episodes.state(lane, variable), *expected, about.state[variable]);
        }
        for (input, expected) in expected[variables..variables + inputs].iter().enumerate() {
            close(f64::from(episodes.observations[input * lanes + lane]), *expected, about.observations[input]);
        }
        close(episodes.total(lane), expected[variables + inputs], "reward");
        close(f64::from(u8::from(!episodes.runs(lane))), expected[variables + inputs + 1], "end");
    }
}

/// A choice as the outputs that name it.
pub(super) fn one_hot<const N: usize>(choice: f64) -> [f32; N] {
    std::array::from_fn(|output| if output == choice as usize { 1.0 } else { 0.0 })
}

/// A number as the one output.
pub(super) fn as_is(action: f64) -> [f32; 1] {
    [action as f32]
}
