;; It grows its memory to the limit, writes to every page, and goes on until it has no more.
(module
  (memory (export "memory") 1)
  (data (i32.const 4096) "\12\00")
  (func (export "onething_alloc") (param i32) (result i32) (i32.const 32768))
  (func (export "onething_call") (param $at i32) (param $size i32) (result i64)
    (local $page i32)
    (loop $again
      (local.set $page (memory.grow (i32.const 1)))
      (i32.store (i32.shl (local.get $page) (i32.const 16)) (i32.const 1))
      (br $again))
    (i64.const 0x100000000002)))
