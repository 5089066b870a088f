//! `model`: bundles made and looked into by those who make them (`new-key`, `sign`, `explain`,
//! `write`).

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
        Command::NewKey(arguments) => sign::new_key(arguments),
        Command::Sign(arguments) => sign::sign(arguments),
        Command::Explain(arguments) => look::explain(arguments),
        Command::Write(arguments) => look::write(arguments),
    }
}
