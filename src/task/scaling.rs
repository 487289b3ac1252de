//! Bringing columns to a common size, as the training rows tell.

use super::{Imputation, Statistic, file};
use crate::error::{Error, Result};
use crate::values::Finite;
use ndarray::{ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

/// Largest input that is understood; beyond it even a mean could overflow.
const LARGEST_INPUT: f64 = 1e300;

/// Largest scaled number: its square is still finite in single precision.
const LARGEST_SCALED: f64 = 1e18;

/// How columns are scaled. Whatever it is, it learns from training rows alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Scaling {
    /// Numbers stay as they are.
    None,
    /// Mean 0, standard deviation 1 (division by n).
    #[default]
    Standardize,
    /// Smallest and largest training value go to the ends of an interval.
    MinMax(MinMax),
}

/// The interval of [`Scaling::MinMax`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MinMax {
    /// Where the smallest training value goes; default −1.
    pub low: Finite,
    /// Where the largest training value goes, above `low`; default 1.
    pub high: Finite,
}

impl Default for MinMax {
    fn default() -> MinMax {
        let [low, high] = [-1.0, 1.0].map(|x| Finite::new(x).expect("a finite number"));
        MinMax { low, high }
    }
}

/// A fitted scaling: per column x ↦ (x − centre) / spread + middle, after missing cells are filled.
///
/// A column that is constant over the training rows has spread 0 and always becomes `middle`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parameters", into = "Parameters")]
pub struct Scaler(Parameters);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    centre: Vec<f64>,
    spread: Vec<f64>,
    middle: f64,
    /// What fills missing cells; empty where none may be missing.
    fill: Vec<f64>,
}

impl Scaler {
    /// Learns from the rows `rows` of `inputs` `[rows × columns]`, and from no other.
    ///
    /// # Errors
    /// `P0121` for an empty interval, `P0204` for a column without any number in these rows, `P0205` for numbers beyond
    /// 10³⁰⁰. Columns are numbered from 1; [`check`](Scaler::check) knows their names.
    pub fn fit(
        scaling: Scaling,
        inputs: ArrayView2<f64>,
        rows: &[usize],
        imputation: Option<&Imputation>,
    ) -> Result<Scaler> {
        let columns = inputs.ncols();
        let mut fill = Vec::new();
        if let Some(imputation) = imputation {
            fill = learn_fill(inputs, rows, imputation)?;
        }
        let (width, middle) = match scaling {
            Scaling::None | Scaling::Standardize => (1.0, 0.0),
            Scaling::MinMax(interval) => {
                let (low, high) = (interval.low.get(), interval.high.get());
                let width = high / 2.0 - low / 2.0;
                if !(width > 0.0 && low.abs().max(high.abs()) <= LARGEST_SCALED) {
                    let message = format!("`low` must be below `high`, and both within ±{LARGEST_SCALED:e}");
                    return Err(Error::experiment("P0121", format!("{message}, found {low} and {high}")));
                }
                (width, low / 2.0 + high / 2.0)
            }
        };
        let (mut centre, mut spread) = (vec![0.0; columns], vec![1.0; columns]);
        for column in 0..columns {
            let numbers = rows.iter().map(|&row| {
                let x = inputs[[row, column]];
                if x.is_nan() { fill.get(column).copied().unwrap_or(x) } else { x }
            });
            if let Some(x) = numbers.clone().find(|x| x.is_nan() || x.abs() > LARGEST_INPUT) {
                return Err(too_extreme(&format!("column {}", column + 1), x));
            }
            (centre[column], spread[column]) = match scaling {
                Scaling::None => (0.0, 1.0),
                Scaling::Standardize => mean_and_deviation(numbers),
                Scaling::MinMax(_) => middle_and_half_range(numbers, width),
            };
        }
        Ok(Scaler(Parameters { centre, spread, middle, fill }))
    }

    /// A scaling that somebody else fitted: `centre` and `spread` `[columns]`, `middle` for all columns, and what fills
    /// missing cells, `[columns]`, or nothing.
    ///
    /// # Errors
    /// `P0302` for lists of other lengths, numbers that are not finite, or a spread below 0.
    pub fn given(centre: Vec<f64>, spread: Vec<f64>, middle: f64, fill: Vec<f64>) -> Result<Scaler> {
        Scaler::try_from(Parameters { centre, spread, middle, fill })
            .map_err(|message| Error::data("P0302", message).help("write the file again where it came from"))
    }

    /// The scaling that leaves so many columns as they are.
    pub fn identity(columns: usize) -> Scaler {
        Scaler(Parameters { centre: vec![0.0; columns], spread: vec![1.0; columns], middle: 0.0, fill: Vec::new() })
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.0.centre.len()
    }

    /// Whether missing cells (NaN) are filled with what the training rows told.
    pub fn fills_missing(&self) -> bool {
        !self.0.fill.is_empty()
    }

    /// What is taken off each column, `[columns]`.
    pub fn centre(&self) -> &[f64] {
        &self.0.centre
    }

    /// What each column is divided by, `[columns]`; 0 for a constant one, which becomes the middle.
    pub fn spread(&self) -> &[f64] {
        &self.0.spread
    }

    /// What is added at last, to all columns alike.
    pub fn middle(&self) -> f64 {
        self.0.middle
    }

    /// What fills missing cells, `[columns]`; empty where none may be missing.
    pub fn fill(&self) -> &[f64] {
        &self.0.fill
    }

    /// Scales one row into `out`, both `[columns]`. Finite whatever `row` holds, NaN being filled:
    /// numbers that would not fit single precision stop at ±10¹⁸.
    ///
    /// # Panics
    /// If `row` or `out` has not as many columns as the scaler.
    pub fn transform(&self, row: ArrayView1<f64>, out: &mut [f32]) {
        assert!(row.len() == self.columns() && out.len() == self.columns(), "one number for each column");
        for (column, (x, out)) in row.iter().zip(out).enumerate() {
            *out = self.scaled(column, *x).clamp(-LARGEST_SCALED, LARGEST_SCALED) as f32;
        }
    }

    /// Puts a scaled row back into the units of the data: the inverse of [`transform`](Scaler::transform), except that a
    /// constant column becomes its constant.
    ///
    /// # Panics
    /// If `row` or `out` has not as many columns as the scaler.
    pub fn inverse(&self, row: &[f32], out: &mut [f64]) {
        assert!(row.len() == self.columns() && out.len() == self.columns(), "one number for each column");
        let Parameters { centre, spread, middle, .. } = &self.0;
        for (column, (y, out)) in row.iter().zip(out).enumerate() {
            *out = (f64::from(*y) - middle).mul_add(spread[column], centre[column]);
        }
    }

    /// Whether every row of `inputs` `[rows × columns]` can be scaled, test rows too; `names` `[columns]` are for messages.
    ///
    /// # Errors
    /// `P0205` for a number that is far too large once it is scaled, or without scaling, for single precision.
    pub fn check(&self, inputs: ArrayView2<f64>, names: &[String]) -> Result<()> {
        for (number, row) in inputs.rows().into_iter().enumerate() {
            for (column, x) in row.iter().enumerate() {
                if x.abs() > LARGEST_INPUT || self.scaled(column, *x).abs() > LARGEST_SCALED {
                    let name = file::shown(names.get(column).map_or("", String::as_str));
                    return Err(too_extreme(&format!("row {}, column \"{name}\"", number + 1), *x));
                }
            }
        }
        Ok(())
    }

    fn scaled(&self, column: usize, x: f64) -> f64 {
        let Parameters { centre, spread, middle, fill } = &self.0;
        let x = if x.is_nan() { fill.get(column).copied().unwrap_or(centre[column]) } else { x };
        if spread[column] == 0.0 { *middle } else { (x - centre[column]) / spread[column] + middle }
    }
}

impl From<Scaler> for Parameters {
    fn from(scaler: Scaler) -> Parameters {
        scaler.0
    }
}

impl TryFrom<Parameters> for Scaler {
    type Error = String;
    fn try_from(parameters: Parameters) -> std::result::Result<Scaler, String> {
        let Parameters { centre, spread, middle, fill } = &parameters;
        let finite = centre.iter().chain(spread).chain(fill).chain([middle]).all(|x| x.is_finite());
        if centre.len() != spread.len() || !(fill.is_empty() || fill.len() == centre.len()) {
            Err("a scaler needs as many centres as spreads, and as many fills or none".into())
        } else if !finite || spread.iter().any(|spread| *spread < 0.0) {
            Err("a scaler holds finite numbers, and no negative spread".into())
        } else {
            Ok(Scaler(parameters))
        }
    }
}

fn mean_and_deviation(numbers: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    // In units of the largest number nothing overflows, and a constant column is exactly ±1.
    let unit = numbers.clone().fold(0.0, |largest: f64, x| largest.max(x.abs()));
    if unit == 0.0 {
        return (0.0, 0.0);
    }
    let count = numbers.clone().count() as f64;
    let mean = numbers.clone().map(|x| x / unit).sum::<f64>() / count;
    let variance = numbers.map(|x| (x / unit - mean) * (x / unit - mean)).sum::<f64>() / count;
    (mean * unit, variance.sqrt() * unit)
}

fn middle_and_half_range(numbers: impl Iterator<Item = f64>, width: f64) -> (f64, f64) {
    let ends =
        numbers.fold(None, |ends: Option<(f64, f64)>, x| Some(ends.map_or((x, x), |e| (e.0.min(x), e.1.max(x)))));
    let (low, high) = ends.unwrap_or_default();
    (low / 2.0 + high / 2.0, (high / 2.0 - low / 2.0) / width)
}

/// What fills each column.
fn learn_fill(inputs: ArrayView2<f64>, rows: &[usize], imputation: &Imputation) -> Result<Vec<f64>> {
    let present = |column: usize| -> Result<Vec<f64>> {
        let numbers: Vec<f64> = rows.iter().map(|&row| inputs[[row, column]]).filter(|x| !x.is_nan()).collect();
        if numbers.is_empty() {
            let message = format!("column {} has no number in the {} training rows", column + 1, rows.len());
            return Err(Error::data("P0204", message).help("drop the column, or choose `missing: DropRows`"));
        }
        Ok(numbers)
    };
    let mut fill = vec![0.0; inputs.ncols()];
    for group in &imputation.groups {
        // Ones are countable; of equally common categories the first is taken.
        let mut commonest = (group.start, -1.0);
        for column in group.clone() {
            let count = present(column)?.iter().sum::<f64>();
            if count > commonest.1 {
                commonest = (column, count);
            }
        }
        fill[commonest.0] = 1.0;
    }
    for (column, fill) in fill.iter_mut().enumerate() {
        if !imputation.groups.iter().any(|group| group.contains(&column)) {
            let mut numbers = present(column)?;
            numbers.sort_by(f64::total_cmp);
            *fill = match imputation.with {
                Statistic::Median => numbers[(numbers.len() - 1) / 2] / 2.0 + numbers[numbers.len() / 2] / 2.0,
                Statistic::Mean => mean_and_deviation(numbers.into_iter()).0,
                Statistic::MostFrequent => most_frequent(&numbers),
            };
        }
    }
    Ok(fill)
}

fn most_frequent(sorted: &[f64]) -> f64 {
    let mut best = (sorted[0], 0);
    for run in sorted.chunk_by(|a, b| a == b) {
        if run.len() > best.1 {
            best = (run[0], run.len());
        }
    }
    best.0
}

fn too_extreme(place: &str, x: f64) -> Error {
    let error = Error::data("P0205", format!("{place} holds {x:e}, too large to compute with"))
        .note(format!("numbers may reach {LARGEST_INPUT:e}, and {LARGEST_SCALED:e} once they are scaled"));
    error.help("use another unit for this column, drop it, or choose `scaling: Standardize`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};
    use proptest::prelude::*;

    fn fitted(scaling: Scaling, column: &[f64]) -> Vec<f32> {
        let inputs = Array2::from_shape_vec((column.len(), 1), column.to_vec()).unwrap();
        let rows: Vec<usize> = (0..column.len()).collect();
        let scaler = Scaler::fit(scaling, inputs.view(), &rows, None).unwrap();
        let mut out = [0.0];
        let scaled = |row: ndarray::ArrayView1<f64>| {
            scaler.transform(row, &mut out);
            out[0]
        };
        inputs.rows().into_iter().map(scaled).collect()
    }

    fn min_max(low: f64, high: f64) -> Scaling {
        Scaling::MinMax(MinMax { low: Finite::new(low).unwrap(), high: Finite::new(high).unwrap() })
    }

    #[test]
    fn columns_agree_with_scikit_learn() {
        // sklearn 1.9.1: StandardScaler().fit_transform, MinMaxScaler(feature_range=(-1, 1)).fit_transform.
        let column = [1.0, 2.0, 4.0, 8.0];
        let scaled = fitted(Scaling::Standardize, &column);
        let oracle = [-1.025_755_3, -0.652_753_4, 0.093_250_48, 1.585_258_2];
        assert!(scaled.iter().zip(oracle).all(|(a, b)| (a - b).abs() < 1e-6), "{scaled:?}");
        let scaled = fitted(min_max(-1.0, 1.0), &column);
        assert!(scaled.iter().zip([-1.0, -0.714_285_7, -0.142_857_13, 1.0]).all(|(a, b)| (a - b).abs() < 1e-6));
        assert_eq!(fitted(min_max(0.0, 10.0), &column)[3], 10.0);
        assert_eq!(fitted(Scaling::None, &column), [1.0, 2.0, 4.0, 8.0]);
    }

    #[test]
    fn extreme_columns_stay_finite_or_are_refused() {
        for column in [[1e300, -1e300], [1e-300, 2e-300], [5e-324, 0.0], [1e300, 0.0], [1e300, 1e-300], [0.1, 0.1]] {
            for scaling in [Scaling::Standardize, min_max(-1.0, 1.0)] {
                let scaled = fitted(scaling, &column);
                assert!(scaled.iter().all(|y| y.abs() <= 1.001), "{column:?} {scaled:?}");
            }
        }
        assert_eq!(fitted(Scaling::Standardize, &[0.1; 7]), [0.0; 7]);
        assert_eq!(fitted(min_max(0.0, 4.0), &[0.1; 7]), [2.0; 7]);
        let wide = array![[1e300], [1.0]];
        let scaler = Scaler::fit(Scaling::None, wide.view(), &[0, 1], None).unwrap();
        let error = scaler.check(wide.view(), &["mass".into()]).unwrap_err();
        assert_eq!(error.code(), "P0205");
        assert!(error.to_string().contains("row 1, column \"mass\" holds 1e300"), "{error}");
        // A test row far outside what training saw.
        let narrow = array![[1e-300], [2e-300], [1e300]];
        let scaler = Scaler::fit(Scaling::Standardize, narrow.view(), &[0, 1], None).unwrap();
        assert_eq!(scaler.check(narrow.view(), &["mass".into()]).unwrap_err().code(), "P0205");
        let mut out = [0.0];
        scaler.transform(narrow.row(2), &mut out);
        assert_eq!(out, [1e18]);
        for hopeless in [f64::MAX, f64::INFINITY, f64::NAN] {
            let column = array![[hopeless], [1.0]];
            let error = Scaler::fit(Scaling::Standardize, column.view(), &[0, 1], None).unwrap_err();
            assert_eq!(error.code(), "P0205");
        }
    }

    #[test]
    fn test_rows_teach_nothing() {
        let mut inputs = array![[1.0, 0.5], [2.0, f64::NAN], [3.0, 1.5], [9.0, 9.0]];
        let imputation = Imputation { with: Statistic::Mean, groups: Vec::new() };
        for scaling in [Scaling::None, Scaling::Standardize, min_max(-1.0, 1.0)] {
            let before = Scaler::fit(scaling, inputs.view(), &[0, 1, 2], Some(&imputation)).unwrap();
            inputs.row_mut(3).fill(-1e200);
            assert_eq!(Scaler::fit(scaling, inputs.view(), &[0, 1, 2], Some(&imputation)).unwrap(), before);
        }
    }

    #[test]
    fn missing_cells_are_filled_from_training_rows() {
        let nan = f64::NAN;
        // Columns 1 and 2 are one category.
        let inputs = array![[1.0, 1.0, 0.0], [1.0, 0.0, 1.0], [4.0, 0.0, 1.0], [10.0, nan, nan], [nan, 1.0, 0.0]];
        let fill = |with, rows: &[usize]| {
            let imputation = Imputation { with, groups: std::iter::once(1..3).collect() };
            let scaler = Scaler::fit(Scaling::None, inputs.view(), rows, Some(&imputation)).unwrap();
            let mut out = [0.0; 3];
            scaler.transform(array![nan, nan, nan].view(), &mut out);
            out
        };
        assert_eq!(fill(Statistic::Median, &[0, 1, 2, 3, 4]), [2.5, 1.0, 0.0]);
        assert_eq!(fill(Statistic::Mean, &[0, 1, 2, 3]), [4.0, 0.0, 1.0]);
        assert_eq!(fill(Statistic::MostFrequent, &[0, 1, 2, 3]), [1.0, 0.0, 1.0]);
        let imputation = Imputation { with: Statistic::Mean, groups: Vec::new() };
        let error = Scaler::fit(Scaling::None, inputs.view(), &[4], Some(&imputation)).unwrap_err();
        assert_eq!(error.code(), "P0204");
    }

    #[test]
    fn inverse_undoes_and_files_are_checked() {
        let inputs = array![[1.0, 7.0], [2.0, 7.0], [4.0, 7.0]];
        for scaling in [Scaling::None, Scaling::Standardize, min_max(-2.0, 5.0)] {
            let scaler = Scaler::fit(scaling, inputs.view(), &[0, 1, 2], None).unwrap();
            let (mut there, mut back) = ([0.0; 2], [0.0; 2]);
            scaler.transform(inputs.row(2), &mut there);
            scaler.inverse(&there, &mut back);
            assert!((back[0] - 4.0).abs() < 1e-6 && (back[1] - 7.0).abs() < 1e-6, "{back:?}");
            let text = serde_json::to_string(&scaler).unwrap();
            assert_eq!(serde_json::from_str::<Scaler>(&text).unwrap(), scaler);
        }
        for bad in [
            r#"{"centre":[1],"spread":[],"middle":0,"fill":[]}"#,
            r#"{"centre":[1],"spread":[-1],"middle":0,"fill":[]}"#,
            r#"{"centre":[1],"spread":[1],"middle":0,"fill":[1,2]}"#,
        ] {
            assert!(serde_json::from_str::<Scaler>(bad).is_err(), "{bad}");
        }
        let error = Scaler::fit(min_max(1.0, 1.0), inputs.view(), &[0], None).unwrap_err();
        assert_eq!(error.code(), "P0121");
    }

    /// Zero, tiny, huge, ordinary and any other finite numbers.
    fn extreme() -> impl Strategy<Value = f64> {
        let special = [0.0, -0.0, 1.0, 5e-324, 1e-300, 1e300, -1e300, 1e-45, 3.4e38, 1e308, -f64::MAX];
        let any_finite = any::<f64>().prop_map(|x| if x.is_finite() { x } else { 0.0 });
        prop_oneof![prop::sample::select(special.to_vec()), -10.0..10.0_f64, any_finite]
    }

    proptest! {
        #[test]
        fn any_table_becomes_finite_or_is_refused(
            cells in prop::collection::vec(extreme(), 12), training in 1_usize..=4, kind in 0_usize..3,
        ) {
            let inputs = Array2::from_shape_vec((4, 3), cells).unwrap();
            let scaling = [Scaling::None, Scaling::Standardize, min_max(-1.0, 1.0)][kind];
            let rows: Vec<usize> = (0..training).collect();
            let names = ["a".to_owned(), "b".into(), "c".into()];
            let fitted = Scaler::fit(scaling, inputs.view(), &rows, None);
            match fitted.and_then(|scaler| scaler.check(inputs.view(), &names).map(|()| scaler)) {
                Err(error) => prop_assert_eq!(error.code(), "P0205"),
                Ok(scaler) => for row in inputs.rows() {
                    let mut out = [0.0_f32; 3];
                    scaler.transform(row, &mut out);
                    prop_assert!(out.iter().all(|y| (y * y).is_finite()), "{:?} from {}", out, row);
                },
            }
        }
    }
}
