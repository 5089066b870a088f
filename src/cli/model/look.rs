//! `model explain`: which node of a bundle's graph runs where, and how long it takes;
//! `model write`: what a writer bundle makes of fact words.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;

use crate::cli::exit;
use crate::cli::vouching::Trusting;
use crate::infer::bundle::{Bundle, BundleError, Kind, Outline, Vouched};
use crate::infer::int8::kernel::Kernel;
use crate::infer::model::{Engines, Model, NodePath, Path};
use crate::infer::writer::{Sheet, Writer};
use crate::os;
use crate::quality::Fitness;

#[derive(clap::Args)]
pub struct Write {
    #[command(flatten)]
    trusting: Trusting,
    /// The writer bundle's folder
    bundle: PathBuf,
    /// JSON lines of fact words and a question, as golden/sheets.json of a writer has them
    sheets: PathBuf,
}

/// One line of `sheets`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct FactWords {
    facts: Vec<String>,
    question: String,
    /// Of the writer's height times width; blank where none is given.
    #[serde(default)]
    image: Option<Vec<f32>>,
}

#[derive(clap::Args)]
pub struct Explain {
    #[command(flatten)]
    trusting: Trusting,
    /// The bundle's folder
    bundle: PathBuf,
    /// How often to run it; times are the least of the runs
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,
    /// Leave the whole graph to tract, to compare
    #[arg(long, hide = true)]
    stock: bool,
    /// Run it on this kernel of those that the CPU has, by its name, to compare
    #[arg(long, hide = true, conflicts_with = "stock", value_parser = kernel)]
    kernel: Option<Kernel>,
    /// Print only the CPU milliseconds of each run, for scripts/bench
    #[arg(long, hide = true)]
    times: bool,
}

pub fn write(arguments: &Write) -> anyhow::Result<()> {
    let vouched = arguments.trusting.one(&arguments.bundle)?;
    let writer = Writer::load(&vouched).map_err(|e| exit::coded(exit::DATA, e.to_string()))?;
    let text = std::fs::read_to_string(&arguments.sheets).with_context(|| arguments.sheets.display().to_string())?;
    for (number, line) in text.lines().enumerate() {
        let words: FactWords = serde_json::from_str(line).with_context(|| format!("sheet {}", number + 1))?;
        let blank = || writer.geometry().map(|g| vec![0.0; (g.width * g.height) as usize]);
        let image = words.image.or_else(blank);
        let format = writer.manifest().sheet.format;
        let sheet = Sheet { format, facts: words.facts, question: words.question, image };
        let before = os::thread_cpu_time();
        let tokens = writer.tokens(&sheet, &|| false);
        let cpu_ms = milliseconds(os::thread_cpu_time().saturating_sub(before));
        let drafted = tokens.and_then(|tokens| Ok((writer.spell(&tokens)?, tokens)));
        let answer = match drafted {
            Ok((parts, tokens)) => serde_json::json!({
                "tokens": tokens, "findings": parts.findings, "impression": parts.impression, "cpu_ms": cpu_ms
            }),
            Err(refusal) => serde_json::json!({ "refused": refusal.code(), "words": refusal.to_string() }),
        };
        println!("{answer}");
    }
    Ok(())
}

pub fn explain(arguments: &Explain) -> anyhow::Result<()> {
    let engines = match arguments.kernel {
        Some(kernel) => Engines::One(kernel),
        None if arguments.stock => Engines::StockTract,
        None => Engines::Best,
    };
    let vouched = arguments.trusting.one(&arguments.bundle)?;
    let model = network(&vouched, engines).map_err(|e| exit::coded(exit::DATA, e.to_string()))?;
    let mut runs = whole_runs(&model, arguments.runs)?;
    if arguments.times {
        for time in runs {
            println!("{:.4}", milliseconds(time));
        }
        return Ok(());
    }
    let nodes = model.explain(arguments.runs.into(), &os::thread_cpu_time)?;
    let identity = &vouched.identity;
    println!("{} {}", identity.name, identity.version);
    print(&nodes);
    runs.sort_unstable();
    println!(
        "one run {:.3} ms of CPU at least, {:.3} ms median of {}",
        milliseconds(runs[0]),
        milliseconds(runs[runs.len() / 2]),
        runs.len()
    );
    Ok(())
}

/// The network of a bundle that has one.
fn network(vouched: &Vouched, engines: Engines) -> Result<Model, BundleError> {
    match Outline::read(&vouched.folder)?.0.kind() {
        Kind::JudgesFitness => Fitness::load_with(vouched, engines).map(Fitness::into_model),
        Kind::Reads | Kind::Writes => Bundle::load_with(vouched, engines).map(Bundle::into_model),
    }
}

/// The kernel of that name.
fn kernel(name: &str) -> Result<Kernel, String> {
    let kernels = Kernel::available();
    let names: Vec<&str> = kernels.iter().map(|k| k.name()).collect();
    let found = kernels.iter().find(|k| k.name() == name);
    found.copied().ok_or_else(|| format!("this CPU has {}", names.join(", ")))
}

/// CPU time of each run.
fn whole_runs(model: &Model, runs: u16) -> anyhow::Result<Vec<Duration>> {
    let input = vec![0.5; model.input_len()];
    let mut times = Vec::with_capacity(runs.into());
    for _ in 0..runs {
        let before = os::thread_cpu_time();
        model.run(&input)?;
        times.push(os::thread_cpu_time().saturating_sub(before));
    }
    Ok(times)
}

fn print(nodes: &[NodePath]) {
    let all: Duration = nodes.iter().map(|n| n.time).sum();
    println!(
        "{:>6}  {:>9}  {:<20}  {:<14}  {:>7}  node [operators]",
        "share", "time", "output shape", "path", "of peak"
    );
    for node in nodes {
        let percent = 100.0 * node.time.as_secs_f64() / all.as_secs_f64().max(f64::MIN_POSITIVE);
        let shape = format!("{:?}", node.shape);
        let path = match &node.path {
            Path::Int8(kernel) => kernel,
            Path::Tract(_) => "tract",
        };
        let peak = node.share_of_peak.map(|share| format!("{:.0} %", 100.0 * share)).unwrap_or_default();
        println!(
            "{percent:5.1}%  {:6.3} ms  {shape:<20}  {path:<14}  {peak:>7}  {}",
            milliseconds(node.time),
            node.node
        );
    }
    // The time that the products need at least, against all of the time.
    let least: f64 = nodes.iter().filter_map(|n| Some(n.share_of_peak? * n.time.as_secs_f64())).sum();
    if least > 0.0 {
        let percent = 100.0 * least / all.as_secs_f64();
        let products: usize = nodes.iter().map(|n| n.products).sum();
        println!("{:.1} million products, {percent:.0} % of what the core's instructions can", products as f64 / 1e6);
    }
    if let Some(Path::Tract(reason)) = nodes.first().map(|n| &n.path) {
        println!("left to tract as a whole: {reason}");
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
