//! residentd

pub mod cli;
pub mod clock;
pub mod config;
pub mod digest;
pub mod infer;
pub mod ingest;
pub mod instance;
pub mod os;
pub mod phantom;
pub mod pixels;
pub mod preprocess;
pub mod publish;
pub mod quality;
pub mod reader;
pub mod report;
pub mod seal;
pub mod store;
pub mod study;
