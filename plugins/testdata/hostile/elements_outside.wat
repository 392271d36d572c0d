;; Its elements lie outside its table.
(module
  (table 1 funcref)
  (elem (i32.const 1) $f)
  (memory (export "memory") 1)
  (data (i32.const 4096) "\12\00")
  (func $f)
  (func (export "onething_alloc") (param i32) (result i32) (i32.const 32768))
  (func (export "onething_call") (param $at i32) (param $size i32) (result i64)
    (i64.const 0x100000000002)))
