package plugintest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	plugin "github.com/siyiban/onething/sdk/go"
	"github.com/siyiban/onething/sdk/go/pluginv1"
)

// casesVariable names the folder into which cases are written. `onething plugin test` sets it, and asks the same cases in
// the sandbox then.
const casesVariable = "ONETHING_CASES"

// recorder notes the host calls of one call.
type recorder struct {
	plugin.Host
	calls []*pluginv1.HostCall
}

// message is a message of the interface.
type message interface{ MarshalVT() ([]byte, error) }

func (r *recorder) note(function string, request, response message) error {
	call := &pluginv1.HostCall{Function: function}
	var err error
	if call.Request, err = request.MarshalVT(); err == nil {
		call.Response, err = response.MarshalVT()
	}
	r.calls = append(r.calls, call)
	return err
}

// SharedData implements plugin.Host.
func (r *recorder) SharedData(request *pluginv1.SharedDataRequest) (*pluginv1.SharedDataResponse, error) {
	response, err := r.Host.SharedData(request)
	if err == nil {
		err = r.note("shared_data", request, response)
	}
	return response, err
}

// KeyValue implements plugin.Host.
func (r *recorder) KeyValue(request *pluginv1.KeyValueRequest) (*pluginv1.KeyValueResponse, error) {
	response, err := r.Host.KeyValue(request)
	if err == nil {
		err = r.note("key_value", request, response)
	}
	return response, err
}

// HTTP implements plugin.Host.
func (r *recorder) HTTP(request *pluginv1.HttpRequest) (*pluginv1.HttpResponse, error) {
	response, err := r.Host.HTTP(request)
	if err == nil {
		err = r.note("http", request, response)
	}
	return response, err
}

// Log implements plugin.Host. A line that is taken is not on the record.
func (r *recorder) Log(request *pluginv1.LogRequest) (*pluginv1.LogResponse, error) {
	response, err := r.Host.Log(request)
	if err == nil && response.GetRefused() != "" {
		err = r.note("log", request, response)
	}
	return response, err
}

// write writes a case into the folder that the environment names, if it names one.
func (c Case) write(request *pluginv1.Request, calls []*pluginv1.HostCall, response *pluginv1.Response) error {
	folder := os.Getenv(casesVariable)
	if folder == "" {
		return nil
	}
	recorded, err := (&pluginv1.Case{Name: c.Name, Request: request, Calls: calls, Response: response}).MarshalVT()
	if err != nil {
		return err
	}
	// Several tables of a package may have cases of the same name.
	sum := sha256.Sum256(recorded)
	if err := os.WriteFile(filepath.Join(folder, hex.EncodeToString(sum[:8])+".case"), recorded, 0o600); err != nil { //nolint:gosec // whoever runs the tests names the folder
		return fmt.Errorf("write case: %w", err)
	}
	return nil
}
