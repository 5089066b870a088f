//! `residentd`: an AI resident that lives beside the scanner.
//!
//! ```text
//!  scanner ──C-STORE──▶ ingest ──▶ store ──▶ reader ───────────────▶ seal ──▶ store ──▶ publish ──▶ hospital (MQTT)
//!                       bounded    durable   study▸pixels▸quality▸   sign,    outbox    MQTT 5
//!                       streaming  before    preprocess▸infer▸       chain
//!                                  0x0000    report (own process,
//!                                            no network, no key)
//! ```
//!
//! Verbs are stages, nouns are what passes between them. A stage imports the noun that
//! it consumes, never the stage that made it; data goes one way. Two files know
//! everything, `reader::resident` and `daemon`, and every other file knows one thing.
//! `tests/it/architecture.rs` holds this table and these borders.
//!
//! | module | what it is |
//! |---|---|
//! | `acceptance` | the certificate of a box that was seen to keep its promises |
//! | `audit` | the hash-chained log of what this box did, and its checkpoints |
//! | `board` | which board this is (facts in `board/`), what it shows, what is wrong with it |
//! | `cli` | one file a subcommand; exit codes |
//! | `clock` | a moment that knows whether it can be believed |
//! | `collect` | the hospital's receiver: verifies, keeps, receipts, asks again |
//! | `config` | the configuration file, typed |
//! | `daemon` | wires the edges: ingest, reading loop, publisher, retention |
//! | `deliver` | C-STORE as SCU |
//! | `digest` | SHA-256 as a type |
//! | `doctor` | everything that can be wrong with a box, each with what to do |
//! | `evaluate` | a bundle held against labelled images, through the same reader |
//! | `infer` | bundles, routing, the model in our int8 kernels or tract, calibrated findings, a writer of words |
//! | `ingest` | the storage SCP: associations, C-STORE, spool |
//! | `instance` | a DICOM file whose element headers were checked |
//! | `language` | the languages of reports: Fluent files, filled in and matched |
//! | `models` | who vouches for a model bundle, and which version of it serves |
//! | `mqtt` | MQTT 5 as both ends of the wire need it: access, message, one connection |
//! | `os` | durable files, clock, sandbox: the only `unsafe` beside the int8 kernels |
//! | `phantom` | a chest phantom as a DX file |
//! | `pixels` | decoded frames from any accepted transfer syntax |
//! | `preprocess` | from stored values to the input tensor |
//! | `publish` | MQTT 5: outbox window, status, alerts, the embedded broker |
//! | `pulse` | signs of life, and who listens to them |
//! | `quality` | fitness for reading |
//! | `reader` | the pure stages composed; their process and its supervisor |
//! | `receive` | the hospital's end of the wire, for demo and tests |
//! | `report` | the reading, its words, its FHIR form |
//! | `seal` | key, JWS, chain, verification |
//! | `store` | the one durable store |
//! | `study` | the image's header as types |

pub mod acceptance;
pub mod audit;
pub mod board;
pub mod cli;
pub mod clock;
pub mod collect;
pub mod config;
pub mod daemon;
pub mod deliver;
pub mod digest;
pub mod doctor;
pub mod evaluate;
pub mod infer;
pub mod ingest;
pub mod instance;
pub mod language;
pub mod models;
pub mod mqtt;
pub mod os;
pub mod phantom;
pub mod pixels;
pub mod preprocess;
pub mod publish;
pub mod pulse;
pub mod quality;
pub mod reader;
pub mod receive;
pub mod report;
pub mod seal;
pub mod store;
pub mod study;
