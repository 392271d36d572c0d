//! What a department uses to write its step of a bundle as a plugin, in Rust.
//!
//! A plugin is a value of type [`Plugin`]: a handler for each hook that the department implements. A handler is a plain function
//! from a [`Call`] to an answer. It sees the answers, parameters, materials and shared data that its step needs and nothing else;
//! it has no clock but [`Call::today`], no files, no network and no memory of an earlier call, so that the same call always gets
//! the same answer.
//!
//! Build it with `cargo build --release --target wasm32-unknown-unknown` and put its manifest in with `onething plugin pack`, or let
//! `onething plugin build` do both. Test it natively, without any WebAssembly, with [`testing`].
//!
//! A handler that panics ends its call, which fails as `trapped`: the sandbox is thrown away and nothing else is touched. Return a
//! [`Failure`] instead, which says why.

#![warn(missing_docs)]

mod call;
mod date;
#[doc(hidden)]
pub mod guest;
#[doc(hidden)]
pub mod host;
mod plugin;
/// The messages of the interface, generated from its schema. Handlers need of it only [`proto::HttpRequest`].
#[allow(missing_docs)]
pub mod proto {
    include!("proto/plugin.rs");
}
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
mod value;

pub use call::{Call, Entry, Fields, HttpAnswer, Store};
pub use date::{days_in, Date};
pub use plugin::{Decision, Document, Failure, Finding, Hook, Outcome, Plugin, Revocation, Severity};
pub use value::{Address, Decimal, Money, Value, Values};
