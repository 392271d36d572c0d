package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/siyiban/onething/plugins/capability"
	"github.com/siyiban/onething/plugins/store"
	"github.com/siyiban/onething/plugins/wasm"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// pluginFacts is what a plugin's file says of itself, and what is in it.
type pluginFacts struct {
	File         string   `json:"file"`
	Digest       string   `json:"digest"`
	Bytes        int      `json:"bytes"`
	Plugin       string   `json:"plugin"`
	Version      string   `json:"version"`
	Department   string   `json:"department"`
	Name         string   `json:"name"`
	SDK          string   `json:"sdk,omitempty"`
	Hooks        []string `json:"hooks"`
	Capabilities []string `json:"capabilities"`
	// Sources, Hosts and LogCodes say what the capabilities are asked for.
	Sources  []string `json:"shared_data_sources,omitempty"`
	Hosts    []string `json:"http_hosts,omitempty"`
	LogCodes []string `json:"log_codes,omitempty"`
	// Limits are those that the manifest asks for; what is missing is the operator's default.
	Limits      map[string]uint32 `json:"limits"`
	MemoryPages int               `json:"memory_pages"`
	Imports     []string          `json:"imports"`
	Exports     []string          `json:"exports"`
	// Notes are what is odd and no fault.
	Notes []string `json:"notes,omitempty"`
}

func newPluginCheck() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "check FILE.wasm",
		Short: "Say what a plugin is and asks for, and refuse what could not run",
		Long: "check reads a plugin's file within bounds, compiles it, and prints what it says of itself, what it imports and exports,\n" +
			"what it asks for and how large it is. It exits with 1 if the host could not run it, and says why.",
		Example: `  onething plugin check build/plugins/pension.wasm
  onething plugin check --format json build/plugins/household.wasm`,
		Args: arguments("FILE.wasm"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf(format, "text", "json"); err != nil {
				return err
			}
			file, m, err := readPlugin(args[0])
			if err != nil {
				return err
			}
			module, err := wasm.Read(file)
			if err != nil {
				return &refusedError{args[0] + " is not fit: " + err.Error()}
			}
			return try(cmd.Context(), args[0], file, m, func(*tried) error {
				d := describe(args[0], file, m, module)
				return tell(cmd.OutOrStdout(), format, d, d.write)
			})
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	return cmd
}

func describe(name string, file []byte, m *pluginv1.Manifest, module *wasm.Module) pluginFacts {
	d := pluginFacts{
		File: name, Digest: store.Digest(file), Bytes: len(file), Plugin: m.GetId(), Version: m.GetVersion(),
		Department: m.GetDepartment(), Name: m.GetNameZh(), SDK: m.GetSdk(), Capabilities: m.GetCapabilities(),
		Sources: m.GetSharedDataSources(), Hosts: m.GetHttpHosts(), LogCodes: m.GetLogCodes(),
		Limits: map[string]uint32{}, MemoryPages: module.MemoryPages,
	}
	for _, h := range m.GetHooks() {
		d.Hooks = append(d.Hooks, strings.ToLower(strings.TrimPrefix(h.String(), "HOOK_")))
	}
	if limits := m.GetLimits(); limits != nil {
		fields := limits.ProtoReflect().Descriptor().Fields()
		for i := range fields.Len() {
			if n := uint32(limits.ProtoReflect().Get(fields.Get(i)).Uint()); n > 0 {
				d.Limits[string(fields.Get(i).Name())] = n
			}
		}
	}
	for _, i := range module.Imports {
		if name := i.From + "." + i.Name; !slices.Contains(d.Imports, name) { // Go imports some twice
			d.Imports = append(d.Imports, name)
		}
	}
	slices.Sort(d.Imports)
	for _, e := range module.Exports {
		d.Exports = append(d.Exports, e.Name)
	}
	slices.Sort(d.Exports)
	for _, c := range capability.Names() {
		if slices.Contains(d.Imports, "onething."+c) && !slices.Contains(d.Capabilities, c) && d.SDK != "sdk/go" {
			d.Notes = append(d.Notes, "imports "+c+" and does not ask for it: each such call is refused")
		}
	}
	for _, c := range d.Capabilities {
		if !slices.Contains(d.Imports, "onething."+c) {
			d.Notes = append(d.Notes, "asks for "+c+" and cannot use it")
		}
	}
	return d
}

func (d pluginFacts) write(w io.Writer) {
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(w, "%-12s %s\n", name, text)
		}
	}
	line("plugin", d.Plugin+" "+d.Version)
	line("department", d.Department)
	line("name", d.Name)
	line("digest", d.Digest)
	line("size", size(d.Bytes))
	line("sdk", d.SDK)
	line("hooks", strings.Join(d.Hooks, ", "))
	asks := make([]string, 0, len(d.Capabilities))
	for _, c := range d.Capabilities {
		of := map[string][]string{capability.SharedData: d.Sources, capability.HTTP: d.Hosts, capability.Log: d.LogCodes}[c]
		if len(of) > 0 {
			c += " (" + strings.Join(of, ", ") + ")"
		}
		asks = append(asks, c)
	}
	if len(asks) == 0 {
		asks = []string{"nothing"}
	}
	line("asks for", strings.Join(asks, ", "))
	limits := make([]string, 0, len(d.Limits))
	for name, n := range d.Limits {
		limits = append(limits, fmt.Sprintf("%s %d", name, n))
	}
	slices.Sort(limits)
	if len(limits) == 0 {
		limits = []string{"the operator's defaults"}
	}
	line("limits", strings.Join(limits, ", "))
	line("memory", fmt.Sprintf("begins with %s", size(d.MemoryPages<<16)))
	line("imports", strings.Join(d.Imports, " "))
	line("exports", strings.Join(d.Exports, " "))
	for _, note := range d.Notes {
		line("note", note)
	}
}
