//! What a call can reach outside itself. In a guest these are imports; each is called where it is used and nowhere else, so that
//! the linker leaves out what a plugin has no need of, and the file imports nothing else.

#[cfg(target_arch = "wasm32")]
mod imports {
    use std::marker::PhantomData;

    #[link(wasm_import_module = "onething")]
    extern "C" {
        fn shared_data(address: *const u8, size: u32) -> u32;
        fn key_value(address: *const u8, size: u32) -> u32;
        fn http(address: *const u8, size: u32) -> u32;
        fn log(address: *const u8, size: u32) -> u32;
        fn read_answer(address: *mut u8, size: u32) -> u32;
    }

    /// The engine.
    #[derive(Default)]
    pub struct Host<'a>(PhantomData<&'a ()>);

    macro_rules! functions {
        ($($name:ident),*) => {
            impl Host<'_> {
                $(pub fn $name(&self, request: &[u8]) -> Vec<u8> {
                    // SAFETY: the host reads `request` while it is called, and keeps no address.
                    answer(unsafe { $name(request.as_ptr(), request.len() as u32) })
                })*
            }
        };
    }

    functions!(shared_data, key_value, http, log);

    /// The answer that waits. If the host hands out less than it announced, nothing is understood of it.
    fn answer(size: u32) -> Vec<u8> {
        let mut buffer = vec![0u8; size as usize];
        // SAFETY: the buffer has `size` bytes, and the host writes no more.
        let written = unsafe { read_answer(buffer.as_mut_ptr(), size) };
        if written != size {
            return vec![0xff];
        }
        buffer
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod native {
    /// What stands in for the engine: the name of the host function and the request, to the answer.
    pub struct Host<'a>(pub &'a dyn Fn(&str, &[u8]) -> Vec<u8>);

    impl Host<'_> {
        pub fn shared_data(&self, request: &[u8]) -> Vec<u8> {
            (self.0)("shared_data", request)
        }

        pub fn key_value(&self, request: &[u8]) -> Vec<u8> {
            (self.0)("key_value", request)
        }

        pub fn http(&self, request: &[u8]) -> Vec<u8> {
            (self.0)("http", request)
        }

        pub fn log(&self, request: &[u8]) -> Vec<u8> {
            (self.0)("log", request)
        }
    }
}

#[cfg(target_arch = "wasm32")]
pub use imports::Host;
#[cfg(not(target_arch = "wasm32"))]
pub use native::Host;
