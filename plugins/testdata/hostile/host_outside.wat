;; It hands the host an address outside its memory.
(module
  (import "onething" "shared_data" (func $shared_data (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 4096) "\12\00")
  (func (export "onething_alloc") (param i32) (result i32) (i32.const 32768))
  (func (export "onething_call") (param $at i32) (param $size i32) (result i64)
    (drop (call $shared_data (i32.const -16) (i32.const 8)))
    (i64.const 0x100000000002)))
