;; It keeps what a resident is asked, and answers the next call with it, if it finds it. What primes a guest is larger.
(module
  (memory (export "memory") 1)
  (data (i32.const 4096) "\12\00")
  (global $called (mut i32) (i32.const 0))
  (func (export "onething_alloc") (param i32) (result i32) (i32.const 32768))
  (func (export "onething_call") (param $at i32) (param $size i32) (result i64)
    (if (i32.or (global.get $called) (i32.load (i32.const 1024))) (then (return (i64.const 0x40000000400))))
    (if (i32.lt_u (local.get $size) (i32.const 400)) (then
      (global.set $called (i32.const 1))
      (memory.copy (i32.const 1024) (local.get $at) (local.get $size))))
    (i64.const 0x100000000002)))
