//! `model`: the bundles of a box (`install`, `list`, `activate`, `rollback`), and bundles made and
//! looked into by those who make them (`new-key`, `sign`, `explain`, `write`).

mod depot;
mod look;
mod sign;

use clap::Subcommand;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install a bundle on this box and let it serve: verified, tried, switched to at once
    Install(depot::Install),
    /// Show every bundle of this box: version, whether it serves, who signed it, its space
    List(depot::OfBox),
    /// Let another version serve that is on this box
    Activate(depot::Activate),
    /// Let the bundle serve again that served before
    Rollback(depot::Rollback),
    /// Make a vendor's key, with which bundles are signed; never overwrites
    NewKey(sign::NewKey),
    /// Sign a bundle with a vendor's key: every file of it, its name and its version
    Sign(sign::Sign),
    /// Print each node, its output's shape, who does it and its share of the time
    Explain(look::Explain),
    /// Print what a writer bundle drafts from each line of fact words, unguarded, to compare
    Write(look::Write),
}

pub fn model(arguments: &Arguments) -> anyhow::Result<()> {
    match &arguments.command {
        Command::Install(arguments) => depot::install(arguments),
        Command::List(arguments) => depot::list(arguments),
        Command::Activate(arguments) => depot::activate(arguments),
        Command::Rollback(arguments) => depot::rollback(arguments),
        Command::NewKey(arguments) => sign::new_key(arguments),
        Command::Sign(arguments) => sign::sign(arguments),
        Command::Explain(arguments) => look::explain(arguments),
        Command::Write(arguments) => look::write(arguments),
    }
}
