//! Integration tests, by promise. One binary: linking tract once is enough.

mod architecture;
mod audit;
mod bad_input;
mod crash;
mod full_disk;
mod peers;
mod site;
mod stopping;
mod way;
