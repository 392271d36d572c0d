package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"
)

func newPluginBench() *cobra.Command {
	var hook, format string
	var calls int
	cmd := &cobra.Command{
		Use:   "bench FILE.wasm CASE.json",
		Short: "Make one call of a plugin many times and say how long it takes",
		Long: "bench makes the call of a JSON file, whose form is that of `onething plugin run`, again and again, one at a time, each in a\n" +
			"sandbox that no earlier call has left a mark in, and prints how long they took and what one used.",
		Example: `  onething plugin bench build/plugins/household.wasm household.json
  onething plugin bench --calls 20 --format json build/plugins/household.wasm household.json`,
		Args: arguments("FILE.wasm", "CASE.json"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if err := oneOf(format, "text", "json"); err != nil {
				return err
			}
			if calls < 1 {
				return errors.New("--calls must be 1 at least")
			}
			c, err := readCase(args[1], hook)
			if err != nil {
				return err
			}
			file, m, err := readPlugin(args[0])
			if err != nil {
				return err
			}
			begin := time.Now()
			return try(cmd.Context(), args[0], file, m, func(t *tried) error {
				b := measured{Calls: calls, Compile: time.Since(begin).Microseconds()}
				took := make([]time.Duration, calls)
				for i := range took {
					begin := time.Now()
					if b.ran, err = t.call(cmd.Context(), c); err != nil {
						return err
					}
					took[i] = time.Since(begin)
					if b.Failed != "" {
						return &refusedError{"the call fails: " + b.Failed}
					}
				}
				b.Answer = nil
				slices.Sort(took)
				b.Median, b.P99 = took[len(took)/2].Microseconds(), took[(len(took)-1)*99/100].Microseconds()
				return tell(cmd.OutOrStdout(), format, b, b.write)
			})
		},
	}
	cmd.Flags().StringVar(&hook, "hook", "", "prefill, check, decide, issue or revoke; that of the file if not given")
	cmd.Flags().IntVar(&calls, "calls", 200, "how many calls")
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	return cmd
}

// measured is how long calls took, in microseconds, and what each used.
type measured struct {
	Calls   int   `json:"calls"`
	Compile int64 `json:"compile_micros"`
	Median  int64 `json:"median_micros"`
	P99     int64 `json:"p99_micros"`
	ran
}

func (m measured) write(w io.Writer) {
	millis := func(micros int64) string { return fmt.Sprintf("%.2f ms", float64(micros)/1000) }
	fmt.Fprintf(w, "compiled in %s\n%d calls: half of them in %s, 99 of 100 in %s\n", millis(m.Compile), m.Calls, millis(m.Median), millis(m.P99))
	m.ran.write(w)
}
