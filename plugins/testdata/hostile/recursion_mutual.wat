;; Two functions call each other, with values that wait on the stack.
(module
  (memory (export "memory") 1)
  (data (i32.const 4096) "\12\00")
  (func $one (param i64) (result i64) (i64.add (i64.mul (local.get 0) (i64.const 3)) (call $two (i64.add (local.get 0) (i64.const 1)))))
  (func $two (param i64) (result i64) (i64.sub (i64.mul (local.get 0) (i64.const 5)) (call $one (i64.sub (local.get 0) (i64.const 2)))))
  (func (export "onething_alloc") (param i32) (result i32) (i32.const 32768))
  (func (export "onething_call") (param $at i32) (param $size i32) (result i64)
    (call $one (i64.const 1))))
