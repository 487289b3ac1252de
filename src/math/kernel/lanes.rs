//! Networks of one shape with their weights in lanes: sixteen networks a vector, each with an input row of its own.
//!
//! What a generation needs whose individuals each act in a world of their own. Sums run over the inputs in serial order
//! with fused multiply-add and begin at the threshold, as in `dense`: the bits are those of one network after another.

use super::AlignedBuffer;
use super::activate::activate;
use super::dense::Dense;
use super::product::next_block;
use super::simd::{Kernel, LANES, Simd, dispatch};

/// Networks of one shape, a lane each.
#[derive(Clone, Debug, Default)]
pub struct NetLanes {
    lanes: usize,
    parameters: usize,
    /// `[vectors × parameters × 16]`.
    weights: AlignedBuffer,
    /// Activations of the layer before and of the layer at hand, `[vectors × units × 16]`.
    values: [AlignedBuffer; 2],
}

impl NetLanes {
    /// Takes over `count` networks of `parameters` numbers each; `genome` gives those of a lane. Allocates only to grow.
    ///
    /// Lanes are filled up to a multiple of 16 with copies of the last network.
    ///
    /// # Panics
    /// If there is no network, or one is of another length.
    pub fn load<'a>(&mut self, parameters: usize, count: usize, genome: impl Fn(usize) -> &'a [f32]) {
        assert!(count > 0, "no network to load");
        self.lanes = count.next_multiple_of(LANES);
        self.parameters = parameters;
        self.weights.reset(self.lanes * parameters);
        for lane in 0..self.lanes {
            let genome = genome(lane.min(count - 1));
            assert_eq!(genome.len(), parameters, "networks of one shape");
            let first = lane / LANES * parameters * LANES + lane % LANES;
            for (to, from) in self.weights[first..].iter_mut().step_by(LANES).zip(genome) {
                *to = *from;
            }
        }
    }

    /// Lanes: the number of networks, rounded up to a multiple of 16.
    pub fn lanes(&self) -> usize {
        self.lanes
    }

    /// Outputs `[outputs × lanes]` of all networks for `inputs` `[inputs × lanes]`.
    ///
    /// The activation of the last layer is applied, a softmax or logistic that belongs to a loss is not.
    ///
    /// # Panics
    /// If a length does not fit, or the layers are not those of the parameters.
    pub fn forward(&mut self, layers: &[Dense], inputs: &[f32], outputs: &mut [f32]) {
        let last = &layers[layers.len() - 1];
        assert_eq!((inputs.len(), outputs.len()), (layers[0].inputs * self.lanes, last.outputs * self.lanes));
        assert_eq!(last.biases.end, self.parameters, "networks of one shape");
        for pair in layers.windows(2) {
            assert_eq!(pair[0].outputs, pair[1].inputs);
        }
        for layer in layers {
            assert_eq!((layer.weights.len(), layer.biases.len()), (layer.inputs * layer.outputs, layer.outputs));
            assert!(layer.weights.end <= self.parameters && layer.biases.end <= self.parameters);
        }
        let widest = layers.iter().map(|layer| layer.outputs).max().unwrap_or(0) * self.lanes;
        for values in &mut self.values {
            if values.len() < widest {
                values.reset(widest);
            }
        }
        dispatch(Forward { nets: self, layers, inputs, outputs });
    }
}

struct Forward<'a> {
    nets: &'a mut NetLanes,
    layers: &'a [Dense],
    inputs: &'a [f32],
    outputs: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Forward { nets, layers, inputs, outputs } = self;
        let NetLanes { lanes, parameters, ref weights, ref mut values } = *nets;
        let [before, after] = values;
        let (mut before, mut after) = (before.as_mut_ptr(), after.as_mut_ptr());
        // SAFETY: `forward` has checked every length that the pointers below run over.
        unsafe {
            let vectors = lanes / LANES;
            for (index, layer) in layers.iter().enumerate() {
                for vector in 0..vectors {
                    let weights = weights.as_ptr().add(vector * parameters * LANES);
                    let hidden = before.cast_const().add(vector * layer.inputs * LANES);
                    let (x, stride) =
                        if index == 0 { (inputs.as_ptr().add(vector * LANES), lanes) } else { (hidden, LANES) };
                    let sums = Sums {
                        x,
                        stride,
                        inputs: layer.inputs,
                        outputs: layer.outputs,
                        weights: weights.add(layer.weights.start * LANES),
                        biases: weights.add(layer.biases.start * LANES),
                        out: after.add(vector * layer.outputs * LANES),
                    };
                    sums.run::<S>();
                }
                // All vectors at once: one activation waits for itself, many fill the time.
                activate::<S>(layer.activation, after, None, layer.outputs * vectors);
                std::mem::swap(&mut before, &mut after);
            }
            let count = layers[layers.len() - 1].outputs;
            for vector in 0..vectors {
                for output in 0..count {
                    let from = before.add((vector * count + output) * LANES);
                    S::store(outputs.as_mut_ptr().add(output * lanes + vector * LANES), S::load(from));
                }
            }
        }
    }
}

/// out[o] = bias[o] + Σ_i weights[o · inputs + i] · x[i · stride], in the order of i; each index means a vector.
#[derive(Clone, Copy)]
struct Sums {
    x: *const f32,
    stride: usize,
    inputs: usize,
    outputs: usize,
    weights: *const f32,
    biases: *const f32,
    out: *mut f32,
}

impl Sums {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let mut first = 0;
        while first < self.outputs {
            let left = self.outputs - first;
            let block = next_block(left, S::BLOCK);
            unsafe {
                match block {
                    8 => self.block::<S, 8>(first),
                    7 => self.block::<S, 7>(first),
                    6 => self.block::<S, 6>(first),
                    5 => self.block::<S, 5>(first),
                    4 => self.block::<S, 4>(first),
                    3 => self.block::<S, 3>(first),
                    2 => self.block::<S, 2>(first),
                    _ => self.block::<S, 1>(first),
                }
            }
            first += block;
        }
    }

    #[inline(always)]
    unsafe fn block<S: Simd, const J: usize>(self, first: usize) {
        unsafe {
            let mut sums = [S::splat(0.0); J];
            for j in 0..J {
                sums[j] = S::load(self.biases.add((first + j) * LANES));
            }
            let weights = self.weights.add(first * self.inputs * LANES);
            for i in 0..self.inputs {
                let x = S::load(self.x.add(i * self.stride));
                for j in 0..J {
                    sums[j] = S::fma(S::load(weights.add((j * self.inputs + i) * LANES)), x, sums[j]);
                }
            }
            for j in 0..J {
                S::store(self.out.add((first + j) * LANES), sums[j]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::simd::{Isa, dispatch_on};
    use super::*;
    use crate::math::activation::Activation;

    fn numbers(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }

    fn layers(shape: &[usize], activation: Activation) -> Vec<Dense> {
        let mut start = 0;
        let layer = |pair: &[usize]| {
            let (weights, biases) = (pair[0] * pair[1], pair[1]);
            let from = start;
            start += weights + biases;
            let (weights, biases) = (from..from + weights, from + weights..start);
            Dense { inputs: pair[0], outputs: pair[1], activation, weights, biases }
        };
        shape.windows(2).map(layer).collect()
    }

    #[test]
    fn every_instruction_set_gives_the_bits_of_plain_sums() {
        for shape in [&[5, 10, 1][..], &[3, 17, 4, 9], &[1, 1], &[2, 8, 7, 6, 5, 3]] {
            let layers = layers(shape, Activation::LeakyRelu { slope: crate::values::NonNegative::new(0.25).unwrap() });
            let parameters = layers[layers.len() - 1].biases.end;
            let (genomes, count) = (numbers(parameters * 35, 7), 35);
            let mut nets = NetLanes::default();
            nets.load(parameters, count, |lane| &genomes[lane * parameters..(lane + 1) * parameters]);
            let (first, last) = (shape[0], shape[shape.len() - 1]);
            let lanes = nets.lanes();
            assert_eq!(lanes, 48);
            let inputs = numbers(first * lanes, 3);
            let mut outputs = vec![0.0; last * lanes];
            nets.forward(&layers, &inputs, &mut outputs);
            for lane in 0..lanes {
                let genome = &genomes[lane.min(count - 1) * parameters..];
                let mut x: Vec<f32> = (0..first).map(|input| inputs[input * lanes + lane]).collect();
                for layer in &layers {
                    let sum = |unit: usize| {
                        let row = &genome[layer.weights.start + unit * layer.inputs..][..layer.inputs];
                        row.iter().zip(&x).fold(genome[layer.biases.start + unit], |sum, (w, x)| w.mul_add(*x, sum))
                    };
                    x = (0..layer.outputs).map(sum).map(|sum| if sum > 0.0 { sum } else { sum * 0.25 }).collect();
                }
                for (output, expected) in x.iter().enumerate() {
                    assert_eq!(outputs[output * lanes + lane].to_bits(), expected.to_bits(), "{shape:?} lane {lane}");
                }
            }
            for isa in Isa::available() {
                let mut again = vec![0.0; outputs.len()];
                dispatch_on(isa, Forward { nets: &mut nets, layers: &layers, inputs: &inputs, outputs: &mut again });
                assert_eq!(again, outputs, "{isa:?}");
            }
        }
    }
}
