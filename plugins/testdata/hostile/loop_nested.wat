;; It loops without end in a loop within a loop that keeps what it counts in locals, and leaves the inner one by a table.
(module
  (memory (export "memory") 1)
  (data (i32.const 4096) "\12\00")
  (func (export "onething_alloc") (param i32) (result i32) (i32.const 32768))
  (func (export "onething_call") (param $at i32) (param $size i32) (result i64)
    (local $n i32)
    (loop $outer
      (block $out
        (loop $inner
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br_table $inner $out $outer (i32.and (local.get $n) (i32.const 3)))))
      (br $outer))
    (i64.const 0x100000000002)))
