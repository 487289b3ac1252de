//! Recipe and model files that starts name: read when an experiment is prepared. Its resolved copy holds their numbers, and
//! needs the files no more.

use crate::error::{Error, Kind, Result};
use crate::experiment::import::{self, Choices};
use crate::experiment::load::{Document, dialect};
use crate::files;
use crate::train::initializer::{FromModel, Held, LARGEST_MODEL, Recipe, SimpleRecipe, V1Recipe};
use crate::values::NonNegative;
use ron::Error as Refusal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;

/// What a recipe file may hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum RecipeFile {
    Simple(SimpleRecipe),
    V1(V1Recipe),
}

/// The experiment with numbers in the place of each recipe file, and beside the path of each model. Paths start at `folder`.
///
/// # Errors
/// A file that is missing or no recipe or model, or numbers that can serve no network; each with its place.
pub(super) fn resolve<D: Document>(experiment: D, folder: &Path) -> Result<D> {
    let mut tree = tree(&experiment)?;
    let mut changed = false;
    replace(&mut tree, None, &mut |named, _| {
        changed = true;
        let own = match named {
            Named::Recipe(path) => serde_json::to_value(read(path, folder)?),
            Named::Model(path, noise) => {
                let held = Some(read_model(path, folder)?);
                serde_json::to_value(FromModel { path: path.to_owned(), noise, held })
            }
        };
        own.map(Some).map_err(|cause| Error::internal(cause.to_string()))
    })?;
    if changed { planted(tree) } else { Ok(experiment) }
}

/// The experiment with the numbers that `started` holds, wherever both name the same file.
///
/// # Errors
/// None that a user could bring about.
pub(super) fn adopt<D: Document>(experiment: D, started: &D) -> Result<D> {
    let (mut tree, old) = (tree(&experiment)?, tree(started)?);
    let mut changed = false;
    replace(&mut tree, Some(&old), &mut |named, old| {
        let own = match named {
            Named::Recipe(path) => {
                let same = |name: &str| old.and_then(|old| old.get(name)).is_some_and(|own| own["from"] == path);
                old.filter(|_| ["Own", "OwnV1"].iter().any(|name| same(name))).cloned()
            }
            Named::Model(path, noise) => old.filter(|old| old["path"] == path).cloned().map(|mut own| {
                own["noise"] = noise.get().into();
                own
            }),
        };
        changed |= own.is_some();
        Ok(own)
    })?;
    if changed { planted(tree) } else { Ok(experiment) }
}

/// Schemes stand in many arms; as plain data all of them are met in one walk.
fn tree<D: Document>(experiment: &D) -> Result<Value> {
    serde_json::to_value(experiment).map_err(|cause| Error::internal(cause.to_string()))
}

fn planted<D: Document>(tree: Value) -> Result<D> {
    serde_json::from_value(tree).map_err(|cause| Error::internal(cause.to_string()))
}

/// A file that a start names.
#[derive(Clone, Copy)]
enum Named<'a> {
    Recipe(&'a str),
    /// With its noise.
    Model(&'a str, NonNegative),
}

/// The file that this field names, if it does and has not been read.
fn named<'a>(name: &str, field: &'a Value) -> Option<Named<'a>> {
    match name {
        "Recipe" => field.get("File")?.as_str().map(Named::Recipe),
        "FromModel" if field.get("held").is_none_or(Value::is_null) => {
            let noise = NonNegative::new(field.get("noise")?.as_f64()?).ok()?;
            Some(Named::Model(field.get("path")?.as_str()?, noise))
        }
        _ => None,
    }
}

/// What stands in the place of a file, told by its name and by what stands at the same place of the other tree.
type Change<'a> = dyn FnMut(Named, Option<&Value>) -> Result<Option<Value>> + 'a;

fn replace(value: &mut Value, other: Option<&Value>, change: &mut Change) -> Result<()> {
    match value {
        Value::Array(items) => items
            .iter_mut()
            .enumerate()
            .try_for_each(|(at, item)| replace(item, other.and_then(|other| other.get(at)), change)),
        Value::Object(fields) => {
            for (name, field) in fields {
                let other = other.and_then(|other| other.get(name));
                match named(name, field) {
                    Some(named) => {
                        if let Some(own) = change(named, other)? {
                            *field = own;
                        }
                    }
                    None => replace(field, other, change)?,
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Reads the model that a start is.
fn read_model(name: &str, folder: &Path) -> Result<Held> {
    let path = folder.join(name);
    if std::fs::metadata(&path).is_ok_and(|data| !data.is_file() && !data.is_dir()) {
        return Err(Error::experiment("P0501", format!("{} is not a regular file", path.display()))
            .help("name the file of a model"));
    }
    let model = import::open(&path, &Choices::default()).map_err(|error| match error.code() {
        "P0501" => error.help("paths start from the folder of the experiment file"),
        "P0312" => error.help("`precocial import` makes a model of it that lacks nothing: name that one"),
        _ => error,
    })?;
    if model.params.len() > LARGEST_MODEL {
        let message =
            format!("a start has at most {LARGEST_MODEL} weights and thresholds, this model {}", model.params.len());
        return Err(Error::experiment("P0120", message).in_file(&path).help("train a smaller network further"));
    }
    Ok(Held::of(&model.network, &model.params))
}

/// Reads one recipe file.
fn read(name: &str, folder: &Path) -> Result<Recipe> {
    let path = folder.join(name);
    // Looked at before it is opened: opening a named pipe would wait for ever.
    if std::fs::metadata(&path).is_ok_and(|data| !data.is_file() && !data.is_dir()) {
        return Err(Error::experiment("P0501", format!("{} is not a regular file", path.display()))
            .help("name a text file that holds a recipe"));
    }
    let bytes = files::read_capped(&path, 1 << 16, Kind::Experiment)
        .map_err(|error| error.help("paths start from the folder of the experiment file"))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| {
        Error::experiment("P0102", "the file is not UTF-8 text").in_file(&path).help("save it as UTF-8")
    })?;
    let mut recipe: RecipeFile = dialect().from_str(text).map_err(|cause| {
        let code = match cause.code {
            Refusal::NoSuchStructField { .. } => "P0103",
            Refusal::NoSuchEnumVariant { .. } => "P0104",
            Refusal::MissingStructField { .. } => "P0105",
            Refusal::Message(_) => "P0121",
            _ => "P0100",
        };
        Error::experiment(code, format!("this is no recipe: {}", words(&cause.code)))
            .at(&path, cause.span.start.line, cause.span.start.col)
            .help("a recipe is written `Simple(tanh: (…), relu: (…))` or `V1(…)`; experiments/recipes has one of each")
    })?;
    let from = match &mut recipe {
        RecipeFile::Simple(recipe) => &mut recipe.from,
        RecipeFile::V1(recipe) => &mut recipe.from,
    };
    if from.replace(name.to_owned()).is_some() {
        return Err(Error::experiment("P0103", "a recipe file has no `from`").in_file(&path).help("take it out"));
    }
    match &recipe {
        RecipeFile::Simple(recipe) => recipe.check(),
        RecipeFile::V1(recipe) => recipe.check(),
    }
    .map_err(|error| error.in_file(&path))?;
    Ok(match recipe {
        RecipeFile::Simple(recipe) => Recipe::Own(Box::new(recipe)),
        RecipeFile::V1(recipe) => Recipe::OwnV1(Box::new(recipe)),
    })
}

/// The parser's refusal in one line.
fn words(cause: &Refusal) -> String {
    crate::error::printable(&cause.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::config::{Experiment, Seeds};
    use crate::experiment::folder::Folder;
    use crate::experiment::load::{parse, to_text};
    use crate::experiment::model::Model;
    use crate::experiment::prepare::Study;
    use crate::experiment::record::Moment;
    use crate::experiment::resume::Reopened;
    use crate::experiment::run::{RunOptions, run};
    use crate::experiment::verify::verify;
    use crate::experiment::watch::Unwatched;
    use crate::network::Mlp;
    use crate::rng::{Purpose, Streams};
    use crate::train::Initializer;
    use std::path::PathBuf;

    const ARMS: &str = r#"(name: "a", method: Random(scheme: Recipe(File("own.ron")))),
        (name: "b", method: Genetic(population: 4, generations: 2, scheme: Recipe(File("sub/other.ron")))),
        (name: "c", method: Random(scheme: Recipe(Simple)))"#;

    fn experiment(arms: &str) -> Experiment {
        let text = format!(
            r#"Experiment(schema: 1, name: "r", seeds: List([18446744073709551615]),
                task: Classification(data: Builtin("iris"), split: Random(train: 0.7, test: 0.3)),
                network: Mlp(hidden: [(units: 6), (units: 5, activation: Relu)]),
                train: (optimizer: Adam(learning_rate: 0.01)), arms: [{arms}], budget: TrainingPasses(90.5))"#
        );
        parse(&text, Path::new("r.ron")).unwrap().experiment
    }

    fn shipped() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments/recipes")
    }

    fn start(scheme: &Initializer, network: &Mlp, study: &Study) -> Vec<f32> {
        let mut params = vec![0.0; network.parameters()];
        let rows = study.prepare(1).unwrap().supervised.training;
        let mut rng = Streams::new(1).stream(Purpose::Initialize, 0, 0);
        scheme.init(network, &rows, &mut params, &mut rng, &mut crate::cost::Cost::ZERO.clone()).unwrap();
        params
    }

    #[test]
    fn the_shipped_files_are_the_published_recipes() {
        let arms = r#"(name: "file", method: Random(scheme: Recipe(File("simple.ron")))),
            (name: "simple", method: Random(scheme: Recipe(Simple))),
            (name: "v1-file", method: Random(scheme: Recipe(File("v1.ron")))),
            (name: "v1", method: Random(scheme: Recipe(V1)))"#;
        let study = Study::new(experiment(arms), &shipped()).unwrap();
        let [file, simple, v1_file, v1] = [0, 1, 2, 3].map(|arm| {
            let scheme = study.experiment.arms[arm].method.scheme().unwrap();
            start(scheme, &study.network, &study).iter().map(|x| x.to_bits()).collect::<Vec<u32>>()
        });
        assert_eq!(file, simple);
        assert_eq!(v1_file, v1);
        let resolved = to_text(&study.experiment);
        assert!(resolved.contains("OwnV1(") && resolved.contains("v1.ron"), "{resolved}");
        let again = parse(&resolved, Path::new("x.ron")).unwrap().experiment;
        assert_eq!(adopt(experiment(arms), &again).unwrap(), study.experiment);
    }

    #[test]
    fn the_resolved_experiment_needs_no_file() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        let text = "Simple(tanh: (first_spread: 1.25, deeper_spread: 2, centring: 0.1, output_scale: 3, output_penalty: 1e-3))";
        std::fs::write(folder.path().join("own.ron"), text).unwrap();
        std::fs::write(folder.path().join("sub/other.ron"), "Simple()").unwrap();
        let written = experiment(ARMS);
        let study = Study::new(written.clone(), folder.path()).unwrap();
        let resolved = to_text(&study.experiment);
        assert!(resolved.contains("1.25") && resolved.contains("own.ron") && !resolved.contains("File("), "{resolved}");
        // Read again where there are no such files, it is the same experiment.
        let again = parse(&resolved, Path::new("x.ron")).unwrap().experiment;
        assert_eq!(again, study.experiment);
        assert_eq!(Study::new(again, Path::new("/nowhere")).unwrap().experiment, study.experiment);
        // So is what the user wrote, next to it; a file of another name is another experiment.
        assert_eq!(adopt(written.clone(), &study.experiment).unwrap(), study.experiment);
        let other = adopt(experiment(&ARMS.replace("own.ron", "o.ron")), &study.experiment).unwrap();
        assert_ne!(other, study.experiment);
        assert_eq!(other.arms[1], study.experiment.arms[1]);
        assert_eq!(
            resolve(experiment(r#"(name: "a", method: Random(scheme: Recipe(V1)))"#), folder.path())
                .unwrap()
                .arms
                .len(),
            1
        );
    }

    #[test]
    fn a_result_folder_needs_no_recipe_file() {
        let place = tempfile::tempdir().unwrap();
        let recipe = place.path().join("own.ron");
        std::fs::copy(shipped().join("simple.ron"), &recipe).unwrap();
        let written = experiment(r#"(name: "a", method: Random(scheme: Recipe(File("own.ron"))))"#);
        let source = to_text(&written);
        let study = Study::new(written, place.path()).unwrap();
        let out = place.path().join("out");
        let options =
            RunOptions { out: Some(out.clone()), threads: 1, source: Some(source.clone()), ..RunOptions::default() };
        run(&study, &options, &Unwatched).unwrap();
        assert!(std::fs::read_to_string(out.join("experiment.ron")).unwrap().contains("File("));
        std::fs::remove_file(recipe).unwrap();
        let again = verify(&Folder::at(&out), None, None, 1, &Unwatched).unwrap();
        assert_eq!((again.runs, again.differences), (1, Vec::new()));
        let more = Seeds::List(vec![7]);
        let reopened = Reopened::<Experiment>::open(Folder::at(&out), Some(&more)).unwrap();
        assert_eq!(reopened.document.arms, study.experiment.arms);
        // Another file is another experiment.
        crate::files::replace(&out.join("experiment.ron"), source.replace("own.ron", "other.ron").as_bytes()).unwrap();
        let refused = Reopened::<Experiment>::open(Folder::at(&out), Some(&more)).unwrap_err();
        assert_eq!(refused.code(), "P0309");
    }

    #[test]
    fn training_goes_on_from_a_model_and_searches_begin_with_it() {
        let place = tempfile::tempdir().unwrap();
        let first = experiment(r#"(name: "a", method: Random(scheme: GlorotUniform))"#);
        let options = |name: &str, source: &str| RunOptions {
            out: Some(place.path().join(name)),
            threads: 1,
            source: Some(source.to_owned()),
            ..RunOptions::default()
        };
        let study = Study::new(first.clone(), place.path()).unwrap();
        let run_of = |study: &Study, name: &str, source: &str| run(study, &options(name, source), &Unwatched).unwrap();
        let trained = run_of(&study, "first", &to_text(&first));
        let seed = 18446744073709551615;
        let model = Model::load(&trained.folder.model_path("a", seed, Moment::End)).unwrap();
        std::fs::copy(trained.folder.model_path("a", seed, Moment::End), place.path().join("net.pcl")).unwrap();
        std::fs::write(place.path().join("net.onnx"), model.export(&ron::from_str("Onnx").unwrap()).unwrap()).unwrap();
        let arms = r#"(name: "on", method: Random(scheme: FromModel(path: "net.pcl"))),
            (name: "onnx", method: Random(scheme: FromModel(path: "net.onnx"))),
            (name: "ga", method: Genetic(population: 4, generations: 2, scheme: FromModel(path: "net.onnx", noise: 0.01)))"#;
        let written = experiment(arms);
        let source = to_text(&written);
        let study = Study::new(written.clone(), place.path()).unwrap();
        let on = run_of(&study, "on", &source);
        for arm in ["on", "onnx"] {
            let start = Model::load(&on.folder.model_path(arm, seed, Moment::Start)).unwrap();
            assert_eq!(start.params, model.params, "{arm}");
        }
        let losses: Vec<f64> = on.tables.results.iter().map(|row| row.start_loss.unwrap()).collect();
        assert_eq!(losses[0], losses[1]);
        assert!(losses[2] < 1.2 * losses[0] && losses[2] != losses[0], "{losses:?}");
        assert!(losses[0] < 0.5 * trained.tables.results[0].start_loss.unwrap());
        // The folder needs the model no more, and another file is another experiment.
        std::fs::remove_file(place.path().join("net.pcl")).unwrap();
        let again = verify(&on.folder, None, None, 1, &Unwatched).unwrap();
        assert_eq!((again.runs, again.differences), (3, Vec::new()));
        assert_eq!(adopt(written, &study.experiment).unwrap(), study.experiment);
        for edit in [("net.pcl", "other.pcl"), ("noise: 0.01", "noise: 0.02")] {
            assert!(source.contains(edit.0), "{source}");
            let other = parse(&source.replace(edit.0, edit.1), Path::new("x.ron")).unwrap().experiment;
            assert_ne!(adopt(other, &study.experiment).unwrap(), study.experiment, "{edit:?}");
        }
    }

    #[test]
    fn models_that_are_none_or_of_another_network_are_refused() {
        let place = tempfile::tempdir().unwrap();
        let code = |path: &str| {
            let arms = format!("(name: \"a\", method: Random(scheme: FromModel(path: \"{path}\")))");
            let error = Study::new(experiment(&arms), place.path()).unwrap_err();
            assert!(error.problems().iter().all(|problem| !problem.helps.is_empty()), "{error}");
            error.code()
        };
        assert_eq!(code("nowhere.pcl"), "P0501");
        std::fs::write(place.path().join("text.pcl"), "hello").unwrap();
        assert_eq!(code("text.pcl"), "P0301");
        let text = r#"{"layers": [{"weights": [[1, 2, 3, 4]], "thresholds": [0], "activation": "Tanh"},
            {"weights": [[1], [2], [3]], "thresholds": [0, 0, 0], "activation": "Softmax"}]}"#;
        std::fs::write(place.path().join("small.json"), text).unwrap();
        assert_eq!(code("small.json"), "P0120");
    }

    #[test]
    fn what_is_no_recipe_is_told_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let numbers = "deeper_spread: 2, centring: 0.1, output_scale: 3, output_penalty: 1e-3";
        for (text, code, words) in [
            ("Simple(\n tahn: ())", "P0103", "tahn"),
            ("V9()", "P0104", "V9"),
            ("V1(relu: (centring: 0.1))", "P0105", "first_length"),
            ("Simple(relu: (centring: 0.1))", "P0105", "first_spread"),
            (&format!("Simple(relu: (first_spread: -1, {numbers}))"), "P0121", "must be above 0, found -1"),
            (&format!("Simple(relu: (first_spread: NaN, {numbers}))"), "P0121", "must be a finite number"),
            (&format!("Simple(relu: (first_spread: inf, {numbers}))"), "P0121", "must be a finite number"),
            (
                &format!("Simple(relu: (first_spread: 1e9, {numbers}))"),
                "P0121",
                "between 1e-6 and 1e3, found 1000000000",
            ),
            ("Simple(from: \"x\")", "P0103", "no `from`"),
            ("Simple(", "P0100", "no recipe"),
            ("", "P0100", "no recipe"),
        ] {
            let path = folder.path().join("own.ron");
            std::fs::write(&path, text).unwrap();
            let error = resolve(experiment(ARMS), folder.path()).unwrap_err();
            let problem = &error.problems()[0];
            assert_eq!(error.code(), code, "{text}: {error}");
            assert!(problem.message.contains(words) && !problem.helps.is_empty(), "{text}: {error}");
            assert_eq!(problem.place.as_ref().unwrap().path, path, "{text}");
        }
        std::fs::write(folder.path().join("own.ron"), [0xff, 0xfe]).unwrap();
        assert_eq!(resolve(experiment(ARMS), folder.path()).unwrap_err().code(), "P0102");
        std::fs::remove_file(folder.path().join("own.ron")).unwrap();
        let missing = resolve(experiment(ARMS), folder.path()).unwrap_err();
        assert!(missing.code() == "P0501" && missing.to_string().contains("folder of the experiment"), "{missing}");
    }
}
