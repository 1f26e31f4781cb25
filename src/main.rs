//! The program `assay`: everything is in the library, this starts it.

fn main() -> std::process::ExitCode {
    assay::cli::run()
}
