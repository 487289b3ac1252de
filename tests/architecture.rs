//! The house stands as ARCHITECTURE.md says: no floor looks up, and a few things live in one place only.

use std::fs;
use std::path::{Path, PathBuf};

const GROUND: [&str; 7] = ["error", "rng", "values", "cost", "registry", "files", "sealed"];
const FLOORS: [&str; 7] = ["math", "network", "task", "train", "evolve", "experiment", "report"];

fn floor(module: &str) -> Option<usize> {
    if GROUND.contains(&module) {
        return Some(0);
    }
    FLOORS.iter().position(|floor| *floor == module).map(|floor| floor + 1)
}

fn sources(folder: &Path, list: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, list);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            list.push(path);
        }
    }
}

/// Every source file of the library with the module it belongs to, without its tests and comments.
fn library() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut list = Vec::new();
    sources(&root, &mut list);
    let module = |path: &Path| {
        let inside = path.strip_prefix(&root).unwrap();
        let first = inside.components().next().unwrap().as_os_str().to_str().unwrap().to_owned();
        first.trim_end_matches(".rs").to_owned()
    };
    let code = |path: &Path| {
        let text = fs::read_to_string(path).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
        text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
    };
    // Files that only tests are made of.
    list.retain(|path| !["tests.rs", "oracle.rs", "fixture.rs"].iter().any(|name| path.ends_with(name)));
    list.into_iter().map(|path| (module(&path), path.clone(), code(&path))).collect()
}

fn is_binary(module: &str) -> bool {
    matches!(module, "main" | "cli")
}

#[test]
fn no_floor_looks_up() {
    for (module, path, code) in library() {
        if module == "lib" || is_binary(&module) {
            continue;
        }
        let own = floor(&module).unwrap_or_else(|| panic!("{} stands on no floor", path.display()));
        for part in code.split("crate::").skip(1) {
            let name: String = part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if let Some(other) = floor(&name) {
                assert!(other <= own, "{} (floor {own}) uses {name} (floor {other})", path.display());
            }
        }
    }
}

#[test]
fn the_binary_uses_the_public_library() {
    for (module, path, code) in library() {
        if is_binary(&module) {
            let own = |name: &str| code.contains(&format!("crate::{name}::"));
            assert!(!FLOORS.iter().any(|floor| own(floor)), "{} reaches into the library", path.display());
        }
    }
}

#[test]
fn some_things_live_in_one_place_only() {
    for (module, path, code) in library() {
        let inside = path.to_str().unwrap().replace('\\', "/");
        let only = |what: &str, place: bool| {
            assert!(place || !code.contains(what), "{what} in {}", path.display());
        };
        only("unsafe ", inside.contains("/math/kernel/"));
        only("println!", is_binary(&module));
        only("Instant::now", matches!(module.as_str(), "experiment" | "report") || is_binary(&module));
        only("SystemTime", matches!(module.as_str(), "experiment" | "report") || is_binary(&module));
        only("ChaCha8Rng", module == "rng");
        // A power cut that tests ask for leaves half a file.
        only("fs::write", inside.ends_with("/files/fault.rs"));
        only("File::create", false);
        only("partial_cmp(", module == "values");
    }
}

/// Names of the public fields of a struct.
fn fields(source: &str, name: &str) -> Vec<String> {
    let source = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/experiment").join(source)).unwrap();
    let body = source.split(&format!("pub struct {name} {{\n")).nth(1).unwrap().split("\n}").next().unwrap();
    let field = |line: &str| line.trim().strip_prefix("pub ")?.split(':').next().map(str::to_owned);
    body.lines().filter_map(field).collect()
}

#[test]
fn the_page_of_tables_tells_every_column() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("results/tables.md")).unwrap();
    let mut told = page.split("\n### ").skip(1).map(|section| {
        let column = |line: &str| Some(line.strip_prefix("| `")?.split('`').next()?.to_owned());
        (section.split('`').nth(1).unwrap().to_owned(), section.lines().filter_map(column).collect::<Vec<_>>())
    });
    for (table, source, name) in TABLES {
        let expected = fields(source, name).into_iter().filter(|column| column != "numbers").collect::<Vec<_>>();
        assert_eq!(told.next(), Some(((*table).to_owned(), expected)), "{source}");
    }
    assert_eq!(told.next(), None);
    // Every kind of row that the experiment floor writes is in the list.
    let mut rows = 0;
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/experiment"), &mut files);
    for path in files {
        rows += fs::read_to_string(path)
            .unwrap()
            .lines()
            .filter(|line| line.starts_with("pub struct ") && line.ends_with("Row {"))
            .count();
    }
    assert_eq!(rows, TABLES.len());
}

/// Tables in the order of the page: name, source and struct of their rows.
const TABLES: &[(&str, &str, &str)] = &[
    ("results.csv", "record.rs", "ResultRow"),
    ("history.csv", "record.rs", "HistoryRow"),
    ("generations.csv", "record.rs", "GenerationRow"),
    ("turns.csv", "record.rs", "TurnRow"),
    ("mistakes.csv", "record.rs", "MistakeRow"),
    ("reference.csv", "record.rs", "ReferenceRow"),
    ("audit.csv", "record.rs", "AuditRow"),
    ("health.csv", "record.rs", "HealthRow"),
    ("predictions.csv", "record.rs", "PredictionRow"),
    ("moments.csv", "analyze/distribution.rs", "MomentRow"),
    ("histograms.csv", "analyze/distribution.rs", "HistogramRow"),
    ("moves.csv", "analyze/distribution.rs", "MoveRow"),
    ("singular_values.csv", "analyze/spectrum.rs", "SingularRow"),
    ("paths.csv", "analyze/line.rs", "PathRow"),
    ("between.csv", "analyze/line.rs", "BetweenRow"),
    ("pairs.csv", "analyze/between.rs", "PairRow"),
    ("pruning.csv", "analyze/pruning.rs", "PruningRow"),
    ("landscape.csv", "analyze/landscape.rs", "LandscapeRow"),
    ("places.csv", "analyze/landscape.rs", "PlaceRow"),
    ("trails.csv", "analyze/descent.rs", "TrailRow"),
    ("population.csv", "analyze/components.rs", "IndividualRow"),
    ("components.csv", "analyze/components.rs", "ComponentRow"),
    ("results.csv", "search/tables.rs", "ResultRow"),
    ("generations.csv", "search/tables.rs", "GenerationRow"),
    ("fronts.csv", "search/tables.rs", "FrontRow"),
    ("weights.csv", "search/tables.rs", "WeightRow"),
    ("results.csv", "suite/table.rs", "SuiteRow"),
    ("search.csv", "recipe_search/table.rs", "SearchRow"),
    ("validation.csv", "recipe_search/table.rs", "ValidationRow"),
];
