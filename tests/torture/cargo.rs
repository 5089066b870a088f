//! What `cargo test` passes to every test program, without meaning where each is its own harness.

/// Taken, so that a run of all tests with such a flag does not end here.
#[derive(clap::Args)]
pub struct OfCargoTest {
    #[arg(long, hide = true)]
    nocapture: bool,
    #[arg(short, long, hide = true)]
    quiet: bool,
    #[arg(long, hide = true)]
    test_threads: Option<u16>,
}
