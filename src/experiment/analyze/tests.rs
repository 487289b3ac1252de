use super::*;
use crate::experiment::folder::{Manifest, State};
use crate::experiment::record::ResultRow;
use crate::math::{Activation, Rows};
use crate::network::{Loss, Mlp, Output, Workspace};
use crate::rng::{Purpose, Streams};
use crate::task::DataFile;

fn options() -> AnalyzeOptions {
    AnalyzeOptions { threads: 1, ..AnalyzeOptions::default() }
}

/// Two inputs, three tanh units, two logistic units, two outputs.
fn network() -> Mlp {
    let hidden = [(3, Activation::Tanh), (2, Activation::Logistic)];
    Mlp::new(2, &hidden, 2, Output::Softmax, Loss::CrossEntropy).unwrap()
}

#[test]
fn ends_of_lines_and_whole_weights_have_the_losses_of_the_tables() {
    let place = tempfile::tempdir().unwrap();
    let folder = fixture::folder(place.path());
    let analysis = analyze(&folder, &options()).unwrap();
    let results = folder.tables().unwrap().results;
    assert_eq!(results.len(), 4);
    for ResultRow { arm, seed, start_loss, train_loss, test_loss, test_metric, .. } in &results {
        let end = |share: f64| {
            let fits =
                |row: &&PathRow| row.from == Moment::Start && (&row.arm, row.seed, row.share) == (arm, *seed, share);
            analysis.paths.iter().find(fits).unwrap()
        };
        assert_eq!(end(0.0).train_loss, *start_loss);
        assert_eq!((end(1.0).train_loss, end(1.0).test_loss), (*train_loss, *test_loss));
        let whole =
            analysis.pruning.iter().find(|row| &row.arm == arm && row.seed == *seed && row.kept == 1.0).unwrap();
        assert_eq!((whole.train_loss, whole.test_loss, whole.test_metric), (*train_loss, *test_loss, *test_metric));
        if *seed == analysis.seed {
            let mut places = analysis.places.iter().filter(|place| &place.arm == arm && place.moment == Moment::End);
            assert!(places.all(|place| place.train_loss == *train_loss));
        }
    }
    for row in analysis.between.iter().filter(|row| row.share == 0.0 || row.share == 1.0) {
        let (arm, seed) = if row.share == 0.0 { (&row.first, row.seed) } else { (&row.second, row.second_seed) };
        // At another seed other rows are those of training.
        if seed != row.seed {
            continue;
        }
        let stored = results.iter().find(|result| &result.arm == arm && result.seed == seed).unwrap();
        let close = (row.train_loss.unwrap() - stored.train_loss.unwrap()).abs() < 1e-5;
        // Another order of units adds up the same numbers in another order.
        assert!(if row.aligned { close } else { row.train_loss == stored.train_loss }, "{row:?}");
    }
}

#[test]
fn threads_change_no_bit_and_arms_and_seeds_can_be_chosen() {
    let place = tempfile::tempdir().unwrap();
    let folder = fixture::folder(place.path());
    let one = analyze(&folder, &options()).unwrap();
    let three = analyze(&folder, &AnalyzeOptions { threads: 3, ..options() }).unwrap();
    assert_eq!(one.tables().unwrap(), three.tables().unwrap());
    let chosen = AnalyzeOptions { seed: Some(5), arms: vec!["ga".into()], fine_tune: 0, ..options() };
    let part = analyze(&folder, &chosen).unwrap();
    assert_eq!((part.arms.len(), part.arms[0].place, part.seed), (1, 1, 5));
    let own: Vec<(u64, u64)> = part.pairs.iter().map(|row| (row.seed, row.second_seed)).collect();
    assert_eq!(own, [(4, 5)], "an arm with itself at the next seed");
    assert!(part.pairs[0].distance.unwrap() > 0.5 && part.pairs[0].aligned_train_barrier.is_some());
    assert!(part.pruning.iter().all(|row| row.steps == 0));
    assert!(part.landscape.iter().all(|row| row.seed == 5 && row.arm == "ga"));
    let of_ga: Vec<&PathRow> = one.paths.iter().filter(|row| row.arm == "ga").collect();
    assert_eq!(part.paths.iter().collect::<Vec<_>>(), of_ga);
    let shares: f64 = one
        .histograms
        .iter()
        .filter(|row| row.arm == "ga" && row.layer == 1 && row.moment == Moment::End)
        .map(|row| row.density * (row.to - row.from))
        .sum();
    assert!((shares - 1.0).abs() < 1e-9);
}

#[test]
fn the_plane_holds_the_moments_of_the_run() {
    let analysis = fixture::analysis();
    let of = |moment| {
        let fits = |row: &&PlaceRow| row.arm == "ga" && row.plane == Plane::Path && row.moment == moment;
        analysis.places.iter().find(fits).unwrap()
    };
    let (drawn, start, end) = (of(Moment::Drawn), of(Moment::Start), of(Moment::End));
    let distance = |a: &PlaceRow, b: &PlaceRow| libm::hypot(a.x - b.x, a.y - b.y);
    assert_eq!((start.x, start.y, end.y), (0.0, 0.0, 0.0));
    // All parameters lie in the plane, thresholds too, so distances there are at least those of the layers' weights.
    for (from, to, a, b) in [(Moment::Drawn, Moment::Start, drawn, start), (Moment::Start, Moment::End, start, end)] {
        let moved = analysis.moves.iter().filter(|row| (&row.arm[..], row.seed) == ("ga", analysis.seed));
        let moved = moved.filter(|row| row.from == from && row.to == to).map(|row| row.distance * row.distance);
        let weights = moved.sum::<f64>().sqrt();
        assert!(distance(a, b) >= weights * (1.0 - 1e-9) && distance(a, b) < 3.0 * weights + 1e-9, "{from:?}");
    }
    let grid: Vec<&LandscapeRow> =
        analysis.landscape.iter().filter(|row| row.arm == "ga" && row.plane == Plane::Random).collect();
    let middle = grid[grid.len() / 2];
    assert_eq!((middle.x, middle.y, middle.train_loss), (0.0, 0.0, end.train_loss));
}

#[test]
fn a_network_with_its_units_in_another_order_lies_nowhere_else() {
    let network = network();
    let mut rng = Streams::new(3).stream(Purpose::Synthetic, 0, 0);
    let params: Vec<f32> = (0..network.parameters()).map(|_| rng.normal() as f32).collect();
    let inputs: Vec<f32> = (0..80).map(|_| rng.normal() as f32).collect();
    let rows = Rows::new(&inputs, &[0.0; 80], 2, 2);
    let layers = network.layers();
    // Units of the first hidden layer in the order 2, 0, 1, the first of these mirrored.
    let mut other = params.clone();
    for (unit, (place, sign)) in [(2, -1.0), (0, 1.0), (1, 1.0)].into_iter().enumerate() {
        for input in 0..2 {
            other[layers[0].weights.start + 2 * unit + input] =
                sign * params[layers[0].weights.start + 2 * place + input];
        }
        other[layers[0].biases.start + unit] = sign * params[layers[0].biases.start + place];
        for next in 0..2 {
            other[layers[1].weights.start + 3 * next + unit] =
                sign * params[layers[1].weights.start + 3 * next + place];
        }
    }
    assert!(distance(&params, &other) > 1.0);
    let mut aligned = vec![0.0; params.len()];
    crate::evolve::crossover::align(&network, &rows, &params, &other, &mut aligned, &mut Workspace::new());
    assert_eq!(distance(&params, &aligned), 0.0);
}

#[test]
fn directions_are_as_long_as_the_weights_row_by_row() {
    let network = Mlp::new(2, &[], 3, Output::Softmax, Loss::CrossEntropy).unwrap();
    let params = [1.0, 2.0, -0.5, 0.25, 0.0, 0.0, 7.0, 7.0, 7.0];
    let direction = [3.0, 4.0, 1.0, -1.0, 2.0, 2.0, 5.0, 5.0, 5.0];
    // numpy 2.4.6: direction * (norm(weights, axis=1) / norm(direction, axis=1))[:, None]; thresholds 0.
    let expected =
        [1.341640786499874, 1.788854381999832, 0.3952847075210474, -0.3952847075210474, 0.0, 0.0, 0.0, 0.0, 0.0];
    let found = filter_normalised(&network, &params, &direction);
    assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-14), "{found:?}");
}

#[test]
fn the_largest_weights_are_kept() {
    let network = Mlp::new(3, &[(1, Activation::Tanh)], 2, Output::Softmax, Loss::CrossEntropy).unwrap();
    // Weights, threshold, weights, thresholds.
    let params = [0.5, -0.1, 0.3, 0.01, -0.3, 0.7, 0.02, 0.03];
    // numpy 2.4.6: argsort(-abs(weights), kind="stable")[:k] over the five weights.
    let expected: [(f64, [f32; 5]); 4] = [
        (1.0, [0.5, -0.1, 0.3, -0.3, 0.7]),
        (0.6, [0.5, 0.0, 0.3, 0.0, 0.7]),
        (0.2, [0.0, 0.0, 0.0, 0.0, 0.7]),
        (0.0, [0.0; 5]),
    ];
    for (kept, [a, b, c, d, e]) in expected {
        assert_eq!(pruned(&network, &params, kept), [a, b, c, 0.01, d, e, 0.02, 0.03]);
    }
}

#[test]
fn barriers_and_climbs_are_those_of_the_curve() {
    let of = |losses: &[f64]| (Curve(losses.to_vec()).barrier(), Curve(losses.to_vec()).climb());
    assert_eq!(of(&[1.0, 0.6, 0.3, 0.0]), (Some(0.0), Some(0.0)));
    assert_eq!(of(&[0.0, 2.0, 0.0]), (Some(2.0), Some(2.0)));
    assert_eq!(of(&[2.0, 1.0, 1.75, 0.5, 0.0]), (Some(0.75), Some(0.75)));
    assert_eq!(of(&[0.0, f64::INFINITY, 0.0]), (Some(f64::INFINITY), Some(f64::INFINITY)));
    assert_eq!(of(&[1.0]), (None, None));
    assert_eq!(of(&[f64::INFINITY, 1.0]), (None, None));
}

/// What cannot be analyzed, with the folder's path left out.
fn refused(folder: &Folder, options: &AnalyzeOptions) -> String {
    let error = analyze(folder, options).unwrap_err();
    error.to_string().replace(&folder.path().display().to_string(), "RUN")
}

#[test]
fn folders_that_cannot_be_analyzed_say_what_to_do() {
    let place = tempfile::tempdir().unwrap();
    let folder = fixture::folder(place.path());
    let whole = folder.manifest().unwrap();
    let mut messages = Vec::new();
    messages.push(refused(&folder, &AnalyzeOptions { arms: vec!["gaa".into()], ..options() }));
    messages.push(refused(&folder, &AnalyzeOptions { arms: vec!["ga".into(), "simplex".into()], ..options() }));
    messages.push(refused(&folder, &AnalyzeOptions { seed: Some(9), ..options() }));
    for (kind, state) in
        [("TopologySearch", State::Complete), ("Suite", State::Complete), ("Experiment", State::Interrupted)]
    {
        folder.save_manifest(&Manifest { kind: kind.into(), state, ..whole.clone() }).unwrap();
        messages.push(refused(&folder, &options()));
    }
    let data = vec![DataFile { name: "iris.csv".into(), bytes: 1, sha256: "0".into() }];
    folder.save_manifest(&Manifest { data, ..whole.clone() }).unwrap();
    messages.push(refused(&folder, &options()));
    folder.save_manifest(&whole).unwrap();
    let model = folder.model_path("ga", 5, Moment::End);
    std::fs::copy(folder.model_path("random", 5, Moment::End), &model).unwrap();
    messages.push(refused(&folder, &options()));
    std::fs::write(&model, b"x").unwrap();
    messages.push(refused(&folder, &options()));
    std::fs::remove_file(&model).unwrap();
    messages.push(refused(&folder, &options()));
    std::fs::remove_file(folder.path().join("manifest.json")).unwrap();
    messages.push(refused(&folder, &options()));
    insta::assert_snapshot!(messages.join("\n\n"));
}

#[test]
fn ways_begin_at_the_common_start_and_end_where_the_run_did() {
    let analysis = fixture::ways();
    let ways = &analysis.ways;
    let arms: Vec<&str> = ways.trails.chunk_by(|a, b| a.arm == b.arm).map(|way| &way[0].arm[..]).collect();
    assert_eq!(arms, ["sgd", "momentum"], "the third arm began elsewhere");
    assert!(ways.share > 0.5 && ways.share <= 1.0 + 1e-12 && !ways.is_whole, "{}", ways.share);
    let point = |arm: &str, moment| {
        let fits = |row: &&PlaceRow| row.arm == arm && row.plane == Plane::Path && row.moment == moment;
        analysis.places.iter().find(fits).unwrap()
    };
    for way in ways.trails.chunk_by(|a, b| a.arm == b.arm) {
        let (first, last) = (&way[0], &way[way.len() - 1]);
        assert_eq!((first.x, first.y, first.step, first.cost), (0.0, 0.0, 0, 0.0));
        assert_eq!(first.train_loss, point(&first.arm, Moment::Start).train_loss);
        // The deployed weights are the best at a look, and both fall to the end.
        let best = way.iter().filter_map(|row| row.train_loss).fold(f64::INFINITY, f64::min);
        assert!(best <= point(&first.arm, Moment::End).train_loss.unwrap(), "{}", first.arm);
        assert!(way.windows(2).all(|pair| pair[0].cost < pair[1].cost || pair[1].step <= 1), "{}", first.arm);
        // 90 passes of 4 rows; a pass is one forward row.
        assert!(last.cost <= 90.0 * 4.0 && last.cost > 0.0);
        assert!(ways.landscape.iter().any(|row| row.x > last.x) && ways.landscape.iter().any(|row| row.x < last.x));
    }
    assert!(fixture::analysis().ways.trails.is_empty(), "a search begins elsewhere");
}

#[test]
fn populations_begin_and_end_where_the_run_did() {
    let analysis = fixture::analysis();
    let found = &analysis.components;
    assert!(found.left_out.is_empty() && found.individuals.iter().all(|row| row.arm == "ga"));
    // Six individuals in each of four generations, and the best of a generation first.
    assert_eq!(
        found.individuals.iter().map(|row| row.generation).collect::<Vec<_>>(),
        [[0; 6], [1; 6], [2; 6], [3; 6]].concat()
    );
    assert!(found.individuals.chunks(6).all(|generation| generation.iter().map(|row| row.rank).eq(1..=6)));
    let point = |plane, moment| {
        let fits = |row: &&PlaceRow| row.arm == "ga" && row.plane == plane && row.moment == moment;
        analysis.places.iter().chain(&found.places).find(fits).unwrap()
    };
    let (start, end) = (point(Plane::Components, Moment::Start), point(Plane::Components, Moment::End));
    assert_eq!((start.x, start.y, start.train_loss), (0.0, 0.0, point(Plane::Path, Moment::Start).train_loss));
    assert_eq!(end.train_loss, point(Plane::Path, Moment::End).train_loss);
    // The chosen start is the best of the last generation; fitness is the loss here.
    let best = &found.individuals[18];
    assert!(best.x.abs() < 1e-12 && best.y.abs() < 1e-12 && best.fitness == start.train_loss, "{best:?}");
    let way = &found.trails;
    assert_eq!((way[0].step, way[0].x, way[0].y, way[0].train_loss), (0, 0.0, 0.0, start.train_loss));
    assert!(
        way.len() > 5 && way.len() <= 50 && way.windows(2).all(|pair| pair[0].cost < pair[1].cost),
        "{}",
        way.len()
    );
    let last = &way[way.len() - 1];
    assert_eq!((last.x, last.y, last.train_loss), (end.x, end.y, end.train_loss), "the deployed weights");
    assert!(last.x >= 0.0 && last.y >= 0.0);
    for of in [Whose::Population, Whose::Training, Whose::Both] {
        let rows: Vec<&ComponentRow> = found.components.iter().filter(|row| row.of == of).collect();
        assert_eq!(rows.iter().map(|row| row.component).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        let shares = |number: fn(&ComponentRow) -> Option<f64>| {
            rows.iter().map(|row| number(row).unwrap()).collect::<Vec<f64>>()
        };
        let (population, training) = (shares(|row| row.population), shares(|row| row.training));
        assert!([&population, &training].into_iter().all(|shares| shares.iter().sum::<f64>() <= 1.0 + 1e-9), "{of:?}");
        let falls = |shares: &[f64]| shares.windows(2).all(|pair| pair[0] >= pair[1]);
        let both: Vec<f64> = population.iter().zip(&training).map(|(a, b)| a + b).collect();
        let own = match of {
            Whose::Population => &population,
            Whose::Training => &training,
            Whose::Both => &both,
        };
        assert!(falls(own), "{of:?} {own:?}");
    }
    let inside = |x: f64, y: f64| {
        let grid = &found.landscape;
        grid[0].x < x && x < grid[grid.len() - 1].x && grid[0].y < y && y < grid[grid.len() - 1].y
    };
    assert!(found.individuals.iter().all(|row| inside(row.x, row.y)) && way.iter().all(|row| inside(row.x, row.y)));
}

#[test]
fn one_model_is_told_as_its_run_tells_it() {
    let place = tempfile::tempdir().unwrap();
    let folder = fixture::folder(place.path());
    let run = analyze(&folder, &AnalyzeOptions { seed: Some(5), fine_tune: 0, ..options() }).unwrap();
    let path = folder.model_path("ga", 5, Moment::End);
    let model = crate::experiment::Model::load(&path).unwrap();
    let rows = ModelRows::of_run(&path, &model).unwrap();
    assert_eq!(rows.source, "rows of tiny at seed 5");
    let alone = analyze_model("ga", &model, Some(rows)).unwrap();
    assert_eq!(
        (alone.about.model, alone.has_test, alone.about.parameters),
        (Some(Moment::End), true, model.params.len())
    );
    let end = |moment: Moment, arm: &str, seed: u64| moment == Moment::End && arm == "ga" && seed == 5;
    let moments: Vec<_> = run.moments.iter().filter(|row| end(row.moment, &row.arm, row.seed)).cloned().collect();
    let singular: Vec<_> = run.singular.iter().filter(|row| end(row.moment, &row.arm, row.seed)).cloned().collect();
    let pruning: Vec<_> = run.pruning.iter().filter(|row| row.arm == "ga" && row.seed == 5).cloned().collect();
    assert_eq!((alone.moments, alone.singular, alone.pruning), (moments, singular, pruning));
    let counted: u64 = alone.histograms.iter().map(|row| row.count).sum();
    assert_eq!(counted as usize, model.network.layers().iter().map(|layer| layer.weights.len()).sum::<usize>());
    // Elsewhere, or with other weights, nothing is known of its rows.
    let away = place.path().join("net.pcl");
    std::fs::copy(&path, &away).unwrap();
    assert!(ModelRows::of_run(&away, &model).is_none());
    std::fs::copy(folder.model_path("ga", 4, Moment::End), &path).unwrap();
    assert!(ModelRows::of_run(&path, &model).is_none());
    let without = analyze_model("net", &model, None).unwrap();
    assert!(without.pruning.is_empty() && without.notes.last().unwrap().contains("--data"));
    // Rows that are given are scaled and encoded as those of training.
    let inputs = ndarray::Array2::from_shape_fn((6, 4), |(row, column)| 1.0 + (row * 4 + column) as f64 / 5.0);
    let said = model.predict(&inputs).unwrap();
    let classes: Vec<f64> =
        said.rows().into_iter().map(|row| model.encoding().decode(&row.mapv(|x| x as f32).to_vec()) as f64).collect();
    let targets = ndarray::Array2::from_shape_vec((6, 1), classes).unwrap();
    let given = ModelRows::given(&model, &inputs, &targets, "mine".into()).unwrap();
    assert_eq!(analyze_model("net", &model, Some(given)).unwrap().pruning[0].train_metric, Some(1.0));
    let narrow = ndarray::Array2::zeros((6, 2));
    assert_eq!(ModelRows::given(&model, &inputs, &narrow, String::new()).unwrap_err().code(), "P0206");
    let none = (ndarray::Array2::zeros((0, 4)), ndarray::Array2::zeros((0, 1)));
    assert_eq!(ModelRows::given(&model, &none.0, &none.1, String::new()).unwrap_err().code(), "P0211");
}
