;; Its functions trap if they are called while it waits for the host, which never happens.
(module
  (import "onething" "shared_data" (func $shared_data (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 4096) "\12\00")
  (global $waits (mut i32) (i32.const 0))
  (func (export "onething_alloc") (param i32) (result i32) (if (global.get $waits) (then (unreachable))) (i32.const 32768))
  (func (export "onething_call") (param $at i32) (param $size i32) (result i64)
    (if (global.get $waits) (then (unreachable)))
    (global.set $waits (i32.const 1))
    (drop (call $shared_data (i32.const 0) (i32.const 0)))
    (global.set $waits (i32.const 0))
    (i64.const 0x100000000002)))
