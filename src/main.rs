//! The command line.
fn main() {
    let path = std::env::args().nth(1).unwrap_or_default();
    let path = std::path::Path::new(&path);
    let outcome = precocial::experiment::load(path).and_then(|loaded| {
        let study = precocial::experiment::Study::new(loaded.experiment.clone(), loaded.folder())?;
        precocial::experiment::run(&study, &Default::default(), &precocial::experiment::Unwatched)
    });
    match outcome {
        Ok(run) => println!("{} {:?}", run.folder.path().display(), run.manifest.bits),
        Err(error) => println!("{error}"),
    }
}
