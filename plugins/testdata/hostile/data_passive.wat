;; It fetches data that is there once, and drops it.
(module
  (memory (export "memory") 1)
  (data $d "\12\00")
  (func (export "onething_alloc") (param i32) (result i32) (i32.const 32768))
  (func (export "onething_call") (param $at i32) (param $size i32) (result i64)
    (memory.init $d (i32.const 4096) (i32.const 0) (i32.const 2)) (data.drop $d)
    (i64.const 0x100000000002)))
