package plugin

import (
	"errors"
	"runtime"
	"unsafe"

	"github.com/siyiban/onething/sdk/go/pluginv1"
)

// The guest's side of the interface between host and module (docs/plugin-interface.md). A sandbox serves one call, so
// nothing here is ever used twice; the variables exist because the interface consists of several functions.
var (
	served *Plugin
	// input is the buffer that the host asked for and fills with the request; output is the response, kept alive until
	// the host has read it.
	input, output []byte
)

// Serve makes p the plugin of this file. Call it once, in a package variable of package main:
//
//	var _ = plugin.Serve(household)
//
// because a WebAssembly reactor runs the initialisation of packages, and never main.
func Serve(p Plugin) struct{} {
	if served != nil {
		panic("plugin: Serve is called twice")
	}
	served = &p
	return struct{}{}
}

//go:wasmexport onething_alloc
func alloc(size uint32) unsafe.Pointer {
	input = make([]byte, size)
	return unsafe.Pointer(unsafe.SliceData(input))
}

//go:wasmexport onething_call
func call(_ unsafe.Pointer, size uint32) uint64 {
	output = answer(input[:size])
	return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(output))))<<32 | uint64(len(output))
}

func answer(message []byte) []byte {
	response := new(pluginv1.Response)
	request := new(pluginv1.Request)
	if err := request.UnmarshalVT(message); err != nil {
		response.Failure = "the request is no message of this interface"
	} else if served == nil {
		response.Failure = "the plugin was built without plugin.Serve"
	} else {
		response, _ = served.Answer(request, engine{})
	}
	bytes, err := response.MarshalVT()
	if err != nil {
		// An empty message has no member of the called hook, which the host takes as a failure.
		return nil
	}
	return bytes
}

//go:wasmimport onething shared_data
func hostSharedData(request unsafe.Pointer, size uint32) uint32

//go:wasmimport onething key_value
func hostKeyValue(request unsafe.Pointer, size uint32) uint32

//go:wasmimport onething http
func hostHTTP(request unsafe.Pointer, size uint32) uint32

//go:wasmimport onething log
func hostLog(request unsafe.Pointer, size uint32) uint32

//go:wasmimport onething read_answer
func hostReadAnswer(buffer unsafe.Pointer, size uint32) uint32

// engine is the host of a guest. The linker leaves out the imports of what a plugin does not use.
type engine struct{}

func (engine) SharedData(request *pluginv1.SharedDataRequest) (*pluginv1.SharedDataResponse, error) {
	message, err := request.MarshalVT()
	if err != nil {
		return nil, err
	}
	size := hostSharedData(unsafe.Pointer(unsafe.SliceData(message)), uint32(len(message)))
	response := new(pluginv1.SharedDataResponse)
	return response, read(message, size, response)
}

func (engine) KeyValue(request *pluginv1.KeyValueRequest) (*pluginv1.KeyValueResponse, error) {
	message, err := request.MarshalVT()
	if err != nil {
		return nil, err
	}
	size := hostKeyValue(unsafe.Pointer(unsafe.SliceData(message)), uint32(len(message)))
	response := new(pluginv1.KeyValueResponse)
	return response, read(message, size, response)
}

func (engine) HTTP(request *pluginv1.HttpRequest) (*pluginv1.HttpResponse, error) {
	message, err := request.MarshalVT()
	if err != nil {
		return nil, err
	}
	size := hostHTTP(unsafe.Pointer(unsafe.SliceData(message)), uint32(len(message)))
	response := new(pluginv1.HttpResponse)
	return response, read(message, size, response)
}

func (engine) Log(request *pluginv1.LogRequest) (*pluginv1.LogResponse, error) {
	message, err := request.MarshalVT()
	if err != nil {
		return nil, err
	}
	size := hostLog(unsafe.Pointer(unsafe.SliceData(message)), uint32(len(message)))
	response := new(pluginv1.LogResponse)
	return response, read(message, size, response)
}

// read reads the answer that waits. The request is kept alive until the host has read it.
func read(request []byte, size uint32, response interface{ UnmarshalVT([]byte) error }) error {
	runtime.KeepAlive(request)
	answer := make([]byte, size)
	if got := hostReadAnswer(unsafe.Pointer(unsafe.SliceData(answer)), size); got != size {
		return errors.New("the host's answer was cut short")
	}
	if err := response.UnmarshalVT(answer); err != nil {
		return errors.New("the host's answer is no message of this interface")
	}
	return nil
}
