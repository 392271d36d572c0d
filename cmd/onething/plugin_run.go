package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/siyiban/onething/plugins"
	"github.com/siyiban/onething/plugins/conformance"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

func newPluginRun() *cobra.Command {
	var hook, format string
	cmd := &cobra.Command{
		Use:   "run FILE.wasm CASE.json",
		Short: "Call a hook of a plugin in the sandbox and print its answer",
		Long: "run calls a plugin in the host that serves it, on the `request` of a JSON file, and prints the answer and what the call\n" +
			"used. `calls` of the file are what its host calls are ran, in order; nothing outside is reached. The form is that\n" +
			"of the table in docs/plugin-interface.md. It exits with 1 if the call fails.",
		Example: `  onething plugin run build/plugins/household.wasm household.json
  onething plugin run --hook check --format json build/plugins/household.wasm household.json`,
		Args: arguments("FILE.wasm", "CASE.json"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if err := oneOf(format, "text", "json"); err != nil {
				return err
			}
			c, err := readCase(args[1], hook)
			if err != nil {
				return err
			}
			file, m, err := readPlugin(args[0])
			if err != nil {
				return err
			}
			return try(cmd.Context(), args[0], file, m, func(t *tried) error {
				ran, err := t.call(cmd.Context(), c)
				if err != nil {
					return err
				}
				if err := tell(cmd.OutOrStdout(), format, ran, ran.write); err != nil {
					return err
				}
				if ran.Failed != "" {
					return errFindings
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&hook, "hook", "", "prefill, check, decide, issue or revoke; that of the file if not given")
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	return cmd
}

// readCase reads a case and sets its hook, if one is named.
func readCase(file, hook string) (*pluginv1.Case, error) {
	source, err := os.ReadFile(file) //nolint:gosec // the user names the file
	if err != nil {
		return nil, err
	}
	c, err := conformance.ReadCase(source)
	if err != nil {
		return nil, &refusedError{file + ": " + err.Error()}
	}
	if hook != "" {
		n, ok := pluginv1.Hook_value["HOOK_"+strings.ToUpper(hook)]
		if !ok || n == 0 {
			return nil, fmt.Errorf("there is no hook %q, only prefill, check, decide, issue and revoke", hook)
		}
		c.GetRequest().Hook = pluginv1.Hook(n)
	}
	if c.GetRequest().GetHook() == pluginv1.Hook_HOOK_UNSPECIFIED {
		return nil, errors.New(file + " names no hook, and neither does --hook")
	}
	return c, nil
}

// ran is what came of a call.
type ran struct {
	// Answer is the response as JSON; nil if the call failed.
	Answer rawJSON `json:"answer,omitempty"`
	// Failed says why the call failed.
	Failed string `json:"failed,omitempty"`
	// What the call used.
	Fuel        int64 `json:"fuel"`
	HostCalls   int   `json:"host_calls"`
	MemoryBytes int   `json:"memory_bytes"`
	OutputBytes int   `json:"output_bytes"`
}

// rawJSON is JSON that is printed as it is.
type rawJSON []byte

// MarshalJSON implements json.Marshaler.
func (r rawJSON) MarshalJSON() ([]byte, error) { return r, nil }

// call makes one call; an error means that the host could not make it.
func (t *tried) call(ctx context.Context, c *pluginv1.Case) (ran, error) {
	response, trace, diverged, err := t.host.Replay(ctx, t.ref, c.GetRequest(), c.GetCalls())
	a := ran{Fuel: trace.Fuel, HostCalls: trace.HostCalls, MemoryBytes: trace.MemoryBytes, OutputBytes: trace.OutputBytes}
	var failed *plugins.CallError
	switch {
	case errors.As(err, &failed):
		a.Failed = failed.Error()
		if trace.Failure != "" {
			a.Failed += ": " + trace.Failure
		}
	case err != nil:
		return a, err
	default:
		text, err := protojson.Marshal(response)
		if err != nil {
			return a, err
		}
		// The encoder varies its blanks on purpose.
		var b bytes.Buffer
		if err := json.Indent(&b, text, "", "  "); err != nil {
			return a, err
		}
		a.Answer = b.Bytes()
	}
	if diverged != "" {
		if a.Failed != "" {
			a.Failed += "; "
		}
		a.Failed += "its host calls are not the `calls` of the case: " + diverged
	}
	return a, nil
}

func (a ran) write(w io.Writer) {
	if a.Answer != nil {
		fmt.Fprintf(w, "%s\n", a.Answer)
	}
	if a.Failed != "" {
		fmt.Fprintf(w, "failed: %s\n", a.Failed)
	}
	fmt.Fprintf(w, "used: %.2f million units of fuel, %s of memory, %d host calls, an answer of %s\n", float64(a.Fuel)/1e6, size(a.MemoryBytes), a.HostCalls, size(a.OutputBytes))
}
