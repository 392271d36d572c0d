//go:build wasip1

// Command extismguest does the same work and speaks Extism's interface.
package main

import (
	"encoding/binary"

	"github.com/siyiban/onething/internal/sandboxbench/work"
	"github.com/siyiban/onething/sdk/go/pluginv1"
)

func main() {}

//go:wasmimport extism:host/env input_length
func inputLength() uint64

//go:wasmimport extism:host/env input_load_u8
func inputLoadU8(at uint64) uint32

//go:wasmimport extism:host/env input_load_u64
func inputLoadU64(at uint64) uint64

//go:wasmimport extism:host/env alloc
func alloc(size uint64) uint64

//go:wasmimport extism:host/env store_u8
func storeU8(at uint64, v uint32)

//go:wasmimport extism:host/env store_u64
func storeU64(at, v uint64)

//go:wasmimport extism:host/env output_set
func outputSet(at, size uint64)

//go:wasmexport answer
func answer() int32 {
	input := make([]byte, inputLength())
	at := 0
	for ; at+8 <= len(input); at += 8 {
		binary.LittleEndian.PutUint64(input[at:], inputLoadU64(uint64(at)))
	}
	for ; at < len(input); at++ {
		input[at] = byte(inputLoadU8(uint64(at)))
	}
	request := new(pluginv1.Request)
	if request.UnmarshalVT(input) != nil {
		return 1
	}
	response, _ := work.Plugin.Answer(request, nil)
	output, err := response.MarshalVT()
	if err != nil {
		return 2
	}
	to := alloc(uint64(len(output)))
	for at = 0; at+8 <= len(output); at += 8 {
		storeU64(to+uint64(at), binary.LittleEndian.Uint64(output[at:]))
	}
	for ; at < len(output); at++ {
		storeU8(to+uint64(at), uint32(output[at]))
	}
	outputSet(to, uint64(len(output)))
	return 0
}
