//! The C library from outside: its functions, its symbols, its header, C programs that use it.

// Tests read the texts that the library lends as C would.
#![allow(unsafe_code)]

#[cfg(test)]
mod calls;
#[cfg(test)]
mod codes;
#[cfg(test)]
mod programs;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod symbols;
