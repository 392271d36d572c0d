// Command work is a guest with the kinds of work that a department's step does, and with the tightest loops, for
// measuring what counting fuel costs.
package main

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"
)

func main() {}

type record struct {
	Name     string            `json:"name"`
	Number   string            `json:"number"`
	Years    int               `json:"years"`
	Amount   float64           `json:"amount"`
	Previous []record          `json:"previous,omitempty"`
	Answers  map[string]string `json:"answers,omitempty"`
}

var document = func() []byte {
	previous := make([]record, 5)
	for i := range previous {
		previous[i] = record{Name: "江苏省某某有限公司", Number: "32132319900307123X", Years: i, Amount: 1234.5 * float64(i)}
	}
	b, err := json.Marshal(record{Name: "张三", Number: "321323199003071234", Years: 31, Amount: 4321.25, Previous: previous, Answers: map[string]string{"kind": "flexible", "bank": "6222"}})
	if err != nil {
		panic(err)
	}
	return b
}()

//go:wasmexport json
func workJSON(n int32) int64 {
	sum := 0
	for range n {
		var r record
		if err := json.Unmarshal(document, &r); err != nil {
			panic(err)
		}
		b, err := json.Marshal(r)
		if err != nil {
			panic(err)
		}
		sum += len(b)
	}
	return int64(sum)
}

var message = func() []byte {
	var b []byte
	for i := range 64 {
		b = binary.AppendUvarint(b, uint64(i<<3|2))
		b = binary.AppendUvarint(b, 12)
		b = append(b, "hello, guest"...)
	}
	return b
}()

//go:wasmexport tags
func workTags(n int32) int64 {
	sum := 0
	for range n {
		fields := make(map[uint64][]byte, 8)
		for b := message; len(b) > 0; {
			tag, k := binary.Uvarint(b)
			size, l := binary.Uvarint(b[k:])
			fields[tag>>3&7] = b[k+l : k+l+int(size)]
			b = b[k+l+int(size):]
		}
		for _, f := range fields {
			sum += len(f)
		}
	}
	return int64(sum)
}

//go:wasmexport hash
func workHash(n int32) int64 {
	sum := [32]byte{}
	for range n {
		sum = sha256.Sum256(append(sum[:], document...))
	}
	return int64(sum[0])
}

//go:wasmexport sort
func workSort(n int32) int64 {
	words := strings.Fields(strings.Repeat("the quick brown fox jumps over the lazy dog ", 20))
	for range n {
		w := slices.Clone(words)
		slices.Sort(w)
		words[0] = w[len(w)-1]
	}
	return int64(len(words[0]))
}

//go:wasmexport sieve
func workSieve(n int32) int64 {
	count := 0
	for range n {
		composite := make([]bool, 4096)
		count = 0
		for i := 2; i < len(composite); i++ {
			if composite[i] {
				continue
			}
			count++
			for j := 2 * i; j < len(composite); j += i {
				composite[j] = true
			}
		}
	}
	return int64(count)
}

func fibonacci(n int) int {
	if n < 2 {
		return n
	}
	return fibonacci(n-1) + fibonacci(n-2)
}

//go:wasmexport fib
func workFib(n int32) int64 {
	sum := 0
	for range n {
		sum += fibonacci(15)
	}
	return int64(sum)
}

//go:wasmexport sum
func workSum(n int32) int64 {
	sum := int64(0)
	for i := range int64(n) * 10000 {
		sum += i ^ sum
	}
	return sum
}
