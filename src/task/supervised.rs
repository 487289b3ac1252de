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

/// How classes become numbers for the output units, and between which numbers inputs stay that are targets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Encoding {
    /// Output units: one per class, or one for two classes; one per value or input.
    pub units: usize,
    /// Target of a unit whose class it is not; smallest target of inputs.
    pub off: f32,
    /// Target of the unit whose class it is; largest target of inputs.
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
    /// Scaling of targets that are values or inputs, fitted on training rows.
    pub target_scaler: Option<Scaler>,
}

/// How the data of one replicate is divided and scaled: all of [`Prepared`] but the packed rows.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Which row of the data set is where.
    pub parts: Parts,
    /// Scaling of the inputs, fitted on training rows.
    pub input_scaler: Scaler,
    /// Scaling of targets that are values or inputs, fitted on training rows.
    pub target_scaler: Option<Scaler>,
}

impl Layout {
    /// Splits `dataset` for the replicate of this seed and fits the scaling. Takes memory for the parts alone.
    ///
    /// # Errors
    /// A split or scaling that the data cannot serve.
    pub fn new(dataset: &Dataset, split: &Split, scaling: Scaling, seed: u64) -> Result<Layout> {
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
            Targets::Inputs { .. } => Some(input_scaler.clone()),
        };
        Ok(Layout { parts, input_scaler, target_scaler })
    }

    /// The same with at most the first `most` rows of each part: what speed is measured on.
    pub fn first(mut self, most: usize) -> Layout {
        for part in [&mut self.parts.training, &mut self.parts.validation, &mut self.parts.test] {
            part.truncate(most);
            part.shrink_to_fit();
        }
        self
    }

    /// Rows of the right number and shape that hold zeros and take no memory, for what counts rows and reads none.
    pub fn blank(&self, dataset: &Dataset, encoding: Encoding) -> Supervised {
        let outputs = self.target_scaler.as_ref().map_or(encoding.units, Scaler::columns);
        let blank = |rows: &[usize]| Rows::with_shape(rows.len(), dataset.features(), outputs);
        let validation = &self.parts.validation;
        Supervised {
            training: blank(&self.parts.training),
            validation: (!validation.is_empty()).then(|| blank(validation)),
        }
    }

    /// Scales and packs the rows of `dataset`, which must be the one that was divided.
    pub fn pack(self, dataset: &Dataset, encoding: Encoding) -> Prepared {
        let Layout { parts, input_scaler, target_scaler } = self;
        let pack = |rows: &[usize]| pack(dataset, rows, &input_scaler, target_scaler.as_ref(), encoding);
        Prepared {
            supervised: Supervised {
                training: pack(&parts.training).expect("a split keeps training rows"),
                validation: pack(&parts.validation),
            },
            holdout: Holdout { test: pack(&parts.test) },
            input_scaler,
            target_scaler,
            parts,
        }
    }
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
    let outputs = targets.map_or(encoding.units, Scaler::columns);
    Some(Rows::filled(rows.len(), dataset.features(), outputs, |place, x, y| {
        let row = rows[place];
        inputs.transform(dataset.inputs.row(row), x);
        match (&dataset.targets, targets) {
            // Rows that did not train may lie beyond the range of those that did.
            (Targets::Inputs { .. }, _) => {
                x.iter().zip(y).for_each(|(x, y)| *y = x.clamp(encoding.off, encoding.on));
            }
            (Targets::Values { values, .. }, Some(scaler)) => scaler.transform(values.row(row), y),
            (Targets::Classes { labels, .. }, _) => encoding.encode(labels[row], y),
            (Targets::Values { .. }, None) => unreachable!("values come with a scaler"),
        }
    }))
}

/// Rows of inputs without targets, scaled as in training: for predictions.
pub fn pack_inputs(inputs: &Array2<f64>, scaler: &Scaler, outputs: usize) -> Rows {
    Rows::filled(inputs.nrows(), inputs.ncols(), outputs, |row, x, _| scaler.transform(inputs.row(row), x))
}
