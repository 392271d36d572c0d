;; It leaves a mark in a table.
(module
  (table $t 1 funcref)
  (memory (export "memory") 1)
  (data (i32.const 4096) "\12\00")
  (func (export "onething_alloc") (param i32) (result i32) (i32.const 32768))
  (func (export "onething_call") (param $at i32) (param $size i32) (result i64)
    (table.set $t (i32.const 0) (ref.null func))
    (i64.const 0x100000000002)))
