//! A data set made ready for one replicate: split, scaled, packed.

use crate::error::Result;
use crate::math::Rows;
use crate::task::{Dataset, Parts, Scaler, Scaling, Split, Targets};
use ndarray::Array2;

/// Training rows and, where there are any, validation rows. Test rows are nowhere near.
#[derive(Clone, Debug)]
pub struct Supervised {
    /// Rows that gradients and fitness look at.
    pub training: Rows,
    /// Rows that stopping and the choice of deployed weights look at.
    pub validation: Option<Rows>,
}

/// Test rows: looked at once, when everything is decided.
#[derive(Clone, Debug)]
pub struct Holdout {
    /// The rows; `None` where the split keeps none.
    pub test: Option<Rows>,
}

/// How classes become numbers for the output units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Encoding {
    /// Output units: one per class, or one for two classes.
    pub units: usize,
    /// Target of a unit whose class it is not.
    pub off: f32,
    /// Target of the unit whose class it is.
    pub on: f32,
}

impl Encoding {
    /// Targets of a row of class `label`, written to `out` `[units]`.
    pub fn encode(&self, label: u32, out: &mut [f32]) {
        if self.units == 1 {
            out[0] = if label == 1 { self.on } else { self.off };
        } else {
            out.fill(self.off);
            out[label as usize] = self.on;
        }
    }

    /// The class that `outputs` `[units]` speak for; of equals, the first.
    pub fn decode(&self, outputs: &[f32]) -> usize {
        if self.units == 1 {
            return usize::from(outputs[0] > (self.off + self.on) / 2.0);
        }
        let mut best = 0;
        for (class, output) in outputs.iter().enumerate() {
            if *output > outputs[best] {
                best = class;
            }
        }
        best
    }
}

/// One replicate's data.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// What search and training see.
    pub supervised: Supervised,
    /// What only the end of a run sees.
    pub holdout: Holdout,
    /// Which row of the data set is where.
    pub parts: Parts,
    /// Scaling of the inputs, fitted on training rows.
    pub input_scaler: Scaler,
    /// Scaling of regression targets, fitted on training rows.
    pub target_scaler: Option<Scaler>,
}

/// Splits and scales `dataset` for the replicate of this seed. `encoding` says how classes become numbers.
///
/// # Errors
/// A split or scaling that the data cannot serve.
pub fn prepare(dataset: &Dataset, split: &Split, scaling: Scaling, encoding: Encoding, seed: u64) -> Result<Prepared> {
    let parts = split.assign(dataset, seed)?;
    let input_scaler = Scaler::fit(scaling, dataset.inputs.view(), &parts.training, dataset.impute.as_ref())?;
    input_scaler.check(dataset.inputs.view(), &dataset.input_names)?;
    let target_scaler = match &dataset.targets {
        Targets::Classes { .. } => None,
        Targets::Values { values, names } => {
            let scaler = Scaler::fit(scaling, values.view(), &parts.training, None)?;
            scaler.check(values.view(), names)?;
            Some(scaler)
        }
    };
    let pack = |rows: &[usize]| pack(dataset, rows, &input_scaler, target_scaler.as_ref(), encoding);
    Ok(Prepared {
        supervised: Supervised {
            training: pack(&parts.training).expect("a split keeps training rows"),
            validation: pack(&parts.validation),
        },
        holdout: Holdout { test: pack(&parts.test) },
        input_scaler: input_scaler.clone(),
        target_scaler: target_scaler.clone(),
        parts,
    })
}

fn pack(
    dataset: &Dataset,
    rows: &[usize],
    inputs: &Scaler,
    targets: Option<&Scaler>,
    encoding: Encoding,
) -> Option<Rows> {
    if rows.is_empty() {
        return None;
    }
    let features = dataset.features();
    let outputs = targets.map_or(encoding.units, Scaler::columns);
    let mut x = vec![0.0; rows.len() * features];
    let mut y = vec![0.0; rows.len() * outputs];
    for ((&row, x), y) in rows.iter().zip(x.chunks_exact_mut(features)).zip(y.chunks_exact_mut(outputs)) {
        inputs.transform(dataset.inputs.row(row), x);
        match (&dataset.targets, targets) {
            (Targets::Values { values, .. }, Some(scaler)) => scaler.transform(values.row(row), y),
            (Targets::Classes { labels, .. }, _) => encoding.encode(labels[row], y),
            (Targets::Values { .. }, None) => unreachable!("values come with a scaler"),
        }
    }
    Some(Rows::new(&x, &y, features, outputs))
}

/// Rows of inputs without targets, scaled as in training: for predictions.
pub fn pack_inputs(inputs: &Array2<f64>, scaler: &Scaler, outputs: usize) -> Rows {
    let features = inputs.ncols();
    let mut x = vec![0.0; inputs.nrows() * features];
    for (row, x) in inputs.rows().into_iter().zip(x.chunks_exact_mut(features)) {
        scaler.transform(row, x);
    }
    Rows::new(&x, &vec![0.0; inputs.nrows() * outputs], features, outputs)
}
