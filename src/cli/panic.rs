//! What a user sees if precocial breaks a promise.

use std::io::Write;

/// Says what happened in words that a bug report needs, and how to go on.
pub fn install() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let command: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
        let message = text(info.payload());
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let text = format!(
            "error[P0001]: this is a bug in precocial, not in your experiment\n   = note: {message} ({place})\n   \
             = note: precocial {}, {}-{}, command: {}\n   = help: please report it with these lines and the experiment \
             file\n   = help: runs that had finished are in the result folder\n",
            env!("CARGO_PKG_VERSION"),
            std::env::consts::ARCH,
            std::env::consts::OS,
            command.join(" ").escape_debug(),
        );
        _ = std::io::stderr().write_all(text.as_bytes());
        if std::env::var_os("RUST_BACKTRACE").is_some() {
            usual(info);
        }
        std::process::exit(1);
    }));
}

/// What a panic said: `panic!` carries a `&str` or a `String`.
fn text(payload: &dyn std::any::Any) -> &str {
    let owned = || payload.downcast_ref::<String>().map(String::as_str);
    payload.downcast_ref::<&str>().copied().or_else(owned).unwrap_or("no message")
}
