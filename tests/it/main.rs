//! Integration tests, by promise. One binary: linking tract once is enough.

mod accept;
mod alerts;
mod architecture;
mod audit;
mod bad_input;
mod board;
mod comparison;
mod crash;
mod doctor;
mod full_disk;
mod hostile_peers;
mod isolation;
mod models;
mod peers;
mod provision;
mod service;
mod site;
mod stopping;
mod way;
