//! The guest's side of the interface between host and module (docs/plugin-interface.md). A sandbox serves one call, so nothing
//! is ever freed.

use prost::Message;

use crate::call::Call;
use crate::host::Host;
use crate::plugin::Plugin;
use crate::proto;

/// The answer to a request, whatever it is: what cannot be answered is a failure.
pub fn answer(plugin: &Plugin, message: &[u8], host: Host<'_>) -> proto::Response {
    match proto::Request::decode(message) {
        Ok(request) => respond(plugin, &request, host, |_| ()),
        Err(_) => failed("the request is no message of this interface".to_string()),
    }
}

/// The answer to a request that is a message. `look` sees the call when it has been answered.
pub(crate) fn respond(plugin: &Plugin, request: &proto::Request, host: Host<'_>, look: impl FnOnce(&Call)) -> proto::Response {
    let call = match Call::new(request, host) {
        Ok(call) => call,
        Err(failure) => return failed(failure.0),
    };
    let answered = plugin.answer(&call);
    look(&call);
    match (answered, call.fault()) {
        (Err(failure), _) => failed(failure.0),
        (Ok(_), Some(fault)) => failed(fault),
        (Ok(response), None) => response,
    }
}

fn failed(failure: String) -> proto::Response {
    // An empty text would be no failure, and no answer either.
    let failure = if failure.is_empty() { "the handler gave no reason".to_string() } else { failure };
    proto::Response { failure, ..Default::default() }
}

/// Room for a request.
#[cfg(target_arch = "wasm32")]
pub fn alloc(size: u32) -> *mut u8 {
    Box::leak(vec![0u8; size as usize].into_boxed_slice()).as_mut_ptr()
}

/// Answers the request that lies at an address: the answer's address in the upper 32 bits, its size in the lower.
///
/// # Safety
///
/// `address` is what [`alloc`] returned for `size`.
#[cfg(target_arch = "wasm32")]
pub unsafe fn call(plugin: &Plugin, address: *const u8, size: u32) -> u64 {
    let message = std::slice::from_raw_parts(address, size as usize);
    let response = Box::leak(answer(plugin, message, Host::default()).encode_to_vec().into_boxed_slice());
    (response.as_ptr() as u64) << 32 | response.len() as u64
}

/// Makes a [`Plugin`] the plugin of the WebAssembly file that is built of this crate. Write it once, in the crate's root; in a
/// native build, which is a test, it does nothing.
#[macro_export]
macro_rules! serve {
    ($plugin:expr) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            #[no_mangle]
            extern "C" fn onething_alloc(size: u32) -> *mut u8 {
                $crate::guest::alloc(size)
            }

            #[no_mangle]
            unsafe extern "C" fn onething_call(address: *const u8, size: u32) -> u64 {
                $crate::guest::call(&$plugin, address, size)
            }
        };
    };
}
