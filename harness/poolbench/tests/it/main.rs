//! The one integration binary: drives the real program.

#[cfg(test)]
mod arrivals;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod claims;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod contenders;
#[cfg(test)]
mod durability;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod interrupt;
#[cfg(test)]
mod load;
#[cfg(test)]
mod merge;
#[cfg(test)]
mod monitor;
#[cfg(test)]
mod openmetrics;
#[cfg(test)]
mod recommend;
#[cfg(test)]
mod report;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod virtual_time;
#[cfg(test)]
mod workers;
